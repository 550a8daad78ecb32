# SPDX-License-Identifier: GPL-2.0-only
"""How do rules on trial go away by themselves, whatever happens to whom?

A process of its own session, the guard, puts the new rules in force and puts
the old ones back when the time is over, when the command that started it is
gone, or when anything goes wrong; unless somebody confirmed.  It is running
before the new rules are, so that they cannot keep it from starting, and knows
the generation it made, so that it never undoes what somebody else uploaded.
"""

import fcntl
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

from pysct.control import Control, Refused
from pysct.failures import Failure, NotPermitted

LOCK = Path("/run/sct-try.lock")
"""Locked while a guard lives; holds its process id, then what it did."""

KEPT, WENT_BACK, CHANGED, FAILED = 0, 10, 11, 12
"""What became of the rules: the guard's exit status.  CHANGED: somebody else had replaced them meanwhile."""

_NOT_TRIED = 13


class Guard:
    """A guard, seen from the command that started it."""

    def __init__(self, pid: int, leash: int, news: int, back: Callable[[], int]):
        """news: becomes readable when the guard ends.  back: goes back, if the guard could not."""
        self._pid, self._leash, self.news, self._back = pid, leash, news, back

    def confirm(self) -> None:
        """Keeps the rules; has no effect if they have gone back already."""
        _send(self._pid)

    def give_up(self) -> None:
        """Puts the old rules back now; ending in any way does the same."""
        if self._leash >= 0:
            os.close(self._leash)
            self._leash = -1

    def outcome(self) -> int:
        """Waits for the guard's end; KEPT, WENT_BACK, CHANGED or FAILED."""
        status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return status if status in (KEPT, WENT_BACK, CHANGED) else self._back()


def start(control: Control, new: bytes, old: bytes, expect: int, seconds: float) -> Guard:
    """Puts image `new` in force for `seconds`, under guard; `old` is what to go back to.

    Raises Failure if another trial is running, and Refused if the kernel does
    not take `new`.
    """
    lock = _lock()
    leash_end, leash = os.pipe()
    news, news_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = FAILED
        try:
            os.close(leash)
            os.close(news)
            status = _guard(control, new, old, expect, seconds, lock, leash_end, news_end)
        finally:
            os._exit(status)
    for descriptor in (lock, leash_end, news_end):
        os.close(descriptor)
    if generation := int.from_bytes(os.read(news, 8), "little"):
        return Guard(pid, leash, news, lambda: _back(control, old, generation))
    os.close(leash)
    os.close(news)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == _NOT_TRIED:
        control.upload(new, expect, dry_run=True)  # says why
    raise Failure("the rules could not be tried; the old ones are in force")


def confirm() -> None:
    """Tells a running guard to keep its rules; raises Failure if there is none, or if it was too late."""
    try:
        descriptor = os.open(LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Failure("no rules are on trial", "start one with sct_config try FILE") from None
    except PermissionError:
        raise NotPermitted(f"{LOCK}: not permitted", "become root (sudo)") from None
    with os.fdopen(descriptor) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            raise Failure("no rules are on trial", "start one with sct_config try FILE")
        except BlockingIOError:
            _send(int(file.read().split()[0]))
        fcntl.flock(file, fcntl.LOCK_SH)  # until the guard has ended
        file.seek(0)
        if not file.read().endswith("kept\n"):
            raise Failure("too late: the old rules are in force again")


def _send(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGUSR1)
    except ProcessLookupError:
        pass


def _lock() -> int:
    try:
        descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise NotPermitted(f"{LOCK}: not permitted", "become root (sudo)") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Failure("other rules are on trial", "end that with sct_config confirm, or wait for its end") from None
    return descriptor


def _guard(
    control: Control, new: bytes, old: bytes, expect: int, seconds: float, lock: int, leash: int, news: int
) -> int:
    """What the guard process does; returns its exit status."""
    confirmed = _prepare()
    _record(lock, f"{os.getpid()}\n")
    try:
        generation = control.upload(new, expect)
    except Failure:
        return _NOT_TRIED
    try:
        os.write(news, generation.to_bytes(8, "little"))
        kept = _wait(leash, confirmed, seconds)
    except OSError:  # a call that waiting needs is what the new rules refuse
        kept = False
    outcome = KEPT if kept else _back(control, old, generation)
    _record(lock, f"{os.getpid()}\n{'kept' if outcome == KEPT else 'went back'}\n")
    return outcome


def _prepare() -> int:
    """Leaves the terminal's session; returns a descriptor that is readable once somebody confirmed."""
    os.setsid()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    confirmed, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup)
    signal.signal(signal.SIGUSR1, lambda *_: None)
    return confirmed


def _wait(leash: int, confirmed: int, seconds: float) -> bool:
    """True if somebody confirmed in time, and before the command that started this was gone."""
    ready, _, _ = select.select([leash, confirmed], [], [], max(seconds, 0))
    return confirmed in ready


def _back(control: Control, old: bytes, generation: int) -> int:
    for _ in range(50):
        try:
            control.upload(old, generation)
            return WENT_BACK
        except Refused as refused:
            if refused.name == "STALE":
                return CHANGED
        except Failure:
            pass
        time.sleep(0.1)
    return FAILED


def _record(lock: int, text: str) -> None:
    os.ftruncate(lock, 0)
    os.pwrite(lock, text.encode(), 0)
