# SPDX-License-Identifier: GPL-2.0-only
"""Which members has a structure, by the type information (BTF) that a kernel carries?

Pure but for reading the file. See Documentation/bpf/btf.rst of the kernel.
"""
import struct
from dataclasses import dataclass
from pathlib import Path

_START = struct.pack("<HBBI", 0xEB9F, 1, 0, 24)  # magic, version, flags, size of the head
_INT, _PTR, _ARRAY, _STRUCT, _UNION, _ENUM, _FWD, _TYPEDEF, _VOLATILE, _CONST, _RESTRICT = range(1, 12)
_FUNC, _PROTO, _VAR, _DATASEC, _FLOAT, _DECL_TAG, _TYPE_TAG, _ENUM64 = range(12, 20)
_ALIASES = {_TYPEDEF, _VOLATILE, _CONST, _RESTRICT, _TYPE_TAG}
_BEHIND = {_INT: 4, _ARRAY: 12, _VAR: 4, _DECL_TAG: 4}  # bytes behind a type's head, however many members it has
_EACH = {_STRUCT: 12, _UNION: 12, _ENUM: 8, _PROTO: 8, _DATASEC: 12, _ENUM64: 12}  # bytes of each member


class BtfError(ValueError):
    """The file has no type information, or not in this form."""


@dataclass(frozen=True)
class Member:
    """A scalar member of a structure, at any depth: `name` with dots; `offset` and `size` in bytes.

    `form` is int, ptr or chars, or the name of the structure where that was asked for as a whole; `big`: its type is one of
    the kernel's for numbers in network byte order.
    """
    name: str
    offset: int
    size: int
    form: str
    signed: bool = False
    big: bool = False


@dataclass(frozen=True)
class _Type:
    kind: int
    name: str
    flag: bool
    size: int  # or the number of the type that it stands for
    rest: bytes


class Btf:
    """The types of a file that holds BTF, such as vmlinux or /sys/kernel/btf/vmlinux."""

    def __init__(self, path: Path):
        raw = path.read_bytes()
        at = raw.find(_START)
        if at < 0:
            raise BtfError(f"{path}: no BTF in it")
        types, size, strings, length = struct.unpack_from("<IIII", raw, at + 8)
        body = at + 24
        self._strings = raw[body + strings : body + strings + length]
        self._types = [_Type(0, "void", False, 0, b"")]
        self._read(raw[body + types : body + types + size])
        self._named = {}
        for entry in self._types:
            if entry.kind == _STRUCT and entry.name:
                self._named.setdefault(entry.name, entry)

    def _read(self, raw: bytes) -> None:
        at = 0
        while at < len(raw):
            name, info, size = struct.unpack_from("<III", raw, at)
            kind, count = info >> 24 & 0x1F, info & 0xFFFF
            length = _BEHIND.get(kind, 0) + _EACH.get(kind, 0) * count
            rest = raw[at + 12 : at + 12 + length]
            self._types.append(_Type(kind, self._string(name), bool(info >> 31), size, rest))
            at += 12 + length

    def _string(self, at: int) -> str:
        return self._strings[at : self._strings.index(b"\0", at)].decode()

    def members(self, name: str, whole: frozenset[str] = frozenset()) -> list[Member]:
        """The scalar members of a structure, in order; structures in `whole` count as scalars. Raises LookupError."""
        if name not in self._named:
            raise LookupError(f"no struct {name} in it")
        return list(self._members(self._named[name], "", 0, whole))

    def size(self, name: str) -> int:
        """The bytes of a structure, padding included: where the next one stands in an array of them. Raises LookupError."""
        return self._named[name].size

    def _members(self, of: _Type, prefix: str, base: int, whole: frozenset[str]):
        for at in range(0, len(of.rest), 12):
            name, number, place = struct.unpack_from("<III", of.rest, at)
            if of.flag and place >> 24 or (place & 0xFFFFFF if of.flag else place) % 8:
                continue  # a bit field
            offset = base + (place & 0xFFFFFF if of.flag else place) // 8
            yield from self._member(prefix + self._string(name), number, offset, whole)

    def _member(self, name: str, number: int, offset: int, whole: frozenset[str]):
        entry, names = self._resolve(number)
        big = any(alias.startswith("__be") for alias in names)
        if entry.kind == _INT:
            encoding = entry.rest[3]  # its upper byte: signed, char, bool
            yield Member(name, offset, entry.size, "int", bool(encoding & 1), big)
        elif entry.kind == _ENUM:
            yield Member(name, offset, entry.size, "int", entry.flag)
        elif entry.kind == _PTR:
            yield Member(name, offset, 8, "ptr")
        elif entry.kind == _ARRAY:
            inner, _, count = struct.unpack("<III", entry.rest)
            element, _ = self._resolve(inner)
            if element.kind == _INT and element.name == "char" and count:
                yield Member(name, offset, count, "chars")
        elif entry.kind in (_STRUCT, _UNION):
            if entry.name in whole:
                yield Member(name, offset, entry.size, entry.name)
            else:  # what has no name is a part of the structure around it
                inside = f"{name}." if name and not name.endswith(".") else name
                yield from self._members(entry, inside, offset, whole)

    def _resolve(self, number: int) -> tuple[_Type, list[str]]:
        """The type behind typedefs and qualifiers, and their names."""
        names = []
        entry = self._types[number]
        while entry.kind in _ALIASES:
            names.append(entry.name)
            entry = self._types[entry.size]
        return entry, names
