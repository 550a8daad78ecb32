# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config dump do?"""

import argparse

from pysct.cli import report
from pysct.control import Control
from pysct.diagnostics import printable
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

    places = None
    if args.file:
        sources = ruleset.read([args.file])
        data = sources[0].data
        if not ruleset.is_image(data):
            compiled = ruleset.sound(sources, warnings=False)
            data = compiled.image
            places = [printable(f"{rule.source.name}:{rule.own_line}") for rule in compiled.rules]
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
    report.out(disassemble.disassemble(held, places).rstrip("\n"))
    return report.DONE
