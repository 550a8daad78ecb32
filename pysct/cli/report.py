# SPDX-License-Identifier: GPL-2.0-only
"""How do the commands speak to the user, and how do they end?

The one place that prints: results to standard output, everything else to
standard error, colour on terminals only.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable

from pysct.failures import Failure

DONE, WRONG, USAGE, ABSENT, FORBIDDEN = range(5)
"""Exit status: 0 done, 1 the rules or the input are wrong, 2 wrong usage, 3 no module or device, 4 not permitted."""

INTERRUPTED = 128 + signal.SIGINT
BROKEN_PIPE = 128 + signal.SIGPIPE


def out(text: str) -> None:
    """A line of the result; a pipe gets it with the next flush() or at the end."""
    sys.stdout.write(text + "\n")


def flush() -> None:
    """Whoever reads the result sees all of it now."""
    sys.stdout.flush()


def raw(data: bytes) -> None:
    """Bytes of the result, as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def note(text: str) -> None:
    """A line that is not a result."""
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def failure(program: str, error: Failure) -> int:
    """Prints what went wrong and the way out; returns the exit status."""
    note(f"{program}: {_red('error:', sys.stderr)} {error.text}")
    if error.hint:
        note(f"{program}: hint: {error.hint}")
    return error.status


def table(heads: Iterable[str], rows: Iterable[Iterable[object]], right: frozenset[str] = frozenset()) -> None:
    """Aligned columns; with rules and colour on a terminal.  right: heads of the columns of numbers."""
    heads, rows = list(heads), [[str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich_table(heads, rows, right)
        return
    widths = [max(len(line[i]) for line in [heads, *rows]) for i in range(len(heads))]
    for line in [heads, *rows]:
        cells = [c.rjust(w) if h in right else c.ljust(w) for c, w, h in zip(line, widths, heads)]
        out("  ".join(cells).rstrip())


def _rich_table(heads: list[str], rows: list[list[str]], right: frozenset[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    view = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for head in heads:
        view.add_column(head, justify="right" if head in right else "left", overflow="fold")
    for row in rows:
        view.add_row(*(Text(cell) for cell in row))
    Console().print(view)


def _red(text: str, stream) -> str:
    return f"\x1b[1;31m{text}\x1b[0m" if stream.isatty() and "NO_COLOR" not in os.environ else text


def run(program: str, command: Callable[[], int], on_interrupt: int = INTERRUPTED) -> int:
    """Runs a command and turns every way in which it can end into an exit status."""
    sys.stdout.reconfigure(errors="backslashreplace")
    sys.stderr.reconfigure(errors="backslashreplace")
    try:
        try:
            return command()
        except Failure as error:
            return failure(program, error)
        except KeyboardInterrupt:
            return on_interrupt
        finally:
            flush()
    except BrokenPipeError:
        # Python flushes standard output once more at exit and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
