# SPDX-License-Identifier: GPL-2.0-only
"""How do the tests look at the mechanisms: which works, which brings a call, and what becomes of that?"""

import ctypes
import platform
import subprocess

import kernel

from pysct import abi, proof
from pysct.control import Control
from pysct.tables import CALLS

STOP = 'rule { syscall_name = mkdirat rule_name = s filter_expression { pathname == "./no/x" } action { type = FAIL error_code = EXDEV } when = before }\n'
SEEN = 'rule { syscall_name = mkdirat rule_name = s filter_expression { ERRNO == ENOENT && COMM == "call" } action { type = LOG log_format { %abi %pathname } } when = after }\n'
NATIVE = platform.machine()
EVERY = 'rule { syscall_name = @all rule_name = a filter_expression { COMM == "-" } action { type = LOG } when = before }'
MECHANISMS = [mechanism.name for mechanism in abi.MECHANISMS.values()]


def known() -> dict[str, dict[str, int]]:
    """By mechanism and ABI, whether it works."""
    found = {mechanism.name: {} for mechanism in abi.MECHANISMS.values()}
    with Control.open() as control:
        for row in proof.known(control):
            found[abi.MECHANISMS[row.mechanism].name][row.abi] = row.state
    return found


def best(name: str = NATIVE) -> str:
    """What brings the calls of an ABI: the first mechanism that works."""
    works = known()
    return next(mechanism for mechanism in MECHANISMS if works[mechanism].get(name) == abi.Proof.WORKS)


def reload(*words: str) -> kernel.Done:
    done = kernel.command("sct_unload")
    assert done.returncode == 0, done.stderr
    return kernel.command("sct_load", *words)


def points() -> list:
    with Control.open() as control:
        return control.points()


def abi_name(point) -> str:
    return next(name for name, entry in abi.ABIS.items() if entry.number == point.abi)


def state() -> int:
    """How the point of mkdirat of this machine's own ABI is doing."""
    number = abi.ABIS[NATIVE].number
    return next(point.state for point in points() if (point.abi, point.nr) == (number, CALLS[NATIVE]["mkdirat"][0]))


def mkdir(path: str) -> str:
    """What a program gets."""
    done = subprocess.run(["call", "mkdirat", "-100", path, "0700"], capture_output=True, text=True)
    return done.stdout.strip() or done.stderr


def answer(name: str, *args: int) -> int:
    """What the kernel answers to a call of this process; arguments that are not given are -1."""
    libc = ctypes.CDLL(None, use_errno=True)
    words = map(ctypes.c_long, (CALLS[NATIVE][name][0], *args, *[-1] * (6 - len(args))))
    result = libc.syscall(*words)
    return -ctypes.get_errno() if result == -1 else result
