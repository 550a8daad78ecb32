# SPDX-License-Identifier: GPL-2.0-only
"""Are the calls of amd64's vsyscall page left alone?  Only in a guest that has one: `--append vsyscall=xonly`."""

import subprocess
import time
from pathlib import Path

import kernel
import pytest

RULE = 'rule {{ syscall_name = time, gettimeofday, getcpu rule_name = v filter_expression {{ COMM == "vsyscall" }} action {{ type = {} }} when = {} }}'

pytestmark = pytest.mark.usefixtures("ready")


@pytest.mark.parametrize("action, when", [("FAIL error_code = EFAULT", "before"), ("KILL", "before"), ("LOG", "after")])
def test_it_is_not_judged(action, when):
    if "[vsyscall]" not in Path("/proc/self/maps").read_text():
        pytest.skip("no vsyscall page here")
    kernel.upload(RULE.format(action, when))
    before = int(time.time())
    with kernel.Log() as log:
        done = subprocess.run(["vsyscall"], capture_output=True, text=True, timeout=60)
        assert log.lines() == []
    day, seconds, cpu = map(int, done.stdout.split())
    assert (day, cpu) == (0, 0) and before <= seconds <= time.time()
