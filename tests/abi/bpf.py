# SPDX-License-Identifier: GPL-2.0-only
"""How does somebody else watch a function of the kernel: a BPF trampoline at its entry or its exit?

The programs are so small that they are written down as instructions, and loaded with bpf() itself.
"""

import ctypes
import functools
import mmap
import os
import struct
from pathlib import Path

import raw

TYPES = Path("/sys/kernel/btf/vmlinux")
SYMBOLS = Path("/proc/kallsyms")

MAP_CREATE, PROG_LOAD, RAW_TRACEPOINT_OPEN = 0, 5, 17
MAP_TYPE_ARRAY, MMAPABLE = 2, 1 << 10
PROG_TYPE_TRACING = 26
KINDS = {"fentry": 24, "fexit": 25}
"""Where a program is attached, as a number."""

BTF_FUNC = 12
BTF_FIXED = {1: 4, 3: 12, 14: 4, 17: 4}
BTF_MEMBERS = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
"""Bytes behind a type's head, by kind: of its own, and for each member."""


class MapCreate(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("type", "key_size", "value_size", "entries", "flags")]


class ProgLoad(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_uint32), ("count", ctypes.c_uint32), ("insns", ctypes.c_uint64), ("license", ctypes.c_uint64),
        ("log_level", ctypes.c_uint32), ("log_size", ctypes.c_uint32), ("log", ctypes.c_uint64),
        ("version", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("name", ctypes.c_char * 16),
        ("interface", ctypes.c_uint32), ("attach_type", ctypes.c_uint32),
        ("btf", ctypes.c_uint32), ("info_size", ctypes.c_uint32), ("info", ctypes.c_uint64), ("info_count", ctypes.c_uint32),
        ("line_size", ctypes.c_uint32), ("lines", ctypes.c_uint64), ("line_count", ctypes.c_uint32),
        ("attach_function", ctypes.c_uint32), ("attach_program", ctypes.c_uint32),
    ]  # fmt: skip


class TracepointOpen(ctypes.Structure):
    _fields_ = [("name", ctypes.c_uint64), ("program", ctypes.c_uint32)]


def bpf(command: int, request: ctypes.Structure) -> int:
    """A descriptor of what was asked for."""
    descriptor = raw.LIBC.syscall(raw.NUMBERS["bpf"], command, ctypes.byref(request), ctypes.sizeof(request))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command}): {os.strerror(ctypes.get_errno())}")
    return descriptor


@functools.cache
def type_of(function: str) -> int:
    """The number under which the kernel's type information has a function."""
    data = TYPES.read_bytes()
    _magic, _version, _flags, head, at, size, strings, _size = struct.unpack_from("<HBBIIIII", data)
    name_at = data.index(b"\0%s\0" % function.encode(), head + strings) + 1 - head - strings
    at, end, number = head + at, head + at + size, 1
    while at < end:
        name, info, _ = struct.unpack_from("<III", data, at)
        kind, members = info >> 24 & 31, info & 0xFFFF
        if kind == BTF_FUNC and name == name_at:
            return number
        at += 12 + BTF_FIXED.get(kind, 0) + BTF_MEMBERS.get(kind, 0) * members
        number += 1
    raise AssertionError(f"no type of {function}")


def insn(code: int, dst: int = 0, src: int = 0, offset: int = 0, imm: int = 0) -> bytes:
    return struct.pack("<BBhi", code, dst | src << 4, offset, imm)


def counting(map_descriptor: int, keeps_result: bool) -> bytes:
    """A program that adds 1 to the first number of a map; at the exit it also keeps the function's result in the second."""
    value_of_map = insn(0x18, 2, 2, imm=map_descriptor) + insn(0)  # r2 = its address
    count = insn(0xB7, 3, imm=1) + insn(0xDB, 2, 3)  # r3 = 1; lock *r2 += r3
    keep = insn(0x79, 4, 1, 8) + insn(0x7B, 2, 4, 8)  # r4 = what follows the one argument; *(r2 + 8) = r4
    return value_of_map + count + (keep if keeps_result else b"") + insn(0xB7, 0) + insn(0x95)  # return 0


def load(kind: str, function: str, insns: bytes) -> int:
    """A descriptor of a program for the entry or the exit of a function."""
    code, log = ctypes.create_string_buffer(insns, len(insns)), ctypes.create_string_buffer(1 << 16)
    request = ProgLoad(
        type=PROG_TYPE_TRACING, count=len(insns) // 8, insns=ctypes.addressof(code),
        license=ctypes.cast(b"GPL", ctypes.c_void_p).value, log_level=1, log_size=len(log), log=ctypes.addressof(log),
        attach_type=KINDS[kind], attach_function=type_of(function),
    )  # fmt: skip
    try:
        return bpf(PROG_LOAD, request)
    except OSError as error:
        raise AssertionError(f"{error}\n{log.value.decode()}") from error


class Watcher:
    """A BPF program at the entry or the exit of a function of one argument."""

    def __init__(self, kind: str, function: str):
        counters = bpf(MAP_CREATE, MapCreate(MAP_TYPE_ARRAY, 4, 16, 1, MMAPABLE))
        self._numbers = mmap.mmap(counters, raw.PAGE, prot=mmap.PROT_READ)
        program = load(kind, function, counting(counters, kind == "fexit"))
        self._attached = bpf(RAW_TRACEPOINT_OPEN, TracepointOpen(program=program))
        for descriptor in (counters, program):
            os.close(descriptor)

    def seen(self) -> tuple[int, int]:
        """How many calls it saw, and, at the exit, what the last one answered."""
        return struct.unpack_from("<qq", self._numbers)

    def close(self) -> None:
        """Takes it away from the function."""
        os.close(self._attached)
        self._numbers.close()


def gives_way() -> bool:
    """Whether BPF's trampolines share a function with who diverts it (53cd885bc5c3, 6.0)."""
    return " bpf_tramp_ftrace_ops_func" in SYMBOLS.read_text()
