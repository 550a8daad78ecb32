# SPDX-License-Identifier: GPL-2.0-only
"""Is it noticed when somebody takes a mechanism or a place away, and is nothing of theirs overwritten?"""

import os
import subprocess
from pathlib import Path

import kernel
import pytest
from mechanism import EVERY, NATIVE, STOP, abi_name, known, mkdir, points, reload, state

from pysct import abi
from pysct.tables import CALLS

PROBES = Path("/sys/kernel/debug/kprobes/enabled")
TRACING = Path("/proc/sys/kernel/ftrace_enabled")

pytestmark = pytest.mark.usefixtures("ready")


def test_probes_that_are_switched_off_are_noticed():
    if abi.Proof.WORKS not in known()["kprobe"].values() or not PROBES.exists():
        pytest.skip("no kprobes here")
    assert reload("--mechanism", "kprobe").returncode == 0
    kernel.upload(STOP)
    with kernel.Log() as log:
        try:
            PROBES.write_text("0")
            assert mkdir("s:./no/x") == "-1 ENOENT"
            assert state() == abi.Point.LOST
        finally:
            PROBES.write_text("1")
        assert mkdir("s:./no/x") == "-1 EXDEV" and state() == abi.Point.HOLDS
        assert {said.state for said in log.said(2)} == {abi.Point.LOST, abi.Point.HOLDS}
    assert reload().returncode == 0


def switched_off(switch: Path, mechanism: str) -> None:
    """An upload is refused while the mechanism is switched off, and so is a trial; both work when it is on again."""
    assert reload("--mechanism", mechanism).returncode == 0
    try:
        switch.write_text("0")
        done = kernel.command("sct_config", "upload", "/dev/stdin", input=STOP)
        assert done.returncode == 1 and "switched off" in done.stderr and points() == []
        assert mkdir("s:./no/x") == "-1 ENOENT"
        assert kernel.command("sct_unload").returncode == 0
        done = kernel.command("sct_load", "--mechanism", mechanism)
        assert done.returncode != 0 and "switched off" in done.stderr
        assert not Path("/sys/module/sct_hijack").exists()
    finally:
        switch.write_text("1")
    assert kernel.command("sct_load", "--mechanism", mechanism).returncode == 0
    kernel.upload(STOP)
    assert mkdir("s:./no/x") == "-1 EXDEV"
    assert reload().returncode == 0


def test_rules_are_refused_while_probes_are_switched_off():
    if abi.Proof.WORKS not in known()["kprobe"].values() or not PROBES.exists():
        pytest.skip("no kprobes here")
    switched_off(PROBES, "kprobe")


def test_rules_are_refused_while_function_tracing_is_switched_off():
    if abi.Proof.WORKS not in known()["ftrace"].values():
        pytest.skip("no ftrace here")
    switched_off(TRACING, "ftrace")


@pytest.fixture
def patcher():
    """Loads a module that patches a slot of the table, mkdirat's, whether it is read or not."""
    symbols = (line.split() for line in Path("/proc/kallsyms").read_text().splitlines())
    addresses = {name: int(address, 16) for address, _, name, *_ in symbols}
    if "sys_call_table" not in addresses:
        pytest.skip("this kernel does not name its table")

    def load(*words: str, name: str = "mkdirat") -> None:
        slot = addresses["sys_call_table"] + 8 * CALLS[NATIVE][name][0]
        path = Path(os.environ["SCT_MODULES"], "sct-rival.ko")
        subprocess.run(["insmod", path, f"slot={slot}", *words], check=True)

    def address(name: str) -> int:
        return addresses.get({"x86_64": "__x64_sys_", "aarch64": "__arm64_sys_"}[NATIVE] + name, 0)

    load.address = address
    load.original = address("mkdirat")
    yield load
    subprocess.run(["rmmod", "sct_rival"], stderr=subprocess.DEVNULL)


@pytest.fixture
def rival(patcher):
    """The same; skips where the table is not what brings calls."""
    if known()["table"].get(NATIVE) != abi.Proof.WORKS:
        pytest.skip("this kernel does not read its table")
    return patcher


@pytest.fixture
def unread(patcher):
    """The same; skips where the table is what brings calls, or does not exist."""
    if known()["table"].get(NATIVE) != abi.Proof.FAILS:
        pytest.skip("this kernel reads its table")
    return patcher


def hits() -> int:
    return int(Path("/sys/module/sct_rival/parameters/hits").read_text())


def test_another_module_over_ours(rival):
    kernel.upload(STOP)
    with kernel.Log() as log:
        rival()
        assert mkdir("s:./no/x") == "-1 EXDEV" and hits() == 1
        assert state() == abi.Point.COVERED
        subprocess.run(["rmmod", "sct_rival"], check=True)
        assert mkdir("s:./no/x") == "-1 EXDEV" and state() == abi.Point.HOLDS
        assert [said.state for said in log.said(2)] == [abi.Point.COVERED, abi.Point.HOLDS]


