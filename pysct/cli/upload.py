# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config upload do?"""

import argparse

from pysct.cli import report
from pysct.control import Control


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "upload",
        help="compile rules and put them in force",
        description="Compiles the files as one rule set, in the order given, and puts it in force in place of the rules "
        "that are loaded: every call is judged by the old rules or by the new ones. Counters of unchanged rules go on.",
    )
    command.add_argument("files", nargs="+", metavar="FILE", help="a file of rules, or one that sct_config compile wrote")
    command.add_argument("--append", action="store_true", help="keep the loaded rules, before these")
    command.add_argument("--dry-run", action="store_true", help="let the kernel verify the rules, and change nothing")
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Replaces the rule set."""
    from pysct.cli import loaded, ruleset

    with Control.open() as control:
        if args.append:
            before = loaded.fetch(control)
            image, expect = ruleset.image_of([*before.sources(), *ruleset.read(args.files)]), before.generation
        else:
            image, expect = ruleset.image_of_files(args.files), None
        control.upload(image, expect, args.dry_run)
    for name in args.files:
        if args.dry_run:
            report.out(f"The kernel accepts the rules from file '{ruleset.shown(name)}'; nothing was changed")
        else:
            report.out(f"Successfully uploaded rules from file '{ruleset.shown(name)}'")
    return report.DONE
