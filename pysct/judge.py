# SPDX-License-Identifier: GPL-2.0-only
"""What does the kernel say of an image, and of a call by its rules, without being asked?

The module's own verifier and judge answer: see pysct.native.
"""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from pysct import abi, native

OWN = [entry for entry in abi.FIELDS.values() if not entry.subject]
STRINGS = (*range(abi.Limit.ARGS), *(entry.number for entry in OWN if entry.type == "str"))
"""String operands, in the order of their places in struct sct_judge."""

FIELDS = max(entry.number for entry in OWN) + 1
MASK = (1 << 64) - 1


@dataclass(frozen=True)
class Process:
    """A process above the caller: fields of type int and str as those of a Call; what is missing is not known."""

    fields: Mapping[int, int] = field(default_factory=dict)
    strings: Mapping[int, bytes | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A call to be judged.

    args are the registers, missing ones 0.  fields are those of type int, by
    number, missing ones 0.  strings are by operand (an argument from 0, or a
    field of type str): bytes, or the abi.State that says why there are none;
    missing ones cannot be read.  memory is what the caller has there, by
    address; what is nowhere in it cannot be read.  paths are where arguments
    lead, by ("path" or "fdpath", argument from 0, or Limit.ARGS for the result), as strings
    are; missing ones lead nowhere.  ancestors are the processes above the caller, its parent first.
    """

    args: tuple[int, ...] = ()
    fields: Mapping[int, int] = field(default_factory=dict)
    strings: Mapping[int, bytes | int] = field(default_factory=dict)
    memory: Mapping[int, bytes] = field(default_factory=dict)
    paths: Mapping[tuple[str, int], bytes | int] = field(default_factory=dict)
    ancestors: tuple[Process, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Indices of the rules that matched, in order, and of those that were neither true nor false, as the judge met them."""

    matched: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()


class Refused(ValueError):
    """The verifier does not take an image; `error` says why."""

    def __init__(self, error: abi.ErrorStruct):
        super().__init__(abi.ERRORS[error.code].text)
        self.error = error


def verify(image: bytes) -> abi.ErrorStruct | None:
    """Why the kernel would refuse an image, or None; points are not looked for."""
    try:
        Judge(image).close()
    except Refused as refused:
        return refused.error
    return None


def judge(image: bytes, abi_number: int, nr: int, phase: int, call: Call) -> Verdict:
    """What the rules of an image say of one call; raises Refused."""
    with Judge(image) as rules:
        return rules.judge(abi_number, nr, phase, call)


class Judge:
    """An image, verified, that judges calls; raises Refused.  Close it, or use it in a `with`."""

    def __init__(self, image: bytes):
        error = abi.ErrorStruct()
        self._rules = _library().sct_offline_open(image, len(image), ctypes.byref(error))
        if not self._rules:
            raise Refused(error)

    def close(self) -> None:
        """Gives its memory back."""
        if self._rules:
            _library().sct_offline_close(self._rules)
            self._rules = None

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def judge(self, abi_number: int, nr: int, phase: int, call: Call) -> Verdict:
        """What the rules say of a call; nothing if none of them is about it."""
        library = _library()
        index = library.sct_offline_find(self._rules, abi_number, nr, phase)
        if index < 0:
            return Verdict()
        room = library.sct_offline_prog(self._rules, index).contents.insns
        unknown = (ctypes.c_uint32 * room)()
        verdict = _VerdictStruct(room=room, unknown=unknown)
        library.sct_offline_judge(self._rules, index, ctypes.byref(_struct(call)), ctypes.byref(verdict))
        return Verdict(tuple(verdict.matched[: verdict.matches]), tuple(unknown[: verdict.unknowns]))


class _TextStruct(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_char_p), ("len", ctypes.c_uint16), ("state", ctypes.c_uint8)]


class _AreaStruct(ctypes.Structure):
    _fields_ = [("at", ctypes.c_uint64), ("size", ctypes.c_uint64), ("bytes", ctypes.c_char_p)]


class _ProcessStruct(ctypes.Structure):
    _fields_ = [
        ("fields", ctypes.c_int64 * FIELDS),
        ("known", ctypes.c_uint8 * FIELDS),
        ("texts", _TextStruct * len(STRINGS)),
    ]


class _CallStruct(ctypes.Structure):
    _fields_ = [
        ("args", ctypes.c_uint64 * abi.Limit.ARGS),
        ("fields", ctypes.c_int64 * FIELDS),
        ("texts", _TextStruct * len(STRINGS)),
        ("memory", ctypes.POINTER(_AreaStruct)),
        ("areas", ctypes.c_uint32),
        ("paths", _TextStruct * abi.Limit.ARGS),
        ("descriptors", _TextStruct * (abi.Limit.ARGS + 1)),
        ("ancestors", ctypes.POINTER(_ProcessStruct)),
        ("count", ctypes.c_uint32),
    ]


class _VerdictStruct(ctypes.Structure):
    _fields_ = [
        ("matches", ctypes.c_uint32),
        ("matched", ctypes.c_uint32 * abi.Limit.MATCHES),
        ("unknowns", ctypes.c_uint32),
        ("room", ctypes.c_uint32),
        ("unknown", ctypes.POINTER(ctypes.c_uint32)),
    ]


def _text(text: bytes | int) -> _TextStruct:
    if isinstance(text, bytes) and len(text) >= abi.Limit.STRING:
        text = abi.State.LONG
    return _TextStruct(text, len(text), abi.State.WHOLE) if isinstance(text, bytes) else _TextStruct(None, 0, text)


def _struct(call: Call) -> _CallStruct:
    said = _CallStruct()
    for index, value in enumerate(call.args):
        said.args[index] = value & MASK
    for number, value in call.fields.items():
        said.fields[number] = value
    _say_texts(said.texts, call.strings)
    for place in range(abi.Limit.ARGS):
        said.paths[place] = _text(call.paths.get(("path", place), abi.State.FAULT))
    for place in range(abi.Limit.ARGS + 1):
        said.descriptors[place] = _text(call.paths.get(("fdpath", place), abi.State.FAULT))
    areas = (_AreaStruct * len(call.memory))(*((at, len(held), held) for at, held in call.memory.items()))
    said.memory, said.areas = areas, len(areas)
    above = (_ProcessStruct * len(call.ancestors))(*map(_process, call.ancestors))
    said.ancestors, said.count = above, len(above)
    return said


def _process(process: Process) -> _ProcessStruct:
    said = _ProcessStruct()
    for number, value in process.fields.items():
        said.fields[number], said.known[number] = value, 1
    _say_texts(said.texts, process.strings)
    return said


def _say_texts(texts, strings: Mapping[int, bytes | int]) -> None:
    for place, operand in enumerate(STRINGS):
        texts[place] = _text(strings.get(operand, abi.State.FAULT))


@cache
def _library() -> ctypes.CDLL:
    library = native.library()
    library.sct_offline_open.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(abi.ErrorStruct))
    library.sct_offline_open.restype = ctypes.c_void_p
    library.sct_offline_close.argtypes = (ctypes.c_void_p,)
    library.sct_offline_close.restype = None
    library.sct_offline_prog.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    library.sct_offline_prog.restype = ctypes.POINTER(abi.ProgStruct)
    library.sct_offline_find.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32)
    library.sct_offline_judge.argtypes = (
        ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(_CallStruct), ctypes.POINTER(_VerdictStruct),
    )  # fmt: skip
    library.sct_offline_judge.restype = None
    return library
