# SPDX-License-Identifier: GPL-2.0-only
"""How is each allocation that a request makes, and each copy from and to its caller, made to fail in turn?

By the kernel's fault injection: of what a thread asks for, the n-th fails whose number it wrote to its fail-nth.
"""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

FAIL_NTH = Path("/proc/self/fail-nth")
SETTINGS = Path("/sys/kernel/debug")
WANTED = {
    "failslab/ignore-gfp-wait": "N",
    "fail_page_alloc/ignore-gfp-wait": "N",
    "fail_page_alloc/ignore-gfp-highmem": "N",
    "fail_page_alloc/min-order": "0",
    **{f"{kind}/verbose": "0" for kind in ("failslab", "fail_page_alloc", "fail_usercopy")},
}
"""Allocations that may sleep fail as well, and no trace of each fills the kernel's log."""
POSSIBLE = FAIL_NTH.exists()


def each(action: Callable[[], int], before: Callable[[], object] = lambda: None) -> Iterator[int]:
    """What an action answers when the first thing it asks of the kernel fails, the second, and so on to the last.

    The first answer comes when nothing failed, and so does the last one. What is done `before` each never fails.
    """
    before()
    yield action()
    for name, value in WANTED.items():
        (SETTINGS / name).write_text(value)
    for number in itertools.count(1):
        with _thread_file() as file:
            before()
            os.pwrite(file, b"%d" % number, 0)
            answer = action()
            left = _stop(file)
        yield answer
        if left:
            return


@contextlib.contextmanager
def _thread_file() -> Iterator[int]:
    file = os.open(FAIL_NTH, os.O_RDWR)
    try:
        yield file
    finally:
        os.close(file)


def _stop(file: int) -> bool:
    """Lets nothing fail any more; returns whether something was still to fail."""
    left = False
    while True:
        try:
            left = left or int(os.pread(file, 16, 0)) > 0
            os.pwrite(file, b"0", 0)
            return left
        except OSError:  # It was this that failed.
            left = True
