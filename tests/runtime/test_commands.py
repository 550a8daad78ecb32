# SPDX-License-Identifier: GPL-2.0-only
"""Do the commands do their work on real modules?"""

import json
import os
import platform
import re
import signal
import subprocess
import time

import kernel
import mechanism
import pytest

FAIL = 'rule {{ syscall_name = unlinkat rule_name = {name} filter_expression {{ pathname == "./{name}" }} action {{ type = FAIL error_code = {error} }} when = before }}\n'
ONE = "# first\n\n" + FAIL.format(name="one", error="EACCES")
TWO = FAIL.format(name="two", error="EROFS")
WARNED = ["warning", "warning", "note", "note"]  # not unlink; a relative path; io_uring; what the caller can change


@pytest.fixture
def here(tmp_path, monkeypatch, loaded, programs):
    """A directory of the test's own, with rule files in it; `call` is on PATH."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", programs["PATH"])
    kernel.command("sctlog", "--once")  # what other tests have logged
    (tmp_path / "one.conf").write_text(ONE)
    (tmp_path / "two.conf").write_text(TWO)
    (tmp_path / "wrong.conf").write_text("rule { syscall_name = unlinkat rule_name = r filter_expression { UIDD == 0 } }")
    return tmp_path


def sct(*words, status=0, **options):
    done = kernel.command("sct_config", *words, **options)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def unlink(name):
    return subprocess.run(["call", "unlinkat", "-100", f"s:./{name}", "0"], capture_output=True, text=True).stdout.strip()


def counters():
    return {rule["rule"]: rule for rule in map(json.loads, sct("list", "--json").stdout.splitlines())}


def test_the_commands_themselves(here):
    """As people run them; the other tests spare the time that a new interpreter takes."""
    for words, said, warned in (
        (["sct_config", "upload", "one.conf"], "Successfully uploaded rules from file 'one.conf'\n", WARNED),
        (["sct_config", "download"], ONE, []),
        (["sctlog", "--once"], "", []),
        (["sct_load"], "sct_load: sct_hijack and sct_rules are already loaded\n", []),
    ):
        done = subprocess.run(words, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, said)
        assert re.findall(r"^(?:.*: )?(warning|note|error): ", done.stderr, re.MULTILINE) == warned, done.stderr


def test_from_upload_to_delete(here):
    assert sct("upload", "one.conf").stdout == "Successfully uploaded rules from file 'one.conf'\n"
    assert unlink("one") == "-1 EACCES"
    assert "one" in sct("list").stdout
    sct("upload", "--append", "two.conf")
    assert (unlink("one"), unlink("two")) == ("-1 EACCES", "-1 EROFS")
    assert sct("download").stdout == ONE + TWO
    assert (counters()["one"]["matched"], counters()["two"]["failed"]) == (2, 1)
    sct("delete", "one")
    assert (unlink("one"), unlink("two")) == ("-1 ENOENT", "-1 EROFS")
    assert sct("download").stdout == "# first\n\n" + TWO
    assert counters()["two"]["failed"] == 2
    sct("delete")
    assert (unlink("one"), unlink("two")) == ("-1 ENOENT", "-1 ENOENT")
    assert "no points" in sct("status").stdout


def test_what_is_refused_changes_nothing(here):
    sct("upload", "one.conf")
    before = sct("status", "--json").stdout
    assert "did you mean `UID`" in sct("upload", "wrong.conf", status=1).stderr
    (here / "exit.conf").write_text("rule { syscall_name = exit_group rule_name = r action { type = LOG } when = after }")
    sct("upload", "exit.conf", status=1)
    (here / "empty.sct").write_bytes(b"SCT1")
    assert "cut short" in sct("upload", "empty.sct", status=1).stderr
    sct("delete", "nonsense", status=1)
    sct("upload", "--dry-run", "two.conf")
    assert json.loads(sct("status", "--json").stdout)["generation"] == json.loads(before)["generation"]
    assert unlink("one") == "-1 EACCES"


def test_any_byte_comes_back(here):
    text = b"# \xff\x00\x1b\r\n" + TWO.encode().rstrip()
    (here / "odd.conf").write_bytes(text)
    assert kernel.command("sct_config", "upload", "odd.conf").returncode in (0, 1)
    text = text.replace(b"\0", b"")
    (here / "odd.conf").write_bytes(text)
    sct("upload", "odd.conf")
    assert sct("download").bytes == text


def test_counters_of_unchanged_rules_go_on(here):
    sct("upload", "one.conf")
    unlink("one")
    sct("upload", "two.conf", "one.conf")
    assert counters()["one"]["matched"] == 1
    (here / "one.conf").write_text(ONE.replace("EACCES", "EBUSY"))
    sct("upload", "one.conf")
    assert counters()["one"]["matched"] == 0


def test_status(here):
    sct("upload", "one.conf")
    unlink("anything")
    said = json.loads(sct("status", "--json").stdout)
    (point,) = (each for each in said["points"] if each["call"] == "unlinkat" and each["abi"] == platform.machine())
    assert point["mechanism"] == mechanism.best() and point["hits"] >= 1 and point["symbol"].endswith("sys_unlinkat")
    assert said["rules"] == 1 and said["locked"] is False


def test_try_goes_back(here):
    sct("upload", "one.conf")
    started = time.monotonic()
    done = sct("try", "two.conf", "--for", "2s", status=1)
    assert "old rules are in force again" in done.stderr and time.monotonic() - started >= 2
    assert sct("download").stdout == ONE


def test_try_is_kept_by_enter(here):
    sct("upload", "one.conf")
    assert "Successfully uploaded rules from file 'two.conf'" in sct("try", "two.conf", input="\n").stdout
    assert sct("download").stdout == TWO


def start_trial():
    """A running `sct_config try` whose rules are in force."""
    trial = kernel.start("sct_config", "try", "two.conf", "--for", "10m", stdin=os.open("/dev/null", os.O_RDONLY))
    kernel.eventually(lambda: sct("download").stdout == TWO)
    return trial


def test_try_is_kept_by_confirm(here):
    trial = start_trial()
    sct("confirm")
    assert trial.wait() == 0
    assert sct("download").stdout == TWO
    sct("confirm", status=1)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL, signal.SIGINT])
def test_try_goes_back_when_its_command_dies(here, number):
    sct("upload", "one.conf")
    trial = start_trial()
    trial.send(number)
    assert trial.wait() == {signal.SIGKILL: -signal.SIGKILL}.get(number, 130)
    kernel.eventually(lambda: sct("download").stdout == ONE)


def test_without_rights(here):
    for words in (["sct_config", "status"], ["sct_config", "upload", "one.conf"], ["sctlog", "--once"]):
        done = kernel.command(*words, user=65534)
        assert done.returncode == 4 and "not permitted" in done.stderr and "root" in done.stderr, done.stderr
    assert kernel.command("sct_config", "check", "/dev/null", user=65534).returncode == 0


def test_a_descriptor_is_no_right(here):
    """Opened by root and inherited by somebody who is not."""
    from pysct.control import Control

    image = kernel.compiled(TWO)
    script = (
        "import sys, os; from pysct.control import Control; from pysct.failures import Failure\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: Control(int(sys.argv[1])).upload(bytes.fromhex(sys.argv[2]))\n"
        "except Failure as failure: sys.exit(failure.status)"
    )
    with Control.open() as control:
        descriptor = control._descriptor
        done = subprocess.run(
            [kernel.BIN / "python", "-c", script, str(descriptor), image.hex()], pass_fds=[descriptor], cwd=os.fspath(kernel.TREE)
        )
    assert done.returncode == 4
    assert sct("download").stdout == ""


def test_two_uploads_at_once(here):
    for _ in range(5):
        both = [kernel.start("sct_config", "upload", name) for name in ("one.conf", "two.conf")]
        assert [each.wait() for each in both] == [0, 0]
        assert sct("download").stdout in (ONE, TWO)
        assert (unlink("one"), unlink("two")) in (("-1 EACCES", "-1 ENOENT"), ("-1 ENOENT", "-1 EROFS"))


def test_two_appends_at_once(here):
    sct("delete")
    both = [kernel.start("sct_config", "upload", "--append", name) for name in ("one.conf", "two.conf")]
    status = [each.wait() for each in both]
    text = sct("download").stdout
    assert text == "".join(part for part, each in zip((ONE, TWO), status) if each == 0) or text == TWO + ONE


def test_what_is_included_is_in_force_and_travels(here):
    (here / "main.conf").write_text('include "one.conf"\n' + TWO)
    sct("upload", "main.conf")
    assert (unlink("one"), unlink("two")) == ("-1 EACCES", "-1 EROFS")
    said = sct("download").stdout
    assert ONE in said and said.endswith(TWO) and said.startswith('# include "one.conf": begins\n')
    sct("delete", "two")
    assert (unlink("one"), unlink("two")) == ("-1 EACCES", "-1 ENOENT")
