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

RULE = 'rule { syscall_name = unlink rule_name = watch filter_expression { COMM == "call" } action { type = LOG log_format { %pathname } } when = before }\n'


@pytest.fixture
def call(tmp_path, monkeypatch, loaded, programs):
    """Makes calls, with RULE in force and the log empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", programs["PATH"])
    kernel.command("sct_config", "delete")
    kernel.command("sctlog", "--once")
    kernel.upload(RULE)
    return lambda *words: subprocess.run(["call", *words], check=True, capture_output=True)


def follow(*words):
    """A running sctlog that has the device open."""
    log = subprocess.Popen(
        [kernel.BIN / "sctlog", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while not any(target == "/dev/sctlog" for target in open_files(log.pid)):
        assert time.monotonic() < deadline and log.poll() is None, "sctlog does not open the log"
        time.sleep(0.05)
    return log


def open_files(pid):
    directory = f"/proc/{pid}/fd"
    return [os.readlink(f"{directory}/{name}") for name in os.listdir(directory)]


def test_follow_until_interrupted(call):
    log = follow()
    for n in range(3):
        call("unlink", f"s:./{n}")
        assert log.stdout.readline() == f'"./{n}"\n'
    log.send_signal(signal.SIGINT)
    out, err = log.communicate(timeout=20)
    assert (log.returncode, out, err) == (0, "", "")


def test_once(call):
    call("unlink", "s:./a")
    call("unlink", "s:./b")
    done = kernel.command("sctlog", "--once")
    assert (done.returncode, done.stdout, done.stderr) == (0, '"./a"\n"./b"\n', "")
    assert kernel.command("sctlog", "--once").stdout == ""


def test_several_readers_see_everything(call):
    logs = [follow(), follow("--json")]
    call("-n", "100", "unlink", "s:./x")
    for log in logs:
        assert [log.stdout.readline() != "" for _ in range(100)] == [True] * 100
        log.terminate()


def test_json_and_filters(call):
    call("unlink", "s:./a")
    done = kernel.command("sctlog", "--once", "--json", "--rule", "watch", "--call", "unlink")
    said = json.loads(done.stdout)
    assert said["call"] == "unlink" and said["args"][0]["string"] == "./a" and said["comm"] == "call"
    call("unlink", "s:./a")
    assert kernel.command("sctlog", "--once", "--rule", "other").stdout == ""


def test_raw_can_be_read_later(call, tmp_path):
    call("unlink", "s:./a")
    raw = kernel.command("sctlog", "--once", "--raw", text=False).stdout
    (tmp_path / "raw").write_bytes(raw)
    assert kernel.command("sctlog", "--from", "raw").stdout == '"./a"\n'


def test_a_pipe_that_nobody_reads(call):
    """sctlog | head -1 must end, although no further event comes."""
    log = follow()
    call("unlink", "s:./a")
    assert log.stdout.readline() == '"./a"\n'
    log.stdout.close()
    assert log.wait(20) == 128 + signal.SIGPIPE
    assert log.stderr.read() == ""


def test_process_ids(call):
    kernel.upload(RULE.replace("%pathname", "%pid %tid %ppid"))
    with kernel.Log() as log:
        child = subprocess.Popen(["call", "unlink", "s:./a"], stdout=subprocess.DEVNULL)
        child.wait()
        assert log.lines(1, 5) == [f"{child.pid} {child.pid} {os.getpid()}"]


def test_time(call):
    with kernel.Log() as log:
        before = time.time_ns()
        call("unlink", "s:./a")
        after = time.time_ns()
        (said,) = log.said(1, 5)
    assert before <= said.time <= after


def test_nothing_is_lost_silently(call):
    """Far more events than there is room for, and nobody reads: what was logged and what was lost is what was called."""
    made = 40_000
    with kernel.Log() as log:
        call("-t", "4", "-n", str(made // 4), "unlink", "s:./some/path/that/is/not/there/and/takes/some/room")
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
    call("-n", "30000", "unlink", "s:./some/path/that/is/not/there/and/takes/some/room")
    done = kernel.command("sctlog", "--once")
    assert done.returncode == 0 and re.search(r"--- \d+ events of rule 'watch' were lost: ", done.stderr)


def test_a_slow_reader_does_not_hold_up_another(call):
    slow = follow()
    slow.send_signal(signal.SIGSTOP)
    quick = follow()
    for n in range(20):
        call("-n", "500", "unlink", f"s:./{n}")
        for _ in range(500):
            assert quick.stdout.readline() == f'"./{n}"\n'
    for log in (slow, quick):
        log.kill()


def test_small_reads(call):
    call("unlink", "s:./a")
    descriptor = os.open("/dev/sctlog", os.O_RDONLY | os.O_NONBLOCK)
    try:
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
