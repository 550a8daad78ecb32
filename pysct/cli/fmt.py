# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config fmt do?"""

import argparse
import os
from contextlib import suppress
from pathlib import Path

from pysct.cli import report
from pysct.failures import Failure


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "fmt",
        help="lay rule files out neatly",
        description="Writes the files anew, in one layout, with all comments. The rules mean the same as before. "
        "A file with errors stays as it is.",
        epilog="Exit status: 0 done, 1 a file has errors or, with --check, is laid out otherwise.",
    )
    command.add_argument("files", nargs="+", metavar="FILE", help="a file of rules")
    command.add_argument("--check", action="store_true", help="change nothing; name the files that would change")
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Status 1 if a file has errors, or would change when it only shall be checked."""
    from pysct.cli import ruleset

    status = report.DONE
    for source in ruleset.read(args.files):
        neat = formatted(source)
        if neat is None:
            status = report.WRONG
        elif neat != source.data and args.check:
            report.out(f"{ruleset.shown(source.name)}: would change")
            status = report.WRONG
        elif neat != source.data:
            replace(source.name, neat)
            report.out(f"{ruleset.shown(source.name)}: changed")
    return status


def formatted(source) -> bytes | None:
    """The file laid out neatly; None after its errors were printed."""
    from pysct import diagnostics, fmt

    said = diagnostics.Diagnostics()
    try:
        neat = fmt.format_source(source, said)
    except diagnostics.TooManyErrors:
        neat = None
    for diagnostic in said:
        report.note(diagnostics.format_text(diagnostic))
    return neat


def replace(name: str, data: bytes) -> None:
    """Puts a new file in the place of an old one, with its owner and rights: whatever happens, one of them is there."""
    path = Path(name).resolve()
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        state = path.stat()
        part.write_bytes(data)
        part.chmod(state.st_mode & 0o7777)
        if (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(part, state.st_uid, state.st_gid)
        part.replace(path)
    except OSError as error:
        raise Failure(f"{name}: {error.strerror}", "it was not changed") from error
    finally:
        with suppress(OSError):
            part.unlink()
