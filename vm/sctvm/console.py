# SPDX-License-Identifier: GPL-2.0-only
"""What does the kernel say, and is it a report of a fault?"""

import re

ESCAPE = re.compile(r"\x1b(\[[0-9;?=]*[A-Za-z]|[A-Za-z])|[\r\0]")
"""Terminal control of the firmware, carriage returns."""
STAMP = re.compile(r"^(<\d+>)?\[ *\d+\.\d+\](\[ *[TC]\d+\])? ?")
"""What printk puts before a message: time and, on some kernels, the caller."""

REPORT = re.compile(
    r"""
      WARNING:\ .
    | (watchdog:\ )?BUG:\ .
    | BUG\ \S+\ \(.*\):\ .                                    # slab debugging
    | kernel\ BUG\ at\ .
    | Kernel\ panic\ -\ not\ syncing
    | .*:\ [0-9a-f]{4}\ \[\#\d+\]                             # Oops and every other death on x86
    | Internal\ error:\ .*\[\#\d+\]                           # arm64
    | Unable\ to\ handle\ kernel\ .                           # arm64
    | INFO:\ task\ .*\ blocked\ for\ more\ than\ \d+\ seconds
    | INFO:\ (trying\ to\ register\ non-static\ key|possible\ .*\ deadlock)
    | INFO:\ rcu_\w+\ (self-)?detected\ .*stall
    | rcu:\ INFO:\ .*\ (self-)?detected\ .*stall
    | UBSAN:\ .
    | DEBUG_LOCKS_WARN_ON\(
    | unreferenced\ object\ 0x                                # kmemleak's, after a second look: guest/detectors.py
    """,
    re.VERBOSE,
)
"""How a report of the kernel's begins. It is matched at the start of a message only: what programs write to
/dev/kmsg, save the agent's findings, and messages that merely mention a warning, stand behind a prefix of their own."""

BEFORE, AFTER = 3, 60
"""Lines shown before and from a report's first on."""
TAIL = 40
"""Lines shown when the guest ends without one."""


def message(line: str) -> str:
    """A console line without what printk and the terminal put around it."""
    return STAMP.sub("", ESCAPE.sub("", line))


def is_report(line: str) -> bool:
    return REPORT.match(message(line)) is not None


class Console:
    """All that the guest's console said so far."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.report: int | None = None
        """Index of the first report's first line."""
        self.panicked = False
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._add(line.decode(errors="replace"))

    def finish(self) -> None:
        """Takes the last line although it has no end."""
        if self._rest:
            self.feed(b"\n")

    def _add(self, line: str) -> None:
        line = ESCAPE.sub("", line)
        if self.report is None and is_report(line):
            self.report = len(self.lines)
        self.panicked = self.panicked or message(line).startswith("Kernel panic - not syncing")
        self.lines.append(line)

    def says(self, text: str) -> bool:
        """Whether a line's message is `text`."""
        return any(message(line) == text for line in reversed(self.lines))

    def excerpt(self) -> str:
        """The first report, or the last lines when there is none."""
        if self.report is not None:
            return "\n".join(self.lines[max(0, self.report - BEFORE) : self.report + AFTER])
        return "\n".join(self.lines[-TAIL:])
