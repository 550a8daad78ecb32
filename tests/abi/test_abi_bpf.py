# SPDX-License-Identifier: GPL-2.0-only
"""Do rules hold, and does BPF see all calls, where both are on the same function?"""

import errno
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import bpf
import pytest
import raw
from parts import AFTER, BEFORE
from test_abi_threads import Waiting, callers, delete_module, wait_for
from test_abi_unloading import tool

FUNCTION = {"x86_64": "__x64_sys_chdir", "aarch64": "__arm64_sys_chdir"}[platform.machine()]
HELD = b"/held/beside/bpf"
ATTACHED = Path("/sys/kernel/tracing/enabled_functions")

pytestmark = [
    pytest.mark.skipif(not bpf.TYPES.exists(), reason="this kernel has no type information: nothing of BPF can be attached"),
    pytest.mark.skipif(not bpf.gives_way(), reason="on this kernel BPF's trampolines share a function with nobody (6.0)"),
]


@pytest.fixture(scope="module", autouse=True)
def by_ftrace():
    """The modules, loaded so that rules sit on the same function; another mechanism may be the first choice."""
    # Init may have waited in one of the calls since the rules of an earlier test.
    assert tool("sct_unload", "--interrupt").returncode == 0
    done = tool("sct_load", "--mechanism", "ftrace")
    if done.returncode == 3 and platform.machine() == "aarch64":
        pytest.skip(f"ftrace brings no calls here, and rules and BPF meet on no function: {done.stderr}")
    assert done.returncode == 0, done.stderr
    yield
    assert tool("sct_unload").returncode == 0


def chdir_late(path: bytes) -> int:
    """The same call, its argument in a page that comes later: it has to wait for it."""
    return Waiting().end(path)


class Way(NamedTuple):
    """How a rule judges calls: it makes one, and what the rule's match makes of it."""

    call: Callable[[bytes], int]
    phase: int
    actions: int
    answer: int


WAYS = {
    "at a glance": Way(raw.chdir, BEFORE, raw.FAIL, errno.EROFS),
    "diverted": Way(chdir_late, BEFORE, raw.FAIL, errno.EROFS),
    "after": Way(raw.chdir, AFTER, raw.LOG, errno.ENOENT),
}


class Both:
    """A rule and a BPF program, which come and go; in between calls are made as they have to be."""

    def __init__(self, control: int, way: Way, kind: str):
        self.control, self.way, self.kind = control, way, kind
        self.rule, self.watcher = False, None

    def come(self, who: str) -> None:
        """BPF or the rule comes."""
        if who == "bpf":
            self.watcher = bpf.Watcher(self.kind, FUNCTION)
        else:
            image = raw.refusing(HELD, self.way.answer, actions=self.way.actions, phase=self.way.phase).bytes()
            assert raw.upload(self.control, image)[0] == 0
            self.rule = True

    def leave(self, who: str) -> None:
        """BPF or the rule leaves."""
        if who == "bpf":
            self.watcher.close()
            self.watcher = None
        else:
            assert raw.upload(self.control, raw.NOTHING)[0] == 0
            self.rule = False

    def check(self, directory: Path) -> None:
        """Calls that the rule means and others; each is judged and seen, once."""
        self.call(HELD, self.way.answer if self.rule else errno.ENOENT)
        self.call(b"/nowhere", errno.ENOENT)
        directory.mkdir()
        self.call(os.fsencode(directory), 0)
        assert Path.cwd() == directory
        os.chdir("/")
        directory.rmdir()

    def call(self, path: bytes, answer: int) -> None:
        """Makes a call, and looks whether it answered that, was judged, and was seen with that answer."""
        matched, seen = self.matched(), self.watcher and self.watcher.seen()[0]
        assert self.way.call(path) == answer
        assert self.matched() - matched == (self.rule and path == HELD)
        if self.watcher:
            count, result = self.watcher.seen()
            assert count - seen == 1
            assert self.kind == "fentry" or result == -answer

    def matched(self) -> int:
        """How many calls the rule matched."""
        return sum(row.matched for row in raw.counters(self.control))


def is_attached() -> bool:
    return any(line.split()[0] == FUNCTION for line in ATTACHED.read_text().splitlines())


@pytest.mark.parametrize("leaves", ["bpf", "rule"])
@pytest.mark.parametrize("first", ["bpf", "rule"])
@pytest.mark.parametrize("kind", bpf.KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_both(control, tracing, tmp_path, way, kind, first, leaves):
    """Whoever comes first, and whoever leaves first; the one that stays goes on, and in the end nothing is left."""
    both = Both(control, WAYS[way], kind)
    others = {"bpf": "rule", "rule": "bpf"}
    for happens, who in ((both.come, first), (both.come, others[first]), (both.leave, leaves), (both.leave, others[leaves])):
        happens(who)
        both.check(tmp_path / "directory")
        assert is_attached() == bool(both.rule or both.watcher)
    assert callers(control) == []


@pytest.mark.parametrize("kind", bpf.KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_rules_come_and_go_under_bpf(control, tmp_path, way, kind):
    """BPF's trampoline gives way each time, also when rules for other functions are in force already."""
    other = raw.refusing(b"/other", errno.EPERM)
    other.progs[0].nr = raw.NUMBERS["chroot"]
    assert raw.upload(control, other.bytes())[0] == 0
    both = Both(control, WAYS[way], kind)
    both.come("bpf")
    for _ in range(3):
        both.come("rule")
        both.check(tmp_path / "directory")
        both.leave("rule")
        both.check(tmp_path / "directory")
    both.leave("bpf")


@pytest.mark.parametrize("kind", bpf.KINDS)
def test_bpf_comes_and_goes_under_rules(control, tmp_path, kind):
    both = Both(control, WAYS["diverted"], kind)
    both.come("rule")
    for _ in range(3):
        both.come("bpf")
        both.check(tmp_path / "directory")
        both.leave("bpf")
        both.check(tmp_path / "directory")


@pytest.mark.parametrize("kind", bpf.KINDS)
@pytest.mark.parametrize("way", ["diverted", "after"])
def test_they_come_and_go_while_a_call_is_inside(control, way, kind):
    """A call that waits inside under one of them comes out right when the other has come, or both have gone."""
    both = Both(control, WAYS[way], kind)
    for first, second in (("bpf", "rule"), ("rule", "bpf")):
        both.come(first)
        both.come(second)
        waiting = Waiting()
        assert [caller.tid for caller in callers(control)] == waiting.tid
        both.leave(first)
        both.leave(second)
        assert waiting.end(HELD) == errno.ENOENT
        both.come(first)
        waiting = Waiting()
        both.come(second)
        assert waiting.end(HELD) == (both.way.answer if first == "rule" else errno.ENOENT)
        both.leave(first)
        both.leave(second)
    assert callers(control) == []


@pytest.mark.parametrize("kind", bpf.KINDS)
def test_the_modules_leave_and_bpf_stays(loaded, tmp_path, kind):
    """Nothing of ours is left under a BPF program that stays."""
    control = os.open("/dev/sct", os.O_RDWR)
    both = Both(control, WAYS["after"], kind)
    both.come("rule")
    both.come("bpf")
    both.check(tmp_path / "directory")
    os.close(control)
    wait_for(lambda: delete_module(b"sct_rules") == 0, "the module does not leave")
    assert delete_module(b"sct_hijack") == 0
    seen, _ = both.watcher.seen()
    os.chdir("/")
    assert raw.chdir(HELD) == errno.ENOENT
    assert both.watcher.seen()[0] == seen + 2
    both.watcher.close()
