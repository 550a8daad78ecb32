# SPDX-License-Identifier: GPL-2.0-only
"""How do a command's streams travel between its pipes and the virtio port?"""

import collections
import fcntl
import os
import pty
import select
import signal
import struct
import termios

import wire

CHUNK = 1 << 16
STDIN_LIMIT = 1 << 20
"""Bytes of standard input that wait for the command at most; the host is not read meanwhile."""


class Link:
    """The guest's end of the port. The host going away ends the guest."""

    def __init__(self, port: int):
        self.port = port
        self.frames = collections.deque()
        """Frames that arrived, in order; whoever uses one takes it out."""
        self._reader = wire.Reader()

    def send(self, kind: wire.Kind, payload: bytes = b"") -> None:
        data = memoryview(wire.frame(kind, payload))
        while data:
            data = data[os.write(self.port, data) :]

    def receive(self) -> None:
        """Puts what arrives next into `frames`; waits for bytes, not for a whole frame."""
        data = os.read(self.port, CHUNK)
        if not data:
            with open("/proc/sysrq-trigger", "w") as file:
                file.write("o")
            signal.pause()
        self.frames += self._reader.feed(data)


class Command:
    """A running command and our ends of its streams."""

    def __init__(self, argv: list[str], terminal: str | None):
        if terminal:
            master, slave = pty.openpty()
            resize(master, terminal)
            self.stdin, theirs = os.dup(master), [slave, slave, slave]
            self.outputs = {master: wire.Kind.STDOUT}
        else:
            (stdin, self.stdin), (out, stdout), (err, stderr) = os.pipe(), os.pipe(), os.pipe()
            theirs = [stdin, stdout, stderr]
            self.outputs = {out: wire.Kind.STDOUT, err: wire.Kind.STDERR}
        self.terminal = bool(terminal)
        self.pid = os.fork()
        if self.pid == 0:
            self._become(argv, theirs)
        for descriptor in set(theirs):
            os.close(descriptor)
        self.ended = os.pidfd_open(self.pid)
        for descriptor in [self.stdin, *self.outputs]:
            os.set_blocking(descriptor, False)

    def _become(self, argv: list[str], theirs: list[int]) -> None:
        try:
            os.setsid()
            for number, descriptor in enumerate(theirs):
                os.dup2(descriptor, number)
            if self.terminal:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(ignored_by_python, signal.SIG_DFL)
            os.execvp(argv[0], argv)
        except OSError as error:
            os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
            os._exit(127 if isinstance(error, FileNotFoundError) else 126)

    def status(self) -> int:
        """The exit status as a shell tells it."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return 128 - code if code < 0 else code


def resize(terminal: int, size: str) -> None:
    rows, columns = map(int, size.split())
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def run(link: Link, argv: list[str], terminal: str | None) -> int:
    """Runs the command with its streams at the other end of the link, and returns its exit status.

    It ends with the command's own process: what that wrote is passed on to the last byte, but children that it
    leaves behind with its streams open are not waited for.
    """
    command = Command(argv, terminal)
    waiting = bytearray()
    closing = False
    while True:
        while link.frames:
            kind, payload = link.frames.popleft()
            if kind == wire.Kind.STDIN and command.stdin >= 0:
                waiting += payload
                closing = closing or not payload
            if kind == wire.Kind.SIZE and command.terminal:
                resize(command.stdin, payload.decode())
        closing = _feed(command, waiting, closing)
        poll = select.poll()
        poll.register(command.ended, select.POLLIN)
        for output in command.outputs:
            poll.register(output, select.POLLIN)
        if len(waiting) < STDIN_LIMIT:
            poll.register(link.port, select.POLLIN)
        if waiting and command.stdin >= 0:
            poll.register(command.stdin, select.POLLOUT)
        ready = {descriptor for descriptor, _ in poll.poll()}
        for output in ready & set(command.outputs):
            _forward(link, command, output)
        if link.port in ready:
            link.receive()
        if command.ended in ready:
            status = command.status()
            for output in list(command.outputs):
                while _forward(link, command, output):
                    pass
            return status


def _forward(link: Link, command: Command, output: int) -> bool:
    """Passes on one chunk of output; False when there is none (yet)."""
    try:
        data = os.read(output, CHUNK)
    except BlockingIOError:
        return False
    except OSError:  # A terminal whose last user is gone says EIO.
        data = b""
    if data:
        link.send(command.outputs[output], data)
    else:
        del command.outputs[output]
        os.close(output)
    return bool(data)


def _feed(command: Command, waiting: bytearray, closing: bool) -> bool:
    """Hands waiting input to the command, and closes its input once all is handed over; returns what is left to close."""
    if command.stdin < 0:
        waiting.clear()
        return False
    try:
        while waiting:
            del waiting[: os.write(command.stdin, waiting[:CHUNK])]
    except BlockingIOError:
        return closing
    except OSError:  # The command reads no more.
        waiting.clear()
        closing = True
    if closing and not command.terminal:
        os.close(command.stdin)
        command.stdin = -1
        return False
    return closing
