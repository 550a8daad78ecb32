# SPDX-License-Identifier: GPL-2.0-only
"""Do rules hold, is nothing lost unseen, and do the modules leave, when the machine has slept?

Run it by `make test-asleep`: little of a guest's files comes back from sleep (tests/runtime/in_memory).
"""

import time
from pathlib import Path

import company
import kernel
import pytest
from test_upheaval import AROUND, LOGGED, POWER, refused_storm

from pysct.cli import unload

CLOCK = Path("/sys/class/rtc/rtc0")
SECONDS = 5
WAYS = ("read", "nanosleep", "futex", "wait4", "vfork", "poll")

pytestmark = [pytest.mark.usefixtures("ready"), pytest.mark.timeout(300)]


def sleep() -> None:
    """The machine sleeps, as deeply as its clock can wake it from, until that does."""
    kinds = POWER / "mem_sleep"
    state = "mem" if kinds.exists() and "deep" in kinds.read_text() else "freeze"
    if state == "mem":
        kinds.write_text("deep")
    before = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
    (CLOCK / "wakealarm").write_text(str(int((CLOCK / "since_epoch").read_text()) + SECONDS))
    (POWER / "state").write_text(state)
    # The one clock goes on in sleep, the other one does not.
    slept = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic() - before
    print(f"{state}: slept for {slept:.1f} s")
    assert slept > 1


def awake() -> None:
    """What is only looked up once is looked up while it is there."""


@pytest.mark.parametrize("rest", [awake, sleep])
def test_a_machine_that_sleeps(rest):
    with company.sleeping(*WAYS) as sleepers:
        with refused_storm(LOGGED + AROUND) as ear:
            company.wake(sleepers)
            for sleeper in sleepers:
                if sleeper.way != "nanosleep":
                    kernel.wait_inside(sleeper.pid, another_thread=True)
            rest()
            ear.listen()
            before = ear.heard
            time.sleep(1)
            ear.listen()
            assert ear.heard > before
            assert set(company.wake(sleepers).values()) == {0}
        assert set(company.wake(sleepers).values()) == {0}
    assert unload.main([]) == 0
