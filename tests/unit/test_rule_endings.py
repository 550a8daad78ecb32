# SPDX-License-Identifier: GPL-2.0-only
"""Which rules does the compiler keep away from calls that end their thread?"""

import pytest

from pysct.compiler import compile_sources
from pysct.image import decode
from pysct.points import abis_of
from pysct.source import Source
from pysct.tables import CALLS

EXITS, REBOOT = ("exit", "exit_group"), ("reboot",)


def calls_of(words: str) -> set[str]:
    """The calls that a rule is about, in every ABI alike."""
    result = compile_sources([Source("t", f"rule {{ {words} }}")], "x86_64")
    assert result.image
    numbers = {abi: {nr: name for name, (nr, _) in CALLS[abi].items()} for abi in abis_of("x86_64")}
    return {numbers[prog_abi][nr] for prog_abi, nr in points_of(result.image)}


def points_of(image: bytes) -> set[tuple[str, int]]:
    names = dict(enumerate(abis_of("x86_64")))
    return {(names[prog.abi], prog.nr) for prog in decode(image).progs}


@pytest.mark.parametrize("calls", ["@all", '"*e*"'])
@pytest.mark.parametrize(
    "rest, absent",
    [
        ("action { LOG }", ()),
        ("action { type = LOG, FAIL }", EXITS),
        ("action { KILL }", EXITS),
        ("action { SUSPEND }", EXITS),
        ("action { LOG } when = after", EXITS + REBOOT),
        ("action { KILL } when = after", EXITS + REBOOT),
    ],
)
def test_a_glob_or_class_leaves_out_what_cannot_be(calls, rest, absent):
    found = calls_of(f"syscall_name = {calls} filter_expression {{ UID == 1 }} {rest}")
    assert {call for call in EXITS + REBOOT if call not in found} == set(absent)
