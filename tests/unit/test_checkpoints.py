# SPDX-License-Identifier: GPL-2.0-only
"""Is an administrator told of the kernel's checkpoints that see what a rule judges, and of no others?"""

import json
import re
import sys
from pathlib import Path

import pytest

from pysct.compiler import compile_sources
from pysct.diagnostics import LENGTH
from pysct.source import Source
from pysct.tables import CALLS, CHECKPOINTS

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "grammar/extract"))

import checkpoints  # noqa: E402


def refusing(calls: str, condition: str) -> str:
    return f"rule {{ syscall_name = {calls} filter_expression {{ {condition} }} action {{ FAIL }} }}\n"


def way_out(text: str) -> str | None:
    """The hint of the note on memory."""
    notes = [found for found in compile_sources([Source("f", text)]).diagnostics if found.severity == "note"]
    (hint,) = (note.hint for note in notes if "the caller's memory" in note.message)
    return hint


@pytest.mark.parametrize("calls, condition, named", [
    ("unlinkat", 'pathname == "/a"', "path_unlink (unlinkat), path_rmdir (unlinkat)"),
    ("unlink, unlinkat", 'path(pathname) == "/a"', "path_unlink (unlink, unlinkat), path_rmdir (unlinkat)"),
    ("openat", 'filename == "/a" && UID == 0 && fdpath(dfd) == "/"', "file_open (openat)"),
    ("connect", "addr.sin_port == 22", "socket_connect (connect)"),
    ("sendmsg", "msg.msg_name.sin_port == 22", "socket_sendmsg (sendmsg)"),
    ("execve", 'filename == "/a"', "bprm_check (execve)"),
    ("lsetxattr", 'name == "user.x"', "inode_setxattr (lsetxattr), inode_set_acl (lsetxattr)"),
    ("chmod, fchmodat, fchmodat2", 'filename == "/a"', "path_chmod (chmod, fchmodat and 1 more)"),
])
def test_checkpoints_that_see_what_is_judged(calls, condition, named):
    assert way_out(refusing(calls, condition)).endswith(f"yet: {named}")


@pytest.mark.parametrize("call, condition", [
    ("chdir", 'filename == "/a"'),
    ("write", 'buf contains "a"'),
    ("execve", 'argv[1] == "-c"'),
    ("execve", 'filename == "/a" && argv[1] == "-c"'),
    ("openat2", "how.flags & O_CREAT"),
    ("sendto", 'addr.sin_port == 22 && buff contains "a"'),
])
def test_nothing_is_promised_where_a_checkpoint_sees_less_than_the_rule(call, condition):
    assert way_out(refusing(call, condition)) is None


def test_calls_without_one_are_left_out():
    assert way_out(refusing("chdir", 'filename == "/a"') + refusing("mkdir", 'pathname == "/a"')).endswith("yet: path_mkdir (mkdir)")


def test_apparmor_is_named_where_it_can():
    first, second = refusing("mkdir", 'pathname == "/a"'), refusing("connect", "addr.sin_port == 22")
    assert way_out(first).startswith("AppArmor or BPF can")
    assert way_out(second).startswith("BPF can") and way_out(first + second).startswith("BPF can")


def test_it_is_short_whatever_is_judged():
    strings = [
        (call, name)
        for call, name in sorted(judged.split(".") for sees in CHECKPOINTS.values() for judged in sees)
        if (name, "str") in CALLS["x86_64"].get(call, (0, ()))[1]
    ]
    hint = way_out("".join(refusing(call, f'{name} == "/a"') for call, name in strings))
    assert len(strings) > 50 and hint.count("(") == 3 and hint.endswith(" more") and len(hint) < LENGTH
    calls = ", ".join(call for call, name in strings if name == "name" and "xattr" in call)
    assert len(way_out(refusing(calls, 'name == "user.x"'))) < LENGTH


def test_editors_are_told(say, tmp_path):
    (tmp_path / "f").write_text(refusing("rename", 'oldname == "/a"'))
    status, out, _ = say("check", "--json", str(tmp_path / "f"))
    hints = [found["hint"] for found in map(json.loads, out.splitlines()) if found["severity"] == "note"]
    assert status == 0 and any(hint.endswith("yet: path_rename (rename)") for hint in hints)


@pytest.mark.parametrize("raw, part", [
    ({"checkpoints": {"a": ["unlink.path"]}}, "a: unlink.path: no memory of a call"),
    ({"checkpoints": {"a": ["unlink.pathname", "unlink.pathname"]}}, "a: unlink.pathname: stands twice"),
    ({"checkpoints": {}, "apparmor": ["b"]}, "b: no checkpoint"),
    ({"checkpoints": {}, "acl": {"of": {"c": "d"}}}, "c: no checkpoint"),
])
def test_a_wrong_list_is_refused(raw, part):
    with pytest.raises(checkpoints.CheckpointError, match=re.escape(part)):
        checkpoints.check({"apparmor": [], "acl": {"of": {}}} | raw, frozenset({"unlink.pathname"}), "checkpoints.toml")
