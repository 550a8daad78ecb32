# SPDX-License-Identifier: GPL-2.0-only
"""Can the modules always be unloaded cleanly, and if they cannot, who is named?"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import kernel
import pytest

READ = 'rule { syscall_name = read rule_name = r filter_expression { COMM == "cat" } action { type = LOG } when = after }\n'
STOP = 'rule { syscall_name = unlinkat rule_name = s filter_expression { COMM == "call" } action { type = FAIL error_code = EACCES } when = before }\n'


@pytest.fixture(autouse=True)
def ready(loaded, programs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", programs["PATH"])


def unload(*words, status=0):
    done = kernel.command("sct_unload", *words)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def is_loaded():
    return [name for name in ("sct_hijack", "sct_rules") if Path("/sys/module", name).exists()]


def test_and_load_again():
    for _ in range(3):
        kernel.upload(STOP)
        assert "unloaded sct_rules and sct_hijack" in unload()
        assert is_loaded() == []
        assert subprocess.run(["call", "unlinkat", "-100", "s:./x", "0"], capture_output=True, text=True).stdout == "-1 ENOENT\n"
        assert kernel.command("sct_load").returncode == 0


def test_without_modules_every_tool_says_so():
    unload()
    for words in (["sct_config", "list"], ["sct_config", "status"], ["sctlog"], ["sctlog", "--once"]):
        done = kernel.command(*words)
        assert done.returncode == 3 and "not loaded" in done.stderr and "sct_load" in done.stderr
    assert "nothing to do" in unload()


def test_refused_while_the_log_is_open():
    kernel.upload(STOP)
    log = kernel.start("sctlog")
    try:
        kernel.eventually(lambda: kernel.has_open(log.pid, "/dev/sctlog"))
        said = unload("--wait", "0", status=1)
        comm = Path(f"/proc/{log.pid}/comm").read_text().strip()
        assert f"pid {log.pid} ({comm}) has /dev/sctlog open" in said and "--wait" in said
        # The rules are still there.
        assert subprocess.run(["call", "unlinkat", "-100", "s:./x", "0"], capture_output=True, text=True).stdout == "-1 EACCES\n"
    finally:
        log.send(signal.SIGINT)
        assert log.wait() == 0
    unload()


def test_names_who_sleeps_in_a_call():
    kernel.upload(READ)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cat:
        kernel.wait_inside(cat.pid)
        said = unload(status=1)
        assert f"pid {cat.pid} (cat) has been in read for " in said and "--wait" in said
        assert is_loaded() == ["sct_hijack", "sct_rules"]
        waiting = kernel.start("sct_unload", "--wait", "60")
        time.sleep(1)
        assert waiting.poll() is None
        cat.stdin.write(b"hello\n")
        cat.stdin.close()
        assert cat.stdout.read() == b"hello\n"
        assert waiting.wait() == 0
    assert is_loaded() == []


def test_who_sleeps_is_let_go_by_a_signal():
    kernel.upload(READ)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as cat:
        kernel.wait_inside(cat.pid)
        cat.kill()
        assert cat.wait(20) == -signal.SIGKILL
        unload()


def test_rmmod_of_a_busy_module_is_refused_not_dangerous():
    kernel.upload(READ)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cat:
        kernel.wait_inside(cat.pid)
        done = subprocess.run(["rmmod", "sct_rules"], capture_output=True, text=True)
        assert done.returncode != 0 and "in use" in done.stderr
        cat.stdin.write(b"x")
        cat.stdin.close()
        assert cat.stdout.read() == b"x"


def test_plain_rmmod_under_load():
    """Without sct_unload: the modules themselves must leave nothing behind."""
    for _ in range(3):
        kernel.upload(STOP)
        load = subprocess.Popen(["call", "-t", "4", "-n", "0", "unlinkat", "-100", "fresh:./x", "0"], stdout=subprocess.PIPE, text=True)
        time.sleep(1)
        kernel.eventually(lambda: subprocess.run(["rmmod", "sct_rules"], capture_output=True).returncode == 0)
        subprocess.run(["rmmod", "sct_hijack"], check=True)
        assert load.poll() is None
        load.kill()
        load.wait()
        kernel.command("sct_load")


def test_under_load():
    kernel.upload(STOP)
    load = subprocess.Popen(["call", "-t", "4", "-n", "0", "unlinkat", "-100", "s:./x", "0"], stdout=subprocess.PIPE)
    time.sleep(1)
    unload()
    load.kill()
    load.wait()


CYCLES = int(os.environ.get("SCT_CYCLES", "4"))
STORM = ["call", "-t", "4", "-n", "0", "unlinkat", "-100", "s:./x", "0"]
JUDGED = """
rule { syscall_name = unlinkat rule_name = s filter_expression { COMM == "call" } action { type = FAIL error_code = EACCES } when = before }
rule { syscall_name = read, nanosleep, clock_nanosleep, futex, wait4, vfork, clone, ptrace rule_name = w
       filter_expression { COMM == "nobody_has_it" } action { type = FAIL } when = before }
"""
SLEEPERS = {
    "read": ("import os; os.write(1, os.read(0, 100)); os.read(0, 1)", "hello\n"),
    "futex": ("import sys, threading; e = threading.Event(); t = threading.Thread(target=lambda: (e.wait(), print('woken')));"
              " t.start(); sys.stdin.readline(); e.set(); t.join()", "woken\n"),
    "wait4": ("import subprocess; print(subprocess.run(['cat']).returncode)", "hello\n0\n"),
    "nanosleep": ("import sys, time; [time.sleep(0.01) for _ in range(300)]; print(sys.stdin.readline(), end='')", "hello\n"),
    "ptrace": ("import subprocess; print(subprocess.run(['strace', '-f', '-o', '/dev/null', 'cat']).returncode)", "hello\n0\n"),
}  # fmt: skip
"""Who sits in a call while the modules come and go, and what it has said in the end, having been told hello."""


@pytest.mark.timeout(120 + 20 * CYCLES)
def test_again_and_again_under_load():
    """Modules come and go under a storm of calls, with others asleep in theirs: no call gets a wrong answer."""
    unload()
    python = [sys.executable, "-c"]
    sleepers = {
        name: subprocess.Popen([*python, code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name, (code, _) in SLEEPERS.items()
    }
    storm = subprocess.Popen(STORM, stdout=subprocess.PIPE, text=True)
    for _ in range(CYCLES):
        assert kernel.command("sct_load").returncode == 0
        kernel.upload(JUDGED)
        time.sleep(0.2)
        unload()
    storm.terminate()
    answers = {line.split(" x ")[1] for line in storm.communicate(timeout=60)[0].splitlines()}
    assert answers == {"-1 EACCES", "-1 ENOENT"}
    for name, sleeper in sleepers.items():
        said = sleeper.communicate("hello\n", timeout=60)[0]
        assert (name, said, sleeper.returncode) == (name, SLEEPERS[name][1], 0)
