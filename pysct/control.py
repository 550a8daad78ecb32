# SPDX-License-Identifier: GPL-2.0-only
"""What can be asked of the loaded modules, and how do they answer?

Every method raises NotLoaded, NotPermitted, AbiMismatch, Refused or another
Failure; none returns an errno.
"""

import ctypes
import errno
import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pysct import abi, calls, device
from pysct.failures import AbiMismatch, Failure, NotLoaded, NotPermitted

PAGE = 256
"""Elements asked for by one LIST."""

ONE_RELEASE = "use the tools and the modules of one release: sct_unload, then sct_load"


class Refused(Failure):
    """The kernel did not take a rule set; `code` is a key of abi.ERRORS."""

    def __init__(self, error: abi.ErrorStruct):
        known = abi.ERRORS.get(error.code)
        values = {
            "index": error.index,
            "abi": calls.abi_name(error.abi),
            "syscall": calls.call_name(error.abi, error.nr),
            "value": error.value,
        }
        text = known.text.format(**values) if known else f"the kernel refused the rules for a reason unknown here ({error.code})"
        super().__init__(text, known.hint.format(**values) if known else ONE_RELEASE)
        self.code = error.code
        self.name = known.name if known else ""
        if known and known.errno == "EPERM":
            self.status = NotPermitted.status


class Version(NamedTuple):
    """The modules' ABI version, whether the rules are locked, and the generation in force (0: none yet)."""

    abi: int
    locked: bool
    generation: int


@dataclass(frozen=True)
class Point:
    """A place where calls are judged; state is one of abi.Point, address 0 where the kernel hides it, hits counts calls."""

    abi: int
    nr: int
    mechanism: int
    state: int
    address: int
    hits: int
    symbol: str


@dataclass(frozen=True)
class Caller:
    """A thread inside a diverted call; age in nanoseconds since it entered."""

    pid: int
    tid: int
    abi: int
    nr: int
    age: int
    comm: bytes


@dataclass(frozen=True)
class Drop:
    """Events that one processor dropped for one cause."""

    cpu: int
    cause: int
    count: int


@dataclass(frozen=True)
class Counters:
    """What became of one rule, in calls and events, since it was uploaded."""

    matched: int
    logged: int
    failed: int
    killed: int
    suspended: int
    unknown: int
    lost: int


