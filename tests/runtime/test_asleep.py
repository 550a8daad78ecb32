# SPDX-License-Identifier: GPL-2.0-only
"""Do rules hold, is nothing lost unseen, and do the modules leave, when the machine has slept?

Only where the guest's files are in its memory: `vm/run --in-memory`, as `make test` does.
"""

import subprocess
import time
from pathlib import Path

import company
import kernel
import pytest
from test_upheaval import AROUND, LOGGED, POWER, STORM, refused_storm

from pysct.cli import load, unload

CLOCK = Path("/sys/class/rtc/rtc0")
SECONDS = 5
WAYS = ("read", "nanosleep", "futex", "wait4", "vfork", "poll")
CANNOT_WAKE = not (CLOCK / "wakealarm").exists() or not (CLOCK / "wakealarm").stat().st_mode & 0o200
IN_MEMORY = any(line.split()[1:3] == ["/", "rootfs"] for line in Path("/proc/mounts").read_text().splitlines())

pytestmark = [
    pytest.mark.skipif(not IN_MEMORY, reason="the guest's files do not come back from sleep: vm/run --in-memory"),
    pytest.mark.skipif(CANNOT_WAKE, reason="the clock of this kernel wakes nobody"),
    pytest.mark.usefixtures("ready"),
    pytest.mark.timeout(300),
]


def is_deep() -> bool:
    """Whether it sleeps to memory: processors go and come, and all clocks but one stand still; otherwise to idle."""
    return "mem" in (POWER / "state").read_text().split() and "deep" in (POWER / "mem_sleep").read_text()


def sleep() -> None:
    """The machine sleeps until its clock wakes it.

    Not always for as long as it was told: after the first time, QEMU's clock of a PC comes early.
    """
    if is_deep():
        (POWER / "mem_sleep").write_text("deep")
    before = slept()
    (CLOCK / "wakealarm").write_text("0")
    (CLOCK / "wakealarm").write_text(str(int((CLOCK / "since_epoch").read_text()) + SECONDS))
    (POWER / "state").write_text("mem" if is_deep() else "freeze")
    assert slept() == before + 1


def slept() -> int:
    """How often the machine has slept."""
    return int((POWER / "suspend_stats" / "success").read_text())


@pytest.mark.parametrize("times", [1, 3])
def test_calls_that_the_machine_sleeps_in_end_as_they_should(times):
    with company.sleeping(*WAYS) as sleepers:
        with refused_storm(LOGGED + AROUND) as ear:
            company.wake(sleepers)
            for sleeper in sleepers:
                if sleeper.way != "nanosleep":
                    kernel.wait_inside(sleeper.pid, another_thread=True)
            for _ in range(times):
                sleep()
                ear.listen()
                assert set(company.wake(sleepers).values()) == {0}
            before = ear.heard
            kernel.eventually(lambda: ear.listen() or ear.heard > before)
        assert set(company.wake(sleepers).values()) == {0}
    # Whoever started the test has waited in one of the calls ever since.
    assert unload.main(["--interrupt"]) == 0


def test_what_was_logged_before_is_read_afterwards():
    kernel.upload(LOGGED)
    ear = company.Ear()
    for processor in "01":
        done = subprocess.run(["taskset", "-c", processor, "call", "-n", "50", *STORM], capture_output=True, text=True)
        assert done.stdout == "50 x -1 EACCES\n"
    sleep()
    ear.end()
    assert (ear.heard, ear.lost) == (100, 0) and ear.by_processor == {0: 50, 1: 50}


def test_events_have_the_time_of_day_again():
    kernel.upload(LOGGED)
    with kernel.Log() as log:
        sleep()
        before = time.time_ns()
        subprocess.run(["call", *STORM], check=True, stdout=subprocess.DEVNULL)
        [event] = log.said(1, patience=30)
    assert before <= event.time <= time.time_ns()
    assert not is_deep() or time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic() > 1


def test_the_modules_leave_and_come_after_a_sleep():
    kernel.upload(LOGGED)
    sleep()
    assert unload.main([]) == 0
    sleep()
    assert load.main([]) == 0
    kernel.upload(LOGGED)
    done = subprocess.run(["call", *STORM], capture_output=True, text=True)
    assert done.stdout.split()[-1] == "EACCES"
