# SPDX-License-Identifier: GPL-2.0-only
"""By which other ways can programs do what rules are about, and no rule sees it?"""

from pysct.check import Rule
from pysct.checkpoints import some
from pysct.constants import FAMILIES, SINCE
from pysct.diagnostics import Diagnostics
from pysct.release import Kernel
from pysct.tables import CALLS, IO_URING
from pysct.target import KNOWN, LACKS, lacking

INSIDE = {
    "socketcall": (("SYS_",), ", which has its arguments in memory", ", and for nothing more"),
    "ipc": (("SEM", "MSG", "SHM"), "", ""),
}
"""Calls that do what others do: how their names of these begin, and what else there is to be said."""
WAYS_IN = frozenset({"io_uring_setup", "io_uring_enter"})
SHOWN = 4  # calls in a note


def note_ways(rules: list[Rule], kernel: Kernel | None, diagnostics: Diagnostics):
    """Say once of each way that there is one. Without a kernel it is any."""
    for way in INSIDE:
        note_inside(way, rules, diagnostics)
    note_sendmmsg(rules, diagnostics)
    note_io_uring(rules, kernel, diagnostics)


def note_inside(way: str, rules: list[Rule], diagnostics: Diagnostics):
    """Of one call, of which an argument says what it does."""
    begin, memory, end = INSIDE[way]
    constants = [name for name, family in FAMILIES.items() if family == way and name.startswith(begin)]
    names = {name.removeprefix("SYS_").lower(): name for name in constants}
    if any(point.call == way for rule in rules for point in rule.points):
        return
    for rule in rules:
        abi = next((abi for abi in rule.abis if way in CALLS[abi]), None)
        call = next((point.call for point in rule.points if point.call in names), None)
        if abi and call:
            diagnostics.note(
                f"rule '{rule.name}' does not see what {abi} programs do by {way}{memory}: "
                f"a rule for {way} can ask for `call == {names[call]}`{end}"
            )
            return


def note_sendmmsg(rules: list[Rule], diagnostics: Diagnostics):
    """Of one call for many messages."""
    calls = [(rule, {point.call for point in rule.points}) for rule in rules]
    if any("sendmmsg" in named for _, named in calls):
        return
    for rule in (rule for rule, named in calls if "sendmsg" in named):
        diagnostics.note(
            f"rule '{rule.name}' does not see messages of sendmmsg, with which the C library looks names up: "
            "a rule for sendmmsg can ask for `vlen` and the caller, and for nothing in the messages"
        )
        return


def note_io_uring(rules: list[Rule], kernel: Kernel | None, diagnostics: Diagnostics):
    """Of the requests of io_uring, unless a rule is about io_uring itself."""
    if any(point.call in WAYS_IN for rule in rules for point in rule.points):
        return
    there = {call for request, calls in IO_URING.items() if not (kernel and is_lacking(request, kernel)) for call in calls}
    by = {rule.name: [point.call for point in rule.points if point.call in there] for rule in rules}
    missing = [name for name, calls in by.items() if calls]
    if missing:
        who = f"rule '{missing[0]}' does" if len(missing) == 1 else f"{len(missing)} rules do"
        calls = dict.fromkeys(call for calls in by.values() for call in calls)
        diagnostics.note(
            f"{who} not see requests of io_uring that do the same as {some(list(calls), SHOWN)}",
            "a rule with FAIL for io_uring_setup keeps programs from it, and so does `sysctl kernel.io_uring_disabled=2` since Linux 6.6",
        )


def is_lacking(request: str, kernel: Kernel) -> bool:
    """Whether a kernel certainly has no such request."""
    return lacking(kernel, KNOWN, tuple(each for each in KNOWN if each < SINCE.get(request, KNOWN[0]))) == LACKS
