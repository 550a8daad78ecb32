# SPDX-License-Identifier: GPL-2.0-only
"""What would somebody with experience say about rules that make sense?"""

from collections import defaultdict

from pysct.abi import ACTIONS, FIELDS, Limit
from pysct.around import note_ways
from pysct.beginning import advise_data, note_data
from pysct.check import Rule
from pysct.checkpoints import judged_memory, way_out
from pysct.diagnostics import Diagnostics
from pysct.families import advise_families
from pysct.ir import OF_OTHERS, Chain, Each, Int, Load, Member, Mixed, Op, StrPair, StrRef, StrTest, reads
from pysct.literal import advise_stars
from pysct.points import calls_of_class
from pysct.reading import Reading
from pysct.relative import advise_paths, note_stars
from pysct.release import Kernel
from pysct.statics import advise_statics
from pysct.tables import CALL_FAMILIES, CALLS, UNIMPLEMENTED

PREVENTS = {
    ACTIONS["FAIL"].mask: "refuses {} to every process",
    ACTIONS["KILL"].mask: "kills every process that calls {}",
    ACTIONS["SUSPEND"].mask: "stops every process that calls {}",
}
RESULT = frozenset(FIELDS[name].number for name in ("RETVAL", "ERRNO", "TIME", "DURATION"))  # fields that say nothing about the process
MAPPED = {"sin_addr": "sin6_addr", "sin_port": "sin6_port"}  # what leads to the same place
NARROW = frozenset({"EQ", "TRUE", "AND"})  # tests that few values pass


def advise(rules: list[Rule], conditions: list[list], kernel: Kernel | None, diagnostics: Diagnostics):
    """Warn of what compiles and is probably not meant. `conditions` has each rule's at its points."""
    advise_calls(rules, diagnostics)
    for rule, each in zip(rules, conditions, strict=True):
        advise_everybody(rule, each, diagnostics)
        advise_paths(rule, diagnostics)
        advise_stars(rule, diagnostics)
        advise_data(rule, diagnostics)
        advise_families(rule, diagnostics)
        advise_statics(rule, diagnostics)
    note_ways(rules, kernel, diagnostics)
    note_stars(rules, diagnostics)
    note_memory(rules, conditions, diagnostics)
    note_mapped(rules, diagnostics)
    note_above(rules, conditions, diagnostics)
    note_data(rules, diagnostics)


# --------------------------------------------------------------------- calls


def advise_calls(rules: list[Rule], diagnostics: Diagnostics):
    """Warn of calls that no rule names, but today's programs make where a rule names another one."""
    named: dict[str, set[str]] = defaultdict(set)  # by phase; other rules can be those for the other calls
    for rule in rules:
        named[rule.phase].update(point.call for point in rule.points)
    seen = set()
    for rule in rules:
        calls = {point.call for point in rule.points}
        for number, (names, by) in enumerate(CALL_FAMILIES):
            if calls & names and (missed := missing(rule, by, named[rule.phase])) and (number, rule.phase) not in seen:
                seen.add((number, rule.phase))
                warn_missed(rule, names, {call: by[call] for call in missed}, diagnostics)


def missing(rule: Rule, by: dict[str, str], named: set[str]) -> list[str]:
    """The calls of a family that should be named, as far as an ABI that the rule is for has them."""
    there = [call for call in by if any(call in CALLS[abi] and call not in UNIMPLEMENTED[abi] for abi in rule.abis)]
    return [call for call in there if call not in named]


def warn_missed(rule: Rule, names: frozenset[str], missed: dict[str, str], diagnostics: Diagnostics):
    word = next((word for word in rule.words if word.text in names), rule.words[0])
    has = next(point.call for point in rule.points if point.call in names)
    words = ", ".join([*(other.text for other in rule.words), *missed])
    what = " or ".join(f"`{call}` ({who})" for call, who in missed.items())
    diagnostics.warning(
        rule.source,
        word.span,
        f"`{has}` is watched, but not {what}",
        f"write `syscall_name = {words}`, or a rule of its own",
    )


# ------------------------------------------------------------------ everybody


