# SPDX-License-Identifier: GPL-2.0-only
"""Does the log reach those who read it, and does it say what it could not deliver?"""

import json
import os
import re
import signal
import subprocess
import time

import kernel
import pytest

from pysct import abi, events

RULE = 'rule { syscall_name = unlinkat rule_name = watch filter_expression { COMM == "call" } action { type = LOG log_format { %pathname } } when = before }\n'


@pytest.fixture
def call(tmp_path, monkeypatch, loaded, programs):
    """Makes calls, with RULE in force and the log empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", programs["PATH"])
    kernel.command("sct_config", "delete")
    kernel.command("sctlog", "--once")
    kernel.upload(RULE)
    return lambda *words: subprocess.run(["call", *words], check=True, capture_output=True)


@pytest.fixture
def follow():
    """Starts sctlog; returns it, with the device open, and what it prints."""
    logs = []

    def start(*words):
        ours, theirs = os.pipe()
        log = kernel.start("sctlog", *words, stdout=theirs)
        os.close(theirs)
        logs.append(log)
        kernel.eventually(lambda: kernel.has_open(log.pid, "/dev/sctlog"))
        return log, os.fdopen(ours)

    yield start
    for log in logs:
        log.send(signal.SIGKILL)
        log.wait()


def test_follow_until_interrupted(call, follow):
    log, lines = follow()
    for n in range(3):
        call("unlinkat", "-100", f"s:./{n}", "0")
        assert lines.readline() == f'"./{n}"\n'
    log.send(signal.SIGINT)
    assert log.wait() == 0 and lines.read() == ""


def test_once(call):
    call("unlinkat", "-100", "s:./a", "0")
    call("unlinkat", "-100", "s:./b", "0")
    done = kernel.command("sctlog", "--once")
    assert (done.returncode, done.stdout, done.stderr) == (0, '"./a"\n"./b"\n', "")
    assert kernel.command("sctlog", "--once").stdout == ""


def test_several_readers_see_everything(call, follow):
    both = [follow(), follow("--json")]
    call("-n", "100", "unlinkat", "-100", "s:./x", "0")
    for _, lines in both:
        assert all("./x" in lines.readline() for _ in range(100))


def test_json_and_filters(call):
    call("unlinkat", "-100", "s:./a", "0")
    done = kernel.command("sctlog", "--once", "--json", "--rule", "watch", "--call", "unlinkat")
    said = json.loads(done.stdout)
    assert said["call"] == "unlinkat" and said["args"][1]["string"] == "./a" and said["comm"] == "call"
    call("unlinkat", "-100", "s:./a", "0")
    assert kernel.command("sctlog", "--once", "--rule", "other").stdout == ""


def test_raw_can_be_read_later(call, tmp_path):
    call("unlinkat", "-100", "s:./a", "0")
    raw = kernel.command("sctlog", "--once", "--raw").bytes
    (tmp_path / "raw").write_bytes(raw)
    assert kernel.command("sctlog", "--from", "raw").stdout == '"./a"\n'


def test_a_pipe_that_nobody_reads(call, follow):
    """sctlog | head -1 must end, although no further event comes."""
    log, lines = follow()
    call("unlinkat", "-100", "s:./a", "0")
    assert lines.readline() == '"./a"\n'
    lines.close()
    assert log.wait() == 128 + signal.SIGPIPE


def test_process_ids(call):
    kernel.upload(RULE.replace("%pathname", "%pid %tid %ppid"))
    with kernel.Log() as log:
        child = subprocess.Popen(["call", "unlinkat", "-100", "s:./a", "0"], stdout=subprocess.DEVNULL)
        child.wait()
        assert log.lines(1, 5) == [f"{child.pid} {child.pid} {os.getpid()}"]


def test_time(call):
    with kernel.Log() as log:
        before = time.time_ns()
        call("unlinkat", "-100", "s:./a", "0")
        after = time.time_ns()
        (said,) = log.said(1, 5)
    assert before <= said.time <= after


def test_nothing_is_lost_silently(call):
    """Far more events than there is room for, and nobody reads: what was logged and what was lost is what was called."""
    made = 40_000
    with kernel.Log() as log:
        call("-t", "4", "-n", str(made // 4), "unlinkat", "-100", "s:./some/path/that/is/not/there/and/takes/some/room", "0")
        seen = lost = 0
        deadline = time.monotonic() + 60
        while seen + lost < made and time.monotonic() < deadline:
            for said in log.said(1, 1):
                assert not isinstance(said, events.Torn)
                if isinstance(said, events.Lost):
                    assert said.name == b"watch" and said.cause in (abi.Cause.BUFFER, abi.Cause.READER)
                    lost += said.count
                else:
                    seen += 1
            log.heard.clear()
    assert lost > 0 and seen > 100 and seen + lost == made
    row = json.loads(kernel.command("sct_config", "list", "--json").stdout)
    assert row["matched"] == made and row["logged"] + row["lost"] == made


def test_lost_events_are_told_to_people(call):
    call("-n", "30000", "unlinkat", "-100", "s:./some/path/that/is/not/there/and/takes/some/room", "0")
    done = kernel.command("sctlog", "--once")
    assert done.returncode == 0 and re.search(r"--- \d+ events of rule 'watch' were lost: ", done.stderr)


def test_a_slow_reader_does_not_hold_up_another(call, follow):
    slow, _ = follow()
    slow.send(signal.SIGSTOP)
    _, lines = follow()
    for n in range(20):
        call("-n", "500", "unlinkat", "-100", f"s:./{n}", "0")
        for _ in range(500):
            assert lines.readline() == f'"./{n}"\n'


def test_small_reads(call):
    descriptor = os.open("/dev/sctlog", os.O_RDONLY | os.O_NONBLOCK)
    try:
        call("unlinkat", "-100", "s:./a", "0")
        with pytest.raises(OSError, match="Invalid argument"):
            os.read(descriptor, 16)
        assert len(os.read(descriptor, 4096)) > 160
        with pytest.raises(BlockingIOError):
            os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def test_at_most_so_many_readers(loaded):
    descriptors = []
    try:
        for _ in range(abi.Limit.READERS):
            descriptors.append(os.open("/dev/sctlog", os.O_RDONLY))
        done = kernel.command("sctlog", "--once")
        assert done.returncode == 1 and "32 readers" in done.stderr
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
