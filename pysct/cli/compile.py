# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config compile do?"""

import argparse
from pathlib import Path

from pysct import release
from pysct.cli import report
from pysct.failures import Failure


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "compile",
        help="compile rules to a file",
        description="Compiles the files as one rule set into a file that sct_config dump reads. Needs no modules and no rights.",
    )
    command.add_argument("files", nargs="+", metavar="FILE", help="a file of rules")
    command.add_argument("-o", "--output", required=True, metavar="OUT", help="where the image goes; - is standard output")
    release.add_option(command)
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Writes the image."""
    from pysct.cli import ruleset

    image = ruleset.image_of(ruleset.read(args.files), kernel=args.kernel)
    if args.output == "-":
        report.raw(image)
        return report.DONE
    try:
        Path(args.output).write_bytes(image)
    except OSError as error:
        raise Failure(f"{ruleset.shown(args.output)}: {error.strerror}") from error
    return report.DONE
