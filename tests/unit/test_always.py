# SPDX-License-Identifier: GPL-2.0-only
"""Are rules that never match, by what there can be, said to do so and left out, and those that always do taken for that?"""

import re
import time

import pytest
from opinions import Event, Rules

from pysct.compiler import compile_sources
from pysct.disassemble import disassemble
from pysct.source import Source

NEVER, UNREACHED = "the rule never matches", "the rule is never reached"
ASKED = "it is asked all the same, so that calls at which it is unknown are counted"


def text_of(*conditions: str, call: str) -> str:
    head = f"rule {{ syscall_name = {call} abi = x86_64 action {{ LOG }} filter_expression {{"
    return "".join(f"{head} {condition} }} }}\n" for condition in conditions)


def found(*conditions: str, call: str = "close") -> tuple[list[str], list[int]]:
    """What is said of rules with these conditions, and the lines of those that the program has."""
    result = compile_sources([Source("t", text_of(*conditions, call=call))], "x86_64")
    said = [one.message.partition(":")[0] for one in result.diagnostics if one.message.startswith((NEVER, UNREACHED))]
    return said, [int(line) for line in re.findall(r"MATCH .*rule(\d+)", disassemble(result.image))]


@pytest.mark.parametrize(
    "condition",
    [
        "UID > 5000000000",
        "UID < 0",
        "PPID in { 4194305..4194400, -1 }",
        "fd > 2147483647",
        "fd + 1 > 5000000000",
        "(fd & 7) == 8",
        "UID > 3 && UID < 2",
        "UID && UID < 1",
        "UID != 0 && !(UID > 0)",
        "UID > 4294967294 && UID != 4294967295",
        "(UID > 3 || GID > 5) && UID < 2 && GID < 4",
        "(UID > 3 || GID > 5 && EUID == 0) && !(UID >= 2 || GID > 5)",
        "(fd % 10 == 10 || UID > 7) && UID < 7",
        "UID == 5 && (GID == 1 || GID == 2) && GID > 2",
        "UID > GID && GID == 4294967295 && UID * 0 == 1",
        'COMM == "a" && UID < 0',
        '(COMM == "a" || UID < 0) && (COMM == "b" || GID == 1) && UID > 7 && UID < 3',
    ],
)
def test_what_never_matches_is_left_out(condition):
    assert found(condition, "fd == 3") == ([NEVER], [2])


@pytest.mark.parametrize(
    "condition",
    [
        "UID > 4294967294",
        "UID && UID < 2",
        "(UID > 3 || GID > 5) && UID < 2 && GID < 7",
        "UID > 3 || UID < 2",
        "UID == GID && UID > 5 && GID < 3",  # what equals what is not followed
        "63 in CAPS && 0 in CAPS",
        "CAPS < 0",
    ],
)
def test_all_else_stays(condition):
    assert found(condition, "fd == 3") == ([], [1, 2])


@pytest.mark.parametrize(
    "condition", ["UID >= 0", "UID <= 4294967295 && GID >= 0", "UID > 5 || UID in { 0..7 }", "UID || UID == 0", "!(UID > 3 && UID < 4)"]
)
def test_what_always_matches_comes_before_all_others(condition):
    assert found(condition, "fd == 3") == ([UNREACHED], [1])


@pytest.mark.parametrize(
    "condition",
    ["PARENT.UID < 0", 'filename == "a" && PARENT.UID < 0', 'COMM == "a" && COMM == "b"', "ANCESTOR.UID > 5000000000", "PARENT.UID && PARENT.UID < 1"],
)
def test_what_can_be_unknown_is_asked(condition):
    result = compile_sources([Source("t", text_of(condition, "UID == 3", call="chdir"))], "x86_64")
    assert [one.hint for one in result.diagnostics if one.message.startswith(NEVER)] == [ASKED]
    assert disassemble(result.image).count("MATCH") == 2


def test_unknown_is_counted_as_ever():
    conditions = ('filename == "a" && UID < 0', "PARENT.UID < 0", "PARENT.UID >= 0", 'filename == "a" && filename == "b"', "UID < 0")
    with Rules(text_of(*conditions, call="chdir")) as rules:
        assert not rules.errors
        for args, unknown in (((b"a",), {1, 2}), ((None,), {1, 2, 3})):
            verdict = rules.judge(Event("chdir", args, fields={"UID": 1000}))
            assert (list(verdict.matched), set(verdict.unknown)) == ([], unknown)


def test_something_large_is_given_up_in_no_time():
    many = " && ".join(f"(UID == {at} || GID == {at})" for at in range(120))
    assert found(f"{many} && UID < 0")[1] == []
    large = " && ".join(f"UID in {{ {', '.join(str(7 * at + off) for at in range(2000))} }}" for off in range(2))
    assert found(large)[0] == [NEVER]


@pytest.mark.parametrize(
    "condition",
    [
        lambda count: " || ".join(f"UID == {at}" for at in range(count)),
        lambda count: " && ".join(f"UID in {{ {', '.join(str(3 * at + off) for at in range(count))} }}" for off in range(2)),
    ],
    ids=["alternatives", "sets"],
)
def test_a_long_condition_takes_no_time_that_grows_faster_than_it_does(condition):
    def seconds(count: int) -> float:
        text = text_of(condition(count), call="close")
        start = time.process_time()
        compile_sources([Source("t", text)], "x86_64")
        return time.process_time() - start

    few = seconds(1000)
    assert seconds(10_000) < 10 * few * 2 + 0.5
