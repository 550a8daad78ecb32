# SPDX-License-Identifier: GPL-2.0-only
"""Are the processes above a caller seen as what they are, whoever of them comes and goes?"""

import ctypes
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


def literal(value: int | str) -> str:
    return quote(value.encode()) if isinstance(value, str) else str(value)


def test_each_field_is_that_of_the_parent(ready, tmp_path):
    """The parent is what /proc says of it, and its child something else."""
    jail = tmp_path / "jail"
    jail.mkdir()
    jail.chmod(0o755)
    names = [field.name.partition(".")[2] for field in FIELDS.values() if field.subject == "PARENT"]

    def parent():
        known = {name.upper(): literal(value) for name, value in (facts() | identity()).items()}
        wanted = {name: f"PARENT.{name} == {known[name]} && ANCESTOR.{name} == {known[name]}" for name in names}
        others = {name: f"&& {name} != {known[name]}" for name in names if name not in KEPT}
        kernel.upload("".join(
            f'rule {{ syscall_name = unlinkat rule_name = {name} continue = yes filter_expression {{ pathname == "./it-is-me" && '
            f"{wanted[name]} {others.get(name, '')} }} action {{ LOG }} when = before }}\n"
            for name in names
        ))  # fmt: skip
        must(LIBC.unshare(FLAGS["pid"]))  # of children: the next one is the first process of its namespace
        pid = child(lambda: (become_another(str(jail)), unlink(b"./it-is-me")))
        assert os.waitpid(pid, 0)[1] == 0

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
        for rules in ("", SEEN, HELD, AROUND, SEEN + HELD + AROUND):
            kernel.upload(rules + BELOW)
            time.sleep(0.3)
            with Control.open() as control:
                not_below, below = control.counters()[0][-2:]
            assert (not_below.matched, not_below.unknown, below.unknown) == (0, 0, 0)
            judged = below.matched
    assert storm.returncode == 0, storm.stdout.read()
    assert judged > 100
