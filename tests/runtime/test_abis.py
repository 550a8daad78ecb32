# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule hold on every way into the kernel, and only there where it should?"""

import errno
import os
import signal
import subprocess
import time
from pathlib import Path

import kernel
import pytest
from abi_arguments import ARGUMENTS
from patience import PATIENCE

from pysct.abi import ABIS
from pysct.control import Control
from pysct.points import abis_of
from pysct.tables import CALLS

# The ABI that a call arrives by, for each kind of program and way into the kernel.
ALL_WAYS = {
    ("x86_64", "syscall"): "x86_64",
    ("x86_64", "int80"): "i386",
    ("i386", "int80"): "i386",
    ("i386", "sysenter"): "i386",
    ("i386", "syscall"): "i386",
    ("i386", "vdso"): "i386",
    ("x32", "syscall"): "x32",
    ("x32", "int80"): "i386",
    ("aarch64", "svc"): "aarch64",
    ("aarch32", "arm"): "aarch32",
    ("aarch32", "thumb"): "aarch32",
}
WAYS = {way: abi for way, abi in ALL_WAYS.items() if abi in abis_of()}
MAIN = {abi: pair for pair, abi in WAYS.items() if pair[0] == abi}  # the last way of each ABI
ACROSS = [way for way, abi in WAYS.items() if ABIS[way[0]].bits == 64 and abi != way[0]]  # from 64-bit programs
WIDE = [way for way in WAYS if way[0] in ("x86_64", "x32", "aarch64")]  # of programs whose registers have 64 bits
NATIVE, OTHER = list(MAIN)[:2]  # for both machines: the 64-bit ABI and a 32-bit one
OURS = 'COMM =~ "call.*"'


@pytest.fixture(scope="session")
def ways(programs) -> list[tuple[str, str]]:
    """The ways that there are: i386's fast ones need a processor that has them, x32 is chosen at boot."""
    found = []
    for way in WAYS:
        if kernel.serves(way[0]):
            done = subprocess.run(words(way, "getpid"), capture_output=True, text=True, env=programs)
            if done.returncode == -signal.SIGILL and way in (("i386", "sysenter"), ("i386", "syscall")):
                continue
            assert (done.returncode, done.stderr) == (0, "") and int(done.stdout) > 0, way
            found.append(way)
    return found


