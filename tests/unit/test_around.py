# SPDX-License-Identifier: GPL-2.0-only
"""Is it said by which ways programs get around rules, where there are such ways and nobody has thought of them?"""

import pytest

from pysct.compiler import compile_sources
from pysct.constants import CONSTANTS
from pysct.source import Source
from pysct.tables import CALLS, IO_URING


def rule(calls: str, condition: str = "UID != 0", name: str = "r", more: str = "") -> str:
    return f"rule {{ syscall_name = {calls} rule_name = {name} filter_expression {{ {condition} }} action {{ type = FAIL error_code = EPERM }} {more} }}\n"


def notes(text: str, kernel=None, machine="x86_64") -> list[str]:
    result = compile_sources([Source("one", text)], machine, kernel=kernel)
    assert result.image, result.diagnostics
    return [found.message for found in result.diagnostics if found.severity == "note"]


def about(word: str, *args, **kwargs) -> list[str]:
    return [note for note in notes(*args, **kwargs) if word in note]


@pytest.mark.parametrize("call, way, asks", [
    ("connect", "socketcall", "`call == SYS_CONNECT`, and for nothing more"),
    ("accept4", "socketcall", "`call == SYS_ACCEPT4`, and for nothing more"),
    ("shmget", "ipc", "`call == SHMGET`"),
    ("semop", "ipc", "`call == SEMOP`"),  # a call that programs have only this way there
])  # fmt: skip
def test_one_call_does_what_many_do(call, way, asks):
    (note,) = about(f" by {way}", rule(call))
    assert "what i386 programs do" in note and note.endswith(asks)
    assert about(f" by {way}", rule(call) + rule(way, f"call == {asks.split('`')[1].split()[-1]}", "s")) == []
    assert about(f" by {way}", rule(call, more="abi = x86_64")) == []
    assert about(f" by {way}", rule(call), machine="aarch64") == []


@pytest.mark.parametrize("call", ["getpid", "getppid"])
def test_what_has_the_name_of_another_command_is_not_meant(call):
    assert about(" by ipc", rule(call)) == []


def test_io_uring_does_the_same():
    assert about("io_uring", rule("unlinkat")) == ["rule 'r' does not see requests of io_uring that do the same as unlinkat"]
    many = rule("unlinkat") + rule("connect, getppid", name="s") + rule("mkdir, rename, renameat, openat", name="t")
    assert about("io_uring", many) == [
        "3 rules do not see requests of io_uring that do the same as unlinkat, connect, rename, mkdir and 2 more"
    ]
    assert about("io_uring", rule("getppid, mount")) == []


@pytest.mark.parametrize("way", ["io_uring_setup", "@io_uring"])
def test_who_has_thought_of_io_uring_hears_nothing(way):
    assert about("io_uring", rule("unlinkat") + rule(way, name="ring")) == []


@pytest.mark.parametrize("call, kernel, said", [
    ("unlinkat", (5, 10), 1),
    ("mkdirat", (5, 10), 0),
    ("mkdirat", (5, 15), 1),  # between two that are known
    ("mkdirat", (6, 1), 1),
    ("pipe2", (6, 12), 0),
    ("pipe2", (7, 2), 1),
    ("pipe2", None, 1),
])
def test_requests_that_a_kernel_lacks_are_no_way(call, kernel, said):
    assert len(about("requests", rule(call), kernel=kernel)) == said


def test_each_request_is_one():
    assert IO_URING.keys() <= CONSTANTS.keys()
    calls = [call for calls in IO_URING.values() for call in calls]
    assert len(calls) == len(set(calls)) and all(any(call in each for each in CALLS.values()) for call in calls)


def test_many_messages_are_sent_by_one_call():
    (note,) = about("sendmmsg", rule("sendto, sendmsg", "GID == 1") + rule("sendmsg", name="s"))
    assert note.startswith("rule 'r' does not see messages of sendmmsg, ")
    for rules in (rule("sendto"), rule("@send"), rule("sendmsg") + rule("sendmmsg", "vlen > 1", "many")):
        assert about("sendmmsg", rules) == []
