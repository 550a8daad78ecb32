# SPDX-License-Identifier: GPL-2.0-only
"""Does a thread that is interrupted make its call anew, and is nothing else of it changed?"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pysct import interruption
from pysct.failures import Failure

WAITS = """
import os, signal, sys
signal.signal(signal.SIGCONT, lambda *_: os._exit(3))
os.write(1, b"x")
os._exit(os.read(0, 1)[0])
"""


def voluntary(pid: int) -> int:
    """How often a process has gone to sleep."""
    return int(interruption._status(Path(f"/proc/{pid}/status"))["voluntary_ctxt_switches"])


@pytest.fixture
def waiting():
    """A process in read(), which would end if SIGCONT came."""
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.read(1)
        until(lambda: Path(f"/proc/{process.pid}/syscall").read_text().startswith("0 "))
        yield process
        process.kill()


def until(look, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def first(monkeypatch):
    """Ids mean here what they mean to the kernel, as far as this test goes."""
    monkeypatch.setattr(interruption, "FIRST_NAMESPACE", os.readlink("/proc/self/ns/pid"))


def test_the_call_is_made_anew(waiting):
    slept = voluntary(waiting.pid)
    interruption.interrupt(lambda: [waiting.pid])
    until(lambda: voluntary(waiting.pid) >= slept + 2)  # to stop, and to read again
    assert interruption._status(Path(f"/proc/{waiting.pid}/status"))["TracerPid"] == "0"
    waiting.stdin.write(bytes([42]))
    waiting.stdin.close()
    assert waiting.wait(10) == 42


def test_who_has_left_meanwhile_is_not_interrupted(waiting):
    slept, answers = voluntary(waiting.pid), [[waiting.pid], []]
    interruption.interrupt(lambda: answers.pop(0))
    assert voluntary(waiting.pid) == slept


def test_a_signal_that_comes_at_that_moment_is_not_lost(waiting):
    os.kill(waiting.pid, signal.SIGSTOP)
    until(lambda: interruption._status(Path(f"/proc/{waiting.pid}/status"))["State"].startswith("T"))
    interruption.interrupt(lambda: [waiting.pid])
    os.kill(waiting.pid, signal.SIGTERM)
    os.kill(waiting.pid, signal.SIGCONT)
    assert waiting.wait(10) in (-signal.SIGTERM, 3)


def test_who_is_gone_is_no_matter():
    process = subprocess.Popen(["true"])
    process.wait()
    interruption.interrupt(lambda: [process.pid])
    assert interruption.obstacle(process.pid, process.pid) == ""


def test_ids_of_another_namespace_are_refused(monkeypatch):
    monkeypatch.setattr(interruption, "FIRST_NAMESPACE", "pid:[1]")
    with pytest.raises(Failure, match="first pid namespace"):
        interruption.interrupt(lambda: pytest.fail("asked"))


def test_what_cannot_be_interrupted_is_named(tmp_path):
    """A parent in vfork waits until its child runs a program."""
    code = "#include <unistd.h>\nint main(void) { if (!vfork()) { pause(); _exit(0); } return 0; }"
    subprocess.run(["gcc", "-x", "c", "-", "-o", tmp_path / "vfork"], input=code, text=True, check=True)
    with subprocess.Popen([tmp_path / "vfork"]) as parent:
        until(lambda: "its child" in interruption.obstacle(parent.pid, parent.pid))
        said = interruption.obstacle(parent.pid, parent.pid)
        child = int(said.rsplit(" ", 1)[1])
        assert Path(f"/proc/{child}/comm").read_text() == "vfork\n"
        os.kill(child, signal.SIGKILL)
        assert parent.wait(10) == 0


def test_a_tracer_is_named(waiting):
    with subprocess.Popen(["strace", "-o", "/dev/null", "-p", str(waiting.pid)], stderr=subprocess.DEVNULL) as tracer:
        until(lambda: interruption.obstacle(waiting.pid, waiting.pid) == f"it is traced by pid {tracer.pid}")
        interruption.interrupt(lambda: [waiting.pid])
        tracer.terminate()
