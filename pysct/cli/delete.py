# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config delete do?"""

import argparse
import os

from pysct import values
from pysct.cli import report
from pysct.control import Control
from pysct.failures import Failure


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "delete",
        help="delete all rules, or some",
        description="Deletes the rules with these names, or all rules if no name is given.",
    )
    command.add_argument("rules", nargs="*", metavar="RULE", help="name of a rule")
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Replaces the rule set by one without these rules."""
    from pysct.cli import loaded, ruleset
    with Control.open() as control:
        before = loaded.fetch(control)
        if not args.rules:
            control.upload(ruleset.empty_image())
            report.out(f"Deleted {_count(len({rule.name for rule in before.rules}))}")
            return report.DONE
        from pysct.compiler import remove_rules
        from pysct.source import Source

        names = list(dict.fromkeys(args.rules))
        _must_exist(names, before.rules)
        rest = remove_rules(before.source, names)
        # What is to be said about the rules was said when they were uploaded.
        control.upload(ruleset.image_of([Source("loaded rules", rest)], warnings=False), before.generation)
    report.out("Deleted " + ", ".join(f"rule '{ruleset.shown(name)}'" for name in names))
    return report.DONE


def _count(rules: int) -> str:
    return "1 rule" if rules == 1 else f"{rules} rules"


def _must_exist(names: list[str], rules: list) -> None:
    known = {rule.name for rule in rules}
    unknown = [name for name in names if os.fsencode(name) not in known]
    if unknown:
        some = sorted(values.escape(name) for name in known)[:20]
        more = f", … ({len(known)} in all)" if len(known) > len(some) else ""
        raise Failure(
            "no loaded rule has the name " + ", ".join(f"'{values.escape(os.fsencode(name))}'" for name in unknown),
            f"loaded are: {', '.join(some)}{more}" if known else "no rules are loaded",
        )
