# SPDX-License-Identifier: GPL-2.0-only
"""Can the modules always be unloaded cleanly, and if they cannot, who is named?"""

import signal
import subprocess
import time
from pathlib import Path

import company
import kernel
import pytest
from patience import PATIENCE

from pysct import calls
from pysct.cli import unload as cli
from pysct.control import Caller, Control

READ = 'rule { syscall_name = read rule_name = r filter_expression { COMM == "cat" } action { type = LOG } when = after }\n'
STOP = 'rule { syscall_name = unlinkat rule_name = s filter_expression { COMM == "call" } action { type = FAIL error_code = EACCES } when = before }\n'

pytestmark = pytest.mark.usefixtures("ready")


def unload(*words, status=0):
    done = kernel.command("sct_unload", *words)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def callers() -> list[Caller]:
    with Control.open() as control:
        return control.callers()


def is_forking(caller: Caller, pid: int) -> bool:
    """Whether a process or a child of it is inside a call that makes another."""
    try:
        parent = int(Path(f"/proc/{caller.pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return False
    return pid in (caller.pid, parent) and calls.call_name(caller.abi, caller.nr) in ("clone", "vfork")


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
        assert cat.wait(20 * PATIENCE) == -signal.SIGKILL
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
        storm = company.Storm(4, "unlinkat", "-100", "fresh:./x", "0")
        kernel.eventually(lambda: subprocess.run(["rmmod", "sct_rules"], capture_output=True).returncode == 0)
        subprocess.run(["rmmod", "sct_hijack"], check=True)
        assert set(storm.end()) == {"-1 EACCES", "-1 ENOENT"}
        assert kernel.command("sct_load").returncode == 0


def test_under_load():
    kernel.upload(STOP)
    storm = company.Storm(4, "unlinkat", "-100", "s:./x", "0")
    unload()
    assert set(storm.end()) == {"-1 EACCES", "-1 ENOENT"}


RESTARTED = ("read", "nanosleep", "futex", "wait4", "poll", "msgrcv")
FAILING = ("epoll", "semop", "sigtimedwait")
AROUND = """
rule { syscall_name = read, nanosleep, futex, wait4, vfork, clone, poll, ppoll, msgrcv, epoll_wait, epoll_pwait, semop, semtimedop,
       rt_sigtimedwait rule_name = r filter_expression { COMM == "sleepers" } action { type = LOG } when = after }
"""


def test_interrupts_who_sleeps_if_asked(capsys):
    """Calls are made anew, or fail with EINTR where the kernel cannot do that; docs/leaving.md has the list."""
    kernel.upload(AROUND)
    with company.sleeping(*RESTARTED, *FAILING) as sleepers:
        for sleeper in sleepers:
            kernel.wait_inside(sleeper.pid, another_thread=True)
        assert cli.main(["--wait", "0"]) == 1
        said = capsys.readouterr().err
        # The one in nanosleep may be awake just now.
        waiting = [sleeper.pid for sleeper in sleepers if sleeper.way != "nanosleep"]
        assert all(f"pid {pid} thread" in said for pid in waiting) and "sct_unload --interrupt" in said
        assert cli.main(["--wait", "0", "--interrupt"]) == 0
        assert is_loaded() == []
        interrupted = company.wake(sleepers)
    assert {way for way, count in interrupted.items() if count} == set(FAILING)


def test_says_whom_it_cannot_interrupt(capsys):
    kernel.upload(AROUND)
    with company.sleeping("vfork", "ptrace") as sleepers:
        for sleeper in sleepers:
            kernel.eventually(lambda pid=sleeper.pid: any(is_forking(caller, pid) for caller in callers()))
        assert cli.main(["--wait", "0", "--interrupt"]) == 1
        said = capsys.readouterr().err
        assert "maybe its child, pid " in said and "it is traced by pid " in said
        # Nothing happens to calls while the modules stay, and they can be used again.
        assert "already loaded" in kernel.command("sct_load").stdout
        kernel.upload(STOP)
        assert subprocess.run(["call", "unlinkat", "-100", "s:./x", "0"], capture_output=True, text=True).stdout == "-1 EACCES\n"
        company.wake(sleepers)
        assert cli.main([]) == 0


def test_interrupts_the_shell_that_waits_for_it():
    kernel.upload(AROUND.replace("sleepers", "nobody"))
    done = subprocess.run(["sh", "-c", "sct_unload --wait 0 --interrupt; echo $?"], capture_output=True, text=True)
    assert done.stdout == "sct_unload: unloaded sct_rules and sct_hijack\n0\n", done.stderr
