# SPDX-License-Identifier: GPL-2.0-only
"""Which system calls (number, name, entry symbol) does a kernel tree's own table list for an ABI?

Read from the .tbl files; in trees that had none yet for arm64, from the headers asm-generic/unistd.h and unistd32.h.
"""
import re
from dataclasses import dataclass
from pathlib import Path

from conditions import live_text

NOT_IMPLEMENTED = "sys_ni_syscall"
ABIS = {"x86_64": "x86", "i386": "x86", "x32": "x86", "aarch64": "arm64", "aarch32": "arm64"}

# ABI -> (table file, the table's ABI words that it takes, column of the entry: 3 native, 4 compat if there is one).
# x32's special entries already stand in column 3; aarch64's words are those of arch/arm64/kernel/Makefile.syscalls.
_TABLES = {
    "x86_64": ("arch/x86/entry/syscalls/syscall_64.tbl", {"common", "64"}, 3),
    "x32": ("arch/x86/entry/syscalls/syscall_64.tbl", {"common", "x32"}, 3),
    "i386": ("arch/x86/entry/syscalls/syscall_32.tbl", {"i386"}, 4),
    "aarch64": ("scripts/syscall.tbl", {"common", "64", "renameat", "rlimit", "memfd_secret"}, 3),
    "aarch32": ("arch/arm64/tools/syscall_32.tbl", {"common"}, 4),
}
_HEADERS = {"aarch64": "include/uapi/asm-generic/unistd.h", "aarch32": "arch/arm64/include/asm/unistd32.h"}
_WANTED = {"__ARCH_WANT_SYNC_FILE_RANGE2": None, "__ARCH_WANT_TIME32_SYSCALLS": None, "__BITS_PER_LONG": 64,
           "__SYSCALL_COMPAT": None, "__SYSCALL": 1}


@dataclass(frozen=True)
class Row:
    """One number of a table. `entry` has no architecture prefix; an unimplemented call has NOT_IMPLEMENTED."""
    nr: int
    name: str
    entry: str


def table(root: Path, abi: str) -> list[Row]:
    """The rows of `abi`, sorted by number. Raises FileNotFoundError when the tree has no table for it."""
    file, words, column = _TABLES[abi]
    if (root / file).exists():
        rows = _from_table((root / file).read_text(), words, column)
    elif abi in _HEADERS and (root / _HEADERS[abi]).exists():
        rows = _from_header((root / _HEADERS[abi]).read_text(), compat=abi == "aarch32")
    else:
        raise FileNotFoundError(f"{root}: no {file}; is this a kernel source tree of 5.10 or newer?")
    return sorted(rows, key=lambda row: row.nr)


def _from_table(text: str, words: set[str], column: int) -> list[Row]:
    """Rows of a .tbl file: number, ABI word, name, entry, compat entry ("-" for none), noreturn."""
    rows = []
    for line in text.splitlines():
        cells = line.split("#")[0].split()
        if len(cells) < 3 or cells[1] not in words:
            continue
        cells = [cell for cell in cells if cell != "-"]
        entries = [cell for cell in cells[3:] if cell != "noreturn"]
        entry = entries[min(column - 3, len(entries) - 1)] if entries else NOT_IMPLEMENTED
        rows.append(Row(int(cells[0]), cells[2], entry.removeprefix("__x64_").removeprefix("__ia32_").split("/")[0]))
    return rows


def _from_header(text: str, compat: bool) -> list[Row]:
    """Rows of a unistd.h that lists `#define __NR_x n` and `__SYSCALL(__NR_x, entry)` or its variants."""
    numbers = {name: int(value) for name, value in re.findall(r"^#define\s+(__NR\w*?_\w+)\s+(\d+)\b", text, re.M)}
    rows = []
    call = re.compile(r"^(__SYSCALL|__SC_COMP|__SC_3264|__SC_COMP_3264)\(\s*(\w+),\s*([\w,\s]+?)\)", re.M)
    for kind, symbol, rest in call.findall(live_text(text, _WANTED)):
        entries = [word.strip() for word in rest.split(",")]
        if kind == "__SC_COMP":
            entry = entries[1 if compat else 0]
        else:
            entry = entries[{"__SYSCALL": 0, "__SC_3264": 1, "__SC_COMP_3264": 1}[kind]]
        if symbol in numbers:  # else a bare number, which marks one that was never used
            rows.append(Row(numbers[symbol], re.sub(r"^__NR(3264)?_", "", symbol), entry))
    return rows
