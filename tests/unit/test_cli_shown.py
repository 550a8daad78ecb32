# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config show of rules and modules, and what are they told by it?"""

import json
import re
from pathlib import Path

from rule_files import WARNED

from pysct import abi


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
    fake.lists[abi.List.POINTS] = [abi.PointStruct(0, 87, 2, abi.Point.COVERED, 0, 12, b"__x64_sys_unlink")]
    fake.lists[abi.List.CALLERS] = [abi.CallerStruct(5, 6, 0, 0, 0, 12 * 10**9, b"c\x1bat")]
    fake.lists[abi.List.DROPS] = [abi.DropStruct(0, abi.Cause.BUFFER, 3), abi.DropStruct(1, abi.Cause.BUFFER, 0)]
    status, out, _ = say("status")
    assert status == 0
    for text in ("generation   1", "ftrace", "covered", "__x64_sys_unlink", "12", r"pid 5 thread 6 (c\x1bat) has been in read for 12 s", "buffer"):
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
    assert text[1].startswith("rule 0 one line 1: ") and "    ; line 1 rule one\n" in text[1]
    assert say("dump", "one") == (0, text[1].replace("line 1", "one:1"), text[2])
    say("upload", "one")
    assert say("dump") == text


def test_dump_of_a_damaged_image(files, say):
    say("compile", "one", "-o", "one.sct")
    data = Path("one.sct").read_bytes()
    for damaged in (data[:-1], data[:30], data[:100] + b"\xff" + data[101:]):
        Path("one.sct").write_bytes(damaged)
        status, out, err = say("dump", "one.sct")
        assert status == 1 and out == "" and "error" in err
