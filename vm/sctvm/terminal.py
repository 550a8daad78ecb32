# SPDX-License-Identifier: GPL-2.0-only
"""How do our own standard streams serve the command?"""

import os
import select
import termios
import time
import tty

CHUNK = 1 << 16
INTERRUPT = b"\x03"
PATIENCE = 1.0
"""Seconds within which a second Ctrl-C ends the guest instead of reaching the command."""


class Terminal:
    """Standard input, output and error; a terminal in raw mode if both ends of it are one."""

    def __init__(self) -> None:
        self.interactive = _is_terminal(0) and _is_terminal(1)
        self._saved = termios.tcgetattr(0) if self.interactive else None
        self._interrupted = 0.0

    @property
    def size(self) -> str | None:
        """Rows and columns, if the command gets a terminal of its own."""
        if not self.interactive:
            return None
        size = os.get_terminal_size(1)
        return f"{size.lines} {size.columns}"

    def enter(self) -> None:
        """From here on the terminal's keys are the command's."""
        if self._saved:
            tty.setraw(0)

    def restore(self) -> None:
        if self._saved:
            termios.tcsetattr(0, termios.TCSADRAIN, self._saved)

    def readable(self) -> bool:
        """Whether the command gets our input: a terminal's only when it is interactive."""
        try:
            os.fstat(0)
        except OSError:
            return False
        return self.interactive or not _is_terminal(0)

    def read(self) -> bytes:
        """Bytes of input; none at its end. Two Ctrl-C in a row interrupt us."""
        data = os.read(0, CHUNK)
        if self.interactive and data == INTERRUPT:
            if time.monotonic() - self._interrupted < PATIENCE:
                raise KeyboardInterrupt
            self._interrupted = time.monotonic()
        return data

    def write(self, stream: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(stream, view) :]
            except BlockingIOError:
                select.select([], [stream], [])


def _is_terminal(stream: int) -> bool:
    try:
        return os.isatty(stream)
    except OSError:
        return False


