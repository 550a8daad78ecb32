# SPDX-License-Identifier: GPL-2.0-only
"""What would loaded modules answer?  A stand-in at the ioctl boundary, and builders of log records."""

import ctypes
import errno
import struct

from pysct import abi


class FakeModules:
    """Answers as the control device does; give its `ioctl` to Control."""

    def __init__(self):
        self.abi = abi.VERSION
        self.generation = 0
        self.image = b""
        self.locked = False
        self.lists = {abi.List.COUNTERS: [], abi.List.POINTS: [], abi.List.CALLERS: [], abi.List.DROPS: []}
        self.works = {"x86_64": "ftrace", "i386": "ftrace", "aarch64": "table"}  # by ABI; what is not here is not served
        self.proofs = {}  # (ABI, mechanism) -> abi.Proof
        self.tried = []
        self.fail = {}  # request -> errno
        self.refuse = None  # members of an ErrorStruct, and the errno that goes with it
        self.uploads = []
        self.at_list = lambda: None

    def ioctl(self, descriptor, request, argument=None):
        if request in self.fail:
            raise OSError(self.fail[request], "fake")
        return {
            abi.Ioctl.VERSION: self.version,
            abi.Ioctl.UPLOAD: self.upload,
            abi.Ioctl.DOWNLOAD: self.download,
            abi.Ioctl.LIST: self.list,
            abi.Ioctl.LOCK: self.lock,
            abi.Ioctl.PROVE: self.prove,
        }[request](argument)

    def version(self, argument):
        argument.abi, argument.locked, argument.generation = self.abi, self.locked, self.generation
        return 0

    def upload(self, argument):
        if self.refuse:
            number, members = self.refuse
            argument.error = abi.ErrorStruct(**members)
            raise OSError(number, "refused")
        if self.locked:
            self._refuse(argument, "LOCKED")
        if argument.flags & abi.Upload.EXPECT and argument.expect != self.generation:
            self._refuse(argument, "STALE")
        image = ctypes.string_at(argument.image, argument.size)
        if not argument.flags & abi.Upload.DRY_RUN:
            self.image = image
            self.generation += 1
            self.uploads.append(image)
        argument.generation = self.generation
        return 0

    def _refuse(self, argument, name):
        known = next(error for error in abi.ERRORS.values() if error.name == name)
        argument.error.code = known.number
        raise OSError(getattr(errno, known.errno), "refused")

    def download(self, argument):
        room, argument.size = argument.size, len(self.image)
        argument.generation = self.generation
        if room < len(self.image):
            raise OSError(errno.ENOSPC, "fake")
        ctypes.memmove(argument.buffer, self.image, len(self.image))
        return 0

    def prove(self, argument):
        key = (argument.abi, argument.mechanism)
        name = next(name for name, entry in abi.ABIS.items() if entry.number == argument.abi)
        self.tried.append((name, abi.MECHANISMS[argument.mechanism].name, argument.step))
        if argument.step == abi.Prove.REFUSED:
            self.proofs[key] = abi.Proof.UNSERVED
        if argument.step == abi.Prove.MADE:
            arrives = self.works.get(name) == abi.MECHANISMS[argument.mechanism].name
            self.proofs[key] = abi.Proof.WORKS if arrives else abi.Proof.FAILS
        argument.state = self.proofs.get(key, abi.Proof.UNTRIED)
        return 0

    def list(self, argument):
        known = [abi.ProofStruct(*key, state) for key, state in sorted(self.proofs.items())]
        rows = known if argument.what == abi.List.PROOFS else self.lists[argument.what]
        part = rows[argument.first : argument.first + argument.count]
        for n, row in enumerate(part):
            ctypes.memmove(argument.buffer + n * ctypes.sizeof(row), ctypes.addressof(row), ctypes.sizeof(row))
        argument.count, argument.total, argument.generation = len(part), len(rows), self.generation
        self.at_list()
        return 0

    def lock(self, _argument):
        self.locked = True
        return 0


def item(what, data, state=abi.State.WHOLE):
    """A string of a record."""
    return struct.pack("<BBH", what, state, len(data)) + data


def record(kind, body):
    """A record of any type: a head, `body`, and zeros up to a multiple of 8."""
    body += bytes(-len(body) % 8)
    return struct.pack("<HHIQQ", 24 + len(body), kind, 7, 3, 1_700_000_000_123_456_789) + body


UNLINKAT = {"abi": 0, "nr": 263, "nargs": 3, "kinds": (11, 10, 5), "args": ((1 << 64) - 100, 0x7FFD00001234, 0)}
"""unlinkat(AT_FDCWD, pointer, 0), as a 64-bit program makes it."""


def event(items=(), **members):
    """A record of an event: unlinkat by rm, unless `members` say otherwise."""
    members = {
        **UNLINKAT, "actions": 1, "phase": 0, "retval": 0, "pid": 1234, "tid": 1235, "ppid": 1, "uid": 10, "euid": 11,
        "suid": 12, "fsuid": 13, "gid": 20, "egid": 21, "sgid": 22, "fsgid": 23, "cpu": 1, "comm": b"rm", **members,
    }  # fmt: skip
    head = abi.EventStruct()
    for name, value in members.items():
        if name in ("args", "kinds"):
            for n, element in enumerate(value):
                getattr(head, name)[n] = element
        else:
            setattr(head, name, value)
    return record(abi.Record.EVENT, bytes(head)[abi.RecordStruct.SIZE :] + b"".join(items))


NAME = item(abi.Item.NAME, b"watch")
PATH = item(abi.Item.ARG + 1, b"./dummy")


def lost(count, cause=abi.Cause.BUFFER, name=b"watch"):
    """A record of lost events."""
    return record(abi.Record.LOST, struct.pack("<QII", count, cause, 0) + item(abi.Item.NAME, name))
