# SPDX-License-Identifier: GPL-2.0-only
"""Can modules that take the same call come and go in any order, under a storm of it?"""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import company
import kernel
import pytest
from mechanism import NATIVE, STOP, best

from pysct.cli import load, unload
from pysct.control import Control, Refused
from pysct.tables import CALLS

STORM = ("mkdirat", "-100", "s:./no/x", "0700")
TIMES = 3
pytestmark = [pytest.mark.usefixtures("ready"), pytest.mark.timeout(600)]


@pytest.fixture
def mechanism() -> str:
    """How calls of this machine's own ABI are taken here."""
    return best()


@pytest.fixture
def rival(mechanism):
    """Loads a module that takes mkdirat as ours does; what insmod says."""
    addresses = {}
    for line in Path("/proc/kallsyms").read_text().splitlines():
        address, _, name = line.split()[:3]
        addresses.setdefault(name, int(address, 16))
    entry = {"x86_64": "__x64_sys_mkdirat", "aarch64": "__arm64_sys_mkdirat"}[NATIVE]
    if mechanism == "table" and "sys_call_table" not in addresses:
        pytest.skip("this kernel does not name its table")
    slot = addresses.get("sys_call_table", 0) + 8 * CALLS[NATIVE]["mkdirat"][0]
    word = f"slot={slot}" if mechanism == "table" else f"function={addresses[entry]}"

    def come() -> str:
        path = Path(os.environ["SCT_MODULES"], "sct-rival.ko")
        return subprocess.run(["insmod", path, word], capture_output=True, text=True).stderr

    yield come
    subprocess.run(["rmmod", "sct_rival"], stderr=subprocess.DEVNULL)


def leave() -> None:
    """The rival, which has seen calls."""
    assert int(Path("/sys/module/sct_rival/parameters/hits").read_text()) > 0
    subprocess.run(["rmmod", "sct_rival"], check=True)


def refused(image: bytes) -> bool:
    """Whether rules are refused, as somebody else has the call."""
    with Control.open() as control:
        try:
            control.upload(image)
        except Refused as refusal:
            assert f"{NATIVE} mkdirat" in str(refusal) and "another module" in str(refusal)
            return True
    return False


@contextmanager
def storm():
    """Each call is refused by the rule or by the kernel; and both happen."""
    calls = company.Storm(2, *STORM)
    try:
        yield
    finally:
        answers = calls.end()
    assert set(answers) == {"-1 EXDEV", "-1 ENOENT"}


def test_first_in_last_out(rival, mechanism):
    unload.main([])
    with storm():
        for _ in range(TIMES):
            assert load.main([]) == 0
            kernel.upload(STOP)
            if mechanism == "table":
                assert rival() == ""
                kernel.eventually(lambda: int(Path("/sys/module/sct_rival/parameters/hits").read_text()) > 0)
                leave()
            else:
                assert "busy" in rival()
            assert unload.main([]) == 0


def test_first_in_first_out(rival, mechanism, capsys):
    """Ours wants to go while the other still calls it: it waits until that is gone."""
    if mechanism != "table":
        pytest.skip("two modules cannot divert one function by ftrace")
    unload.main([])
    with storm():
        for _ in range(TIMES):
            assert load.main([]) == 0
            kernel.upload(STOP)
            assert rival() == ""
            capsys.readouterr()
            assert unload.main(["--wait", "0"]) == 1
            assert f"{NATIVE} mkdirat: another module has put its hook over ours" in capsys.readouterr().err
            leave()
            assert unload.main([]) == 0


def test_the_other_first(rival, mechanism):
    """What another module has taken is not taken from it; it goes before or after us, as it likes."""
    unload.main([])
    image = kernel.compiled(STOP)  # a storm leaves little time for it
    with storm():
        for number in range(2 * TIMES):
            assert rival() == ""
            assert load.main([]) == 0
            assert refused(image)
            if number % 2:
                assert unload.main([]) == 0
            leave()
            assert load.main([]) == 0
            assert not refused(image)
            assert unload.main([]) == 0
