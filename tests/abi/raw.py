# SPDX-License-Identifier: GPL-2.0-only
"""How does a caller without manners ask: any request, any address, any rights?

Answers are error numbers, 0 for success.
"""

import ctypes
import errno
import mmap
import os
import platform
import signal
from collections.abc import Callable

import parts
from parts import BEFORE, Parts, insn, rule
from patience import PATIENCE

from pysct import abi, tables
from pysct.points import abis_of

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
LIBC.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
LIBC.ioctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p]
LIBC.read.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
LIBC.read.restype = ctypes.c_ssize_t
LIBC.chdir.argtypes = [ctypes.c_void_p]

PAGE = mmap.PAGESIZE
KERNEL = 0xFFFFFFFF81000000
NOWHERE = (0, 1, PAGE, 2**47 - PAGE, 2**47, 2**63, KERNEL, 0xFFFF888000000000, 2**64 - PAGE, 2**64 - 1)
"""Addresses that are nobody's to name."""

PROT_NONE = 0
NUMBERS = {name: number for name, (number, _) in tables.CALLS[platform.machine()].items()}
"""Of this machine's own calls."""
CHDIR = NUMBERS["chdir"]
OWN, OTHER = (abi.ABIS[name].number for name in abis_of()[:2])
"""This machine's own ABI, and that of its 32-bit programs."""
FOREIGN = [entry.number for name, entry in abi.ABIS.items() if name not in abis_of()]
"""The ABIs of other machines."""
FAIL, LOG, KILL, SUSPEND = (abi.ACTIONS[name].mask for name in ("FAIL", "LOG", "KILL", "SUSPEND"))


def ask(descriptor: int, request: int, argument: int | ctypes.Structure | None) -> int:
    """One ioctl."""
    where = ctypes.addressof(argument) if isinstance(argument, ctypes.Structure) else argument
    return errno_of(LIBC.ioctl, descriptor, request, where)


def errno_of(function: Callable, *arguments) -> int:
    """The error number of a call of the C library."""
    return ctypes.get_errno() if function(*arguments) < 0 else 0


def chdir(path: bytes) -> int:
    """The error number of a call that rules can refuse; all machines have it, and its one argument is a path."""
    return errno_of(LIBC.chdir, ctypes.c_char_p(path))


def prog(*words, **others) -> abi.ProgStruct:
    """A program, for this machine's own ABI unless another is given; see parts.prog()."""
    return parts.prog(*words, **{"abi": OWN, **others})


def own(made: Parts) -> Parts:
    """The same, its programs for this machine's own ABI."""
    for program in made.progs:
        program.abi = OWN
    return made


def laid_out(*pieces: tuple[abi.ProgStruct, list]) -> dict[str, list]:
    """The programs of an image, each with its instructions, in the order in which they have to be."""
    made = {"insns": [], "progs": []}
    for program, insns in sorted(pieces, key=lambda piece: (piece[0].abi, piece[0].nr, piece[0].phase)):
        program.insn, program.insns = len(made["insns"]), len(insns)
        made["insns"] += insns
        made["progs"].append(program)
    return made


class Memory:
    """Some pages of our own; the one behind them is not there."""

    def __init__(self, pages: int = 1):
        self.size = pages * PAGE
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self.start = LIBC.mmap(None, self.size + PAGE, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)
        self.end = self.start + self.size
        assert errno_of(LIBC.mprotect, self.end, PAGE, 0) == 0

    def protect(self, how: int = mmap.PROT_READ) -> "Memory":
        """Makes all of it read-only, or what is said."""
        assert errno_of(LIBC.mprotect, self.start, self.size, how) == 0
        return self

    def put(self, data: bytes, address: int | None = None) -> int:
        """Writes to an address, the start if none is given; returns it."""
        ctypes.memmove(address or self.start, data, len(data))
        return address or self.start

    def put_last(self, data: bytes) -> int:
        """Writes so that the page that is not there follows."""
        return self.put(data, self.end - len(data))

    def get(self, size: int, address: int | None = None) -> bytes:
        """Reads from an address, the start if none is given."""
        return ctypes.string_at(address or self.start, size)