def test_what_another_module_put_over_ours_is_not_overwritten(rival):
    """Ours comes first and wants to leave first: it stays until the other is gone, and judges nothing."""
    kernel.upload(STOP)
    rival()
    assert kernel.command("sct_config", "delete").returncode == 0
    assert mkdir("s:./no/x") == "-1 ENOENT" and hits() == 1
    assert "stuck" in kernel.command("sct_config", "status").stdout
    done = kernel.command("sct_unload", "--wait", "0")
    assert done.returncode == 1 and f"{NATIVE} mkdirat: another module has put its hook over ours" in done.stderr
    # It is wanted again, and then not.
    kernel.upload(STOP)
    assert mkdir("s:./no/x") == "-1 EXDEV"
    kernel.upload("")
    # By force, as far as that goes: the rules leave, what the other calls stays.
    assert subprocess.run(["rmmod", "sct_rules"]).returncode == 0
    assert subprocess.run(["rmmod", "sct_hijack"], stderr=subprocess.DEVNULL).returncode != 0
    assert mkdir("s:./no/x") == "-1 ENOENT"
    subprocess.run(["rmmod", "sct_rival"], check=True)
    kernel.eventually(lambda: subprocess.run(["rmmod", "sct_hijack"], stderr=subprocess.DEVNULL).returncode == 0)
    assert mkdir("s:./no/x") == "-1 ENOENT"


def test_what_another_module_covers_keeps_nothing_else(rival):
    """Of all calls only the one that is covered stays attached."""
    kernel.upload(EVERY)
    rival()
    assert state() == abi.Point.COVERED
    kernel.upload("")
    assert [(abi_name(point), point.nr, point.state) for point in points()] == [
        (NATIVE, CALLS[NATIVE]["mkdirat"][0], abi.Point.STUCK)
    ]
    assert mkdir("s:./no/x") == "-1 ENOENT" and hits() == 1
    subprocess.run(["rmmod", "sct_rival"], check=True)
    kernel.eventually(lambda: points() == [])
    assert mkdir("s:./no/x") == "-1 ENOENT"


def test_another_module_before_ours(rival):
    rival()
    done = kernel.command("sct_config", "upload", "/dev/stdin", input=STOP)
    assert done.returncode == 1 and f"{NATIVE} mkdirat" in done.stderr and "another module" in done.stderr
    assert mkdir("s:./no/x") == "-1 ENOENT" and points() == []
    subprocess.run(["rmmod", "sct_rival"], check=True)
    kernel.upload(STOP)
    assert mkdir("s:./no/x") == "-1 EXDEV"


def test_a_slot_that_was_put_back_is_noticed(rival):
    if not rival.original:
        pytest.skip("the entry function has another name here")
    kernel.upload(STOP)
    with kernel.Log() as log:
        rival(f"value={rival.original}")
        assert mkdir("s:./no/x") == "-1 ENOENT" and state() == abi.Point.LOST
        assert [said.state for said in log.said(1)] == [abi.Point.LOST]
    # Rules that want it are not taken without it.
    kernel.upload(STOP)
    assert mkdir("s:./no/x") == "-1 EXDEV" and state() == abi.Point.HOLDS
    kernel.upload("")
    assert mkdir("s:./no/x") == "-1 ENOENT" and points() == []


def test_a_slot_that_was_put_back_is_taken_again_after_a_refusal(rival):
    """Rules that want it and another one are refused for the other one's sake: the old rules have it again."""
    if not rival.original:
        pytest.skip("the entry function has another name here")
    other = STOP.replace("mkdirat", "unlinkat").replace("rule_name = s", "rule_name = o")
    assert reload().returncode == 0
    kernel.upload(other)  # so that this one's turn comes first
    kernel.upload(STOP)
    with kernel.Log() as log:
        rival(f"value={rival.original}")
        assert mkdir("s:./no/x") == "-1 ENOENT" and state() == abi.Point.LOST
        subprocess.run(["rmmod", "sct_rival"], check=True)
        rival(name="unlinkat")
        done = kernel.command("sct_config", "upload", "/dev/stdin", input=STOP + other)
        assert done.returncode == 1 and f"{NATIVE} unlinkat" in done.stderr and "another module" in done.stderr
        assert state() == abi.Point.HOLDS and mkdir("s:./no/x") == "-1 EXDEV"
        assert [said.state for said in log.said(2)] == [abi.Point.LOST, abi.Point.HOLDS]
    kernel.upload("")
    assert mkdir("s:./no/x") == "-1 ENOENT" and points() == []


def test_a_module_in_a_table_that_nobody_reads(unread):
    """What it wrote there is not taken for the function that serves the call."""
    assert reload().returncode == 0
    unread()
    kernel.upload(STOP)
    assert mkdir("s:./no/x") == "-1 EXDEV" and hits() == 0 and state() == abi.Point.HOLDS
    subprocess.run(["rmmod", "sct_rival"], check=True)
    kernel.upload("")
    assert mkdir("s:./no/x") == "-1 ENOENT"
    kernel.upload(STOP)
    assert mkdir("s:./no/x") == "-1 EXDEV"


def test_what_a_table_said_wrongly_does_not_stay(unread):
    """Another function of the kernel stands in the slot of a table that nobody reads, then again the right one."""
    assert reload().returncode == 0
    try:
        unread(f"value={unread.address('unlinkat')}")
        kernel.upload(STOP)
    finally:
        subprocess.run(["rmmod", "sct_rival"], check=True)
        unread(f"value={unread.original}")
    kernel.upload("")
    kernel.upload(STOP)
    assert mkdir("s:./no/x") == "-1 EXDEV" and points()[0].symbol.endswith("sys_mkdirat")
