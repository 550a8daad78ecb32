# SPDX-License-Identifier: GPL-2.0-only
"""Does every mechanism bring every call, and is it noticed when somebody takes one away?"""

import os
import platform
import subprocess
from pathlib import Path

import kernel
import pytest

from pysct import abi, proof
from pysct.control import Control
from pysct.tables import CALLS

STOP = 'rule { syscall_name = mkdirat rule_name = s filter_expression { pathname == "./no/x" } action { type = FAIL error_code = EXDEV } when = before }\n'
SEEN = 'rule { syscall_name = mkdirat rule_name = s filter_expression { ERRNO == ENOENT && COMM == "call" } action { type = LOG log_format { %abi %pathname } } when = after }\n'
NATIVE = platform.machine()
PROBES = Path("/sys/kernel/debug/kprobes/enabled")


@pytest.fixture(autouse=True)
def ready(loaded, programs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", programs["PATH"])


def known() -> dict[str, dict[str, int]]:
    """By mechanism and ABI, whether it works."""
    found = {mechanism.name: {} for mechanism in abi.MECHANISMS.values()}
    with Control.open() as control:
        for row in proof.known(control):
            found[abi.MECHANISMS[row.mechanism].name][row.abi] = row.state
    return found


@pytest.fixture
def forced(request):
    """The modules, loaded with a mechanism; skips where that works for no ABI."""
    name = request.param
    if abi.Proof.WORKS not in known()[name].values():
        assert reload("--mechanism", name).returncode == 3
        assert reload().returncode == 0
        pytest.skip(f"{name} does not work on this kernel")
    assert reload("--mechanism", name).returncode == 0
    yield name
    assert reload().returncode == 0


def reload(*words: str) -> kernel.Done:
    done = kernel.command("sct_unload")
    assert done.returncode == 0, done.stderr
    return kernel.command("sct_load", *words)


def points() -> list:
    with Control.open() as control:
        return control.points()


def abi_name(point) -> str:
    return next(name for name, entry in abi.ABIS.items() if entry.number == point.abi)


def state() -> int:
    """How the point of mkdirat of this machine's own ABI is doing."""
    number = abi.ABIS[NATIVE].number
    return next(point.state for point in points() if (point.abi, point.nr) == (number, CALLS[NATIVE]["mkdirat"][0]))


def mkdir(path: str) -> str:
    """What a program gets."""
    done = subprocess.run(["call", "mkdirat", "-100", path, "0700"], capture_output=True, text=True)
    return done.stdout.strip() or done.stderr


MECHANISMS = [mechanism.name for mechanism in abi.MECHANISMS.values()]


@pytest.mark.parametrize("forced", MECHANISMS, indirect=True)
def test_calls_are_refused_and_pass(forced):
    kernel.upload(STOP)
    assert {abi.MECHANISMS[point.mechanism].name for point in points()} == {forced}
    for kind in ("s", "fresh", "cross", "crossfresh", "edge", "late"):
        assert (kind, mkdir(f"{kind}:./no/x")) == (kind, "-1 EXDEV")
        assert (kind, mkdir(f"{kind}:./no/y")) == (kind, "-1 ENOENT")
        assert (kind, mkdir(f"{kind}:./{kind}")) == (kind, "0") and os.path.isdir(kind)


@pytest.mark.parametrize("forced", MECHANISMS, indirect=True)
def test_results_are_seen(forced):
    kernel.upload(SEEN)
    with kernel.Log() as log:
        for path in ("./no/y", "./z", "./no/w"):
            mkdir(f"s:{path}")
        assert os.path.isdir("z")
        assert log.lines(2) == [f'{NATIVE} "./no/y"', f'{NATIVE} "./no/w"']


@pytest.mark.parametrize("forced", MECHANISMS, indirect=True)
def test_under_load(forced):
    """Many threads, rules that come and go: no call gets what is neither rule's nor the kernel's answer."""
    with subprocess.Popen(["call", "-t", "4", "-n", "0", "mkdirat", "-100", "s:./no/x", "0700"], stdout=subprocess.PIPE, text=True) as load:
        for _ in range(3):
            for rules in (STOP, SEEN, ""):
                kernel.upload(rules)
        load.terminate()
        said = {line.split(" x ")[1] for line in load.communicate(timeout=60)[0].splitlines()}
    assert said <= {"-1 EXDEV", "-1 ENOENT"}


def test_all_calls_at_once():
    """Each comes by the first mechanism that works for its ABI, also the one that was tried with the others."""
    kernel.upload("rule { syscall_name = @all rule_name = a filter_expression { COMM == \"-\" } action { type = FAIL } when = before }")
    found, works = points(), known()
    for name in {abi_name(point) for point in found}:
        best = next(mechanism for mechanism in MECHANISMS if works[mechanism].get(name) == abi.Proof.WORKS)
        mine = [point for point in found if abi_name(point) == name]
        assert len(mine) > 250 and {abi.MECHANISMS[point.mechanism].name for point in mine} == {best}
        assert {point.state for point in mine} == {abi.Point.HOLDS}
    assert mkdir("s:./no/x") == "-1 ENOENT"
    kernel.upload("")
    assert points() == [] and mkdir("s:./no/x") == "-1 ENOENT"


def test_a_mechanism_that_does_not_divert_is_recognised():
    """Where the kernel has a table that nobody reads, writing to it must not pass for watching."""
    found = known()["table"]
    if abi.Proof.FAILS not in found.values():
        pytest.skip("no table of this kernel is unread")
    done = reload("--mechanism", "table")
    assert done.returncode == 3 and "a call did not arrive" in done.stderr
    assert not Path("/sys/module/sct_hijack").exists()
    assert kernel.command("sct_load").returncode == 0


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


@pytest.mark.parametrize("tracer", ["function", "function_graph"])
@pytest.mark.parametrize("forced", MECHANISMS, indirect=True)
def test_tracers_come_and_go(forced, tracer):
    """Whoever traces the same function first or last: rules hold, and nothing is taken for lost."""
    kernel.upload(STOP)
    symbol = points()[0].symbol
    trace = Path("/sys/kernel/tracing")
    if not (trace / "current_tracer").exists():
        subprocess.run(["mount", "-t", "tracefs", "nodev", trace], check=True)
    if tracer not in (trace / "available_tracers").read_text():
        pytest.skip(f"this kernel has no {tracer} tracer")
    kernel.upload("")

    def check(answer: str) -> None:
        assert mkdir("s:./no/x") == mkdir("fresh:./no/x") == answer
        assert {point.state for point in points()} <= {abi.Point.HOLDS}

    try:
        (trace / "set_ftrace_filter").write_text(symbol)
        for first, last in ((STOP, ""), ("", STOP)):
            kernel.upload(first)
            (trace / "current_tracer").write_text(tracer)
            check("-1 EXDEV" if first else "-1 ENOENT")
            kernel.upload(last)
            check("-1 EXDEV" if last else "-1 ENOENT")
            (trace / "current_tracer").write_text("nop")
            check("-1 EXDEV" if last else "-1 ENOENT")
    finally:
        (trace / "current_tracer").write_text("nop")
        (trace / "set_ftrace_filter").write_text("")


@pytest.fixture
def rival():
    """Loads a module that patches mkdirat's slot of the table; skips where the table is not what brings calls."""
    if known()["table"].get(NATIVE) != abi.Proof.WORKS:
        pytest.skip("this kernel does not read its table")
    symbols = (line.split() for line in Path("/proc/kallsyms").read_text().splitlines())
    addresses = {name: int(address, 16) for address, _, name, *_ in symbols}
    if "sys_call_table" not in addresses:
        pytest.skip("this kernel does not name its table")
    slot = addresses["sys_call_table"] + 8 * CALLS[NATIVE]["mkdirat"][0]

    def load(*words: str) -> None:
        path = Path(os.environ["SCT_MODULES"], "sct-rival.ko")
        subprocess.run(["insmod", path, f"slot={slot}", *words], check=True)

    load.original = addresses.get("__x64_sys_mkdirat" if NATIVE == "x86_64" else "__arm64_sys_mkdirat", 0)
    yield load
    subprocess.run(["rmmod", "sct_rival"], stderr=subprocess.DEVNULL)


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
    kernel.upload("")
    assert mkdir("s:./no/x") == "-1 ENOENT" and points() == []
