# SPDX-License-Identifier: GPL-2.0-only
"""Are threads that wait, stop and die inside a diverted call accounted for, and the modules kept meanwhile?"""

import ctypes
import errno
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
import raw
from faults import LatePage
from patience import PATIENCE

from pysct import abi

LIMIT = 60 * PATIENCE


def callers(control: int) -> list[abi.CallerStruct]:
    """Threads inside calls of ours that were diverted; others may still sleep in what rules for every call diverted."""
    room = (abi.CallerStruct * 4096)()
    request = abi.ListStruct(what=abi.List.CALLERS, count=4096, buffer=ctypes.addressof(room))
    assert raw.ask(control, abi.Ioctl.LIST, request) == 0
    assert request.total == request.count
    return [caller for caller in room[: request.count] if (caller.abi, caller.nr) == (raw.OWN, raw.CHDIR)]


def delete_module(name: bytes) -> int:
    return raw.errno_of(raw.LIBC.syscall, raw.NUMBERS["delete_module"], name, os.O_NONBLOCK)


def wait_for(what, message: str):
    deadline = time.monotonic() + LIMIT
    while not (found := what()):
        assert time.monotonic() < deadline, message
        time.sleep(0.02)
    return found


def test_an_open_device_keeps_the_module(held):
    log = os.open("/dev/sctlog", os.O_RDONLY)
    os.close(held.descriptor)
    assert delete_module(b"sct_rules") in (errno.EAGAIN, errno.EBUSY)
    held.descriptor = os.open("/dev/sct", os.O_RDWR)
    os.close(log)
    assert delete_module(b"sct_rules") in (errno.EAGAIN, errno.EBUSY)
    assert delete_module(b"sct_hijack") in (errno.EAGAIN, errno.EBUSY)
    held.check()


class Waiting:
    """A thread that waits for a page while its argument is copied."""

    def __init__(self):
        self.page, self.result, self.tid = LatePage(), [], []
        self.thread = threading.Thread(target=self._call)
        self.thread.start()
        self.page.wait()

    def _call(self) -> None:
        self.tid.append(threading.get_native_id())
        self.result.append(raw.errno_of(raw.LIBC.chdir, self.page.start))

    def end(self, path: bytes) -> int:
        """The page says this; what the call answered."""
        self.page.supply(path)
        self.thread.join(LIMIT)
        assert not self.thread.is_alive()
        self.page.close()
        return self.result[0]


def test_an_argument_that_does_not_come(held):
    waiting = Waiting()
    (caller,) = callers(held.descriptor)
    assert (caller.pid, caller.tid, caller.abi, caller.nr) == (os.getpid(), waiting.tid[0], raw.OWN, raw.CHDIR)
    assert caller.age > 0 and caller.comm == Path(f"/proc/self/task/{waiting.tid[0]}/comm").read_bytes().strip()
    time.sleep(0.1)
    assert callers(held.descriptor)[0].age > caller.age + 50_000_000
    os.close(held.descriptor)
    assert delete_module(b"sct_rules") in (errno.EAGAIN, errno.EBUSY)
    held.descriptor = os.open("/dev/sct", os.O_RDWR)
    assert raw.chdir(held.PATH) == held.ERROR, "others are judged meanwhile"
    assert waiting.end(held.PATH) == held.ERROR
    held.matched += 2
    assert callers(held.descriptor) == []


def test_many_arguments_that_do_not_come(held):
    waiting = [Waiting() for _ in range(20)]
    assert sorted(caller.tid for caller in callers(held.descriptor)) == sorted(one.tid[0] for one in waiting)
    for at, one in enumerate(waiting):
        assert one.end(held.PATH if at % 2 else b"/else") == (held.ERROR if at % 2 else errno.ENOENT)
    held.matched += 10
    assert callers(held.descriptor) == []


def test_the_rules_change_while_an_argument_does_not_come(control):
    """It is judged by the rules that are in force when it is judged; nobody waits for it."""
    assert raw.upload(control, raw.refusing(b"/x", errno.EXDEV).bytes())[0] == 0
    waiting = Waiting()
    for number in (errno.EROFS, errno.EBUSY):
        assert raw.upload(control, raw.refusing(b"/x", number).bytes())[0] == 0
    assert waiting.end(b"/x") == errno.EBUSY
    waiting = Waiting()
    assert raw.upload(control, raw.NOTHING)[0] == 0
    assert len(callers(control)) == 1, "it is still inside"
    assert waiting.end(b"/x") == errno.ENOENT
    assert callers(control) == []


def test_killed_while_an_argument_does_not_come(held):
    def child() -> int:
        page = LatePage()
        threading.Thread(target=raw.LIBC.chdir, args=(page.start,), daemon=True).start()
        page.wait()
        os.kill(os.getpid(), signal.SIGKILL)
        return 1

    assert raw.in_child(child) == -signal.SIGKILL
    assert callers(held.descriptor) == []
    held.recount()  # its argument could not be read: whether that was still counted is of no consequence


