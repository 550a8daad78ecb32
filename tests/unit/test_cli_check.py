# SPDX-License-Identifier: GPL-2.0-only
"""Does sct_config check tell people and editors what there is to know, and do the other commands agree with it?"""

import errno
import json
import os
import re
from pathlib import Path

import pytest
from rule_files import ONE, TWO

from pysct import abi, image


def test_check_for_editors(files, say):
    """Everything that is to be said is on standard output, an object a line, and nothing else."""
    status, out, err = say("check", "--json", "one", "two", "missing", "wrong")
    found = [json.loads(line) for line in out.splitlines()]
    assert status == 1 and err == "" and [one["file"] for one in found] == ["missing", "wrong"]
    assert found[1] == {
        "severity": "error", "message": "unknown name `UIDD`", "hint": "did you mean `UID`?", "file": "wrong",
        "line": 1, "column": 64, "end_line": 1, "end_column": 68,
    }  # fmt: skip
    status, out, err = say("check", "--json", "one")
    found, note = map(json.loads, out.splitlines())
    assert status == 0 and err == "" and found["severity"] == "warning" and found["column"] == 23
    assert note["severity"] == "note" and "io_uring" in note["message"]
    assert say("check", "--json", "empty")[0] == 0


def test_check_of_a_file_that_is_included(files, say):
    Path("main").write_text('include "wrong"\n')
    status, out, _ = say("check", "--json", "main")
    assert status == 1 and json.loads(out)["file"] == "wrong"


def test_check_tells_what_rules_cost(files, say):
    status, out, _ = say("check", "-v", "one", "two")
    lines = [re.split(r"\s{2,}", line.strip()) for line in out.splitlines()]
    assert status == 0 and lines[1] == ["CALL", "WHEN", "RULES", "STEPS", "JUDGED", "ABI"]
    assert lines[2] == ["unlink", "before", "1", "3", "at entry", "x86_64, i386, x32"]
    globs = " || ".join(f'pathname =~ "/{at}/*/x"' for at in range(8))
    Path("dear").write_text(
        f"rule {{ syscall_name = unlink, unlinkat filter_expression {{ {globs} }} action {{ LOG }} }}"
    )
    assert "in task context" in say("check", "-v", "dear")[1]


@pytest.mark.parametrize(
    "condition, more, where",
    [
        ("COMM == \"x\"", "", "at entry"),
        ("ANCESTOR.COMM == \"x\"", "", "at entry"),
        ("EXE == \"x\"", "", "in task context"),
        ("ANCESTOR.EXE == \"x\"", "", "in task context"),
        ("PARENT.MNTNS == 7", "", "in task context"),
        ("path(pathname) == \"/x\"", "", "at entry, or in task context"),
        ("UID == 0", "when = after", "in task context"),
        ("UID == 0", "log_format {%cwd}", "in task context"),
        ("UID == 0", "log_format {%exe}", "in task context"),
    ],
)
def test_check_tells_where_calls_are_judged(files, say, condition, more, where):
    log, when = (more, "") if "log" in more else ("", more)
    Path("one").write_text(
        f"rule {{ syscall_name = unlink filter_expression {{ {condition} }} action {{ type = LOG {log} }} {when} }}"
    )
    assert re.search(rf"\s{{2,}}{where}\s{{2,}}", say("check", "-v", "one")[1])


def test_what_one_program_of_a_call_needs_the_other_one_has(files, say):
    """The kernel goes to task context once for both."""
    Path("two").write_text("".join(f"rule {{ syscall_name = unlink when = {when} action {{ LOG }} }}" for when in ("before", "after")))
    out = say("check", "-v", "two")[1]
    assert out.count("in task context") == 2 and "at entry" not in out


def test_a_rule_of_both_phases_is_counted_once(fake, files, say):
    Path("both").write_text("rule { syscall_name = chdir when = both rule_name = b action { LOG } }")
    assert say("check", "both")[1] == "both: 1 rule, no errors\n"
    say("upload", "both")
    assert say("delete") == (0, "Deleted 1 rule\n", "")
    say("upload", "both", "two")
    assert say("delete", "b")[:2] == (0, "Deleted rule 'b'\n") and image.decode(fake.image).source == TWO


def test_what_is_included_travels_with_the_rules(fake, files, say):
    Path("main").write_bytes(b'include "one"\n' + TWO)
    say("upload", "main")
    status, out, _ = say("download")
    assert status == 0 and ONE.decode() in out and out.endswith(TWO.decode()) and "\ninclude" not in out
    Path("one").unlink()
    assert say("delete", "two")[0] == 0 and ONE in image.decode(fake.image).source


def test_a_rule_that_is_never_reached_judges_no_call(fake, files, say):
    Path("dead").write_text(
        "rule { syscall_name = chdir rule_name = all action { LOG } }\n"
        "rule { syscall_name = chdir rule_name = dead filter_expression { UID == 0 } action { FAIL } }"
    )
    assert "never reached" in say("upload", "dead")[2]
    fake.lists[abi.List.COUNTERS] = [abi.CountersStruct(), abi.CountersStruct()]
    lines = [re.split(r"\s{2,}", line.strip()) for line in say("list")[1].splitlines()]
    assert lines[1][:3] == ["all", "before", "chdir"] and lines[2][:3] == ["dead", "before", "-"]


def test_a_file_that_cannot_be_read_is_named_with_a_way_out(files, say, monkeypatch):
    Path("folder").mkdir()
    said = "sct_config: error: folder: Is a directory\nsct_config: hint: name the files of rules in it\n"
    assert say("check", "folder") == (1, "", said)

    def forbidden(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("pysct.cli.ruleset.open", forbidden, raising=False)
    status, out, err = say("check", "one")
    assert status == 1 and out == "" and "one: Permission denied" in err and "be root" in err


@pytest.mark.timeout(20)
@pytest.mark.parametrize("command", ["check", "check --json", "explain", "dump", "fmt --check"])
def test_a_file_that_has_no_end_is_refused(say, command):
    status, out, err = say(*command.split(), "/dev/zero")
    assert status == 1 and "/dev/zero has more than 134217728 bytes" in (out if "json" in command else err)
