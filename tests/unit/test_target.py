# SPDX-License-Identifier: GPL-2.0-only
"""Does the compiler know what a kernel lacks, and say it where it is told, or finds out, which kernel that is?"""

import json
import platform
from pathlib import Path

import pytest

from pysct import release, target
from pysct.tables import CALLS, LACKING, MEASURED

NAMED = "rule { syscall_name = futex_waitv rule_name = r action { LOG } }"
HAS, PERHAPS, LACKS = target.HAS, target.PERHAPS, target.LACKS


@pytest.mark.parametrize(
    "text, kernel",
    [("6.1", (6, 1)), ("6.12.117+deb12-amd64", (6, 12)), ("5.10.0-46-amd64", (5, 10)), ("7.3-rc7", (7, 3)), ("6", None),
     ("amd64-6.1", None), ("6.x", None), ("6.12345678", None), ("", None)],
)  # fmt: skip
def test_a_release_stands_for_a_kernel(text, kernel):
    assert release.of(text) == kernel


FOUR = ((5, 10), (6, 1), (6, 12), (7, 2))


@pytest.mark.parametrize(
    "kernel, came, went, never",
    [((5, 4), LACKS, HAS, PERHAPS), ((5, 10), LACKS, HAS, LACKS), ((5, 15), PERHAPS, HAS, LACKS), ((6, 1), HAS, HAS, LACKS),
     ((6, 6), HAS, PERHAPS, LACKS), ((6, 12), HAS, LACKS, LACKS), ((7, 9), HAS, LACKS, LACKS)],
)  # fmt: skip
def test_between_two_kernels_nothing_is_certain_that_only_one_has(kernel, came, went, never):
    assert target.lacking(kernel, FOUR, FOUR[:1]) == came
    assert target.lacking(kernel, FOUR, FOUR[2:]) == went
    assert target.lacking(kernel, FOUR, FOUR) == never
    assert target.lacking(kernel, FOUR, ()) == HAS


@pytest.mark.parametrize(
    "call, abi, first",
    [("futex_waitv", "x86_64", (6, 1)), ("epoll_pwait2", "aarch64", (6, 1)), ("fchmodat2", "i386", (6, 12)),
     ("getxattrat", "x32", (7, 2)), ("openat2", "x86_64", (5, 10)), ("clone3", "aarch32", (5, 10))],
)  # fmt: skip
def test_what_is_known_of_calls_agrees_with_the_manual_pages(call, abi, first):
    assert [kernel for kernel in MEASURED[abi] if target.lacks_call(kernel, abi, call) == HAS] == [k for k in FOUR if k >= first]


def test_every_call_that_is_lacking_is_one_that_rules_can_name():
    assert {abi: set(calls) - CALLS[abi].keys() for abi, calls in LACKING.items()} == {abi: set() for abi in LACKING}
    assert LACKING.keys() == MEASURED.keys() == CALLS.keys()


@pytest.mark.parametrize("running, says", [("5.10.0-46-amd64", "has no"), ("5.15.0", "may have no"), ("6.1.0-56-amd64", None)])
def test_the_kernel_that_runs_here_counts(files, say, monkeypatch, fake, running, says):
    monkeypatch.setattr(platform, "release", lambda: running)
    Path("named").write_text(NAMED)
    for words in (["check", "named"], ["compile", "-o", "image", "named"], ["upload", "named"]):
        status, _, err = say(*words)
        assert status == 0 and (f" {says} futex_waitv" in err if says else "futex_waitv" not in err)


def test_another_kernel_can_be_meant(files, say):
    Path("named").write_text(NAMED)
    assert say("check", "named")[2] == ""
    assert "Linux 5.10 has no futex_waitv" in say("check", "--kernel", "5.10.0-46-amd64", "named")[2]
    assert "Linux 5.10 has no futex_waitv" in say("compile", "-o", "image", "--kernel", "5.10", "named")[2]
    (found,) = map(json.loads, say("check", "--json", "--kernel", "5.10", "named")[1].splitlines())
    assert found["severity"] == "warning" and found["column"] == 23 and '`"{futex_waitv}"`' in found["hint"]
    assert "older than 5.10" in say("check", "--kernel", "4.19", "named")[2]
    status, _, err = say("check", "--kernel", "sid", "named")
    assert status == 2 and "'sid' is no release" in err


def test_on_a_machine_that_rules_cannot_be_used_on_no_kernel_is_meant(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert release.running() is None


def test_the_way_out_that_is_named_is_one(files, say):
    Path("named").write_text(NAMED.replace("futex_waitv", 'kill, "{futex_waitv}"'))
    assert say("check", "--kernel", "5.10", "named")[::2] == (0, "")
