# SPDX-License-Identifier: GPL-2.0-only
"""Do the modules come and go under load, whoever else is there, without a call that gets a wrong answer?

$SCT_CYCLES says how often; a few times without it.
"""

import os
import platform
import time
from collections import Counter

import company
import kernel
import pytest

from pysct import abi
from pysct.cli import load, unload
from pysct.cli.ruleset import empty_image
from pysct.control import Control

NATIVE = abi.ABIS[platform.machine()].number
CYCLES = int(os.environ.get("SCT_CYCLES", "4"))

REFUSED = ("unlinkat", "-100", "s:./x", "0")
PREVENTED = ("mkdirat", "-100", "s:./no/x", "0700")
PASSED = ("getppid",)
"""What storms call: refused and logged by a rule; refused by one; gone around and let pass."""

LOGGED = """
rule { syscall_name = unlinkat rule_name = refused filter_expression { COMM == "call" && pathname == "./x" }
       action { type = LOG, FAIL error_code = EACCES } when = before }
"""
OTHERS = """
rule { syscall_name = mkdirat rule_name = prevented filter_expression { COMM == "call" && pathname == "./no/x" }
       action { type = FAIL error_code = EXDEV } when = before }
rule { syscall_name = getppid rule_name = passed filter_expression { COMM == "nobody has it" } action { type = LOG } when = after }
"""
WAYS = ("read", "nanosleep", "futex", "wait4", "vfork", "ptrace", "poll")
CALLS = "read, nanosleep, clock_nanosleep, futex, wait4, vfork, clone, clone3, poll, ppoll, restart_syscall"
WATCHED = {
    "glance": 'COMM == "nobody has it"} action { type = FAIL } when = before',
    "task": 'CWD == "/nobody/is/there"} action { type = FAIL } when = before',
    "around": 'COMM == "nobody has it"} action { type = LOG } when = after',
}
"""How the calls of the sleepers are judged: at once, in task context, or when they return."""

UNINTERRUPTIBLE = ("vfork", "ptrace")

pytestmark = [pytest.mark.usefixtures("ready"), pytest.mark.timeout(900 + 30 * CYCLES)]


@pytest.fixture(scope="module")
def images() -> dict[str, tuple[bytes, bytes]]:
    """By way of judging: all rules, and all but those that log."""
    rest = {
        name: OTHERS + f"rule {{ syscall_name = {CALLS} rule_name = w filter_expression {{ {text} }}" for name, text in WATCHED.items()
    }
    return {name: (kernel.compiled(LOGGED + text), kernel.compiled(text)) for name, text in rest.items()}


def upload(image: bytes) -> None:
    with Control.open() as control:
        control.upload(image)


def symbols(image: bytes) -> list[str]:
    """The entry functions of this machine's own ABI that the storms and sleepers go through."""
    upload(image)
    with Control.open() as control:
        found = {point.symbol for point in control.points() if point.abi == NATIVE}
    upload(empty_image())
    return sorted(found)


class Cycle:
    """The modules come, rule, and go."""

    def __init__(self, images, sleepers, tracer):
        self._images, self._sleepers, self._tracer = images, sleepers, tracer
        self.logged = 0

    def run(self, number: int) -> None:
        way = list(WATCHED)[number % len(WATCHED)]
        before, within = number % 2, number // 2 % 2
        if before:
            self._tracer.start()
        assert load.main([]) == 0
        ear = company.Ear()
        upload(self._images[way][0])
        if not before:
            self._tracer.start()
        # They return, from calls of before, and go to sleep in calls that are judged.
        assert set(company.wake(self._sleepers).values()) == {0}
        time.sleep(0.1)
        if within:
            self._tracer.stop()
        upload(self._images[way][1])
        ear.end()
        self.logged += ear.heard + ear.lost
        self._leave(way == "around")
        if not within:
            self._tracer.stop()

    def _leave(self, around: bool) -> None:
        """Those who sleep in calls that are not gone around hold nobody up."""
        if around:
            assert unload.main(["--wait", "0"]) == 1
            assert set(company.wake([one for one in self._sleepers if one.way in UNINTERRUPTIBLE]).values()) == {0}
            assert unload.main(["--wait", "0", "--interrupt"]) == 0
        else:
            assert unload.main([]) == 0


def check(logged: int, answers: dict[str, Counter], refused: Counter) -> None:
    """Every call has got the rule's answer or the kernel's, and every one that a LOG rule refused was told of."""
    assert set(refused) <= {"-1 EACCES", "-1 ENOENT"} and set(answers["mkdirat"]) <= {"-1 EXDEV", "-1 ENOENT"}
    assert set(answers["getppid"]) == {str(os.getpid())}
    assert refused["-1 EACCES"] == logged
    assert min(refused["-1 EACCES"], answers["mkdirat"]["-1 EXDEV"], refused["-1 ENOENT"]) > 0


def run(images, cycles: int, name: str, capsys, trace=None) -> None:
    tracer = company.tracer(name, symbols(images["around"][0]))
    assert unload.main([]) == 0
    # Not before: what the rules of a moment ago refused nobody has heard of.
    traced = trace() if trace else None
    began = time.monotonic()
    with company.sleeping(*WAYS) as sleepers:
        storms = {words[0]: company.Storm(1, *words) for words in (REFUSED, PREVENTED, PASSED)}
        cycle = Cycle(images, sleepers, tracer)
        try:
            for number in range(cycles):
                cycle.run(number)
        finally:
            tracer.end()
            answers = {call: storm.end() for call, storm in storms.items()}
        assert set(company.wake(sleepers).values()) == {0}
    refused = answers["unlinkat"]
    if traced:
        seen, told = traced.end()
        assert seen == told and len(seen) == 2, traced.odd
        refused += told
    check(cycle.logged, answers, refused)
    with capsys.disabled():
        seconds = (time.monotonic() - began) / cycles
        print(f"\n{cycles} cycles beside {name}, {seconds:.1f} s each; answers: {answers}; {cycle.logged} events")


def test_again_and_again(images, capsys):
    run(images, CYCLES, "nobody", capsys)


@pytest.mark.parametrize("name", [name for name in company.TRACERS if name != "nobody"])
def test_again_and_again_beside_a_tracer(images, capsys, name):
    """Tracing of the same functions begins before the modules come or when they are there, and ends before they go or after."""
    run(images, max(CYCLES // 4, 4), name, capsys)


def test_again_and_again_beside_perf_trace(images, capsys, tmp_path):
    """What perf sees is what the caller gets."""
    run(images, max(CYCLES // 4, 4), "nobody", capsys, lambda: company.PerfTrace(tmp_path, "unlinkat", *REFUSED))
