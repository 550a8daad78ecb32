# SPDX-License-Identifier: GPL-2.0-only
"""Which value has a named constant in an ABI? `load(abi)` reads constants.tsv.

Pure: reads the data file of grammar/constants, nothing else.
"""
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "constants" / "constants.tsv"


@dataclass(frozen=True)
class Constant:
    """A constant of one ABI: its name, its family in families.toml, its value (a signed or unsigned 64-bit number)."""
    name: str
    family: str
    value: int


@cache
def load(abi: str) -> dict[str, Constant]:
    """The constants that `abi` has, by name. Raises ValueError when the table has no such column."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    columns = lines[1].removeprefix("# ").split("\t")
    if abi not in columns[2:]:
        raise ValueError(f"{TABLE}:2: no column for ABI {abi}; the columns are {', '.join(columns[2:])}")
    rows = (line.split("\t") for line in lines[2:])
    column = columns.index(abi)
    return {row[0]: Constant(row[0], row[1], int(row[column])) for row in rows if row[column]}
