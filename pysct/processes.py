# SPDX-License-Identifier: GPL-2.0-only
"""Which processes keep the modules busy, and what are they doing?"""

import os
from dataclasses import dataclass
from pathlib import Path

from pysct import abi, calls, values
from pysct.control import Caller

PROC = Path("/proc")


@dataclass(frozen=True)
class Holder:
    """A process that has one of the devices open."""

    pid: int
    comm: bytes
    device: str

    def __str__(self) -> str:
        return f"pid {self.pid} ({values.escape(self.comm)}) has {self.device} open"


def holders() -> list[Holder]:
    """Who else has a device open, in the order of process ids; who vanishes meanwhile is left out."""
    paths = {f"/dev/{name}" for name in (abi.CONTROL, abi.LOG)}
    pids = sorted(int(entry) for entry in os.listdir(PROC) if entry.isdigit())
    found = []
    for pid in pids:
        if pid != os.getpid():
            found += [Holder(pid, comm(pid), path) for path in sorted(_open_files(pid) & paths)]
    return found


def comm(pid: int) -> bytes:
    """Command name of a process; empty if there is none."""
    try:
        return (PROC / str(pid) / "comm").read_bytes().rstrip(b"\n")
    except OSError:
        return b""


def _open_files(pid: int) -> set[str]:
    directory = PROC / str(pid) / "fd"
    files = set()
    try:
        for descriptor in os.listdir(directory):
            files.add(_target(directory / descriptor))
    except OSError:
        pass
    return files


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:  # closed meanwhile
        return ""


def inside(caller: Caller) -> str:
    """A caller in words: `pid 123 (cat) has been in read for 12 s`."""
    seconds = caller.age / 1e9
    age = f"{seconds:.0f} s" if seconds >= 1 else f"{caller.age // 1_000_000} ms"
    thread = f" thread {caller.tid}" if caller.tid != caller.pid else ""
    call = calls.call_name(caller.abi, caller.nr)
    return f"pid {caller.pid}{thread} ({values.escape(caller.comm)}) has been in {call} for {age}"
