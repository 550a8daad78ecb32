# SPDX-License-Identifier: GPL-2.0-only
"""Which call has this number, and what are its arguments called?"""

from functools import cache

from pysct import abi

try:
    from pysct.tables import CALLS, UNIMPLEMENTED
except ImportError:  # a tree in which `make gen` never ran: numbers stand in for names
    CALLS = UNIMPLEMENTED = {}

_ABI_NAMES = {entry.number: name for name, entry in abi.ABIS.items()}


@cache
def _by_number(abi_number: int) -> dict[int, tuple[str, tuple[str, ...]]]:
    calls = CALLS.get(_ABI_NAMES.get(abi_number, ""), {})
    return {number: (name, tuple(argument for argument, _ in arguments)) for name, (number, arguments) in calls.items()}


def abi_name(abi_number: int) -> str:
    """Name of an ABI; `abi_9` if there is none."""
    return _ABI_NAMES.get(abi_number, f"abi_{abi_number}")


def call_name(abi_number: int, nr: int) -> str:
    """Name of a system call; `syscall_9999` if there is none."""
    known = _by_number(abi_number).get(nr)
    return known[0] if known else f"syscall_{nr}"


def is_all(call: str, abis: list[str]) -> bool:
    """Do these ABIs include all of their machine that have the call?"""
    if not abi.ABIS.keys() >= set(abis):
        return False
    machines = {abi.ABIS[name].machine for name in abis}
    there = {
        name
        for name, entry in abi.ABIS.items()
        if entry.machine in machines and call in CALLS.get(name, {}) and call not in UNIMPLEMENTED[name]
    }
    return there <= set(abis)


def argument_names(abi_number: int, nr: int, count: int) -> tuple[str, ...]:
    """Names of the first `count` arguments; `arg1`, `arg2`, … where they are not known."""
    known = _by_number(abi_number).get(nr)
    names = known[1] if known else ()
    return tuple(names[i] if i < len(names) else f"arg{i + 1}" for i in range(count))
