# SPDX-License-Identifier: GPL-2.0-only
"""Which mechanism brings the calls of an ABI to the rules, on the running kernel?

The kernel trusts a mechanism only when a real call has arrived through it. For each ABI a tiny program of that ABI is
run, which makes one harmless call, `sched_get_priority_max(SCHED_FIFO)`, and exits with what it returned.
"""

import errno
import os
import signal
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pysct import abi
from pysct.control import Control
from pysct.failures import Failure
from pysct.points import abis_of
from pysct.tables import CALLS

CALL, ANSWER = "sched_get_priority_max", 99
"""The call, and what it returns for SCHED_FIFO; see sched(7)."""

X32 = 0x40000000
"""Bit of an x32 call's number (asm/unistd.h)."""


class Proof(NamedTuple):
    """What is known of a mechanism for an ABI; state is one of abi.Proof."""

    abi: str
    mechanism: int
    state: int


def prove(control: Control) -> bool:
    """Tries the mechanisms for all ABIs of this machine, as far as that was not done yet: False if it was."""
    return any([_try(control, name, mechanism) for name in abis_of() for mechanism in abi.MECHANISMS])


def known(control: Control) -> list[Proof]:
    """What is known, for the ABIs of this machine, in the order in which mechanisms are tried."""
    names = {abi.ABIS[name].number: name for name in abis_of()}
    return [Proof(names[row.abi], row.mechanism, row.state) for row in control.proofs() if row.abi in names]


def _try(control: Control, name: str, mechanism: int) -> bool:
    number, nr = abi.ABIS[name].number, CALLS[name][CALL][0]
    if control.prove(number, mechanism, abi.Prove.BEGIN, nr) != abi.Proof.UNTRIED:
        return False
    made = abi.Prove.ABANDONED
    try:
        made = abi.Prove.MADE if _answers(name) else abi.Prove.REFUSED
    finally:
        control.prove(number, mechanism, made, nr)
    return True


def _answers(name: str) -> bool:
    """Whether the kernel serves a program of this ABI; raises Failure if that cannot be told."""
    served = _exit_code(name)
    if served == ANSWER:
        return True
    if served is None or (name == "x32" and served == NO_CALL):
        if _filtered():
            raise Failure(f"whether the kernel serves {name} cannot be told: {_FILTERED}", _UNFILTERED)
        return False
    how = signal.strsignal(-served) if served < 0 else f"exit status {served}, not {ANSWER}"
    raise Failure(f"the program that tries calls of {name} ended otherwise than it should: {how}", _UNFILTERED)


def _exit_code(name: str) -> int | None:
    """How the program of an ABI ends, as os.waitstatus_to_exitcode says it; None if the kernel does not run such programs."""
    program = os.memfd_create(f"sct-{name}")
    try:
        os.write(program, executable(name))
        child = os.posix_spawn(f"/proc/self/fd/{program}", [name], {})
    except OSError as error:
        if error.errno in (errno.ENOEXEC, errno.ELIBBAD):
            return None
        raise Failure(f"a program of the ABI {name} cannot be run: {error.strerror}", _EXECUTABLE) from error
    finally:
        os.close(program)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _filtered(status: Path = Path("/proc/self/status")) -> bool:
    """Whether a seccomp filter may answer calls in the kernel's place."""
    return "\nSeccomp:\t0\n" not in status.read_text()


NO_CALL = 256 - errno.ENOSYS
"""Exit status of a program whose call is not there."""

_EXECUTABLE = "allow programs in memory to be run: sysctl vm.memfd_noexec=0"
_FILTERED = "a seccomp filter is in force here and may have answered"
_UNFILTERED = "run sct_load where no seccomp filter is in force, outside of containers and confined services"


LOAD, GNU_STACK = 1, 0x6474E551
EXECUTE, WRITE, READ = 1, 2, 4
"""Types and flags of a segment; see elf(5)."""


class _Machine(NamedTuple):
    """Of an ELF file: e_machine, e_flags, class, address, size of the headers; see elf(5)."""

    number: int
    flags: int
    bits: int
    address: int


_MACHINES = {
    "x86_64": _Machine(62, 0, 64, 0x400000),
    "x32": _Machine(62, 0, 64, 0x400000),
    "i386": _Machine(3, 0, 32, 0x400000),
    "aarch64": _Machine(183, 0, 64, 0x400000),
    "aarch32": _Machine(40, 0x05000000, 32, 0x400000),
}


def executable(name: str) -> bytes:
    """The program, as the bytes of a static ELF file."""
    machine = _MACHINES[name]
    code = b"".join(_code(name))
    wide = machine.bits == 64
    head, entry = (64, 56) if wide else (52, 32)
    offset, word = head + 2 * entry, "Q" if wide else "I"
    size = offset + len(code)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    start = machine.address + offset
    elf = struct.pack(f"<HHI3{word}IHHHHHH", 2, machine.number, 1, start, head, 0, machine.flags, head, entry, 2, 0, 0, 0)
    place = (0, machine.address, machine.address, size, size)
    nowhere = (0, 0, 0, 0, 0)
    segments = [(LOAD, READ | EXECUTE, place, 0x1000), (GNU_STACK, READ | WRITE, nowhere, 16)]
    for kind, flags, where, align in segments:
        elf += struct.pack("<II6Q", kind, flags, *where, align) if wide else struct.pack("<8I", kind, *where, flags, align)
    return ident + elf + code


def _code(name: str) -> Iterator[bytes]:
    """Machine code: make the call with argument 1, and exit with its result."""
    call = CALLS[name][CALL][0] | (X32 if name == "x32" else 0)
    leave = CALLS["x86_64" if name == "x32" else name]["exit"][0]
    if name in ("x86_64", "x32"):
        yield b"\xb8" + struct.pack("<I", call)  # mov eax, call
        yield b"\xbf\x01\x00\x00\x00\x0f\x05"  # mov edi, 1; syscall
        yield b"\x89\xc7\xb8" + struct.pack("<I", leave)  # mov edi, eax; mov eax, leave
        yield b"\x0f\x05"  # syscall
    elif name == "i386":
        yield b"\xb8" + struct.pack("<I", call)  # mov eax, call
        yield b"\xbb\x01\x00\x00\x00\xcd\x80"  # mov ebx, 1; int 0x80
        yield b"\x89\xc3\xb8" + struct.pack("<I", leave)  # mov ebx, eax; mov eax, leave
        yield b"\xcd\x80"  # int 0x80
    elif name == "aarch64":
        yield struct.pack("<II", 0xD2800008 | call << 5, 0xD2800020)  # mov x8, call; mov x0, 1
        yield struct.pack("<I", 0xD4000001)  # svc 0
        yield struct.pack("<II", 0xD2800008 | leave << 5, 0xD4000001)  # mov x8, leave; svc 0
    else:
        yield struct.pack("<II", 0xE3A07000 | call, 0xE3A00001)  # mov r7, call; mov r0, 1
        yield struct.pack("<I", 0xEF000000)  # svc 0
        yield struct.pack("<II", 0xE3A07000 | leave, 0xEF000000)  # mov r7, leave; svc 0