def advise_everybody(rule: Rule, conditions: list, diagnostics: Diagnostics):
    """Warn of a rule that takes what every program needs from every program."""
    does = next((text for mask, text in PREVENTS.items() if rule.actions.mask & mask), None)
    if not does:
        return
    vital = calls_of_class("vital")
    hit = [
        point.call for point, condition in zip(rule.points, conditions) if point.call in vital and not narrow(condition)
    ]
    if hit:
        names = list(dict.fromkeys(hit))
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        diagnostics.warning(
            rule.source,
            rule.name_span,
            f"the rule {does.format(shown)}, yours as well",
            "say which processes are meant, as in `UID >= 1000`, or use `sct_config try`, which goes back by itself",
        )


def narrow(condition) -> bool:
    """Whether a condition looks at who calls, or asks for something that few calls have."""
    match condition:
        case Chain(op="ALL", operands=parts):
            return any(map(narrow, parts))
        case Chain(op="ANY", operands=parts):
            return all(map(narrow, parts))
        case StrTest(operand=operand):
            return of_process(operand) or condition.text not in (b"", b"/")
        case Member(operand=StrRef()) | StrPair() | Each():
            return True
        case Op(op="FALSE", operands=(operand,)):
            return of_process(operand) if not isinstance(operand, Chain) else any(map(of_process, operand.operands))
        case Member(operand=operand):
            return True
        case Op(op=op, operands=parts):
            return op in NARROW or any(map(of_process, parts))
        case Load() | Mixed():
            return of_process(condition)
        case Int(value=0):
            return True  # no call at all, in this ABI
    return False


def of_process(node) -> bool:
    """Whether a field of the calling process is looked at."""
    match node:
        case Load(op="LDF", index=index):
            return index not in RESULT
        case StrRef(operand=operand):
            return not isinstance(operand, Reading) and operand >= Limit.ARGS
        case Each():
            return True
        case StrTest(operand=operand) | Member(operand=operand):
            return of_process(operand)
        case Op(operands=parts) | Chain(operands=parts) | Mixed(operands=parts):
            return any(map(of_process, parts))
    return False


# ------------------------------------------------ what a process can change


def note_memory(rules: list[Rule], conditions: list[list], diagnostics: Diagnostics):
    """Say once that what an argument points to can change between a rule's look at it and the kernel's."""
    refusing = [(rule, each) for rule, each in zip(rules, conditions, strict=True) if rule.actions.mask & ACTIONS["FAIL"].mask]
    judging = [(rule, judged) for rule, each in refusing if (judged := judged_memory(rule, each))]
    if judging:
        who = f"rule '{judging[0][0].name}' judges" if len(judging) == 1 else f"{len(judging)} rules with FAIL judge"
        diagnostics.note(
            f"{who} the caller's memory, which another thread of the caller can change behind the judgement",
            way_out(judged for _, judged in judging),
        )


def note_mapped(rules: list[Rule], diagnostics: Diagnostics):
    """Say once that who is kept from an IPv4 address can write it as one of IPv6."""
    named = {rule.name: {str(key).rpartition(".")[2] for key in rule.names.types} for rule in rules}
    refusing = [rule for rule in rules if rule.actions.mask & ACTIONS["FAIL"].mask and named[rule.name] & MAPPED.keys()]
    everything = set().union(*named.values())
    lacking = [rule for rule in refusing if not {MAPPED[name] for name in named[rule.name] & MAPPED.keys()} & everything]
    if lacking:
        diagnostics.note(
            f"rule '{lacking[0].name}' judges IPv4 addresses, which a program also reaches through AF_INET6, as ::ffff:10.0.0.1: "
            "see sin6_addr and sin6_port"
        )


def note_above(rules: list[Rule], conditions: list[list], diagnostics: Diagnostics):
    """Say once that a process does not keep those above it."""
    judging = [
        rule
        for rule, each in zip(rules, conditions, strict=True)
        if rule.actions.mask & sum(PREVENTS) and any(is_above(read) for condition in each for read in reads(condition))
    ]
    if judging:
        who = f"rule '{judging[0].name}' asks" if len(judging) == 1 else f"{len(judging)} rules that do more than log ask"
        diagnostics.note(
            f"{who} who is above the caller: a process whose parent ends gets another one, "
            f"and beyond {Limit.ANCESTORS} ancestors the answer is unknown"
        )


def is_above(node: StrRef | Load) -> bool:
    """Whether what is read is of the caller's parent or another ancestor."""
    match node:
        case Load(op="LDF", index=field) | StrRef(operand=field):
            return field in OF_OTHERS
    return False