@pytest.mark.parametrize("request_name", ["UPLOAD", "LIST", "VERSION"])
def test_a_request_that_does_not_come_holds_up_nobody(held, request_name):
    page, told = LatePage(), []
    ask = lambda: told.append(raw.ask(held.descriptor, getattr(abi.Ioctl, request_name), page.start))  # noqa: E731
    asking = threading.Thread(target=ask)
    asking.start()
    page.wait()
    other = threading.Thread(target=held.check)
    other.start()
    other.join(10)
    stuck = other.is_alive()
    page.supply(b"")
    for thread in (asking, other):
        thread.join(LIMIT)
    page.close()
    assert not stuck
    assert told == [0 if request_name == "VERSION" else errno.EINVAL]


def test_an_image_that_does_not_come_holds_up_nobody(held):
    page, told = LatePage(), []
    ask = lambda: told.append(raw.ask(held.descriptor, abi.Ioctl.UPLOAD, request))  # noqa: E731
    request = abi.UploadStruct(image=page.start, size=raw.PAGE)
    asking = threading.Thread(target=ask)
    asking.start()
    page.wait()
    other = threading.Thread(target=held.check)
    other.start()
    other.join(10)
    stuck = other.is_alive()
    page.close()
    for thread in (asking, other):
        thread.join(LIMIT)
    assert not stuck
    assert told == [errno.EINVAL] and abi.ERRORS[request.error.code].name == "MAGIC"


def acting(control: int, actions: int) -> bytes:
    """Puts a rule for a path of its own in force; returns the path."""
    path = b"/acted/upon/%d" % actions
    assert raw.upload(control, raw.refusing(path, errno.EPERM, digest=actions, actions=actions).bytes())[0] == 0
    return path


def started(call: Path, path: bytes, processes: int, threads: int, times: int = 1) -> list[subprocess.Popen]:
    words = [call, "-t", str(threads), "-n", str(times), "chdir", b"s:" + path]
    return [subprocess.Popen(words, stdout=subprocess.PIPE) for _ in range(processes)]


def test_many_are_killed(control, program):
    call = program("programs/call.c", "-pthread")
    path = acting(control, raw.KILL | raw.LOG)
    for _ in range(3):
        for process in started(call, path, processes=8, threads=8):
            process.communicate(timeout=LIMIT)
            assert process.returncode == -signal.SIGKILL
    row = raw.counters(control)[0]
    assert 24 <= row.killed <= 24 * 8 and row.matched == row.killed
    wait_for(lambda: callers(control) == [], "threads that were killed are still inside")


def state(process: subprocess.Popen) -> str:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2][:1]


def test_many_are_stopped(control, program):
    """Each call that was stopped is made when it is continued, once, and counted once."""
    call = program("programs/call.c", "-pthread")
    path = acting(control, raw.SUSPEND)
    processes, threads = 8, 4
    stopped = started(call, path, processes, threads)
    for process in stopped:
        wait_for(lambda process=process: state(process) == "T", "it does not stop")
    wait_for(lambda: callers(control) == [], "nobody is inside who is stopped")
    for process in stopped:
        deadline = time.monotonic() + LIMIT
        while process.poll() is None:
            assert time.monotonic() < deadline, "it does not go on"
            process.send_signal(signal.SIGCONT)
            time.sleep(0.02)
        assert process.stdout.read() == b"4 x -1 ENOENT\n" and process.returncode in (0, 1)
    row = raw.counters(control)[0]
    assert (row.matched, row.suspended) == (processes * threads,) * 2


def test_killed_while_stopped(control, program):
    call = program("programs/call.c", "-pthread")
    path = acting(control, raw.SUSPEND)
    for _ in range(3):
        stopped = started(call, path, processes=8, threads=4)
        for process in stopped:
            wait_for(lambda process=process: state(process) == "T", "it does not stop")
            process.kill()
            assert process.wait(LIMIT) == -signal.SIGKILL
    assert raw.upload(control, raw.NOTHING)[0] == 0
    assert raw.chdir(path) == errno.ENOENT


def test_rules_go_while_their_victims_are_stopped(control, program):
    """Whoever is continued then makes the call unwatched."""
    call = program("programs/call.c", "-pthread")
    path = acting(control, raw.SUSPEND)
    (stopped,) = started(call, path, processes=1, threads=1)
    wait_for(lambda: state(stopped) == "T", "it does not stop")
    assert raw.upload(control, raw.NOTHING)[0] == 0
    stopped.send_signal(signal.SIGCONT)
    assert stopped.communicate(timeout=LIMIT)[0] == b"-1 ENOENT\n"
