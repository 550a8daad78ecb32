# SPDX-License-Identifier: GPL-2.0-only
"""Which names does a header define as macros or enumerators?"""
import re
from pathlib import Path

from conditions import blank_comments

_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)(?![\w(])[ \t]*(\S.*)?$", re.M)
_ENUM = re.compile(r"\benum\b[^{};()]*\{([^{}]*)\}")
_ENUMERATOR = re.compile(r"(?:^|,)\s*([A-Za-z_]\w*)\s*(?==|,|$)")


def macros(definitions: str) -> list[str]:
    """The names of object-like macros in the output of gcc -dM that have a body."""
    return [name for name, body in _DEFINE.findall(definitions) if body]


def enumerators(text: str) -> list[str]:
    """The names in every enum of preprocessed text. A comma inside parentheses may yield a word that is no enumerator;
    the compiler sorts that out."""
    return [name for body in _ENUM.findall(text) for name in _ENUMERATOR.findall(body)]


def cut_out(path: Path, wanted: re.Pattern) -> str:
    """C text with only those definitions of a kernel-internal header whose names match `wanted`: the macros, first
    definition first, and the whole of each enum that has a matching member."""
    raw = blank_comments(path.read_text()).replace("\\\n", " ")
    lines = []
    for match in _ENUM.finditer(raw):
        if any(wanted.fullmatch(name) for name in _ENUMERATOR.findall(match.group(1))):
            body = re.sub(r"^[ \t]*#.*$", "", match.group(1), flags=re.M)
            lines.append(f"enum {{{body}}};")
    seen = set()
    for name, body in _DEFINE.findall(raw):
        if body and wanted.fullmatch(name) and name not in seen:
            seen.add(name)
            lines.append(f"#ifndef {name}\n#define {name} {body}\n#endif")
    return "\n".join(lines) + "\n"
