# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config dump do?"""

import argparse

from pysct.cli import report
from pysct.control import Control
from pysct.failures import Failure


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "dump",
        help="show the bytecode of rules",
        description="Disassembles a file that sct_config compile wrote, or a file of rules, or what is loaded.",
    )
    command.add_argument("file", nargs="?", metavar="FILE", help="what is in force, if it is not given")
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Prints the disassembly."""
    from pysct import disassemble, image
    from pysct.cli import ruleset

    if args.file:
        data = ruleset.image_of_files([args.file], warnings=False)
    else:
        with Control.open() as control:
            data, _ = control.download()
        if not data:
            report.note("no rules are loaded")
            return report.DONE
    try:
        held = image.decode(data)
    except image.ImageError as error:
        raise Failure(f"{ruleset.shown(args.file or 'loaded rules')}: {error}", "compile the rules again") from error
    report.out(disassemble.disassemble(held).rstrip("\n"))
    return report.DONE
