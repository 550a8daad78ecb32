"""How does one command run in a started machine, and how does that end?"""

import json
import os
import selectors
import signal
import sys
import time
from dataclasses import dataclass, field

from .console import Console
from .error import GUEST_FAILED, OUT_OF_TIME
from .machine import Machine
from .terminal import Terminal
from .wire import Kind, Reader, frame

CHUNK = 1 << 16
FAREWELL = "sct: the command has ended"
"""The agent's last message to the kernel's log: once it is on the console, so is all that came before."""
SETTLE = 10.0
"""Seconds that a panicking guest has to write its report, or an ending one its farewell."""


@dataclass
class Limits:
    """How long the guest may take, in seconds."""

    boot: float
    command: float


@dataclass
class Session:
    """One command in one machine."""

    machine: Machine
    job: dict
    files: dict[str, bytes]
    limits: Limits
    terminal: Terminal
    console: Console = field(default_factory=Console)
    status: int | None = None
    """The command's exit status, once it has ended."""
    booted: bool = False

    def run(self) -> int:
        """The exit status of vm/run. What went wrong with the guest is told on standard error."""
        self._deadline = time.monotonic() + self.limits.boot
        self._reader = Reader()
        self._outbox = bytearray()
        self.machine.wire.setblocking(False)
        with selectors.PollSelector() as self._selector:
            self._selector.register(self.machine.wire, selectors.EVENT_READ, self._port)
            self._selector.register(self.machine.console, selectors.EVENT_READ, self._hear)
            timed_out = not self._until_over()
        self.console.finish()
        return self._verdict(timed_out)

    def _until_over(self) -> bool:
        """Serves the machine until it is over; False when its time ran out first."""
        while not self._over():
            left = self._deadline - time.monotonic()
            if left <= 0:
                return self.status is not None or self.console.panicked
            for key, events in self._selector.select(min(left, 1.0)):
                key.data(events)
        return True

    def _over(self) -> bool:
        if self.status is not None and self.console.says(FAREWELL):
            return True
        return self.machine.console not in self._selector.get_map()

    def _hear(self, _events: int) -> None:
        data = os.read(self.machine.console, CHUNK)
        if not data:  # QEMU has ended.
            self._selector.unregister(self.machine.console)
            return
        panicked = self.console.panicked
        self.console.feed(data)
        if self.console.panicked and not panicked:
            self._deadline = min(self._deadline, time.monotonic() + SETTLE)

    def _port(self, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                del self._outbox[: self.machine.wire.send(self._outbox[:CHUNK])]
            data = self.machine.wire.recv(CHUNK) if events & selectors.EVENT_READ else None
        except ConnectionError:
            data = b""
        if data == b"":
            self._selector.unregister(self.machine.wire)
            return
        for kind, payload in self._reader.feed(data or b""):
            self._take(kind, payload)
        self._watch()

    def _take(self, kind: Kind, payload: bytes) -> None:
        if kind == Kind.STDOUT:
            self.terminal.write(1, payload)
        elif kind == Kind.STDERR:
            self.terminal.write(2, payload)
        elif kind == Kind.HELLO:
            self._begin()
        elif kind == Kind.EXIT:
            self.status = int(payload)
            self._deadline = time.monotonic() + SETTLE

    def _begin(self) -> None:
        self.booted = True
        self._deadline = time.monotonic() + self.limits.command
        for name, contents in self.files.items():
            self._outbox += frame(Kind.FILE, name.encode() + b"\0" + contents)
        self._outbox += frame(Kind.JOB, json.dumps({**self.job, "farewell": FAREWELL}).encode())
        if self.terminal.readable():
            self._selector.register(0, selectors.EVENT_READ, self._type)
        else:
            self._outbox += frame(Kind.STDIN)

    def _type(self, _events: int) -> None:
        data = self.terminal.read()
        self._outbox += frame(Kind.STDIN, data)
        if not data:
            self._selector.unregister(0)
        self._watch()

    def _watch(self) -> None:
        """Waits for the port to take bytes only while there are some, and reads no more input than it takes."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outbox else 0)
        self._selector.modify(self.machine.wire, events, self._port)

    def _verdict(self, timed_out: bool) -> int:
        if self.console.report is not None:
            return self._fail(GUEST_FAILED, "the kernel reported a fault")
        if timed_out and not self.booted:
            return self._fail(OUT_OF_TIME, f"the guest did not come up in {self.limits.boot:.0f} s")
        if timed_out:
            return self._fail(OUT_OF_TIME, f"the command did not end in {self.limits.command:.0f} s")
        if self.status is None:
            return self._fail(GUEST_FAILED, "the guest died")
        if not self.console.says(FAREWELL):
            return self._fail(GUEST_FAILED, "the guest's console fell silent")
        return self.status

    def _fail(self, status: int, what: str) -> int:
        said = f"; the command had ended with status {self.status}" if self.status is not None else ""
        self.terminal.restore()
        sys.stdout.flush()
        print(f"vm/run: {what}{said}. The console:\n{self.console.excerpt()}\nvm/run: {what}.", file=sys.stderr)
        return status


def end(machine: Machine) -> None:
    """Ends the machine's processes, whatever state they are in."""
    try:
        os.killpg(machine.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    machine.process.wait()
    machine.wire.close()
    os.close(machine.console)