def upload(descriptor: int, image: bytes, flags: int = 0, expect: int = 0) -> tuple[int, abi.UploadStruct]:
    """The error number of an upload, and the answer."""
    buffer = ctypes.create_string_buffer(image, len(image) + 1)
    request = abi.UploadStruct(image=ctypes.addressof(buffer), size=len(image), flags=flags, expect=expect)
    return ask(descriptor, abi.Ioctl.UPLOAD, request), request


def name_of(answer: abi.UploadStruct) -> str:
    """Why an upload was refused."""
    return abi.ERRORS[answer.error.code].name if answer.error.code else ""


def version(descriptor: int) -> abi.VersionStruct:
    """What the modules say of themselves."""
    answer = abi.VersionStruct()
    assert ask(descriptor, abi.Ioctl.VERSION, answer) == 0
    return answer


def counters(descriptor: int) -> list[abi.CountersStruct]:
    """The counters of the first thousand rules in force."""
    room = (abi.CountersStruct * 1000)()
    request = abi.ListStruct(what=abi.List.COUNTERS, count=1000, buffer=ctypes.addressof(room))
    assert ask(descriptor, abi.Ioctl.LIST, request) == 0
    return list(room[: request.count])


def refusing(
    path: bytes, error: int, digest: int = 1, actions: int = FAIL, before: list | None = None, phase: int = BEFORE
) -> Parts:
    """A rule that refuses chdir(path) with an error, or does what else is said."""
    insns = [*(before or []), insn("SEQ", 0, a=0, imm=1), insn("MATCH", imm=0), insn("RET")]
    return Parts(
        insns=insns,
        progs=[prog(len(insns), ("str",), nr=CHDIR, phase=phase)],
        rules=[rule(phase=phase, actions=actions, error=-error if actions & FAIL else 0, digest=digest)],
        strings=[b"held", path],
    )


def in_child(function: Callable[[], int], patience: int = 60) -> int:
    """What a function returns in a process of its own, which may do to itself what it likes; below 0: what killed it."""
    child = os.fork()
    if child == 0:
        status = 255
        try:
            signal.alarm(int(patience * PATIENCE))
            status = function()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def drop_rights() -> None:
    """Root, without any of root's capabilities."""
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)
    assert LIBC.syscall(NUMBERS["capset"], head, (ctypes.c_uint32 * 6)()) == 0


NOTHING = Parts([], [], [], (), [], b"").bytes()
"""No rules."""


class Held:
    """A rule in force that has to stay, with what it counted, whatever is asked of the modules."""

    PATH, ERROR = b"/held/by/a/rule", errno.EROFS

    def __init__(self):
        self.descriptor = os.open("/dev/sct", os.O_RDWR)
        self.put_back()

    def put_back(self) -> None:
        """Puts the rule in force, if others are."""
        result, answer = upload(self.descriptor, refusing(self.PATH, self.ERROR, digest=os.getpid()).bytes())
        assert result == 0
        self.generation = answer.generation
        self.recount()

    def recount(self) -> None:
        """Takes what was counted so far for granted."""
        (row,) = counters(self.descriptor)
        self.matched, self.unknown = row.matched, row.unknown

    def check(self) -> None:
        """It is the same rule, it counted all calls, and it still refuses."""
        assert version(self.descriptor).generation == self.generation
        row, *others = counters(self.descriptor)
        assert not others and (row.matched, row.failed, row.unknown) == (self.matched, self.matched, self.unknown)
        assert chdir(self.PATH) == self.ERROR
        assert chdir(b"/not" + self.PATH) == errno.ENOENT
        self.matched += 1

    def close(self) -> None:
        """Takes the rule away."""
        upload(self.descriptor, NOTHING)
        os.close(self.descriptor)
