# SPDX-License-Identifier: GPL-2.0-only
"""At which checkpoints does the kernel ask its LSMs about what rules judge in the caller's memory?"""

from collections.abc import Iterable

from pysct.abi import Limit
from pysct.abi import Source as What
from pysct.check import Rule
from pysct.ir import Load, StrRef, reads
from pysct.reading import Reading
from pysct.tables import APPARMOR, CHECKPOINTS

NAMED = 3  # checkpoints in a hint
CALLS_NAMED = 2  # calls of each

Judged = dict[str, set[str]]
"""What a rule judges in memory: the arguments that point there as `call.argument`, by call."""


def judged_memory(rule: Rule, conditions: list) -> Judged:
    """What the conditions at the points of a rule depend on."""
    found: Judged = {}
    for point, condition in zip(rule.points, conditions, strict=True):
        if places := {place for read in reads(condition) if (place := place_of(read)) is not None}:
            found.setdefault(point.call, set()).update(f"{point.call}.{point.args[place][0]}" for place in places)
    return found


def place_of(read: StrRef | Load) -> int | None:
    """The place of the argument that points to what is read; None if that is not in the caller's memory."""
    source = read.operand if isinstance(read, StrRef) else read.index
    if isinstance(source, Reading):
        return source.arg if source.what != What.DESCRIPTOR else None
    return source if isinstance(read, StrRef) and source < Limit.ARGS else None


def way_out(judging: Iterable[Judged]) -> str | None:
    """The hint that names the checkpoints, each with the calls of which it sees all that is judged of the memory of one."""
    seen: dict[str, dict[str, None]] = {}
    for judged in judging:
        for call, arguments in judged.items():
            for name, sees in CHECKPOINTS.items():
                if arguments <= sees:
                    seen.setdefault(name, {})[call] = None
    if not seen:
        return None
    shown = some([f"{name} ({some(list(calls), CALLS_NAMED)})" for name, calls in seen.items()], NAMED)
    who = "AppArmor or BPF" if seen.keys() <= APPARMOR else "BPF"
    return f"{who} can refuse what the kernel itself has read, at LSM checkpoints where no rule can stand yet: {shown}"


def some(names: list[str], count: int) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:count]) + (f" and {len(names) - count} more" if len(names) > count else "")
