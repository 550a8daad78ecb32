# SPDX-License-Identifier: GPL-2.0-only
"""Are the processes above a caller seen as what they are, whoever of them comes and goes?"""

import ctypes
import json
import os
import subprocess
import threading
import time
import traceback
from collections.abc import Callable

import kernel
import pytest
from patience import PATIENCE
from proc import FLAGS, facts, identity

from pysct import events, jsonlines
from pysct.abi import FIELDS
from pysct.control import Control
from pysct.points import abis_of
from pysct.tables import CALLS
from pysct.values import quote

LIBC = ctypes.CDLL(None, use_errno=True)
EXIT = CALLS[abis_of()[0]]["exit"][0]
PR_SET_NAME, CAP_CHOWN = 15, 0
KEPT = {"EXE", "CGROUP"}  # what a child has of its parent, whatever it does here


def matched() -> list[int]:
    """How often each rule in force was true."""
    with Control.open() as control:
        return [row.matched for row in control.counters()[0]]


def child(live: Callable[[], None]) -> int:
    """Forks a process that lives so, and ends with 0 if nothing is raised."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        live()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def must(result: int) -> None:
    """What a call of the C library answered is no error."""
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def unlink(name: bytes) -> None:
    LIBC.unlinkat(-100, name, 0)


def become_another(jail: str) -> None:
    """Be something else than the parent in all that rules know of both."""
    with open("/proc/self/loginuid", "w") as login:
        login.write("1001")
    os.setsid()
    os.chdir(jail)
    os.setresgid(1001, 1002, 1003)
    os.setresuid(2001, 2002, 2003)
    must(LIBC.unshare(sum(FLAGS[name] for name in ("mnt", "net", "uts", "ipc", "cgroup", "user"))))
    os.chroot(".")
    few = (ctypes.c_uint32 * 6)(1 << CAP_CHOWN, 1 << CAP_CHOWN)
    must(LIBC.capset((ctypes.c_uint32 * 2)(0x20080522, 0), few))
    must(LIBC.prctl(PR_SET_NAME, b"another"))


def told(event: events.Event) -> dict[str, int | str | None]:
    """The fields of an event as a line of JSON has them."""
    return jsonlines.event_object(event)["fields"]


def literal(value: int | str) -> str:
    return quote(value.encode()) if isinstance(value, str) else str(value)


def test_each_field_is_that_of_the_parent(ready, tmp_path):
    """The parent is what /proc says of it, and its child something else; so says the log."""
    jail = tmp_path / "jail"
    jail.mkdir()
    jail.chmod(0o755)
    names = [field.name.partition(".")[2] for field in FIELDS.values() if field.subject == "PARENT"]

    def parent():
        facts_of_it = facts() | identity()
        known = {name.upper(): literal(value) for name, value in facts_of_it.items()}
        wanted = {name: f"PARENT.{name} == {known[name]} && ANCESTOR.{name} == {known[name]}" for name in names}
        others = {name: f"&& {name} != {known[name]}" for name in names if name not in KEPT}
        kernel.upload("".join(
            f'rule {{ syscall_name = unlinkat rule_name = {name} continue = yes filter_expression {{ pathname == "./it-is-me" && '
            f"{wanted[name]} {others.get(name, '')} }} action {{ LOG log_format {{ %parent.{name.lower()} }} }} when = before }}\n"
            for name in names
        ))  # fmt: skip
        with kernel.Log() as log:
            must(LIBC.unshare(FLAGS["pid"]))  # of children: the next one is the first process of its namespace
            pid = child(lambda: (become_another(str(jail)), unlink(b"./it-is-me")))
            assert os.waitpid(pid, 0)[1] == 0
            shown = [told(said) for said in log.said(len(names), 3)]
        assert shown == [{f"parent.{name.lower()}": facts_of_it[name.lower()]} for name in names]

    assert os.waitpid(child(parent), 0)[1] == 0
    assert dict(zip(names, matched(), strict=True)) == dict.fromkeys(names, 1)


def state_of_first_thread() -> str:
    with open(f"/proc/self/task/{os.getpid()}/stat") as words:
        return words.read().rpartition(") ")[2][0]


def test_a_parent_with_threads_is_its_first_one_as_long_as_that_lives(ready):
    kernel.upload("""
