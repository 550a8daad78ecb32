# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config confirm do?"""

import argparse

from pysct import guard
from pysct.cli import report


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "confirm",
        help="keep the rules that sct_config try put in force",
        description="Keeps the rules that a running sct_config try put in force, from any terminal.",
    )
    command.set_defaults(command=run)


def run(_args: argparse.Namespace) -> int:
    """Tells the guard to end without going back."""
    guard.confirm()
    report.out("The rules stay in force")
    return report.DONE
