# SPDX-License-Identifier: GPL-2.0-only
"""How does one command run in a started machine?"""

import json
import os
import select
import time
from dataclasses import dataclass, field

from .console import Console
from .machine import Machine
from .terminal import Terminal
from .wire import Kind, Reader, frame

CHUNK = 1 << 16
INPUT_LIMIT = 1 << 20
"""Bytes of input that wait for the guest at most; no more is read meanwhile."""
FAREWELL = "sct: the command has ended"
"""The agent's last message to the kernel's log: once it is on the console, so is all that came before."""
SETTLE = 10.0
"""Seconds that a panicking guest has to write its report, or an ending one its farewell."""
READ, WRITE = select.POLLIN, select.POLLOUT


@dataclass
class Limits:
    """How long the guest may take, in seconds."""

    boot: float
    command: float


@dataclass
class Session:
    """One command in one machine. After `run` its fields tell how it went."""

    machine: Machine
    job: dict
    modules: dict[str, bytes]
    limits: Limits
    terminal: Terminal
    console: Console = field(default_factory=Console)
    booted: bool = False
    status: int | None = None
    """The command's exit status, once it has ended."""
    timed_out: bool = False

    def run(self) -> None:
        """Serves the machine until the command has ended, the machine has, or its time is up."""
        self._deadline = time.monotonic() + self.limits.boot
        self._frames = Reader()
        self._outbox = bytearray()
        self._size = self.terminal.size
        self._console_open = self._wire_open = True
        self._input_open = False
        self.machine.wire.setblocking(False)
        while self._console_open and not self._done():
            left = self._deadline - time.monotonic()
            if left <= 0:
                self.timed_out = self.status is None and not self.console.panicked
                break
            self._serve(min(left, 1.0))
        self.console.finish()

    def _done(self) -> bool:
        return self.status is not None and self.console.says(FAREWELL)

    def _serve(self, seconds: float) -> None:
        """Moves the bytes that can be moved now; waits for some at most so long."""
        console, wire = self.machine.console, self.machine.wire.fileno()
        poll = select.poll()
        poll.register(console, READ)
        if self._wire_open:
            poll.register(wire, READ | (WRITE if self._outbox else 0))
        if self._input_open and len(self._outbox) < INPUT_LIMIT:
            poll.register(0, READ)
        for descriptor, events in poll.poll(seconds * 1000):
            if descriptor == console:
                self._hear()
            elif descriptor == wire:
                self._exchange(events)
            else:
                self._type()
        if self.booted and self.terminal.size != self._size:
            self._size = self.terminal.size
            self._outbox += frame(Kind.SIZE, self._size.encode())

    def _hear(self) -> None:
        data = os.read(self.machine.console, CHUNK)
        panicked = self.console.panicked
        self.console.feed(data)
        if self.console.panicked and not panicked:
            self._deadline = min(self._deadline, time.monotonic() + SETTLE)
        self._console_open = bool(data)

    def _exchange(self, events: int) -> None:
        try:
            if events & WRITE:
                del self._outbox[: self.machine.wire.send(self._outbox[:CHUNK])]
            data = self.machine.wire.recv(CHUNK) if events & ~WRITE else None
        except ConnectionError:
            data = b""
        self._wire_open = data != b""
        for kind, payload in self._frames.feed(data or b""):
            self._take(kind, payload)

    def _take(self, kind: Kind, payload: bytes) -> None:
        if kind == Kind.STDOUT:
            self.terminal.write(1, payload)
        elif kind == Kind.STDERR:
            self.terminal.write(2, payload)
        elif kind == Kind.HELLO:
            self._begin()
        elif kind == Kind.EXIT:
            self.status = int(payload)
            self._input_open = False
            self._deadline = time.monotonic() + SETTLE

    def _begin(self) -> None:
        self.booted = True
        self._deadline = time.monotonic() + self.limits.command
        for name, contents in self.modules.items():
            self._outbox += frame(Kind.MODULE, name.encode() + b"\0" + contents)
        self._outbox += frame(Kind.JOB, json.dumps({**self.job, "farewell": FAREWELL}).encode())
        self._input_open = self.terminal.readable()
        if not self._input_open:
            self._outbox += frame(Kind.STDIN)

    def _type(self) -> None:
        data = self.terminal.read()
        self._outbox += frame(Kind.STDIN, data)
        self._input_open = bool(data)
