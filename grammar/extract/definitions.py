# SPDX-License-Identifier: GPL-2.0-only
"""Which arguments does each system call entry of a kernel tree declare?

Read from SYSCALL_DEFINEn, COMPAT_SYSCALL_DEFINEn and SYSCALL32_DEFINEn in the .c files that an architecture compiles,
and, for entries without one, from the prototypes in include/linux/syscalls.h and include/linux/compat.h.
"""
import re
from dataclasses import dataclass
from pathlib import Path

from conditions import live_text

# Directories whose code is no part of a kernel, and stand-ins for a kernel without an MMU or timers.
_SKIP_TOP = {"Documentation", "LICENSES", "certs", "rust", "samples", "scripts", "sound", "tools", "usr"}
_SKIP_FILES = {"mm/nommu.c", "kernel/time/posix-stubs.c", "kernel/sys_ni.c"}
_DEFINE = re.compile(r"^(COMPAT_SYSCALL|SYSCALL32|SYSCALL)_DEFINE([0-6])[ \t]*\(", re.M)
# A 64-bit argument of a 32-bit caller: two registers, low word first on little-endian machines.
_PAIR = re.compile(r"\b(?:compat_arg_u64_dual|arg_u32p|SC_ARG64)\s*\(\s*(\w+)\s*\)")
_PAIR_PROTOTYPE = re.compile(r"\bcompat_arg_u64\s*\(\s*(\w+)\s*\)")
_ALIAS = re.compile(r"^#define\s+__(?:arm64|x64|ia32)_(\w+)\s+__(?:arm64|x64|ia32)_(\w+)$", re.M)

COMMON = {"CONFIG_MMU": 1, "CONFIG_64BIT": 1, "BITS_PER_LONG": 64, "CONFIG_COMPAT": 1, "CONFIG_CPU_BIG_ENDIAN": None,
          "__BIG_ENDIAN": None, "CONFIG_UML": None, "CONFIG_ARCH_SPLIT_ARG64": None, "CONFIG_OLD_SIGSUSPEND": None,
          "CONFIG_CLONE_BACKWARDS2": None, "CONFIG_CLONE_BACKWARDS3": None, "CONFIG_ODD_RT_SIGACTION": None}
# What each architecture's Kconfig selects. x86 selects CLONE_BACKWARDS for 32-bit kernels only: 64-bit callers pass
# clone's last two arguments the other way round, and 32-bit callers of a 64-bit kernel have an entry of their own.
ARCH = {"x86": {"CONFIG_X86": 1, "CONFIG_X86_64": 1, "CONFIG_X86_32": None, "CONFIG_ARM64": None,
                "CONFIG_CLONE_BACKWARDS": None},
        "arm64": {"CONFIG_ARM64": 1, "CONFIG_X86": None, "CONFIG_X86_64": None, "CONFIG_X86_32": None,
                  "CONFIG_CLONE_BACKWARDS": 1}}


@dataclass(frozen=True)
class Definition:
    """One definition of an entry: arguments as (C type, name), and where it stands."""
    entry: str
    args: tuple[tuple[str, str], ...]
    place: str


def normal_type(text: str) -> str:
    """A C type in one spelling: words and `*` with single spaces between them."""
    return " ".join(text.replace("*", " * ").split())


def closing(text: str, start: int) -> int:
    """The index of the parenthesis that closes the one just before `start`."""
    depth = 1
    for index in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if not depth:
            return index
    raise ValueError("unbalanced parenthesis")


def _macro_args(body: str, place: str, count: int) -> tuple[str, tuple]:
    """Name and arguments of one DEFINE macro's parenthesis."""
    words = [word.strip() for word in _PAIR.sub(r"u32, \1_lo, u32, \1_hi", body).split(",")]
    if len(words) != 1 + 2 * count:
        raise ValueError(f"{place}: {len(words) - 1} words after the name for {count} arguments; "
                         "teach definitions.py the macro that hides some")
    pairs = zip(words[1::2], words[2::2])
    return words[0], tuple((normal_type(ctype), name) for ctype, name in pairs)


def scan_text(text: str, place: str, symbols: dict) -> list[Definition]:
    """All live definitions of one file."""
    found = []
    text = live_text(text, symbols)
    for match in _DEFINE.finditer(text):
        where = f"{place}:{text.count(chr(10), 0, match.start()) + 1}"
        name, args = _macro_args(text[match.end():closing(text, match.end())], where, int(match.group(2)))
        prefix = "sys_" if match.group(1) == "SYSCALL" else "compat_sys_"
        found.append(Definition(prefix + name, args, where))
    return found


def _files(root: Path, arch: str):
    """The .c files of the tree that may define entries of `arch`, in a stable order."""
    for top in sorted(path for path in root.iterdir() if path.is_dir() and path.name not in _SKIP_TOP):
        for path in sorted((top / arch if top.name == "arch" else top).rglob("*.c")):
            relative = path.relative_to(root).as_posix()
            if relative not in _SKIP_FILES and not relative.startswith("arch/x86/um/"):
                yield path, relative


def definitions(root: Path, arch: str) -> dict[str, list[Definition]]:
    """Every entry that the tree defines for `arch` ("x86" or "arm64") with all its definitions: several conflict."""
    symbols = COMMON | ARCH[arch]
    found: dict[str, list[Definition]] = {}
    for path, relative in _files(root, arch):
        data = path.read_bytes()
        if b"SYSCALL_DEFINE" in data or b"SYSCALL32_DEFINE" in data:
            for definition in scan_text(data.decode("utf-8", "replace"), relative, symbols):
                found.setdefault(definition.entry, []).append(definition)
    return found


def aliases(root: Path, arch: str, file: str) -> dict[str, str]:
    """Entries that a table file renames by `#define __arm64_sys_x __arm64_sys_y`, as {sys_x: sys_y}."""
    path = root / "arch" / arch / file
    return dict(_ALIAS.findall(path.read_text())) if path.exists() else {}


def prototypes(root: Path) -> dict[str, Definition]:
    """Entries declared in the two headers; an argument without a name becomes arg1 … arg6."""
    found = {}
    symbols = COMMON | {"CONFIG_ARCH_HAS_SYSCALL_WRAPPER": None}  # with it there are no such functions to declare
    for header in ("include/linux/syscalls.h", "include/linux/compat.h"):
        text = live_text((root / header).read_text(), symbols)
        for match in re.finditer(r"^asmlinkage\s+long\s+((?:compat_)?sys_\w+)\s*\(", text, re.M):
            body = _PAIR_PROTOTYPE.sub(r"u32 \1_lo, u32 \1_hi", text[match.end():closing(text, match.end())])
            args = [] if body.strip() in ("", "void") else body.split(",")
            place = f"{header}:{text.count(chr(10), 0, match.start()) + 1}"
            parameters = tuple(map(_parameter, args, range(1, 7)))
            found.setdefault(match.group(1), Definition(match.group(1), parameters, place))
    return found


def _parameter(text: str, number: int) -> tuple[str, str]:
    """(type, name) of one prototype parameter."""
    text = normal_type(text)
    match = re.match(r"(.*[\s*])(\w+)$", text)
    known = {"int", "long", "char", "short", "unsigned"}
    if match and match.group(2) not in known and not re.match(r"(.*\b)?(struct|union|enum)\s$", match.group(1)):
        return normal_type(match.group(1)), match.group(2)
    return text, f"arg{number}"
