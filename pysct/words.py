# SPDX-License-Identifier: GPL-2.0-only
"""By which words is a number of a call shown: constants that it consists of, or a message for an error?"""

import os
from dataclasses import dataclass
from functools import cache

from pysct.shown import ARGUMENTS, SETS


@dataclass(frozen=True)
class Words:
    """A set of constants in one ABI: `single` are {value: name} of which those bits that are in `mask` are one."""

    single: dict[int, str]
    mask: int
    flags: list[tuple[int, str]]
    octal: bool
    mask_name: str | None


@cache
def words_of(name: str, abi: str) -> Words:
    one, mask, flags, octal, mask_name = SETS[name]
    single, made = ({each: v if isinstance(v, int) else v.get(abi) for each, v in some} for some in (one, flags))
    found = sorted(((v, each) for each, v in made.items() if v), key=lambda pair: (-pair[0].bit_count(), pair[0]))
    return Words({v: each for each, v in single.items() if v is not None}, mask or 0, found, octal, mask_name)


def shown(call: str, argument: str, abi: str, value: int, bits: int) -> str | None:
    """An argument by the names of constants, as O_WRONLY|O_CREAT; None where it is a plain number."""
    name = ARGUMENTS.get(call, {}).get(argument)
    return None if name is None else by_set(name, abi, value, bits)


def by_set(name: str, abi: str, value: int, bits: int) -> str | None:
    """A number of so many bits by the constants of a set."""
    known = words_of(name, abi)
    if not known.mask and value in known.single:
        return known.single[value]
    if not known.flags and not known.mask:
        return None
    return made_of(value & (1 << bits) - 1, known.single, known.mask, known.flags, known.octal)


def part(name: str, abi: str, value: int, bits: int, within: int) -> str | None:
    """The same of a number of which only the bits in `within` are known."""
    known = words_of(name, abi)
    if not within & ~known.mask and value in known.single:
        return known.single[value]
    if within & known.mask or not known.mask:
        return by_set(name, abi, value, bits)
    return made_of(value & (1 << bits) - 1, {}, 0, known.flags, known.octal) if value else None


def bits_of(name: str, abi: str, value: int, bits: int) -> str | None:
    """Bits of such a number, with which it is combined: O_ACCMODE|O_CREAT, ~O_CREAT."""
    known, whole = words_of(name, abi), (1 << bits) - 1
    value &= whole
    if value.bit_count() > bits // 2 and value >> bits - 1:
        others = bits_of(name, abi, value ^ whole, bits)
        return others and (f"~({others})" if "|" in others else f"~{others}")
    if not known.mask_name or value & known.mask != known.mask:
        return part(name, abi, value, bits, value)
    rest = part(name, abi, value & ~known.mask, bits, ~known.mask)
    return "|".join([known.mask_name, *([rest] if rest else [])])


def made_of(value: int, single: dict[int, str], mask: int, flags: list[tuple[int, str]], octal: bool) -> str | None:
    """The names of a number's parts; None if it has none."""
    parts, rest = [], value & ~mask
    if part := single.get(value & mask) if mask else None:
        parts.append(part)
    else:
        rest = value
    for bits, name in flags:
        if rest & bits == bits:
            parts.append(name)
            rest &= ~bits
    if octal:
        return "|".join([*parts, f"0{rest:02o}"])
    if not parts:
        return hex(rest) if rest else None
    return "|".join([*parts, *([hex(rest)] if rest else [])])


def message(code: int) -> str:
    """What a positive error number means; empty where the C library does not know."""
    text = os.strerror(code)
    return "" if text.startswith("Unknown error") else text
