# SPDX-License-Identifier: GPL-2.0-only
"""How is a thread brought out of a call that it waits in, so that it makes the call anew?

As a debugger that attaches and goes at once: the thread's wait ends as if a signal had come, it returns to user space
and is let go there, and the kernel has it make the call again. No signal is sent, no handler runs, and its parent hears
nothing, as it would of SIGSTOP. What a call does that cannot be made again stands in docs/leaving.md.
"""

import ctypes
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from pysct.failures import Failure

DETACH, SEIZE, INTERRUPT = 17, 0x4206, 0x4207
"""Requests of ptrace(2)."""

WALL = 0x40000000
"""Of wait4(2): threads too."""

EVENT_STOP = 128
"""What a thread stops with that PTRACE_INTERRUPT has stopped."""

PATIENCE = 1.0
"""Seconds that threads get to come out."""

FIRST_NAMESPACE = "pid:[4026531836]"
"""The pid namespace in which the kernel counts; a constant of it (PROC_PID_INIT_INO)."""


def interrupt(threads: Callable[[], Iterable[int]]) -> None:
    """Interrupts the calls of threads, as far as they can be interrupted.

    threads: their ids in the first pid namespace; asked again when they are
    held, so that none is interrupted that has left its call meanwhile. Raises
    Failure where ids have another meaning.
    """
    if os.readlink("/proc/self/ns/pid") != FIRST_NAMESPACE:
        raise Failure("calls can be interrupted from the first pid namespace only", "run sct_unload outside of the container")
    # Whatever becomes of a process that holds others like this: they are let go when it ends.
    holder = os.fork()
    if not holder:
        try:
            _interrupt(threads)
        finally:
            os._exit(0)
    os.waitpid(holder, 0)


def _interrupt(threads: Callable[[], Iterable[int]]) -> None:
    held = {thread for thread in threads() if _ptrace(SEIZE, thread)}
    held &= set(threads())
    held = {thread for thread in held if _ptrace(INTERRUPT, thread)}
    deadline = time.monotonic() + PATIENCE
    while held and time.monotonic() < deadline:
        held = {thread for thread in held if not _let_go(thread)}
        time.sleep(0.01)


def _let_go(thread: int) -> bool:
    """Lets a thread go that has come out of its call; False if it has not yet."""
    try:
        found, status = os.waitpid(thread, WALL | os.WNOHANG)
    except ChildProcessError:
        return True
    if found and os.WIFSTOPPED(status):
        # A signal that came just now is the thread's.
        number = 0 if status >> 16 == EVENT_STOP else os.WSTOPSIG(status)
        _ptrace(DETACH, thread, number)
    return bool(found)


_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request: int, thread: int, data: int = 0) -> bool:
    return _libc.ptrace(request, thread, None, data) == 0


def obstacle(pid: int, tid: int) -> str:
    """Why a thread cannot be interrupted, in words; empty if it can, or is gone."""
    status = _status(Path(f"/proc/{pid}/task/{tid}/status"))
    tracer = status.get("TracerPid", "0")
    if tracer != "0":
        return f"it is traced by pid {tracer}"
    if status.get("State", "").startswith("D"):
        child = next(iter(_children(pid, tid)), "")
        return f"it waits for something that it cannot be called away from{f', maybe its child, pid {child}' if child else ''}"
    return ""


def _children(pid: int, tid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/task/{tid}/children").read_text().split()
    except OSError:
        return []


def _status(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
