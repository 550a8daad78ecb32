# SPDX-License-Identifier: GPL-2.0-only
"""Does vm/run keep its word? Every test boots a guest."""

import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import program
import pytest

from sctvm import kernels
from sctvm.arches import is_foreign
from sctvm.places import TREE

RUN = str(TREE / "vm" / "run")
MODULES = ["--modules", str(TREE / "vm" / "tests" / "kmod")]
HOST_FILES = ["/etc/passwd", "/etc/hostname", TREE / "vm" / "kernels.toml", TREE / "Makefile"]

ONE_OF_EACH = [kernels.pick(None), *[kernel for kernel in kernels.load().values() if is_foreign(kernel.arch)][:1]]
"""A kernel whose files are this machine's, and one whose are not."""

pytestmark = pytest.mark.timeout(600)
chosen = {}
"""The kernel of this test."""


MARK = f"sct.selftest={os.getpid()}"
"""On the kernel command line of our guests, to tell them from others'."""


def command(*words: str) -> list[str]:
    return [RUN, "--kernel", chosen["name"], "--append", MARK, *words]


def vm(*words: str, **options) -> subprocess.CompletedProcess:
    options = {"capture_output": True, "stdin": subprocess.DEVNULL, **options}
    return subprocess.run(command(*words), **options)


def machines() -> str:
    return subprocess.run(["pgrep", "-af", MARK], capture_output=True, text=True).stdout


@pytest.fixture(autouse=True, params=ONE_OF_EACH, ids=lambda kernel: kernel.name)
def kernel(request, monkeypatch):
    monkeypatch.setitem(chosen, "name", request.param.name)


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path_factory, monkeypatch):
    """No test leaves a process or a scratch file behind."""
    scratch = tmp_path_factory.mktemp("scratch")
    monkeypatch.setenv("TMPDIR", str(scratch))
    yield
    deadline = time.monotonic() + 5
    while machines() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert machines() == ""
    assert list(scratch.iterdir()) == []


def test_streams_status_and_host_files(tmp_path):
    before = {path: (Path(path).read_bytes(), os.stat(path).st_mode) for path in HOST_FILES}
    typed = b"typed" + bytes(3_000_000)
    words = ["a  b", "$HOME", "", "*", "'\"", "ü\n"]
    (tmp_path / "input").write_bytes(typed)
    with open(tmp_path / "input", "rb") as stdin:
        done = vm(
            *MODULES, "--", "python3", str(TREE / "vm/tests/program.py"), str(TREE), *words, stdin=stdin, cwd=tmp_path
        )
    assert done.returncode == program.STATUS, done.stderr[-4000:]
    assert done.stdout == program.noise()
    about = f"{len(typed)} {typed[:5]!r} {tmp_path} {words!r} 0 /root\n"
    assert done.stderr.decode() == program.ERRORS + about
    assert before == {path: (Path(path).read_bytes(), os.stat(path).st_mode) for path in HOST_FILES}
    assert not list(TREE.glob("written-*")) + list(Path("/").glob("*/written-in-the-guest"))


def test_warning_ends_the_run():
    done = vm(*MODULES, "--", "sh", "-c", "insmod $SCT_MODULES/sct-warn.ko; echo survived")
    assert done.returncode == 125
    assert b"survived" not in done.stdout
    assert b"sct_warn: loaded" in done.stderr and b"WARNING: CPU: " in done.stderr


def test_panic_ends_the_run():
    done = vm("--no-modules", "--", "sh", "-c", "cat; echo before; echo c > /proc/sysrq-trigger; sleep 100")
    assert (done.returncode, done.stdout) == (125, b"before\n")
    assert b"Kernel panic - not syncing: sysrq triggered crash" in done.stderr


def test_stuck_processor_ends_the_run():
    done = vm(*MODULES, "--timeout", "400", "--", "sh", "-c", "insmod $SCT_MODULES/sct-spin.ko & sleep 500")
    assert done.returncode == 125, done.stderr[-4000:]
    assert b"stuck for" in done.stderr or b"stall" in done.stderr


def test_sudden_death_ends_the_run():
    done = vm("--no-modules", "--", "sh", "-c", "echo b > /proc/sysrq-trigger; sleep 100")
    assert done.returncode == 125
    assert b"the guest died" in done.stderr


def test_report_outweighs_success():
    done = vm("--no-modules", "--", "sh", "-c", "echo 'BUG: not really' > /dev/kmsg; dmesg -n 1")
    assert done.returncode == 125
    assert b"BUG: not really" in done.stderr and b"ended with status 0" in done.stderr


def test_time_limit():
    done = vm("--no-modules", "--timeout", "3", "--", "sh", "-c", "echo before; sleep 1000")
    assert (done.returncode, done.stdout) == (124, b"before\n")
    assert b"the command did not end within 3 s" in done.stderr


def test_boot_limit():
    done = vm("--no-modules", "--boot-timeout", "20", "--append", "rdinit=/bin/sh", "--", "true")
    assert done.returncode == 124, done.stderr
    assert b"the guest did not come up within 20 s" in done.stderr and b"Run /bin/sh as init process" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signal_ends_the_guest(number, tmp_path, monkeypatch):
    if number == signal.SIGKILL:
        monkeypatch.setenv("TMPDIR", str(tmp_path))  # Nobody is left to remove what is in there.
    words = command("--no-modules", "--", "sh", "-c", "echo up; sleep 1000")
    # What runs in a shell's background ignores SIGINT, and so would its children.
    heeds = {"preexec_fn": lambda: signal.signal(number, signal.SIG_DFL)} if number != signal.SIGKILL else {}
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **heeds) as run:
        assert run.stdout.readline() == b"up\n"
        run.send_signal(number)
        assert run.wait(10) == (128 + number if number != signal.SIGKILL else -number)


def test_terminal():
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(RUN, command("--no-modules", "--", "sh", "-c", "stty size; tty; read x; echo got $x >&2; exit 5"))
    said = b""
    while b"/dev/pts/" not in said:
        said += os.read(terminal, 1000)
    os.write(terminal, b"a line\n")
    while b"got a line" not in said:
        said += os.read(terminal, 1000)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
    assert re.search(rb"^\d+ \d+\r\n/dev/pts/\d+\r\n", said)


def test_icount_counts_instructions():
    """One CPU, on which a second run of the same loop takes the same time."""
    loop = "import time\ndef f():\n t=time.monotonic_ns()\n for _ in range(20000): pass\n return time.monotonic_ns()-t\n"
    done = vm("--no-modules", "--icount", "--", "python3", "-c", f"{loop}print([f() for _ in range(9)][3:])", text=True)
    assert done.returncode == 0, done.stderr
    times = eval(done.stdout)
    assert min(times) * 1.05 > sorted(times)[1]
