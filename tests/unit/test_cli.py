# SPDX-License-Identifier: GPL-2.0-only
"""Do all commands of sct_config keep to the same manners?"""

import subprocess
import sys
from pathlib import Path

import pytest

from pysct.cli import trial
from pysct.control import Control
from pysct.failures import NotLoaded

TREE = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("words", [(), ("nonsense",), ("upload",), ("list", "x"), ("compile", "x"), ("try", "x", "--for", "soon")])
def test_wrong_usage(say, words):
    assert say(*words)[0] == 2


@pytest.mark.parametrize("words", [("list",), ("status",), ("download",), ("delete",), ("lock",), ("upload", "one"), ("dump",)])
def test_without_modules(files, say, monkeypatch, words):
    def absent():
        raise NotLoaded("the modules are not loaded", "run sct_load")

    monkeypatch.setattr(Control, "open", absent)
    status, out, err = say(*words)
    assert status == 3 and out == "" and "not loaded" in err and "sct_load" in err


def test_help_of_every_command(say):
    for command in ("upload", "try", "confirm", "download", "delete", "list", "status", "lock", "check", "compile", "dump"):
        status, out, _ = say(command, "--help")
        assert status == 0 and "usage: sct_config " + command in out


def test_an_interrupt_ends_quietly(say, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(Control, "open", interrupt)
    assert say("list") == (130, "", "")


def test_a_pipe_that_nobody_reads(files):
    script = "import sys; from pysct.cli.config import main; sys.exit(main(['dump', 'one']))"
    done = subprocess.run(
        ["bash", "-c", f'"$0" -c "{script}" | true; echo "${{PIPESTATUS[0]}}"', sys.executable],
        capture_output=True, text=True, env={"PYTHONPATH": str(TREE)},
    )  # fmt: skip
    assert done.stderr == "" and done.stdout.strip() in ("141", "0")


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("30s", 30), ("1.5m", 90), ("2h", 7200)])
def test_duration(text, seconds):
    assert trial.duration(text) == seconds
