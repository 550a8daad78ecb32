# SPDX-License-Identifier: GPL-2.0-only
"""Does a log_format only name what the log of its rule can show?"""

import re

from pysct import members, resolved
from pysct.abi import FIELDS, LATE_MACROS, MACROS, SUBJECTS, Limit
from pysct.diagnostics import Diagnostics, suggest
from pysct.definitions import arguments
from pysct.differences import calls, no_member, no_path
from pysct.layouts import ARGUMENTS
from pysct.points import Point
from pysct.source import Source, Span, encode
from pysct.tree import Block

MACRO = re.compile(r"%(%|(?:fd)?path\([A-Za-z_][A-Za-z0-9_]*\)|[A-Za-z_][A-Za-z0-9_]*(?:\[[0-9]{1,9}\])?(?:\.[A-Za-z_][A-Za-z0-9_]*(?:\[[0-9]{1,9}\](?=\.[A-Za-z_]))?)*)?")
FIELD_MACROS = {name.lower(): field for name, field in FIELDS.items() if field.subject != "ANCESTOR"}  # which is not one process
IN_EVENT = MACROS.keys() | {name.lower() for name in FIELDS if FIELDS[name].number <= FIELDS["ERRNO"].number}


def field_of(name: str) -> str | None:
    """The macro of a field that %name is, or begins with: a dot or a bracket behind it is just that."""
    longest, shortest = ".".join(name.split(".")[:2]), re.split(r"[.\[]", name)[0]
    return next((known for known in (longest, shortest) if known in FIELD_MACROS), None)


def check_template(block: Block, points: list[Point], phase: str, source: Source, diagnostics: Diagnostics) -> str:
    """The template as the log shows it: one line, no blanks around it. Problems are reported."""
    for found in MACRO.finditer(block.text):
        span = Span(block.inner.start + found.start(), block.inner.start + found.end())
        problem = check_macro(found[1], points, phase)
        if problem:
            diagnostics.error(source, span, *problem)
    template = re.sub(r"[ \t\r]*\n\s*", " ", block.text.strip())
    if "\0" in template:
        diagnostics.error(source, block.inner, "a NUL byte in log_format")
    if len(encode(template)) > Limit.TEMPLATE:
        diagnostics.error(source, block.inner, f"log_format is longer than {Limit.TEMPLATE} bytes")
    return template


def check_macro(name: str | None, points: list[Point], phase: str) -> tuple[str, str | None] | None:
    """Message and hint if %name cannot stand in a log_format of these points."""
    if name is None:
        return "`%` starts a macro", "a percent sign is written `%%`"
    if name == "%" or name in MACROS and (name not in LATE_MACROS or phase == "after"):
        return None
    if name in FIELD_MACROS or name in MACROS:
        needs = FIELD_MACROS[name].phase if name in FIELD_MACROS else "after"
        return (
            None
            if needs in ("any", phase)
            else (f"`%{name}` is only known {needs} the call", f"write `when = {needs}`")
        )
    if resolved.is_one(name):
        lacking = [point for point in points if not resolved.find(point.abi, point.call, name)]
        if name == resolved.RESULT and phase == "before" and not lacking:
            return f"`%{name}` is only known after the call", "write `when = after`"
        return no_path(name, points, lacking) if lacking else None
    if re.split(r"[.\[]", name)[0].upper() in SUBJECTS:
        return None if field_of(name) else no_macro(name)
    if "." in name or "[" in name:
        return check_member(name, points, phase)
    lacking = [point for point in points if all(name != argument for argument, _ in point.args)]
    if not lacking and (points or name in arguments()):
        return None
    if len(lacking) < len(points):
        return f"`%{name}` is not an argument of {calls(lacking, points)}", "%params shows all arguments of any call"
    known = [*MACROS, *FIELD_MACROS, *dict.fromkeys(argument for point in points for argument, _ in point.args)]
    some = "%params shows all arguments; docs/reference.md lists the others"
    return f"unknown macro `%{name}`", suggest("%" + name, ["%" + other for other in known], some)


def no_macro(name: str) -> tuple[str, str | None]:
    """Message and hint for %parent.name and %ancestor.name where they mean nothing."""
    subject, _, rest = name.partition(".")
    said = f"parent.{rest.partition('.')[0]}"
    known = [macro for macro in FIELD_MACROS if macro.startswith("parent.")]
    if subject == "ancestor":
        nearest = said if said in known else "parent.exe"
        return f"`%{name}`: an ancestor is any process above the caller, not one", f"write `%{nearest}`, of the nearest"
    if name == "parent":
        return "`%parent` is a process", "name what you want to know of it: %parent.exe, %parent.comm, %parent.uid"
    if said not in known and said.removeprefix("parent.") in FIELD_MACROS:
        return f"`%{said}`: this is only known of the caller", "what is known of others: see `PARENT.` in docs/reference.md"
    return f"unknown macro `%{name}`", suggest("%" + name, ["%" + macro for macro in known])


def check_member(name: str, points: list[Point], phase: str) -> tuple[str, str | None] | None:
    """The same for %argument.member and %argv[0]; behind what has none a dot is a dot, and a bracket a bracket."""
    found = [members.find(point.abi, point.call, name) for point in points]
    argument = members.argument_of(name)
    if not any(found):
        known = "." in name and any(argument in ARGUMENTS.get(p.abi, {}).get(p.call, {}) for p in points)
        listed = any(members.elements(p.abi, p.call, argument) for p in points)
        if known or listed and members.ELEMENT.fullmatch(name):
            return no_member(name, points) if known else (f"a rule sees the first {Limit.ELEMENTS} of `{argument}`", None)
        return check_macro(name.partition(".")[0] if listed and "." in name else argument, points, phase)
    if not all(found):
        lacking = [point for point, member in zip(points, found) if member is None]
        return f"`%{name}` is not a member of an argument of {calls(lacking, points)}", None
    if phase == "before" and any(member.filled for member in found):
        return f"`%{name}` is only known after the call, which fills it in", "write `when = after`"
    return None
