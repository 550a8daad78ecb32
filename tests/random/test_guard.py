# SPDX-License-Identifier: GPL-2.0-only
"""Do rules on trial go away by themselves, whatever happens?"""

import fcntl
import os
import pickle
import signal
import threading
import time

import pytest
from fake_modules import FakeModules

from pysct import guard
from pysct.control import Control, Refused
from pysct.failures import Failure


class SharedModules(FakeModules):
    """Its state lies in a file, so that the guard's process and the test's see the same."""

    SHARED = ("generation", "image", "locked")

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.save()

    def save(self):
        self.path.write_bytes(pickle.dumps({name: getattr(self, name) for name in self.SHARED}))

    def ioctl(self, descriptor, request, argument=None):
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            vars(self).update(pickle.loads(self.path.read_bytes()))
            try:
                return super().ioctl(descriptor, request, argument)
            finally:
                self.save()


@pytest.fixture
def control(tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "LOCK", tmp_path / "lock")
    control = Control(-1, SharedModules(tmp_path / "modules").ioctl)
    control.upload(b"old")
    return control


def start(control, seconds):
    return guard.start(control, b"new", b"old", 1, seconds)


def test_in_force_at_once_and_gone_when_the_time_is_over(control):
    watch = start(control, 0.3)
    assert control.download() == (b"new", 2)
    assert watch.outcome() == guard.WENT_BACK
    assert control.download() == (b"old", 3)


def test_confirmed(control):
    watch = start(control, 30)
    watch.confirm()
    assert watch.outcome() == guard.KEPT
    assert control.download() == (b"new", 2)


def test_confirmed_from_elsewhere(control):
    watch = start(control, 30)
    # confirm() waits for the guard, and the guard for this process to collect it: not for long, but in a thread.
    thread = threading.Thread(target=guard.confirm)
    thread.start()
    assert watch.outcome() == guard.KEPT
    thread.join()
    assert control.download() == (b"new", 2)


def test_given_up(control):
    watch = start(control, 30)
    watch.give_up()
    assert watch.outcome() == guard.WENT_BACK and control.download()[0] == b"old"


def test_the_command_is_killed(control):
    pid = os.fork()
    if pid == 0:
        start(control, 60)
        signal.pause()
    for _ in range(500):
        if control.download()[0] == b"new":
            break
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    for _ in range(500):
        if control.download()[0] == b"old":
            return
        time.sleep(0.01)
    pytest.fail("the new rules are still there")


def test_the_guard_is_killed(control):
    watch = start(control, 60)
    os.kill(watch._pid, signal.SIGKILL)
    assert watch.outcome() == guard.WENT_BACK and control.download()[0] == b"old"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
def test_the_guard_ignores_what_a_closing_terminal_sends(control, number):
    watch = start(control, 0.1)
    os.kill(watch._pid, number)
    assert watch.outcome() == guard.WENT_BACK


def test_what_somebody_else_uploaded_stays(control):
    watch = start(control, 0.3)
    control.upload(b"other")
    assert watch.outcome() == guard.CHANGED and control.download()[0] == b"other"


def test_stale_from_the_start(control):
    with pytest.raises(Refused):
        guard.start(control, b"new", b"old", 7, 30)
    assert control.download() == (b"old", 1)


def test_one_at_a_time(control):
    watch = start(control, 30)
    with pytest.raises(Failure, match="other rules are on trial"):
        start(control, 30)
    watch.give_up()
    assert watch.outcome() == guard.WENT_BACK


def test_nothing_to_confirm(control):
    with pytest.raises(Failure, match="no rules are on trial"):
        guard.confirm()
    start(control, 0.01).outcome()
    with pytest.raises(Failure, match="no rules are on trial"):
        guard.confirm()
