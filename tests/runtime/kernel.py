# SPDX-License-Identifier: GPL-2.0-only
"""How do the tests handle the modules: load, give rules, read the log, and hear the kernel complain?"""

import os
import re
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from patience import PATIENCE

from pysct import device, events, render
from pysct.cli import config, load, log, unload
from pysct.compiler import compile_sources
from pysct.control import Control
from pysct.source import Source

TREE = Path(__file__).resolve().parents[2]

BIN = Path(sys.executable).parent
"""Where the commands are: the virtual environment that runs the tests."""

_COMPLAINT = re.compile(r"WARNING:|\bBUG:|Oops|KASAN|INFO: (task|rcu|possible)|general protection|Call Trace|leak", re.IGNORECASE)


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


def serves(name: str) -> bool:
    """Whether the kernel runs programs of an ABI: x32's only if it was told to."""
    return name != "x32" or bool(re.search(r"\bsyscall\.x32=(y|1|on)\b", Path("/proc/cmdline").read_text()))


def start(*words: str, user: int = 0, stdin=None, stdout=None, stderr=None) -> "Process":
    """Starts one of our commands in a process of its own, without the time that a new interpreter takes."""
    main = {"sct_config": config.main, "sctlog": log.main, "sct_load": load.main, "sct_unload": unload.main}[words[0]]
    pid = os.fork()
    if pid:
        return Process(pid)
    status = 70
    try:
        for descriptor, file in enumerate((stdin, stdout, stderr)):
            if file is not None:
                os.dup2(file if isinstance(file, int) else file.fileno(), descriptor)
        os.closerange(3, 256)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if user:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        try:
            status = main(list(words[1:]))
        except SystemExit as end:
            status = end.code
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


class Process:
    """A command that start() started."""

    def __init__(self, pid: int):
        self.pid = pid
        self.returncode = None

    def poll(self) -> int | None:
        """Its exit status, -N if signal N ended it; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, seconds: float = 60) -> int:
        """The same, when it has ended; fails the test if that takes too long."""
        deadline = time.monotonic() + seconds * PATIENCE
        while self.poll() is None:
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
                raise AssertionError(f"still running after {seconds} seconds")
            time.sleep(0.02)
        return self.returncode

    def send(self, number: int) -> None:
        """Sends a signal."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Done(NamedTuple):
    """What a command said and how it ended."""

    returncode: int
    stdout: str
    stderr: str
    bytes: bytes


def command(*words: str, user: int = 0, input: str = "") -> Done:
    """Runs one of our commands to its end."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin.write(input.encode())
        stdin.seek(0)
        status = start(*words, user=user, stdin=stdin, stdout=stdout, stderr=stderr).wait()
        stdout.seek(0)
        stderr.seek(0)
        said = stdout.read()
        return Done(status, said.decode(errors="backslashreplace"), stderr.read().decode(errors="backslashreplace"), said)


def has_open(pid: int, path: str) -> bool:
    """Whether the process has this file open."""
    directory = f"/proc/{pid}/fd"
    for name in os.listdir(directory):
        try:
            if os.readlink(f"{directory}/{name}") == path:
                return True
        except FileNotFoundError:
            pass
    return False


def eventually(look: Callable[[], bool], seconds: float = 30) -> None:
    """Waits until something is so; fails the test if that takes too long."""
    deadline = time.monotonic() + seconds * PATIENCE
    while not look():
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(0.05)


def wait_inside(pid: int, another_thread: bool = False) -> None:
    """Waits until a process, or a thread of it that is not its first, is inside a diverted call."""

    def is_inside() -> bool:
        with Control.open() as control:
            return any(caller.pid == pid and not (another_thread and caller.tid == pid) for caller in control.callers())

    eventually(is_inside)


def wait_stopped(pid: int) -> None:
    """Waits until a process is stopped."""
    eventually(lambda: "T (stopped)" in Path(f"/proc/{pid}/status").read_text())


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
        deadline = time.monotonic() + patience * PATIENCE
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