rule { syscall_name = unlinkat rule_name = first when = before action { LOG } filter_expression { pathname == "./first" && PARENT.PID == PPID
       && PARENT.COMM == "first" && PARENT.EXE == EXE && PARENT.PPID == ANCESTOR.PID && ANCESTOR.COMM != "thread" } }
rule { syscall_name = unlinkat rule_name = thread when = before action { LOG } filter_expression { pathname == "./thread" && PARENT.PID == PPID
       && PARENT.COMM == "thread" && PARENT.EXE == EXE && PARENT.PPID == ANCESTOR.PID && ANCESTOR.COMM != "first" } }
""")
    def thread():
        code = 1
        try:
            LIBC.prctl(PR_SET_NAME, b"thread")
            ended = [os.waitpid(child(lambda: (LIBC.prctl(PR_SET_NAME, b"child"), unlink(b"./first"))), 0)[1]]
            may_end.set()
            while state_of_first_thread() != "Z":
                time.sleep(0.01)
            ended.append(os.waitpid(child(lambda: (LIBC.prctl(PR_SET_NAME, b"child"), unlink(b"./thread"))), 0)[1])
            code = int(any(ended))
        finally:
            os._exit(code)

    def parent():
        LIBC.prctl(PR_SET_NAME, b"first")
        threading.Thread(target=thread).start()
        may_end.wait()
        LIBC.syscall(EXIT, 0)

    may_end = threading.Event()
    assert os.waitpid(child(parent), 0)[1] == 0
    assert matched() == [1, 1]


SHOWN = """
rule { syscall_name = unlinkat rule_name = at_once when = before action { LOG log_format { %parent.pid %parent.comm } }
       filter_expression { pathname == "./orphan" } }
rule { syscall_name = mkdirat rule_name = in_task when = before action { LOG, FAIL log_format { %parent.pid %parent.exe } }
       filter_expression { pathname == "./orphan" } }
rule { syscall_name = getppid rule_name = behind when = after action { LOG log_format { %parent.pid %parent.comm } }
       filter_expression { COMM == "orphan" } }
"""


CHANGING = """
rule { syscall_name = unlinkat rule_name = number continue = yes when = before action { LOG log_format { %parent.euid } }
       filter_expression { pathname == "./changing" && PARENT.EUID == 1001 } }
rule { syscall_name = unlinkat rule_name = text continue = yes when = before action { LOG log_format { %parent.comm } }
       filter_expression { pathname == "./changing" && PARENT.COMM == "one" } }
"""


def test_what_is_compared_is_what_is_shown(ready):
    """Of a parent that becomes another all the time."""
    kernel.upload(CHANGING)

    def parent():
        pid = child(lambda: os.execvp("call", ["call", "-n", "3000", "unlinkat", "-100", "s:./changing", "0"]))
        while not os.waitpid(pid, os.WNOHANG)[0]:
            for name, user in ((b"one", 1001), (b"another", 0)) * 50:
                LIBC.prctl(PR_SET_NAME, name)
                LIBC.setresuid(-1, user, -1)

    with kernel.Log() as log:
        assert os.waitpid(child(parent), 0)[1] == 0
        said = [event for event in log.said(1, 3) if isinstance(event, events.Event)]
    assert {(event.name, *told(event).items()) for event in said} == {
        (b"number", ("parent.euid", 1001)), (b"text", ("parent.comm", "one")),
    }  # fmt: skip
    assert len(said) > 100


def test_who_lost_its_parent_has_another(ready):
    """The log shows the first process, or the subreaper, that took it over."""
    kernel.upload(SHOWN)

    def orphan(left: int):
        while (now := os.getppid()) == left:
            time.sleep(0.01)
        with open(f"/proc/{now}/comm") as comm:
            found = {"parent.pid": now, "parent.comm": comm.read().rstrip("\n"), "parent.exe": os.readlink(f"/proc/{now}/exe")}
        LIBC.prctl(PR_SET_NAME, b"orphan")
        unlink(b"./orphan")
        LIBC.mkdirat(-100, b"./orphan", 0o700)
        LIBC.getppid()
        os.write(writing, json.dumps(found).encode())

    def parent():
        left = os.getpid()
        child(lambda: orphan(left))

    reading, writing = os.pipe()
    with kernel.Log() as log:
        pid = child(parent)
        assert os.waitpid(pid, 0)[1] == 0
        found = json.loads(os.read(reading, 1 << 16))
        at_once, in_task, behind = log.said(3, 3)
    os.close(reading)
    os.close(writing)
    assert found["parent.pid"] == at_once.ppid != pid
    for event, name in ((at_once, "comm"), (in_task, "exe"), (behind, "comm")):
        assert told(event) == {known: found[known] for known in ("parent.pid", f"parent.{name}")}


def test_the_first_process_has_no_parent(ready):
    """It is told of children that it never had, and asks for more."""
    kernel.upload("""
