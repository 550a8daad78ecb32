# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule hold on every system call of every ABI, and does the compiler know all that this kernel has?

One program of each ABI makes every call that there could be. Rules refuse all that the compiler knows, so that none of
them does anything, but for the two that end a process: the program ends by one or the other. A call that does something
else has either evaded its rule, or the compiler does not know it.
"""

import errno
import struct
import subprocess

import kernel
import pytest

from pysct.abi import ABIS
from pysct.control import Control
from pysct.points import abis_of
from pysct.tables import CALLS

SLOTS = 1024
"""Calls that tests/programs/abi/every.c makes, from number 0."""

ENDINGS = ("exit", "exit_group")
"""Calls that cannot be refused, but logged."""

RULES = """
rule { syscall_name = @all rule_name = r filter_expression { COMM == "every" } action { type = FAIL error_code = EUCLEAN } }
rule { syscall_name = exit rule_name = one filter_expression { COMM == "every" } action { LOG } }
rule { syscall_name = exit_group rule_name = two filter_expression { COMM == "every" } action { LOG } }
"""


def answers(name: str, end: str, programs: dict[str, str], path) -> list[int]:
    """What the kernel answers to the calls of an ABI, by number; the program ends by `end`."""
    path.write_bytes(bytes(8 * SLOTS))
    mapping = next(call for call in ("mmap2", "mmap") if call in CALLS[name])
    (other,) = set(ENDINGS) - {end}
    words = [f"every.{name}", *(str(CALLS[name][call][0]) for call in (mapping, "prctl", end, other))]
    with path.open("r+b") as file:
        assert subprocess.run(words, stdin=file, env=programs).returncode == 0
    return [answer for (answer,) in struct.iter_unpack("<q", path.read_bytes())]


@pytest.mark.parametrize("end", ENDINGS)
@pytest.mark.parametrize("name", abis_of())
def test_every_call_reaches_its_rule(name, end, loaded, programs, tmp_path):
    if not kernel.serves(name):
        pytest.skip("this kernel does not serve the ABI")
    calls = {number: call for call, (number, *_) in CALLS[name].items() if number < SLOTS}
    ends = {number for number, call in calls.items() if call in ENDINGS}
    with Control.open() as control:
        control.upload(kernel.compiled(RULES))
        given = answers(name, end, programs, tmp_path / "answers")
        points = {point.nr: point for point in control.points() if point.abi == ABIS[name].number}
        (refusing, *logging), _ = control.counters()
    refused = {number for number, answer in enumerate(given) if answer == -errno.EUCLEAN}
    # What has a point was refused there, once; whatever else the program asked for is not there at all.
    assert {calls[number] for number in points.keys() - ends} == {calls.get(number, number) for number in refused}
    assert {calls[number]: point.hits for number, point in points.items() if point.hits < 1 and number not in ends} == {}
    assert {
        calls.get(number, number): answer
        for number, answer in enumerate(given)
        if number not in refused | ends and answer != -errno.ENOSYS
    } == {}
    assert refusing.failed == refusing.matched == len(points) - len(ENDINGS)
    assert [rule.logged for rule in logging] == [end == call for call in ENDINGS]
    print(f"{name}: {len(points)} calls reached their rules, {SLOTS - len(points)} are not there")
