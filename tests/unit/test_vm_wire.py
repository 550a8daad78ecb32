# SPDX-License-Identifier: GPL-2.0-only
"""Do frames survive any cut, and do a command's streams survive the agent?"""

import contextlib
import os
import socket
import subprocess
import sys
import threading

import pytest

from sctvm.places import TREE
from sctvm.wire import Kind, Reader, frame

FRAMES = [(Kind.HELLO, b""), (Kind.STDOUT, bytes(range(256)) * 300), (Kind.STDERR, b"\0"), (Kind.EXIT, b"7")]

AGENT = """
import sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/guest"]
import pump, wire
link = pump.Link(int(sys.argv[2]))
if sys.argv[3] == "wait":
    while not link.frames:
        link.receive()
    link.frames.popleft()
del sys.argv[3]
status = pump.run(link, sys.argv[3:], None)
link.send(wire.Kind.EXIT, str(status).encode())
"""


@pytest.mark.parametrize("size", [1, 3, 4096, 1 << 20])
def test_frames_survive_any_cut(size):
    data = b"".join(frame(kind, payload) for kind, payload in FRAMES)
    reader = Reader()
    assert [f for start in range(0, len(data), size) for f in reader.feed(data[start : start + size])] == FRAMES


def send(to: socket.socket, data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        to.sendall(data)


def pumped(*argv: str, typed: bytes = b"", first: bytes = b"") -> dict[Kind, bytes]:
    """Runs a command through the agent's pump on this machine; what it sent by kind."""
    ours, theirs = socket.socketpair()
    words = [sys.executable, "-IS", "-c", AGENT, str(TREE / "vm" / "sctvm"), str(theirs.fileno())]
    words += ["wait" if first else "go", *argv]
    with subprocess.Popen(words, pass_fds=[theirs.fileno()], start_new_session=True), ours:
        theirs.close()
        writer = threading.Thread(target=send, args=[ours, first + frame(Kind.STDIN, typed) + frame(Kind.STDIN)])
        writer.start()
        got, reader = {}, Reader()
        while Kind.EXIT not in got:
            for kind, payload in reader.feed(ours.recv(1 << 16)):
                got[kind] = got.get(kind, b"") + payload
        writer.join()
    return got


def test_streams_are_kept_apart_and_exact():
    typed = os.urandom(3_000_000)
    got = pumped("sh", "-c", "cat; echo err >&2; exit 9", typed=typed)
    assert got == {Kind.STDOUT: typed, Kind.STDERR: b"err\n", Kind.EXIT: b"9"}


def test_arguments_are_not_split_again():
    got = pumped("printf", "%s|", "a  b", "$HOME", "", "*", "'\"", "ü\n")
    assert got[Kind.STDOUT].decode() == "a  b|$HOME||*|'\"|ü\n|"


@pytest.mark.parametrize(
    ("argv", "status"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 255"], 255),
        (["sh", "-c", "kill -9 $$"], 137),
        (["sh", "-c", "kill -PIPE $$"], 141),
        (["/no/such/program"], 127),
        (["no-such-program"], 127),
        (["/etc/passwd"], 126),
        (["/"], 126),
    ],
)
def test_status_is_the_shells(argv, status):
    assert pumped(*argv)[Kind.EXIT] == str(status).encode()


def test_input_that_nobody_reads_holds_nothing_up():
    assert pumped("true", typed=bytes(5_000_000))[Kind.EXIT] == b"0"


def test_children_left_behind_hold_nothing_up():
    got = pumped("sh", "-c", "sleep 1000 & echo $!")
    os.kill(int(got[Kind.STDOUT]), 9)
    assert got[Kind.EXIT] == b"0"


def test_output_to_dev_stdout_arrives():
    got = pumped("sh", "-c", "echo one > /dev/stdout; echo two > /dev/stderr")
    assert (got[Kind.STDOUT], got[Kind.STDERR]) == (b"one\n", b"two\n")


def test_input_that_arrives_with_the_job_is_not_lost():
    assert pumped("cat", typed=b"typed", first=frame(Kind.JOB, b"{}"))[Kind.STDOUT] == b"typed"
