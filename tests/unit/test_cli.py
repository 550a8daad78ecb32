# SPDX-License-Identifier: GPL-2.0-only
"""Do the commands of sct_config do and say what they should, with a stand-in for the modules?"""

import errno
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fake_modules import FakeModules

from pysct import abi, image
from pysct.cli import config, trial
from pysct.control import Control
from pysct.failures import NotLoaded

TREE = Path(__file__).resolve().parents[2]

ONE = b"rule { syscall_name = unlink rule_name = one action { type = LOG } when = before }\n"
TWO = b"# a comment\nrule { syscall_name = unlinkat rule_name = two action { type = LOG, FAIL error_code = EACCES } when = before }\n"
WARNED = """one:1:23: warning: `unlink` is watched, but not `unlinkat` (rm)
    rule { syscall_name = unlink rule_name = one action { type = LOG } when = before }
                          ^~~~~~
hint: write `syscall_name = unlink, unlinkat`, or a rule of its own
"""
WRONG = b"rule { syscall_name = unlink rule_name = x filter_expression { UIDD == 0 } action { type = LOG } when = before }\n"


@pytest.fixture
def fake(monkeypatch):
    fake = FakeModules()
    monkeypatch.setattr(Control, "open", lambda: Control(-1, fake.ioctl))
    return fake


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("one", ONE), ("two", TWO), ("wrong", WRONG), ("empty", b""), ("binary", bytes(range(256)) * 40)):
        Path(name).write_bytes(text)
    return tmp_path


@pytest.fixture
def say(capsys):
    """Runs sct_config; returns its exit status, standard output and standard error."""

    def run(*words):
        try:
            status = config.main(list(words))
        except SystemExit as end:
            status = end.code
        return (status, *capsys.readouterr())

    return run


def test_upload(fake, files, say):
    assert say("upload", "one") == (0, "Successfully uploaded rules from file 'one'\n", WARNED)
    assert image.decode(fake.image).source == ONE


def test_upload_of_several_files_is_one_rule_set(fake, files, say):
    status, out, _ = say("upload", "one", "two")
    assert status == 0 and out.splitlines() == [f"Successfully uploaded rules from file '{name}'" for name in ("one", "two")]
    assert image.decode(fake.image).source == ONE + TWO and len(fake.uploads) == 1


def test_upload_of_wrong_rules_uploads_nothing(fake, files, say):
    status, out, err = say("upload", "one", "wrong")
    assert status == 1 and out == "" and "wrong:1:" in err and "did you mean `UID`" in err and not fake.uploads


@pytest.mark.parametrize("name", ["missing", "binary", "."])
def test_upload_of_what_is_no_rule_file(fake, files, say, name):
    status, out, err = say("upload", name)
    assert status == 1 and out == "" and err and not fake.uploads
    assert "Traceback" not in err


def test_upload_of_nothing_warns(fake, files, say):
    status, out, err = say("upload", "empty")
    assert status == 0 and "no rule" in err and "Successfully" in out


def test_append(fake, files, say):
    say("upload", "one")
    assert say("upload", "--append", "two")[0] == 0
    assert image.decode(fake.image).source == ONE + TWO


def test_append_to_nothing(fake, files, say):
    assert say("upload", "--append", "two")[0] == 0
    assert image.decode(fake.image).source == TWO


def test_append_while_somebody_else_uploads(fake, files, say):
    say("upload", "one")
    plain = fake.upload

    def slow(argument):
        fake.generation += 1
        return plain(argument)

    fake.upload = slow
    status, _, err = say("upload", "--append", "two")
    assert status == 1 and "somebody else" in err and image.decode(fake.image).source == ONE


def test_dry_run(fake, files, say):
    status, out, _ = say("upload", "--dry-run", "one")
    assert status == 0 and "nothing was changed" in out and not fake.uploads


def test_refusal_is_told(fake, files, say):
    error = next(e for e in abi.ERRORS.values() if e.name == "BUSY")
    fake.refuse = errno.EBUSY, {"code": error.number, "abi": 0, "nr": 87}
    status, out, err = say("upload", "one")
    assert status == 1 and out == "" and "x86_64 unlink" in err and "hint:" in err


def test_a_compiled_file_can_be_uploaded(fake, files, say):
    assert say("compile", "one", "-o", "one.sct") == (0, "", WARNED)
    assert say("upload", "one.sct")[0] == 0
    assert fake.image == Path("one.sct").read_bytes()


def test_download_is_exact(fake, files, capfdbinary):
    for text in (TWO, TWO.replace(b"\n", b"\r\n"), ONE.rstrip(), b"# \xff\xfe\n" + ONE):
        Path("text").write_bytes(text)
        assert config.main(["upload", "text"]) == 0
        capfdbinary.readouterr()
        assert config.main(["download"]) == 0
        assert capfdbinary.readouterr().out == text