rule { syscall_name = "wait*" rule_name = at_once when = before continue = yes filter_expression { PID == 1 } action { LOG log_format { %pid %parent.pid %parent.comm %parent.uid } } }
rule { syscall_name = "wait*" rule_name = behind when = after continue = yes filter_expression { PID == 1 } action { LOG log_format { %pid %parent.exe %parent.mntns %parent.comm } } }
""")
    with kernel.Log() as log:
        for _ in range(3):
            assert os.waitpid(child(lambda: child(lambda: time.sleep(0.2))), 0)[1] == 0
        kernel.eventually(lambda: {said.name for said in log.said()} == {b"at_once", b"behind"})
        lines = set(log.lines())
    assert lines == {"1 ? ? ?"}
    # It waits for the next child now, and would keep the modules until that comes.
    kernel.upload("")
    assert os.waitpid(child(lambda: child(lambda: None)), 0)[1] == 0
    with Control.open() as control:
        kernel.eventually(lambda: 1 not in {caller.pid for caller in control.callers()})


# A call that is not refused ends the storm: it comes from below `families`, whoever else is above it.
BELOW = """
rule { syscall_name = unlinkat rule_name = not_below continue = yes when = before action { LOG }
       filter_expression { pathname == "./family" && ANCESTOR.COMM != "families" } }
rule { syscall_name = unlinkat rule_name = below when = before action { FAIL error_code = EACCES }
       filter_expression { pathname == "./family" && ANCESTOR.COMM == "families" } }
"""
SEEN = """
rule { syscall_name = unlinkat rule_name = seen continue = yes when = before action { LOG }
       filter_expression { pathname == "./family" && PARENT.COMM == "nobody" && ANCESTOR.PPID + ANCESTOR.SESSION_LEADER + ANCESTOR.CONTAINER
                           + ANCESTOR.CAPS + ANCESTOR.LOGINUID + PARENT.USERNS == 1 } }
"""
HELD = """
rule { syscall_name = unlinkat rule_name = held continue = yes when = before action { LOG }
       filter_expression { pathname == "./family" && (ANCESTOR.EXE == "/nobody" || ANCESTOR.CWD == "/nobody" || ANCESTOR.ROOT == "/nobody"
                           || ANCESTOR.CGROUP == "/nobody" || ANCESTOR.MNTNS + PARENT.NETNS == 1) } }
"""
TOLD = """
rule { syscall_name = unlinkat rule_name = told continue = yes when = before action { LOG log_format { %parent.pid %parent.comm %parent.caps %parent.session_leader %parent.userns } }
       filter_expression { pathname == "./family" } }
"""
TOLD_IN_TASK = """
rule { syscall_name = unlinkat, wait4 rule_name = told_in_task continue = yes when = both
       action { LOG log_format { %parent.exe %parent.cwd %parent.root %parent.cgroup %parent.comm %parent.ppid %parent.mntns %parent.cgroupns } }
       filter_expression { COMM == "member" } }
"""
AROUND = """
rule { syscall_name = getppid, wait4 rule_name = around when = after action { LOG }
       filter_expression { COMM == "member" && (PARENT.EXE == "/nobody" || ANCESTOR.UTSNS == 1) } }
"""


@pytest.mark.timeout(300 * PATIENCE)
def test_families_come_and_go(ready):
    """While their members are judged in all ways, by rules that change."""
    kernel.upload(BELOW)
    storm = subprocess.Popen(["families", str(8 * PATIENCE)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    judged = 0
    while storm.poll() is None:
        for rules in ("", SEEN, HELD, AROUND, TOLD, TOLD_IN_TASK, SEEN + HELD + AROUND + TOLD + TOLD_IN_TASK):
            kernel.upload(rules + BELOW)
            time.sleep(0.3)
            with Control.open() as control:
                not_below, below = control.counters()[0][-2:]
            assert (not_below.matched, not_below.unknown, below.unknown) == (0, 0, 0)
            judged = below.matched
    assert storm.returncode == 0, storm.stdout.read()
    assert judged > 100
