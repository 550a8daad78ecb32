# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config explain do?"""

import argparse

from pysct.cli import report
from pysct.failures import Failure


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "explain",
        help="say in words what rules match and do, and what comes before them",
        description="Says which calls each rule judges, when it matches and what happens then, and which rules before "
        "it can keep calls from it. Needs no modules and no rights.",
    )
    command.add_argument("file", metavar="FILE", help="a file of rules")
    command.add_argument("rules", nargs="*", metavar="RULE", help="name of a rule; all of them, if none is given")
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Prints a paragraph for each rule."""
    from pysct.cli import ruleset
    from pysct.explain import explain

    rules = ruleset.sound(ruleset.read([args.file]), warnings=False).rules
    names = {rule.name for rule in rules}
    for name in args.rules:
        if name not in names:
            known = ", ".join(rule.name for rule in rules)
            raise Failure(
                f"{ruleset.shown(args.file)} has no rule {name!r}",
                f"its rules are {known}" if rules else "it has no rules",
            )
    wanted = [rule for rule in rules if not args.rules or rule.name in args.rules]
    report.out("\n\n".join("\n".join(explain(rule, rules)) for rule in wanted) if wanted else "there are no rules")
    return report.DONE