def test_download_of_nothing(fake, say):
    assert say("download") == (0, "", "")


def test_delete_all(fake, files, say):
    say("upload", "one", "two")
    assert say("delete") == (0, "Deleted 2 rules\n", "")
    assert image.decode(fake.image).rules == []
    assert say("list") == (0, "", "no rules are loaded\n")


def test_delete_some(fake, files, say):
    say("upload", "one", "two")
    assert say("delete", "one") == (0, "Deleted rule 'one'\n", "")
    assert image.decode(fake.image).source == TWO
    assert say("delete", "two") == (0, "Deleted rule 'two'\n", "")
    assert image.decode(fake.image).source == b"# a comment\n"


def test_delete_of_an_unknown_rule_names_those_there_are(fake, files, say):
    say("upload", "one", "two")
    status, _, err = say("delete", "one", "tow")
    assert status == 1 and "'tow'" in err and "one, two" in err and len(fake.uploads) == 1


def test_list(fake, files, say):
    say("upload", "one", "two")
    fake.lists[abi.List.COUNTERS] = [abi.CountersStruct(matched=12, logged=11, lost=1), abi.CountersStruct(failed=3)]
    status, out, _ = say("list")
    lines = [re.split(r"\s{2,}", line.strip()) for line in out.splitlines()]
    assert status == 0 and lines[0][:5] == ["RULE", "WHEN", "CALLS", "ACTIONS", "MATCHED"]
    assert lines[1] == ["one", "before", "unlink", "LOG", "12", "11", "0", "0", "0", "0", "1"]
    assert lines[2][:4] == ["two", "before", "unlinkat", "LOG,FAIL(EACCES)"] and lines[2][6] == "3"


def test_list_json(fake, files, say):
    say("upload", "one", "two")
    fake.lists[abi.List.COUNTERS] = [abi.CountersStruct(matched=12), abi.CountersStruct(failed=3)]
    rules = [json.loads(line) for line in say("list", "--json")[1].splitlines()]
    assert [rule["rule"] for rule in rules] == ["one", "two"] and rules[1]["line"] == 3
    assert rules[0]["matched"] == 12 and rules[1]["error"] == "EACCES" and rules[1]["actions"] == ["LOG", "FAIL"]
    assert rules[0]["points"] == [{"abi": abi, "call": "unlink"} for abi in ("x86_64", "i386", "x32")]


def test_status(fake, files, say):
    say("upload", "one")
    fake.lists[abi.List.COUNTERS] = [abi.CountersStruct()]
    fake.lists[abi.List.POINTS] = [abi.PointStruct(0, 87, 1, 0, 12, b"__x64_sys_unlink")]
    fake.lists[abi.List.CALLERS] = [abi.CallerStruct(5, 6, 0, 0, 0, 12 * 10**9, b"c\x1bat")]
    fake.lists[abi.List.DROPS] = [abi.DropStruct(0, abi.Cause.BUFFER, 3), abi.DropStruct(1, abi.Cause.BUFFER, 0)]
    status, out, _ = say("status")
    assert status == 0
    for text in ("generation   1", "ftrace", "__x64_sys_unlink", "12", r"pid 5 thread 6 (c\x1bat) has been in read for 12 s", "buffer"):
        assert text in out
    said = json.loads(say("status", "--json")[1])
    assert said["generation"] == 1 and said["points"][0]["call"] == "unlink" and said["callers"][0]["age_ns"] == 12 * 10**9
    assert said["drops"] == [{"cpu": 0, "cause": "buffer", "count": 3}] and said["locked"] is False


def test_lock(fake, files, say):
    assert say("lock")[0] == 0
    assert "until reboot" in say("status")[1]
    status, _, err = say("upload", "one")
    assert status == 4 and "locked" in err


def test_check(files, say):
    assert say("check", "one") == (0, "one: 1 rule, no errors\n", WARNED)
    status, out, err = say("check", "wrong")
    assert status == 1 and out == "" and "wrong:1:" in err
    status, out, err = say("check", "--json", "wrong")
    assert status == 1 and json.loads(out)["line"] == 1 and err == ""


def test_dump(fake, files, say):
    Path("one.sct").write_bytes(b"")
    say("compile", "one", "-o", "one.sct")
    text = say("dump", "one.sct")
    assert text[0] == 0 and "x86_64 unlink" in text[1]
    assert say("dump", "one") == text
    say("upload", "one")
    assert say("dump") == text


def test_dump_of_a_damaged_image(files, say):
    say("compile", "one", "-o", "one.sct")
    data = Path("one.sct").read_bytes()
    for damaged in (data[:-1], data[:30], data[:100] + b"\xff" + data[101:]):
        Path("one.sct").write_bytes(damaged)
        status, out, err = say("dump", "one.sct")
        assert status == 1 and out == "" and "error" in err


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
