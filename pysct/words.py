# SPDX-License-Identifier: GPL-2.0-only
"""By which words is a number of a call shown: constants that it consists of, or a message for an error?"""

import os
from functools import cache

from pysct.shown import ARGUMENTS, SETS


@cache
def words_of(name: str, abi: str) -> tuple[dict[int, str], int | None, list[tuple[int, str]], bool]:
    """A set of constants in one ABI: {value: name} of single ones, the mask, (value, name) of flags, octal or not."""
    one, mask, flags, octal = SETS[name]
    single, made = ({each: v if isinstance(v, int) else v.get(abi) for each, v in some} for some in (one, flags))
    found = sorted(((v, each) for each, v in made.items() if v), key=lambda pair: (-pair[0].bit_count(), pair[0]))
    return {v: each for each, v in single.items() if v is not None}, mask, found, octal


def shown(call: str, argument: str, abi: str, value: int, bits: int) -> str | None:
    """An argument by the names of constants, as O_WRONLY|O_CREAT; None where it is a plain number."""
    name = ARGUMENTS.get(call, {}).get(argument)
    if name is None:
        return None
    single, mask, flags, octal = words_of(name, abi)
    if mask is None and value in single:
        return single[value]
    if not flags and mask is None:
        return None
    return made_of(value & (1 << bits) - 1, single, mask or 0, flags, octal)


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
