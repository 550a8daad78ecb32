# SPDX-License-Identifier: GPL-2.0-only
"""What have the kernel's own detectors of mistakes found that they do not say by themselves?"""

import os
import time

LEAKS = "/sys/kernel/debug/kmemleak"
LOCKS = "/proc/lockdep_stats"
AGE = 6.0
"""Seconds after which kmemleak takes memory for lost: five, and one for rounding."""


def findings() -> list[str]:
    """Lines for the kernel's log; those of a kernel without detectors are none."""
    return [*_locks(), *_leaks()]


def _locks() -> list[str]:
    """Lockdep looks no more after its first report, and when it has run out of memory."""
    if not os.path.exists(LOCKS):
        return []
    with open(LOCKS) as file:
        on = any(line.split() == ["debug_locks:", "1"] for line in file)
    return [] if on else ["BUG: lockdep has switched itself off"]


def _leaks() -> list[str]:
    """What two scans have found and a third one has not taken back: a pointer may have been on its way."""
    if not os.path.exists(LEAKS):
        return []
    try:
        time.sleep(AGE)
        _scan()
        _scan()
        if not _suspected():
            return []
        time.sleep(AGE)
        _scan()
        return _suspected()
    except PermissionError:  # It has run out of memory.
        return ["BUG: kmemleak has switched itself off"]


def _scan() -> None:
    with open(LEAKS, "w") as file:
        file.write("scan")


def _suspected() -> list[str]:
    with open(LEAKS, errors="replace") as file:
        return file.read().splitlines()
