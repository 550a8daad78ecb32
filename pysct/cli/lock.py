# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config lock do?"""

import argparse

from pysct.cli import report
from pysct.control import Control


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "lock",
        help="refuse every change of the rules until reboot",
        description="Refuses every change of the rules, and unloading, until the machine boots again. Cannot be undone.",
    )
    command.set_defaults(command=run)


def run(_args: argparse.Namespace) -> int:
    """Locks; says so again if it was locked before."""
    with Control.open() as control:
        control.lock()
    report.out("The rules are locked until reboot")
    return report.DONE
