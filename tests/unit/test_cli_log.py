# SPDX-License-Identifier: GPL-2.0-only
"""Does sctlog show what it should of what the device gives, with a pipe in the device's place?"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_modules import NAME, PATH, event, item, lost, record

from pysct import abi, device
from pysct.cli import log

TREE = Path(__file__).resolve().parents[2]
FORMAT = item(abi.Item.TEMPLATE, b"%comm %pathname")
OTHER = item(abi.Item.NAME, b"other")
STREAM = event([NAME, FORMAT, PATH]) + lost(3) + record(77, b"x") + event([OTHER, FORMAT, PATH], pid=7, tid=8, comm=b"sh")


@pytest.fixture
def show(tmp_path, capfdbinary):
    """Runs sctlog over the records; returns its exit status, standard output and standard error."""

    def run(data, *words):
        (tmp_path / "records").write_bytes(data)
        status = log.main(["--from", str(tmp_path / "records"), *words])
        out, err = capfdbinary.readouterr()
        return status, out, err.decode()

    return run


def test_text(show):
    status, out, err = show(STREAM)
    assert (status, out.decode()) == (0, '"rm" "./dummy"\n"sh" "./dummy"\n')
    assert err == "--- 3 events of rule 'watch' were lost: nobody read fast enough ---\n"


def test_json(show):
    status, out, err = show(STREAM, "--json")
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["event", "lost", "event"]
    assert (status, err) == (0, "")


@pytest.mark.parametrize(
    ("words", "shown", "told"),
    [
        (["--rule", "watch"], ["rm"], True),
        (["--rule", "other"], ["sh"], False),
        (["--pid", "7"], ["sh"], True),
        (["--pid", "8"], ["sh"], True),
        (["--pid", "9"], [], True),
        (["--call", "unlinkat"], ["rm", "sh"], True),
        (["--call", "unlink"], [], True),
        (["--rule", "watch", "--pid", "7"], [], True),
    ],
)
def test_filters(show, words, shown, told):
    _, out, err = show(STREAM, *words)
    assert [line.split()[0] for line in out.decode().splitlines()] == [f'"{name}"' for name in shown]
    assert bool(err) == told


def test_raw(show):
    assert show(STREAM, "--raw", "--rule", "other")[1] == event([OTHER, FORMAT, PATH], pid=7, tid=8, comm=b"sh")


def test_damage(show):
    status, out, err = show(STREAM + b"\x01\x02\x03")
    assert status == 0 and len(out.splitlines()) == 2 and "damaged" in err


def test_a_file_that_is_not_there(capsys):
    assert log.main(["--from", "/nonexistent"]) == 1
    assert "/nonexistent: No such file" in capsys.readouterr().err


def test_once(monkeypatch, capfd):
    """Until there is nothing more to read now."""
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    os.write(theirs, STREAM)
    monkeypatch.setattr(device, "open_log", lambda blocking: ours)
    assert log.main(["--once"]) == 0
    os.close(theirs)
    assert capfd.readouterr().out.count("\n") == 2


FOLLOW = """
import os, signal, sys
from pysct import device
from pysct.cli import log
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background of a script it would be ignored
device.open_log = lambda blocking: 0
sys.exit(log.main([]))
"""


@pytest.fixture
def following():
    """sctlog in a process of its own, its standard input in the device's place."""
    process = subprocess.Popen(
        [sys.executable, "-c", FOLLOW], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TREE)},
    )  # fmt: skip
    yield process
    process.kill()
    process.communicate()


def test_lines_come_at_once_and_an_interrupt_is_the_end(following):
    os.write(following.stdin.fileno(), event([NAME, FORMAT, PATH]))
    assert following.stdout.readline() == b'"rm" "./dummy"\n'
    following.send_signal(signal.SIGINT)
    assert following.wait(10) == 0 and following.stderr.read() == b""


def test_it_ends_when_nobody_reads_its_pipe(following):
    os.write(following.stdin.fileno(), event([NAME, FORMAT, PATH]))
    following.stdout.readline()
    following.stdout.close()
    assert following.wait(10) == 128 + signal.SIGPIPE and following.stderr.read() == b""
    following.stdout = open(os.devnull, "rb")  # noqa: SIM115


def test_it_says_when_the_device_goes(following):
    following.stdin.close()
    assert following.wait(10) == 3 and b"unloaded" in following.stderr.read()
    following.stdin = None


def test_it_waits_without_turning(following):
    """Time of waiting is no processor time."""
    os.write(following.stdin.fileno(), event([NAME, FORMAT, PATH]))
    following.stdout.readline()
    before = cpu_time(following.pid)
    time.sleep(0.3)
    assert cpu_time(following.pid) - before <= 2


def cpu_time(pid):
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
