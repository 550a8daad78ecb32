# SPDX-License-Identifier: GPL-2.0-only
"""Do rules hold, and is nothing lost unseen, while processors, other modules and the machine's sleep come and go?"""

import os
import subprocess
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import company
import kernel
import pytest

from pysct import abi
from pysct.cli import load, unload
from pysct.control import Control

PROCESSOR = Path("/sys/devices/system/cpu/cpu1/online")
POWER = Path("/sys/power")
STORM = ("unlinkat", "-100", "s:./x", "0")
LOGGED = """
rule { syscall_name = unlinkat rule_name = refused filter_expression { COMM == "call" && pathname == "./x" }
       action { type = LOG, FAIL error_code = EACCES } when = before }
"""
AROUND = """
rule { syscall_name = read, nanosleep, futex, wait4, vfork, clone, clone3, poll, ppoll, finit_module, delete_module rule_name = around
       filter_expression { COMM == "nobody has it" } action { type = LOG } when = after }
"""
TIMES = 5

pytestmark = [pytest.mark.usefixtures("ready"), pytest.mark.timeout(600)]


@pytest.fixture
def processor():
    """Takes the second processor away, or gives it back."""
    if not PROCESSOR.exists():
        pytest.skip("this machine has no processor that could go")
    yield lambda there: PROCESSOR.write_text(str(int(there)))
    PROCESSOR.write_text("1")


@contextmanager
def refused_storm(rules: str):
    """A storm of calls that are all refused, and every one is counted, and logged or said to be lost."""
    unload.main([])
    assert load.main([]) == 0
    kernel.upload(rules)
    ear = company.Ear()
    storm = company.Storm(4, *STORM)
    try:
        yield ear
    finally:
        answers = storm.end()
    with Control.open() as control:
        counted = control.counters()[0][0]
        drops = control.drops()
        states = {point.state for point in control.points()}
    kernel.upload("")
    ear.end()
    assert answers == Counter({"-1 EACCES": counted.matched}) and counted.failed == counted.matched > 0
    assert (counted.logged, counted.lost) == (ear.heard, ear.lost) and counted.logged + counted.lost == counted.matched
    assert sum(drop.count for drop in drops) == counted.lost
    assert states == {abi.Point.HOLDS}


def test_a_processor_comes_and_goes(processor):
    with refused_storm(LOGGED + AROUND) as ear:
        for _ in range(TIMES):
            processor(False)
            ear.listen()
            processor(True)
            ear.listen()
    assert ear.by_processor[0] > 0 and ear.by_processor[1] > 0


def test_what_a_processor_leaves_behind_is_read(processor):
    """Its events wait in its own part of the buffer, and nobody reads before it is gone."""
    kernel.upload(LOGGED)
    ear = company.Ear()
    done = subprocess.run(["taskset", "-c", "1", "call", "-n", "50", *STORM], capture_output=True, text=True)
    processor(False)
    ear.listen()
    assert done.stdout == "50 x -1 EACCES\n" and ear.by_processor == Counter({1: 50})
    processor(True)
    done = subprocess.run(["taskset", "-c", "1", "call", "-n", "50", *STORM], capture_output=True, text=True)
    ear.end()
    assert done.stdout == "50 x -1 EACCES\n" and ear.by_processor == Counter({1: 100}) and ear.lost == 0


def test_modules_come_and_go_while_a_processor_is_away(processor):
    with company.sleeping("read", "futex", "nanosleep") as sleepers:
        storm = company.Storm(2, *STORM)
        kernel.upload(LOGGED + AROUND)
        assert set(company.wake(sleepers).values()) == {0}
        processor(False)
        assert unload.main(["--wait", "0", "--interrupt"]) == 0
        assert load.main([]) == 0
        kernel.upload(LOGGED)
        processor(True)
        # The processor has its part of everything, although it was not there when the modules came.
        assert set(storm.end()) == {"-1 EACCES", "-1 ENOENT"}
        ear = company.Ear()
        ear.listen_out()
        before = ear.by_processor[1]
        done = subprocess.run(["taskset", "-c", "1", "call", "-n", "50", *STORM], capture_output=True, text=True)
        assert done.stdout == "50 x -1 EACCES\n"
        ear.end()
        assert ear.by_processor[1] == before + 50
        assert unload.main([]) == 0
        assert set(company.wake(sleepers).values()) == {0}


def freeze() -> None:
    """All processes are held as for the machine's sleep, and let go after some seconds.

    The machine itself does not sleep, in a guest that has its files from a share: test_asleep.py is about that.
    """
    test = POWER / "pm_test"
    if not test.exists() or "freeze" not in (POWER / "state").read_text():
        pytest.skip("this kernel cannot try to sleep")
    test.write_text("freezer")
    try:
        (POWER / "state").write_text("freeze")
    finally:
        test.write_text("none")


def test_sleepers_are_frozen_and_thawed():
    """Calls that are gone around are interrupted by the freezer, and made anew."""
    ways = ("read", "nanosleep", "futex", "wait4", "vfork", "poll")
    with company.sleeping(*ways) as sleepers, refused_storm(LOGGED + AROUND) as ear:
        company.wake(sleepers)
        for sleeper in sleepers:
            if sleeper.way != "nanosleep":
                kernel.wait_inside(sleeper.pid, another_thread=True)
        freeze()
        ear.listen()
        assert set(company.wake(sleepers).values()) == {0}


def test_other_modules_come_and_go_in_a_storm():
    """The kernel changes its text for them, and their loader goes through our rules."""
    if subprocess.run(["modprobe", "--dry-run", "dummy"], capture_output=True).returncode:
        pytest.skip("this kernel has no module to try it with")
    with refused_storm(LOGGED + AROUND) as ear:
        for _ in range(TIMES):
            subprocess.run(["modprobe", "dummy"], check=True)
            assert Path("/sys/module/dummy").exists()
            subprocess.run(["modprobe", "-r", "dummy"], check=True)
            assert not Path("/sys/module/dummy").exists()
            ear.listen()


def test_rules_come_and_go_in_a_storm_of_what_they_name(tmp_path):
    """A call that is under way when a rule for it comes is judged by it or is not, and nothing else happens."""
    unload.main([])
    storms = [company.Storm(1, *STORM) for _ in range(2)] + [company.Storm(1, "getppid") for _ in range(2)]
    rules = LOGGED + 'rule { syscall_name = getppid rule_name = p filter_expression { RETVAL == 1 } action { type = LOG } when = after }'
    for _ in range(TIMES):
        assert load.main([]) == 0
        kernel.upload(rules)
        kernel.upload("")
        kernel.upload(rules)
        assert unload.main([]) == 0
    answers = [storm.end() for storm in storms]
    assert set(answers[0] + answers[1]) == {"-1 EACCES", "-1 ENOENT"}
    assert set(answers[2] + answers[3]) == {str(os.getpid())}