@pytest.fixture
def call(loaded, programs, tmp_path, monkeypatch):
    """Makes a call by one way; returns the kernel's answer."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", programs["PATH"])

    def run(way: tuple[str, str], name: str, *args) -> int:
        done = subprocess.run(words(way, name, *args), capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), way
        return int(done.stdout)

    return run


@pytest.fixture
def way(request, ways) -> tuple[str, str]:
    """A way, if there is this one."""
    if request.param not in ways:
        pytest.skip("this kernel was not told to serve x32" if request.param[0] == "x32" else "this processor has no such instruction")
    return request.param


def words(way: tuple[str, str], name: str, *args) -> list[str]:
    return [f"call.{way[0]}", way[1], str(CALLS[WAYS[way]][name][0]), *map(str, args)]


def rule(calls: str, actions: str = "FAIL error_code = EACCES", condition: str = OURS, more: str = "", name: str = "r") -> str:
    return f"rule {{ rule_name = {name} syscall_name = {calls} filter_expression {{ {condition} }} action {{ {actions} }} {more} }}\n"


def remove(name: str, path: str) -> list:
    """The arguments of a call that removes a file."""
    return [path] if name == "unlink" else [-100, path, 0]


def logging(template: str, also: str = "") -> str:
    return f"LOG{also} log_format {{ {template} }}"


@pytest.mark.parametrize("name", ["unlinkat", "unlink"])
@pytest.mark.parametrize("way", WAYS, ids="-".join, indirect=True)
def test_one_rule_for_all_ways(way, name, call):
    abi = WAYS[way]
    if name not in CALLS[abi]:
        pytest.skip(f"{abi} has no {name}")
    Path("victim").touch()
    with kernel.Log() as log, Control.open() as control:
        kernel.upload(rule(name, logging("%abi %syscall %sid %pathname %comm", ", FAIL error_code = EACCES")))
        assert call(way, name, *remove(name, "s:./victim")) == -errno.EACCES
        assert Path("victim").exists()
        (counters,), _ = control.counters()
        assert (counters.matched, counters.failed, counters.logged) == (1, 1, 1)
        assert log.lines(1, 3) == [f'{abi} {name} {CALLS[abi][name][0]} "./victim" "call.{way[0]}"']
        kernel.upload("")
        assert call(way, name, *remove(name, "s:./victim")) == 0
    assert not Path("victim").exists()


@pytest.mark.skipif(not ACROSS, reason="64-bit programs of this machine have one way into the kernel")
@pytest.mark.parametrize("way", ACROSS, ids="-".join, indirect=True)
def test_the_upper_half_of_a_register_hides_nothing(way, call):
    """The kernel ignores it in a 32-bit call, and so must a rule, or it could be evaded."""
    Path("victim").touch()
    kernel.upload(rule("unlinkat", condition='pathname == "./victim"'))
    assert call(way, "unlinkat", *remove("unlinkat", "h:./victim")) == -errno.EACCES
    assert Path("victim").exists()


@pytest.mark.parametrize("abi", MAIN)
@pytest.mark.parametrize("name", ["unlinkat", "getpid"])
def test_a_rule_for_one_abi_leaves_the_others_alone(name, abi, ways, call):
    """The ABIs may share a function in the kernel: those of getpid are aliases, and x32 has that of x86_64."""
    there = sum(WAYS[way] == abi for way in ways)
    if not there:
        pytest.skip(f"this kernel was not told to serve {abi}")
    for when, actions in (("before", "FAIL error_code = EACCES"), ("after", "LOG")):
        with kernel.Log() as log:
            kernel.upload(rule(name, actions, more=f"abi = {abi} when = {when}"))
            for way in ways:
                refused = when == "before" and WAYS[way] == abi
                answer = call(way, name, *([] if name == "getpid" else remove(name, "s:./nothing")))
                normal = answer > 0 if name == "getpid" else answer == -errno.ENOENT
                assert answer == -errno.EACCES if refused else normal, (way, answer)
            logged = [event.abi for event in log.said(there, 3)]
            assert logged == ([ABIS[abi].number] * there if when == "after" else [])


def test_each_abi_has_its_own_rule(ways, call):
    """Several rules for one function."""
    errors = dict(zip(dict.fromkeys(WAYS[way] for way in ways), ("EBUSY", "EROFS", "ENOSPC")))
    text = "".join(rule("getpid", f"FAIL error_code = {error}", more=f"abi = {abi}", name=abi) for abi, error in errors.items())
    kernel.upload(text + rule("getpid", "LOG", more="when = after"))
    for way in ways:
        assert call(way, "getpid") == -getattr(errno, errors[WAYS[way]]), way


def test_the_condition_may_say_the_abi(ways, call):
    kernel.upload(rule("getppid", condition=f'{OURS} && ABI == "{OTHER}"'))
    for way in ways:
        assert call(way, "getppid") == (-errno.EACCES if WAYS[way] == OTHER else os.getpid()), way


def test_arguments_are_those_of_the_abi(ways, call):
    wrong = []
    with kernel.Log() as log:
        for way, name, args, shown in ARGUMENTS:
            if way not in ways:
                continue
            before = rule(name, logging("%abi: %params"), name="before", more="continue = yes")
            kernel.upload(before + rule(name, logging("%params = %retval"), name="after", more="when = after"))
            answer = call(way, name, *args)
            lines = log.lines(2, 3)
            result = answer if -4096 < answer < 0 else answer % (1 << 32)
            if lines != [f"{WAYS[way]}: {shown}", f"{shown} = {result}"]:
                wrong.append((way, name, shown, answer, lines))
            log.heard.clear()
    assert wrong == []


def test_a_rule_compares_with_the_widths_of_the_abi(ways, call):
    """All of these are negative, or above 31 bits, in a register of 32 bits."""
    kernel.upload(rule("lseek", condition=f"{OURS} && fd == -1 && offset == -7 && PARAMS[3] == 5"))
    for way in ways:
        assert call(way, "lseek", -1, -7, 5) == -errno.EACCES, way
    kernel.upload(rule("read", condition=f"{OURS} && count == 0xfffffff9"))
    for way in ways:
        assert call(way, "read", -1, 0, -7) == (-errno.EACCES if WAYS[way] == OTHER else -errno.EBADF), way


@pytest.mark.parametrize("way", WAYS, ids="-".join, indirect=True)
def test_results_are_known_after_the_call(way, call):
    Path("victim").touch()
    text = rule("unlinkat", logging("%retval %errno"), f"{OURS} && RETVAL == -2 && ERRNO == ENOENT", "when = after", "failed")
    text += rule("unlinkat", logging("%retval %errno"), f"{OURS} && RETVAL == 0", "when = after", "done")
    with kernel.Log() as log:
        kernel.upload(text)
        assert call(way, "unlinkat", *remove("unlinkat", "s:./nothing")) == -errno.ENOENT
        assert call(way, "unlinkat", *remove("unlinkat", "s:./victim")) == 0
        assert log.lines(2, 3) == ["-2 ENOENT", "0 0"]


def test_an_address_above_two_gigabytes_is_no_error(call):
    """A 32-bit register's highest bit is the sign of an error, and that of an address too."""
    with kernel.Log() as log:
        kernel.upload(rule("mmap2", logging("%retval %errno"), f"{OURS} && ERRNO == 0 && addr == 0xe0000000", "when = after"))
        assert call(MAIN[OTHER], "mmap2", "0xe0000000", 4096, 3, "0x32", -1, 0) == 0xE0000000 - (1 << 32)
        assert log.lines(1, 3) == ["3758096384 0"]


