# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config download do?"""

import argparse

from pysct.cli import report
from pysct.control import Control


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "download",
        help="print the text of the loaded rules",
        description="Prints the text of the rules that are in force, byte for byte as it was uploaded.",
    )
    command.set_defaults(command=run)


def run(_args: argparse.Namespace) -> int:
    """Prints the source that travelled with the image."""
    from pysct.cli import loaded

    with Control.open() as control:
        report.raw(loaded.fetch(control).source)
    return report.DONE
