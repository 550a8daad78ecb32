# SPDX-License-Identifier: GPL-2.0-only
"""What does sctlog do?"""

import argparse
import os
import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pysct import abi, calls, device, events, jsonlines, render, values
from pysct.cli import report
from pysct.failures import Failure, NotLoaded

PROGRAM = "sctlog"


def main(argv: list[str] | None = None) -> int:
    """Shows the log as it comes, until interrupted."""
    args = _parser().parse_args(argv)
    if args.raw and sys.stdout.isatty():
        _parser().error("--raw writes binary records: send them to a file or a pipe")
    return report.run(PROGRAM, lambda: _follow(args), on_interrupt=report.DONE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Shows events as the rules log them, each by its rule's log_format, until interrupted. "
        "Events that were lost are reported on standard error (with --json: in the stream).",
        epilog="The filters narrow together. Exit status: 0 ended or interrupted, 1 the log cannot be read, "
        "2 wrong usage, 3 the modules are not loaded, 4 not permitted.",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a line")
    form.add_argument("--raw", action="store_true", help="the records as the kernel writes them, for --from")
    parser.add_argument("--once", action="store_true", help="show what there is now, and end")
    parser.add_argument("--from", dest="source", metavar="FILE", type=Path, help="read records that --raw wrote")
    parser.add_argument("--rule", metavar="NAME", help="only events of this rule")
    parser.add_argument("--pid", metavar="N", type=int, help="only events of this process")
    parser.add_argument("--call", metavar="NAME", help="only events of this system call")
    return parser


def _follow(args: argparse.Namespace) -> int:
    wanted, show = _filter(args), _raw if args.raw else _json if args.json else _text
    for data in _stored(args.source) if args.source else _reads(args.once):
        for record in events.split(data):
            said = record if isinstance(record, events.Torn) else events.decode(record)
            if isinstance(said, events.Torn):
                report.note(f"--- a damaged record was left out: {said.text} ---")
            elif said is not None and wanted(said):
                show(said, record)
        report.flush()
    return report.DONE


def _reads(once: bool) -> Iterator[bytes]:
    """What the device gives, a read at a time; ends with what there is now if `once`."""
    log = device.open_log(blocking=not once)
    waiting = select.poll()
    waiting.register(log, select.POLLIN)
    waiting.register(sys.stdout.fileno(), 0)  # POLLERR when the reader of the pipe has gone
    try:
        while True:
            if not once and any(ready == sys.stdout.fileno() for ready, _ in waiting.poll()):
                raise BrokenPipeError
            try:
                data = os.read(log, events.BUFFER)
            except BlockingIOError:
                return
            except OSError as error:
                raise device.cannot_open(device.node(abi.LOG), error) from error
            if not data:
                raise NotLoaded("the log has ended: the modules are being unloaded", device.LOAD_FIRST)
            yield data
    finally:
        os.close(log)


def _stored(path: Path) -> Iterator[bytes]:
    try:
        yield path.read_bytes()
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error


def _filter(args: argparse.Namespace) -> Callable[[events.Event | events.Lost | events.Moved], bool]:
    rule = os.fsencode(args.rule) if args.rule is not None else None

    def wanted(said: events.Event | events.Lost | events.Moved) -> bool:
        if isinstance(said, events.Moved):
            return args.call is None or calls.call_name(said.abi, said.nr) == args.call
        if isinstance(said, events.Lost):  # who knows of which process and call they were
            return rule is None or said.name in (rule, b"")
        if rule is not None and said.name != rule:
            return False
        if args.call is not None and calls.call_name(said.abi, said.nr) != args.call:
            return False
        return args.pid is None or args.pid in (said.pid, said.tid)

    return wanted


def _text(said: events.Event | events.Lost | events.Moved, _record: bytes) -> None:
    if isinstance(said, events.Moved):
        report.note(render.moved_line(said))
        return
    if isinstance(said, events.Lost):
        report.note(render.lost_line(said))
        return
    report.out(render.line(said))
    if said.torn:
        report.note(f"--- the record of this event of rule '{values.escape(said.name)}' was damaged ---")


def _json(said: events.Event | events.Lost | events.Moved, _record: bytes) -> None:
    report.out(jsonlines.line(said))


def _raw(_said: events.Event | events.Lost, record: bytes) -> None:
    report.raw(record)
