# SPDX-License-Identifier: GPL-2.0-only
"""Does every mechanism bring every call?"""

import errno
import os
import subprocess
from pathlib import Path

import company
import kernel
import pytest
from mechanism import EVERY, MECHANISMS, NATIVE, SEEN, STOP, abi_name, answer, best, known, mkdir, points, reload

from pysct import abi
from pysct.tables import CALLS

pytestmark = pytest.mark.usefixtures("ready")


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
    storm = company.Storm(4, "mkdirat", "-100", "s:./no/x", "0700")
    for _ in range(3):
        for rules in (STOP, SEEN, ""):
            kernel.upload(rules)
    assert set(storm.end()) == {"-1 EXDEV", "-1 ENOENT"}


@pytest.mark.parametrize("forced", MECHANISMS, indirect=True)
def test_an_entry_function_that_ftrace_does_not_begin_with(forced):
    """perf_event_open's on 5.10: diverted as any other, or refused, never watched in vain."""
    rule = 'rule {{ syscall_name = perf_event_open rule_name = p filter_expression {{ CWD {} "/nowhere" }} action {{ type = FAIL error_code = EXDEV }} }}'
    done = kernel.command("sct_config", "upload", "/dev/stdin", input=rule.format("=="))
    if done.returncode:
        assert forced == "ftrace" and f"{NATIVE} perf_event_open" in done.stderr and points() == []
        pytest.skip("ftrace has no place there, and says so")
    assert answer("perf_event_open", 0, 0, -1, -1, 0) == -errno.EFAULT  # judged in task context, and passed on
    kernel.upload(rule.format("!="))
    assert answer("perf_event_open", 0, 0, -1, -1, 0) == -errno.EXDEV
    kernel.upload("")
    assert answer("perf_event_open", 0, 0, -1, -1, 0) == -errno.EFAULT


def test_all_calls_at_once():
    """Each comes by the first mechanism that works for its ABI, also the one that was tried with the others."""
    kernel.upload(EVERY)
    found = points()
    for name in {abi_name(point) for point in found}:
        mine = [point for point in found if abi_name(point) == name]
        assert {abi.MECHANISMS[point.mechanism].name for point in mine} == {best(name)}
        assert {point.state for point in mine} == {abi.Point.HOLDS}
    there = {point.nr for point in found if abi_name(point) == NATIVE}
    absent = {name for name, (nr, *_) in CALLS[NATIVE].items() if nr not in there}
    assert {name for name in absent if answer(name) != -errno.ENOSYS} == set()
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


