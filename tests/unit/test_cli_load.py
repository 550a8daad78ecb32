# SPDX-License-Identifier: GPL-2.0-only
"""Do sct_load and sct_unload do and say what they should, without a kernel?"""

import errno
import subprocess
from pathlib import Path

import pytest

from pysct import abi, image
from pysct.cli import load, unload
from pysct.failures import Failure, NotLoaded


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    """No programs of foreign ABIs are run; those of x32 would not be served."""
    monkeypatch.setattr("pysct.proof.abis_of", lambda: ("x86_64", "i386", "x32"))
    monkeypatch.setattr("pysct.proof._answers", lambda name: name != "x32")


@pytest.fixture
def sysfs(tmp_path, monkeypatch):
    """A /sys/module with nothing in it, and tools that only say what they were asked."""
    directory, asked = tmp_path / "sys", []
    directory.mkdir()
    monkeypatch.setattr("pysct.modules.SYSFS", directory)
    monkeypatch.setattr("pysct.modules.find", lambda: {"sct_hijack": Path("h.ko"), "sct_rules": Path("r.ko")})
    monkeypatch.setattr("pysct.processes.holders", list)

    def tool(*words):
        asked.append(" ".join(words))
        name = {"h.ko": "sct_hijack", "r.ko": "sct_rules"}.get(words[1], words[1])
        (directory / name).mkdir() if words[0] == "insmod" else (directory / name).rmdir()
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr("pysct.modules._tool", tool)
    return asked


def test_load_and_unload(sysfs, fake, capsys):
    fake.generation = 3
    assert load.main([]) == 0 and load.main([]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("sct_load: loaded sct_hijack and sct_rules for ") and "already loaded" in out[-1]
    assert unload.main([]) == 0 and unload.main([]) == 0
    assert image.decode(fake.uploads[0]).rules == []
    assert sysfs == ["insmod h.ko", "insmod r.ko", "rmmod sct_rules", "rmmod sct_hijack"]
    assert "nothing to do" in capsys.readouterr().out


def test_unload_names_who_is_inside(sysfs, fake, capsys):
    load.main([])
    fake.lists[abi.List.CALLERS] = [abi.CallerStruct(123, 123, 0, 0, 0, 12 * 10**9, b"cat")]
    assert unload.main(["--wait", "0"]) == 1
    err = capsys.readouterr().err
    assert "pid 123 (cat) has been in read for 12 s" in err and "--wait" in err


def test_unload_waits(sysfs, fake, capsys):
    load.main([])
    fake.lists[abi.List.CALLERS] = [abi.CallerStruct(123, 123, 0, 0, 0, 0, b"cat")]
    fake.at_list = fake.lists[abi.List.CALLERS].clear
    assert unload.main(["--wait"]) == 0


def test_unload_names_who_holds_a_device(sysfs, fake, capsys, monkeypatch):
    from pysct.processes import Holder

    load.main([])
    monkeypatch.setattr("pysct.processes.holders", lambda: [Holder(77, b"sctlog", "/dev/sctlog")])
    assert unload.main(["--wait", "0"]) == 1
    assert "pid 77 (sctlog) has /dev/sctlog open" in capsys.readouterr().err and not fake.uploads


def test_unload_of_locked_modules(sysfs, fake, capsys):
    load.main([])
    fake.generation, fake.locked = 1, True
    assert unload.main([]) == 4 and "locked" in capsys.readouterr().err


def test_modules_are_named_when_they_cannot_be_found(monkeypatch, tmp_path):
    from pysct import modules

    monkeypatch.setenv("SCT_MODULES", str(tmp_path))
    with pytest.raises(NotLoaded, match="SCT_MODULES"):
        modules.find()
    monkeypatch.delenv("SCT_MODULES")
    monkeypatch.setattr(modules, "running", lambda: "9.9.9-none")
    with pytest.raises(NotLoaded) as caught:
        modules.build()
    assert "linux-headers-9.9.9-none" in caught.value.hint


def test_holders_finds_this_process(monkeypatch, tmp_path):
    """Looks for a file that a child has open, in place of a device."""
    from pysct import processes

    monkeypatch.setattr(processes, "abi", type("Names", (), {"CONTROL": "null", "LOG": "sctlog"}))
    with subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL) as child:
        try:
            assert processes.Holder(child.pid, b"sleep", "/dev/null") in processes.holders()
        finally:
            child.kill()


