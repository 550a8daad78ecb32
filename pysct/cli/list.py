# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config list do?"""

import argparse
import dataclasses
import json

from pysct import calls, values
from pysct.cli import report
from pysct.control import Control, Counters

_COUNTERS = [field.name for field in dataclasses.fields(Counters)]


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "list",
        help="show the loaded rules and what became of them",
        description="Shows the rules that are in force, in their order, with the calls they judge and their counters.",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object a line for each rule")
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Prints the rules."""
    from pysct.cli import loaded

    with Control.open() as control:
        held, rows = loaded.with_counters(control)
    pairs = list(zip(held.rules, rows, strict=True))
    if args.json:
        for rule, counters in pairs:
            report.out(json.dumps(_members(rule, counters)))
    elif pairs:
        report.table(
            ["RULE", "WHEN", "CALLS", "ACTIONS", *(name.upper() for name in _COUNTERS)],
            [
                [values.escape(rule.name), values.phase_name(rule.phase), ",".join(rule.call_names()) or "-", rule.action_text()]
                + [getattr(counters, name) for name in _COUNTERS]
                for rule, counters in pairs
            ],
            right=frozenset(name.upper() for name in _COUNTERS),
        )
    else:
        report.note("no rules are loaded")
    return report.DONE


def _members(rule, counters: Counters) -> dict:
    return {
        "rule": values.escape(rule.name),
        "line": rule.line,
        "when": values.phase_name(rule.phase),
        "points": [{"abi": calls.abi_name(abi), "call": calls.call_name(abi, nr)} for abi, nr in rule.calls],
        "actions": values.action_names(rule.actions),
        "error": values.error_name(-rule.error) or None,
        **dataclasses.asdict(counters),
    }
