# SPDX-License-Identifier: GPL-2.0-only
"""Do explain and test say numbers by the names by which the log shows them?"""

import pytest
from fake_modules import NAME, event

from pysct import because, events, members, naming, values
from pysct.abi import ABIS, KINDS
from pysct.compiler import compile_sources
from pysct.diagnostics import Diagnostics
from pysct.explain import explain
from pysct.occurrence import read
from pysct.points import point
from pysct.shown import ARGUMENTS
from pysct.source import Source
from pysct.tables import CALLS
from pysct.verdict import Court

NUMBERS = (0, 1, 2, 3, 9, 65, 577, 0o644, 4096, 0o100644, -100)


def compiled(call: str, condition: str, phase: str = "before"):
    text = f"rule {{ syscall_name = {call} when = {phase} filter_expression {{ {condition} }} action {{ LOG }} }}"
    return compile_sources([Source("t", text)], "x86_64")


def facts(condition: str, described: str) -> list[str]:
    """Why a condition comes out as it does for a call."""
    result = compiled(described.partition("(")[0], condition, "after" if "retval" in described or "errno" in described else "before")
    with Court(result) as court:
        (opinion,) = court.judge(read(Source("event", described), Diagnostics())).opinions
    return [fact for node in because.deciding(opinion.rule.condition, opinion.outcome) for fact in because.facts(node, opinion.outcome)]


@pytest.mark.parametrize("abi", ["x86_64", "i386", "aarch64"])
def test_arguments_have_the_names_that_the_log_gives_them(abi):
    seen = 0
    for call in sorted(set(ARGUMENTS) & set(CALLS[abi])):
        nr, args = CALLS[abi][call]
        kinds = tuple(KINDS[kind].number for _, kind in args)
        for value in NUMBERS:
            registers = [value % (1 << 64)] * len(args)
            (logged,) = events.read_all(event([NAME], abi=ABIS[abi].number, nr=nr, nargs=len(args), kinds=kinds, args=registers))
            for at, (name, kind) in enumerate(args):
                expected = values.in_words(logged, at)
                number = values.number(registers[at], kinds[at])
                assert naming.in_words(abi, call, name, number) == naming.in_words(abi, call, at + 1, number) == expected, (call, name)
                seen += expected is not None
    assert seen > 1000


def test_members_have_the_names_that_the_log_gives_them():
    assert naming.in_words("x86_64", "connect", "addr.sa_family", 2) == naming.in_words("x86_64", "connect", "PARAMS[2].sa_family", 2) == "AF_INET"
    assert members.find("x86_64", "connect", "addr.sin_port") and naming.in_words("x86_64", "connect", "addr.sin_port", 2) is None
    assert naming.in_words("x86_64", "connect", "addr.sin_addr", 2) is None is naming.in_words("x86_64", "connect", "addr", 2)


@pytest.mark.parametrize(
    ("condition", "described", "said"),
    [
        ("flags == O_RDONLY", 'openat(AT_FDCWD, "/x", O_WRONLY|O_CREAT, 0644)', ["flags is O_WRONLY|O_CREAT"]),
        ("flags > 70", 'openat(AT_FDCWD, "/x", O_WRONLY|O_CREAT, 0644)', ["flags is O_WRONLY|O_CREAT (65)"]),
        ("dfd == AT_FDCWD && mode & S_ISUID", 'openat(-100, "/x", 0, 0644)', ["mode is 0644"]),
        ("dfd == AT_FDCWD", 'openat(-100, "/x", 0, 0644)', ["dfd is AT_FDCWD"]),
        ("PARAMS[1] == 3", 'openat(-100, "/x", 0, 0644)', ["PARAMS[1] is AT_FDCWD (-100)"]),
        ("addr.sa_family == AF_UNIX", "connect(3, {sin_port=22, sin_addr=10.0.0.1})", ["addr.sa_family is AF_INET"]),
        ("addr.sin_port == 23", "connect(3, {sin_port=22, sin_addr=10.0.0.1})", ["addr.sin_port is 22"]),
        ("ERRNO == EPERM", 'unlink("/x") errno=2', ["ERRNO is ENOENT"]),
        ("RETVAL == -13", 'unlink("/x") errno=2', ["RETVAL is -ENOENT (-2)"]),
        ("RETVAL < 0", 'unlink("/x") retval=0', ["RETVAL is 0"]),
        ("sig == SIGTERM", "kill(1, 9)", ["sig is SIGKILL"]),
        ("UID == 5", "kill(1, 9) uid=7", ["UID is 7"]),
    ],
)
def test_facts(condition, described, said):
    assert facts(condition, described) == said


@pytest.mark.parametrize(
    ("call", "condition", "said"),
    [
        ("openat", "flags == 65", "flags is O_WRONLY|O_CREAT (65)"),
        ("openat", "-100 != dfd", "AT_FDCWD (-100) is not dfd"),
        ("openat", "mode == 0644", "mode is 0644"),
        ("openat", "flags == O_WRONLY", "flags is O_WRONLY"),
        ("openat", "flags == 16384", "flags is 16384"),  # O_DIRECT here, O_DIRECTORY elsewhere
        ("openat", "flags > 65", "flags is greater than 65"),
        ("openat, close", "UID == 2", "UID is 2"),
        ("kill", "sig in { 9, 15, 1..3 }", "sig is one of SIGKILL (9), SIGTERM (15), 1 to 3"),
        ("connect", "addr.sa_family == 2", "addr.sa_family is AF_INET (2)"),
    ],
)
def test_explained(call, condition, said):
    text = f"rule {{ syscall_name = {call} abi = x86_64, aarch64 filter_expression {{ {condition} }} action {{ LOG }} }}"
    result = compile_sources([Source("t", text)], "x86_64")
    assert explain(result.rules[0], result.rules)[2] == f"  matches if {said}"


def test_of_several_calls_a_name_is_said_that_it_has_at_all():
    assert naming.everywhere([point("x86_64", "kill"), point("x86_64", "tgkill")], "sig", 9) == "SIGKILL"
    assert naming.everywhere([point("x86_64", "openat"), point("aarch64", "openat")], "flags", 16384) is None