@pytest.mark.parametrize("way", [*MAIN.values(), *ACROSS[:1]], ids="-".join, indirect=True)
@pytest.mark.parametrize("when", ["before", "after"])
def test_kill(when, way, call):
    Path("victim").touch()
    kernel.upload(rule("unlinkat", "KILL", more=f"when = {when}"))
    assert subprocess.run(words(way, "unlinkat", *remove("unlinkat", "s:./victim"))).returncode == -signal.SIGKILL
    assert Path("victim").exists() == (when == "before")


def is_suspended(*words: str) -> None:
    """The program of these words, which removes "victim", stops before that, and does it when it may go on."""
    Path("victim").touch()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        kernel.wait_stopped(process.pid)
        assert Path("victim").exists()
        process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=30 * PATIENCE)[0] == "0\n" and process.returncode == 0
    finally:
        process.kill()
        process.wait()
    assert not Path("victim").exists()


@pytest.mark.parametrize("way", [*MAIN.values(), *ACROSS[:1]], ids="-".join, indirect=True)
def test_suspend(way, call):
    kernel.upload(rule("unlinkat", "SUSPEND"))
    is_suspended(*words(way, "unlinkat", *remove("unlinkat", "s:./victim")))


@pytest.mark.parametrize("way", WIDE, ids="-".join, indirect=True)
def test_the_upper_half_of_the_number_changes_nothing(way, call):
    """Kernels look at the lower half of the register, but not those in which the whole is no call."""
    program, instruction, number, *args = words(way, "unlinkat", *remove("unlinkat", "s:./victim"))
    wide = program, instruction, hex(int(number) | 0xDEADBEEF << 32), *args
    kernel.upload(rule("unlinkat"))
    answer = int(subprocess.run(wide, capture_output=True, text=True).stdout)
    if answer == -errno.ENOSYS:
        pytest.skip("this kernel looks at the whole register")
    assert answer == -errno.EACCES
    kernel.upload(rule("unlinkat", "SUSPEND"))
    is_suspended(*wide)


@pytest.mark.parametrize("calls", ["@all", '"*"'])
def test_everything_can_be_watched(calls, ways, call):
    """Every call of every ABI that this kernel has; calls go on, and it is over when the rules go."""
    texts = [rule(calls, "LOG", 'COMM == "nobody"', f"when = {when}", when) for when in ("before", "after")]
    image = kernel.compiled("".join(texts))
    with Control.open() as control:
        start = time.monotonic()
        control.upload(image)
        uploaded = time.monotonic()
    answers = {call(way, "getppid") for way in ways}
    for way in ways:  # a call that returns twice, and one that returns elsewhere
        done = subprocess.run(words(way, "clone", int(signal.SIGCHLD), 0, 0, 0, 0), capture_output=True, text=True)
        assert len(done.stdout.split()) == 2 and "0" in done.stdout.split(), way
        done = subprocess.run(words(way, "execve", "s:/bin/true", 0, 0), capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, ""), way
    subprocess.run(["sh", "-c", "ls / | sort | wc -l > /dev/null"], check=True)
    with Control.open() as control:
        points = control.points()
        assert not any(row.matched for row in control.counters()[0])
    before_unload = time.monotonic()
    kernel.upload("")
    took = uploaded - start, time.monotonic() - before_unload
    print(f"{len(points)} points: {took[0]:.2f} s to upload, {took[1]:.2f} s to remove")
    assert answers == {os.getpid()}
    assert {point.abi for point in points} == {ABIS[WAYS[way]].number for way in ways}
    assert max(took) < 60
