# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config try do?"""

import argparse
import os
import re
import select
import signal
import sys

from pysct import guard
from pysct.cli import report
from pysct.control import Control

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "try",
        help="put rules in force for a while, and go back unless confirmed",
        description="Puts the rules in force, and the old ones back after a while, unless Enter is pressed here or "
        "sct_config confirm is run anywhere. They also go back if this command is interrupted or its terminal closes.",
        epilog="Exit status: 0 kept, 1 gone back; else as sct_config upload.",
    )
    command.add_argument("files", nargs="+", metavar="FILE", help="a file of rules")
    command.add_argument(
        "--for", dest="seconds", type=duration, default="30s", metavar="TIME", help="as in 30s, 5m, 1h (default: %(default)s)"
    )
    command.set_defaults(command=run)


def duration(text: str) -> float:
    """Seconds of a time such as 30, 30s, 1.5m, 1h."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if not found or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 30s, 5m or 1h")
    return float(found[1]) * _UNITS[found[2]]


def run(args: argparse.Namespace) -> int:
    """Status 0 if the rules were kept."""
    from pysct.cli import ruleset

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, _interrupt)
    with Control.open() as control:
        new = ruleset.image_of_files(args.files)
        old, generation = control.download()
        watch = guard.start(control, new, old or ruleset.empty_image(), generation, args.seconds)
        interrupted = False
        try:
            report.out(f"In force for {args.seconds:g} s; press Enter to keep these rules, or run sct_config confirm")
            report.flush()
            _until_decided(watch)
        except (KeyboardInterrupt, BrokenPipeError):
            interrupted = True
        watch.give_up()
        return _say(watch.outcome(), interrupted, args.files)


def _interrupt(*_) -> None:
    raise KeyboardInterrupt


def _until_decided(watch: guard.Guard) -> None:
    """Passes an Enter on; returns when the guard has ended."""
    sources = [watch.news, sys.stdin.fileno()]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if watch.news in ready:
            return
        if b"\n" in (typed := os.read(sys.stdin.fileno(), 4096)):
            watch.confirm()
        if not typed:  # no terminal: only sct_config confirm can keep the rules
            sources = [watch.news]


def _say(outcome: int, interrupted: bool, files: list[str]) -> int:
    from pysct.cli import ruleset

    if outcome == guard.KEPT:
        for name in files:
            report.out(f"Successfully uploaded rules from file '{ruleset.shown(name)}'")
        return report.DONE
    report.note(
        {
            guard.WENT_BACK: "sct_config: not confirmed: the old rules are in force again",
            guard.CHANGED: "sct_config: not confirmed; somebody else has changed the rules meanwhile, and those stay",
        }.get(outcome, "sct_config: the old rules could not be put back: see sct_config status")
    )
    return report.INTERRUPTED if interrupted else report.WRONG
