# SPDX-License-Identifier: GPL-2.0-only
"""Are vm/run's words understood, and is its verdict right?"""

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from sctvm import accel, cli, machine
from sctvm.settings import Settings
from sctvm.console import Console
from sctvm.kernels import Kernel
from sctvm.places import TREE, cache
from sctvm.session import FAREWELL, Limits
from sctvm.verdict import judge


def test_the_command_keeps_its_own_options():
    assert cli.parse(["--icount", "--", "pytest", "--timeout", "3", "-x"]).command == ["pytest", "--timeout", "3", "-x"]
    assert cli.parse(["pytest", "--timeout", "3", "--", "-x"]).command == ["pytest", "--timeout", "3", "--", "-x"]
    assert cli.parse(["--timeout", "5", "--", "pytest", "--timeout", "3"]).timeout == 5


def test_no_command_is_wrong_usage():
    done = subprocess.run([TREE / "vm" / "run", "--icount"], capture_output=True, text=True)
    assert done.returncode == 2 and "COMMAND is missing" in done.stderr


def test_a_kernel_has_a_command_line_memory_and_patience_of_its_own():
    """What is asked for by hand is added, or taken instead."""
    slow = Kernel("amd64-x", "x", "amd64", ("suite",), "i", "h", append=("a=1",), memory=4096, patience=6)
    args = cli.parse(["--append", "b=2 c", "--timeout", "10", "--boot-timeout", "5", "true"])
    settings, limits = cli.demands(slow, args)
    assert (settings.append, settings.memory) == (("a=1", "b=2", "c"), 4096)
    assert (limits.command, limits.boot) == (60, 30)
    assert cli.demands(slow, cli.parse(["--memory", "512", "true"]))[0].memory == 512


def test_kernel_words():
    words = Settings(append=("pti=on", "quiet"), icount=True, gdb=True).kernel_words(("x=y",))
    assert {"panic_on_warn=1", "init_on_alloc=0", "nokaslr", "x=y"} < set(words)
    assert words[-2:] == ["pti=on", "quiet"]
    assert "init_on_alloc=0" not in Settings().kernel_words(())


def test_one_thread_emulates_all_processors(monkeypatch):
    """See settings.ONE_THREAD: with more, a guest that patches its own code can hang."""
    for works in (False, True):
        monkeypatch.setattr(accel, "kvm_works", lambda: works)
        monkeypatch.setattr(accel, "is_foreign", lambda arch: arch != "amd64")
        assert accel.is_emulated("amd64", icount=False) is not works
        assert accel.is_emulated("amd64", icount=True) and accel.is_emulated("arm64", icount=False)
    assert "tcg,thread=single" in Settings().qemu_words(emulated=True)
    assert "tcg,thread=single" not in Settings().qemu_words(emulated=False)


def test_host_root_is_shared_read_only():
    assert any(word.startswith("local,") and ",readonly=on" in word for word in machine.share("root", Path("/")))


def test_cache_place(monkeypatch):
    monkeypatch.delenv("SCT_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert str(cache()) == "/x/sct"
    monkeypatch.setenv("SCT_CACHE", "/y")
    assert str(cache()) == "/y"


def ended(status=None, booted=True, timed_out=False, console=""):
    said = Console()
    said.feed(console.encode())
    limits = Limits(boot=30, command=60)
    return SimpleNamespace(status=status, booted=booted, timed_out=timed_out, console=said, limits=limits)


BYE = f"[    9.000000] {FAREWELL}\n"


@pytest.mark.parametrize(
    ("run", "status", "message"),
    [
        (ended(status=0, console=BYE), 0, ""),
        (ended(status=42, console=BYE), 42, ""),
        (ended(status=0, console="[    1.0] WARNING: CPU: 0 PID: 1 at x\n" + BYE), 125, "reported a fault"),
        (ended(status=3, console="[    1.0] BUG: x\n" + BYE), 125, "The command had ended with status 3."),
        (ended(timed_out=True, console="[    1.0] BUG: x\n"), 125, "reported a fault"),
        (ended(timed_out=True, booted=False), 124, "did not come up within 30 s"),
        (ended(timed_out=True), 124, "did not end within 60 s"),
        (ended(booted=False, console="qemu: no such thing\n"), 125, "qemu: no such thing"),
        (ended(status=0), 125, "fell silent"),
    ],
)
def test_verdict(run, status, message):
    got, said = judge(run)
    assert got == status
    assert message in said if message else said == ""


@pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="no QEMU here")
def test_the_proof_of_kvm_tells_guests_that_run_from_those_that_do_not():
    assert accel.runs_a_guest("tcg", "max")
    assert not accel.runs_a_guest("tcg", "no-such-processor")
