# SPDX-License-Identifier: GPL-2.0-only
"""What does a rule do, in words, and what comes before it?"""

from pysct import calls, tree, values
from pysct.abi import ABIS, Limit, RuleFlag
from pysct.because import variables
from pysct.beginning import data_in
from pysct.check import Rule
from pysct.diagnostics import printable
from pysct.digest import canonical
from pysct.names import STR
from pysct.prose import Group, phrase

SHOWN = 12  # names of calls that are listed before they are only counted
DEEDS = {
    "LOG": "writes an event to the log",
    "FAIL": "refuses the call with {error}",
    "KILL": "kills the process",
    "SUSPEND": "stops the process until it gets SIGCONT",
}


def explain(rule: Rule, rules: list[Rule]) -> list[str]:
    """The lines about one rule of a set."""
    lines = [
        f"rule {rule.name} ({rule.source.name}:{rule.own_line})",
        f"  judges {call_text(rule)}, {rule.phase} the call",
    ]
    lines += condition_lines(rule)
    lines += [f"  then {action_text(rule)}", *log_lines(rule)]
    lines += [f"  {line}" for line in shadow_lines(rule, before(rule, rules))]
    return [printable(line) for line in lines]


def call_text(rule: Rule) -> str:
    """The calls, those of the same ABIs together; where that is all that there are, the ABIs are not named."""
    by_call: dict[str, list[str]] = {}
    for point in rule.points:
        by_call.setdefault(point.call, []).append(point.abi)
    by_abis: dict[str, list[str]] = {}
    for call, abis in by_call.items():
        by_abis.setdefault("" if calls.is_all(call, abis) and len(abis) == len(rule.abis) else ", ".join(abis), []).append(call)
    return "; ".join(shortened(names) + (f" in {abis}" if abis else " in every ABI") for abis, names in by_abis.items())


def shortened(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} other calls" if more > 0 else "")


def condition_lines(rule: Rule) -> list[str]:
    if rule.condition is None:
        return ["  matches every such call"]
    said = phrase(rule.condition, rule.source, rule.points)
    if isinstance(said, Group):
        lines = [f"  matches if {'all of these hold' if said.every else 'one of these holds'}:", *said.lines("    ")]
    else:
        lines = [f"  matches if {said}"]
    strings = [
        one
        for one in variables(rule.condition)
        if (rule.names.types[key(one)] == STR or "." in str(key(one))) and key(one) not in ("SYSCALL", "ABI")
    ]
    begun = dict.fromkeys(shown(name) for _, name in data_in(rule))
    lines += [f"  sees the first {Limit.DATA} bytes of {' and '.join(begun)}"] if begun else []
    names = [*dict.fromkeys(map(shown, strings))]
    if names:
        some = f"{'an' if names[0][0] in 'AEIOUaeiou' else 'a'} {' or '.join(names)}"
        lines.append(f"  is unknown, and does not match, where it depends on {some} that cannot be read")
    return lines


def key(node: tree.Name | tree.SetName | tree.Param) -> str | int:
    return node.number if isinstance(node, tree.Param) else node.name


def shown(node: tree.Name | tree.SetName | tree.Param) -> str:
    return f"PARAMS[{node.number}]" if isinstance(node, tree.Param) else node.name


def action_text(rule: Rule) -> str:
    deeds = [
        DEEDS[name].format(error=values.error_name(-rule.actions.error))
        for name in values.action_names(rule.actions.mask)
    ]
    after = "later rules are asked as well" if rule.flags & RuleFlag.CONTINUE else "no later rule is asked"
    return f"{' and '.join(deeds)}; {after}"


def log_lines(rule: Rule) -> list[str]:
    return [] if rule.actions.template is None else [f"  logs as {rule.actions.template}"]


def before(rule: Rule, rules: list[Rule]) -> list[Rule]:
    """The rules that can keep calls from this one."""
    earlier = rules[: rules.index(rule)]
    return [
        e
        for e in earlier
        if e.phase == rule.phase and not e.flags & RuleFlag.CONTINUE and set(e.points) & set(rule.points)
    ]


def shadow_lines(rule: Rule, before: list[Rule]) -> list[str]:
    """How much of a rule those before it take away: each that takes all of a call, and some of the others."""
    own = conjuncts(rule)
    covering = [earlier for earlier in before if conjuncts(earlier) <= own]
    others = [earlier for earlier in before if earlier not in covering] if covering else before
    lines = [shadow_line(earlier, rule, True) for earlier in covering[:SHOWN]]
    lines += [shadow_line(earlier, rule, False) for earlier in others[:SHOWN]]
    more = len(others) - SHOWN
    return lines + ([f"and only where none of {more} other rules before it matches"] if more > 0 else [])


def shadow_line(earlier: Rule, rule: Rule, covers: bool) -> str:
    """How much of a rule an earlier one takes away, which `covers` it where both are asked."""
    common = [point for point in rule.points if point in set(earlier.points)]
    names = shortened(list(dict.fromkeys(point.call for point in common)))
    place = f"{earlier.name} ({earlier.source.name}:{earlier.own_line})"
    if not covers:
        return f"is asked about {names} only where {place} does not match"
    what = "" if len(common) == len(rule.points) else f" {names}{abi_text(common)}"
    return f"can never match{what}: {place} comes before it, and matches whenever it would"


def abi_text(points: list) -> str:
    abis = list(dict.fromkeys(point.abi for point in points))
    return f" in {', '.join(abi for abi in ABIS if abi in abis)}"


def conjuncts(rule: Rule) -> set[str]:
    """What all has to hold for a rule to match, none of it depending on where it stands."""
    if rule.condition is None:
        return set()
    parts = (
        rule.condition.operands
        if isinstance(rule.condition, tree.Logical) and rule.condition.op == "&&"
        else [rule.condition]
    )
    return {repr(canonical(part)) for part in parts}