def test_load_says_how_calls_are_diverted(sysfs, fake, capsys):
    assert load.main([]) == 0
    out = capsys.readouterr().out
    assert "calls of x86_64 are diverted by ftrace" in out and "calls of i386 are diverted by ftrace" in out
    assert "calls of x32: this kernel does not serve them" in out
    tried, fake.tried = fake.tried, []
    assert ("x86_64", "table", abi.Prove.MADE) in tried and ("x32", "table", abi.Prove.REFUSED) in tried
    assert load.main([]) == 0
    assert {step for _, _, step in fake.tried} == {abi.Prove.BEGIN}  # what is known is not tried again
    assert capsys.readouterr().out == "sct_load: sct_hijack and sct_rules are already loaded\n"


def test_a_forced_mechanism_that_does_not_work_is_refused_with_the_reason(sysfs, fake, capsys):
    assert load.main(["--mechanism", "table"]) == 3
    err = capsys.readouterr().err
    assert "table: the table was changed and a call did not arrive" in err and "let it choose" in err
    assert sysfs == ["insmod h.ko mechanism=table", "insmod r.ko", "rmmod sct_rules", "rmmod sct_hijack"]


def test_a_mechanism_is_not_forced_upon_loaded_modules(sysfs, fake, capsys):
    assert load.main(["--mechanism", "ftrace"]) == 0 and load.main(["--mechanism", "kprobe"]) == 1
    assert "sct_unload, then sct_load --mechanism kprobe" in capsys.readouterr().err


def test_only_a_call_that_arrives_is_trusted(sysfs, fake, capsys):
    fake.works = {}
    assert load.main([]) == 3
    err = capsys.readouterr().err
    assert "calls cannot be diverted on this kernel" in err and "kprobe: the entry function was probed" in err


@pytest.mark.parametrize("number, why", [(errno.EIO, "table cannot be tried: it is switched off"), (errno.EBUSY, "diverted already")])
def test_what_cannot_be_tried_is_said_and_nothing_stays_loaded(number, why, sysfs, fake, capsys):
    fake.fail[abi.Ioctl.PROVE] = number
    assert load.main([]) == 1
    assert why in capsys.readouterr().err
    assert sysfs == ["insmod h.ko", "insmod r.ko", "rmmod sct_rules", "rmmod sct_hijack"]


def test_an_abi_of_which_nothing_can_be_told_is_not_taken_for_unserved(sysfs, fake, capsys, monkeypatch):
    def untold(name):
        raise Failure(f"{name} cannot be told", "go elsewhere")

    monkeypatch.setattr("pysct.proof._answers", untold)
    assert load.main([]) == 1 and "cannot be told" in capsys.readouterr().err
    assert {step for _, _, step in fake.tried} == {abi.Prove.BEGIN, abi.Prove.ABANDONED}
    assert set(fake.proofs.values()) == set()


def test_unload_interrupts_who_is_inside_only_if_asked(sysfs, fake, capsys, monkeypatch):
    asked = []

    def interrupt(threads):
        asked.append(threads())
        fake.lists[abi.List.CALLERS].clear()

    monkeypatch.setattr("pysct.interruption.interrupt", interrupt)
    load.main([])
    fake.lists[abi.List.CALLERS] = [abi.CallerStruct(123, 124, 0, 0, 0, 0, b"cat")]
    assert unload.main(["--wait", "0"]) == 1 and asked == []
    assert "sct_unload --interrupt" in capsys.readouterr().err
    assert unload.main(["--wait", "0", "--interrupt"]) == 0 and asked == [[124]]


def test_unload_does_not_interrupt_who_leaves_in_time(sysfs, fake, monkeypatch):
    monkeypatch.setattr("pysct.interruption.interrupt", lambda threads: pytest.fail("nobody was in the way for long"))
    load.main([])
    fake.lists[abi.List.CALLERS] = [abi.CallerStruct(123, 123, 0, 0, 0, 0, b"cat")]
    fake.at_list = fake.lists[abi.List.CALLERS].clear
    assert unload.main(["--interrupt"]) == 0


def test_unload_says_why_somebody_could_not_be_interrupted(sysfs, fake, capsys, monkeypatch):
    monkeypatch.setattr("pysct.interruption.interrupt", lambda threads: None)
    monkeypatch.setattr("pysct.interruption.obstacle", lambda pid, tid: f"it is traced by pid {pid + tid}")
    monkeypatch.setattr("pysct.cli.unload.PATIENCE", 0.1)
    load.main([])
    fake.lists[abi.List.CALLERS] = [abi.CallerStruct(3, 4, 0, 0, 0, 0, b"cat")]
    assert unload.main(["--wait", "0", "--interrupt"]) == 1
    assert "pid 3 thread 4 (cat) has been in read for 0 ms: it is traced by pid 7" in capsys.readouterr().err
