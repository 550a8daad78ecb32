# SPDX-License-Identifier: GPL-2.0-only
"""How do the tests handle the modules: load, give rules, read the log, and hear the kernel complain?"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from pysct import device, events, render
from pysct.compiler import compile_sources
from pysct.control import Control
from pysct.source import Source

TREE = Path(__file__).resolve().parents[2]

BIN = Path(sys.executable).parent
"""Where the commands are: the virtual environment that runs the tests."""

_COMPLAINT = re.compile(r"WARNING:|BUG:|Oops|KASAN|INFO: (task|rcu|possible)|general protection|Call Trace|leak", re.IGNORECASE)


def compiled(text: str, name: str = "case") -> bytes:
    """The image of a rule text; fails the test where it does not compile."""
    from pysct.diagnostics import format_text

    result = compile_sources([Source(name, text)])
    assert result.image is not None, "\n".join(map(format_text, result.diagnostics))
    return result.image


def upload(text: str) -> int:
    """Puts rules in force; returns the generation."""
    with Control.open() as control:
        return control.upload(compiled(text))


def command(*words: str, **options) -> subprocess.CompletedProcess:
    """Runs one of our commands to its end."""
    options = {"capture_output": True, "text": True, "timeout": 60, **options}
    return subprocess.run([str(BIN / words[0]), *words[1:]], **options)


class Log:
    """The log from now on; use it in a `with`."""

    def __enter__(self) -> "Log":
        self._descriptor = device.open_log(blocking=False)
        self.heard: list[events.Event | events.Lost | events.Torn] = []
        self._read()
        self.heard.clear()
        return self

    def __exit__(self, *_) -> None:
        os.close(self._descriptor)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._descriptor, events.BUFFER)
            except BlockingIOError:
                return
            self.heard += events.read_all(data)

    def lines(self, enough: int = 0, patience: float = 0.3) -> list[str]:
        """All lines so far; waits up to `patience` seconds for `enough` of them, and a moment for more."""
        self.said(enough, patience)
        return [render.line(said) if isinstance(said, events.Event) else str(said) for said in self.heard]

    def said(self, enough: int = 0, patience: float = 0.3) -> list:
        """The same, as what the records say."""
        deadline = time.monotonic() + patience
        while True:
            self._read()
            if (enough and len(self.heard) >= enough) or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        return self.heard


class Complaints:
    """What the kernel says that it should not have to say."""

    def __init__(self):
        self._descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self._descriptor, 0, os.SEEK_END)

    def new(self) -> list[str]:
        """Complaints since the last time."""
        found = []
        while True:
            try:
                record = os.read(self._descriptor, 8192).decode(errors="replace")
            except BlockingIOError:
                return found
            except BrokenPipeError:  # overwritten before it was read
                continue
            text = record.partition(";")[2].splitlines()[0]
            if _COMPLAINT.search(text):
                found.append(text)
