# SPDX-License-Identifier: GPL-2.0-only
"""Which commands does sct_config have?"""

import argparse
from functools import cache

from pysct import abi
from pysct.cli import check, confirm, delete, download, dump, explain, fmt, lock, report, status, test, trial, upload
from pysct.cli import compile as compile_
from pysct.cli import list as list_

PROGRAM = "sct_config"
COMMANDS = (upload, trial, confirm, download, delete, list_, status, lock, check, test, explain, fmt, compile_, dump)


def main(argv: list[str] | None = None) -> int:
    """Compiles rules, hands them to the kernel, and shows what is in force."""
    args = parser().parse_args(argv)
    return report.run(PROGRAM, lambda: args.command(args))


@cache
def parser() -> argparse.ArgumentParser:
    """All commands; each file adds its own."""
    top = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Compiles rules that watch and stop system calls, hands them to the kernel, and shows what is in force.",
        epilog="Exit status: 0 done, 1 the rules or the input are wrong, 2 wrong usage, 3 the modules are not loaded or "
        "are of another release, 4 not permitted.",
    )
    top.add_argument("--version", action="version", version=f"%(prog)s, ABI version {abi.VERSION}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return top
