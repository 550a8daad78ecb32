# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config check do?"""

import argparse
import json

from pysct.cli import report


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "check",
        help="say what is wrong with rules, without a kernel",
        description="Compiles the files as one rule set and shows errors and warnings. Needs no modules and no rights.",
    )
    command.add_argument("files", nargs="+", metavar="FILE", help="a file of rules")
    command.add_argument("--json", action="store_true", help="print one JSON object a line for each error and warning")
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Status 1 if there is an error; warnings do not count."""
    from pysct.cli import ruleset
    from pysct.compiler import compile_sources

    sources = ruleset.read(args.files)
    if args.json:
        result = compile_sources(sources)
        for diagnostic in result.diagnostics:
            report.out(json.dumps(diagnostic.to_json()))
    else:
        result = ruleset.compile_all(sources)
    if result.image is None:
        return report.WRONG
    if not args.json:
        report.out(f"{', '.join(map(ruleset.shown, args.files))}: {count(result.rules)}, no errors")
    return report.DONE


def count(rules: list) -> str:
    """How many rules these are, one that holds in both phases counted once."""
    names = len({rule.name for rule in rules})
    return "1 rule" if names == 1 else f"{names} rules"