class Control:
    """The control device, opened; close it, or use it in a `with`."""

    def __init__(self, descriptor: int, ioctl: Callable[[int, int, ctypes.Structure], int] = fcntl.ioctl):
        self._descriptor = descriptor
        self._ioctl = ioctl

    @classmethod
    def open(cls) -> "Control":
        """The device of the loaded modules, proven to speak this ABI."""
        control = cls(device.open_control())
        try:
            control.version()
        except Failure:
            control.close()
            raise
        return control

    def close(self) -> None:
        """Gives the descriptor back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> "Control":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def version(self) -> Version:
        """Raises AbiMismatch unless the modules speak this ABI."""
        answer = abi.VersionStruct()
        self._ask(abi.Ioctl.VERSION, answer)
        if answer.abi != abi.VERSION:
            raise AbiMismatch(
                f"the modules speak version {answer.abi} of the ABI, these tools version {abi.VERSION}", ONE_RELEASE
            )
        return Version(answer.abi, bool(answer.locked), answer.generation)

    def upload(self, image: bytes, expect: int | None = None, dry_run: bool = False) -> int:
        """Replaces the rule set and returns the new generation.

        expect: refuse unless this generation is in force.  dry_run: verify
        only.  Raises Refused with the kernel's reason; the old rules stay.
        """
        buffer = ctypes.create_string_buffer(image, len(image))
        request = abi.UploadStruct(image=ctypes.addressof(buffer), size=len(image))
        if expect is not None:
            request.flags |= abi.Upload.EXPECT
            request.expect = expect
        if dry_run:
            request.flags |= abi.Upload.DRY_RUN
        try:
            self._ask(abi.Ioctl.UPLOAD, request)
        except Failure as failure:
            if request.error.code:
                raise Refused(request.error) from failure
            raise
        return request.generation

    def download(self) -> tuple[bytes, int]:
        """The image in force, empty if there never was one, and its generation."""
        room = 0
        while True:
            buffer = ctypes.create_string_buffer(max(room, 1))
            request = abi.DownloadStruct(buffer=ctypes.addressof(buffer), size=room)
            try:
                self._ask(abi.Ioctl.DOWNLOAD, request)
            except Failure:
                if request.size <= room:
                    raise
            if request.size <= room:
                return buffer.raw[: request.size], request.generation
            room = request.size

    def counters(self) -> tuple[list[Counters], int]:
        """Counters in the order of the rules, and the generation that they belong to."""
        rows, generation = self._list(abi.List.COUNTERS, abi.CountersStruct)
        return [Counters(*(getattr(r, name) for name, _ in r._fields_)) for r in rows], generation

    def points(self) -> list[Point]:
        """Where calls are judged now."""
        rows, _ = self._list(abi.List.POINTS, abi.PointStruct)
        return [Point(r.abi, r.nr, r.mechanism, r.state, r.address, r.hits, r.symbol.decode(errors="replace")) for r in rows]

    def callers(self) -> list[Caller]:
        """Which threads are inside a diverted call now."""
        rows, _ = self._list(abi.List.CALLERS, abi.CallerStruct)
        return [Caller(r.pid, r.tid, r.abi, r.nr, r.age, r.comm) for r in rows]

    def drops(self) -> list[Drop]:
        """Events that were dropped since the modules were loaded."""
        rows, _ = self._list(abi.List.DROPS, abi.DropStruct)
        return [Drop(r.cpu, r.cause, r.count) for r in rows]

    def proofs(self) -> list[abi.ProofStruct]:
        """Whether each mechanism works for each ABI."""
        return self._list(abi.List.PROOFS, abi.ProofStruct)[0]

    def prove(self, abi_number: int, mechanism: int, step: int, nr: int) -> int:
        """A step (abi.Prove) of trying a mechanism with call `nr`; returns what is known then, one of abi.Proof."""
        request = abi.ProveStruct(abi=abi_number, mechanism=mechanism, step=step, nr=nr)
        self._ask(abi.Ioctl.PROVE, request, _unprovable(abi.MECHANISMS[mechanism].name))
        return request.state

    def lock(self) -> None:
        """Refuses every change from now to the next boot."""
        self._ask(abi.Ioctl.LOCK, None)

    def _list(self, what: int, element: type[ctypes.Structure]) -> tuple[list, int]:
        """All elements of one list; starts again when the rules change between two pages."""
        rows: list = []
        generation = None
        while True:
            page = (element * PAGE)()
            request = abi.ListStruct(what=what, first=len(rows), count=PAGE, buffer=ctypes.addressof(page))
            self._ask(abi.Ioctl.LIST, request)
            if generation not in (None, request.generation):
                rows, generation = [], None
                continue
            generation = request.generation
            rows += page[: request.count]
            if request.count == 0 or len(rows) >= request.total:
                return rows, generation

    def _ask(self, request: int, argument: ctypes.Structure | None, failures: dict[int, Failure] | None = None) -> None:
        """Makes a request; `failures` says what to raise for an errno that means something of its own there."""
        try:
            if argument is None:
                self._ioctl(self._descriptor, request)
            else:
                self._ioctl(self._descriptor, request, argument)
        except OSError as error:
            raise (failures or {}).get(error.errno) or _failure(error.errno) from error


def _unprovable(mechanism: str) -> dict[int, Failure]:
    """Why a mechanism cannot be tried."""
    off = next(known for known in abi.ERRORS.values() if known.name == "TRACING_OFF")
    return {
        errno.EIO: Failure(f"{mechanism} cannot be tried: it is switched off", off.hint),
        errno.EBUSY: Failure(
            f"{mechanism} cannot be tried: the call that tries it is diverted already, by a rule or by another module",
            "delete the rules first: sct_config delete; or unload the other module",
        ),
    }


def _failure(number: int) -> Failure:
    if number == errno.ENOTTY:
        return AbiMismatch(
            f"the modules do not know a request of version {abi.VERSION} of the ABI: they are of another release", ONE_RELEASE
        )
    if number in (errno.EPERM, errno.EACCES):
        return NotPermitted("the modules do not permit this", device.BE_ROOT)
    if number in (errno.ENODEV, errno.ENXIO):
        return NotLoaded("the modules are being unloaded", device.LOAD_FIRST)
    return Failure(f"the modules answered: {os.strerror(number)}")
