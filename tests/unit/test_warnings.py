# SPDX-License-Identifier: GPL-2.0-only
"""Are warnings given where they help, and nowhere else?"""

from unittest.mock import patch

import pytest

from pysct.compiler import compile_sources
from pysct.image import decode
from pysct.implied import implies_inward
from pysct.source import Source


def said(text: str) -> list[str]:
    result = compile_sources([Source("f", text)])
    assert result.image, [found.message for found in result.diagnostics]
    return [found.message for found in result.diagnostics if found.severity == "warning"]


def rule(calls: str, condition: str = "", rest: str = "action { LOG }") -> str:
    return f"rule {{ syscall_name = {calls} {f'filter_expression {{ {condition} }}' if condition else ''} {rest} }}\n"


SENSIBLE = [
    rule("unlink, unlinkat", 'pathname == "/etc/passwd"', "action { FAIL }"),
    rule("@delete", 'pathname startswith "/srv/"'),
    rule("open, openat", '(flags & O_ACCMODE) != O_RDONLY && filename in { "/a", "/b" }'),
    rule("openat", 'filename == "/etc/shadow" && COMM != "sshd"', "action { type = LOG, FAIL }"),
    rule("openat", 'filename =~ "**.key"', "action { FAIL }"),
    rule("openat", 'filename endswith ".key" && !(CWD startswith "/root")', "action { FAIL }"),
    rule("execve", 'filename startswith "/tmp/"', "action { FAIL }"),
    rule("execve, execveat", "UID >= 1000", "action { FAIL }"),
    rule("clone", "clone_flags & CLONE_NEWUSER", "abi = x86_64 action { FAIL }") + rule("clone3, vfork"),
    rule("ioctl", "cmd == TIOCSTI", "action { FAIL }"),
    rule("write", 'fd == 2 && count > 4096 && COMM == "noisy"', "action { FAIL }"),
    rule("ptrace", "", "action { FAIL }"),
    rule("kill", "sig == SIGKILL && pid == 1"),
    rule("rename, renameat2, renameat", 'oldname startswith "/etc/" || newname startswith "/etc/"'),
    rule("symlink, symlinkat", 'oldname startswith "../"'),
    rule("newfstatat", 'filename == ""') + rule("statx, stat, stat64, lstat64, fstatat64"),
    rule("chdir", 'filename == ".." || filename == "."'),
    rule("mount", 'type == "nfs" && dev_name contains ":"'),
    rule("unlink", 'COMM == "a"') + rule("unlinkat", 'COMM == "b"'),
    rule("getpid", "UID == 0", "rule_name = a action { LOG }")
    + rule("getpid", "UID == 0", "when = after action { LOG }"),
    rule("getpid", "UID >= 10") + rule("getpid", "UID <= 10"),
    rule("getpid", "", "continue = yes action { LOG }") + rule("getpid"),
    rule("getpid", 'UID == 5 || COMM == "x"') + rule("getpid", 'COMM == "x" || UID == 6'),
    rule("fork, vfork, clone, clone3"),
    rule("pipe, pipe2") + rule("@poll") + rule("accept, accept4") + rule("exit, exit_group"),
    rule("readlink, mkdir, mkdirat, dup, dup2, dup3, openat, creat"),
    rule("unlinkat", "", "abi = aarch64 action { LOG }"),
]


@pytest.mark.parametrize("text", SENSIBLE, ids=range(len(SENSIBLE)))
def test_sensible_rules_are_left_alone(text):
    assert said(text) == []


def matches(text: str) -> list[int]:
    """The rules that have code."""
    image = decode(compile_sources([Source("f", text)]).image)
    return sorted({insn[4] for prog in image.progs for insn in prog.insns if insn[0] == 2})


def test_dead_rules_make_no_code():
    assert matches(rule("getpid") + rule("getpid", 'COMM == "x"')) == [0]
    assert matches(rule("getpid", "UID > 5") + rule("getpid", "UID == 7")) == [0]
    assert matches(rule("getpid", "UID == 5 && UID == 6")) == []


def test_a_rule_that_can_be_unknown_is_counted_and_so_stays():
    assert matches(rule("chdir", 'filename startswith "/"') + rule("chdir", 'filename == "/x"')) == [0, 1]


def test_a_rule_that_is_dead_at_some_points_stays_at_all():
    text = rule("getpid") + rule("getpid, getppid", "UID == 0")
    assert len(said(text)) == 1 and matches(text) == [0, 1]


def test_many_rules_of_one_user_are_told_apart_by_their_paths():
    text = "".join(rule("chdir", f'UID == 0 && filename == "/{at}"') for at in range(300))
    assert said(text) == []
    (message,) = said(text + rule("chdir", 'filename == "/299" && GID == 0 && UID == 0'))
    assert "rule300" in message


def test_rules_for_each_pair_of_two_numbers_are_told_apart_without_comparing_all():
    text = "".join(rule("close", f"UID == {at % 30} && GID == {at // 30}") for at in range(900))
    with patch("pysct.shadow.implies_inward", wraps=implies_inward) as compared:
        assert said(text) == [] and compared.call_count < 900
        (message,) = said(text + rule("close", "GID == 7 && UID == 3 && fd == 1"))
    assert "never reached: before it, `rule214` takes" in message


def test_what_errors_are_about_is_said_first_and_alone():
    text = rule("unlink") + rule("unlink", "UIDD")
    assert [found.severity for found in compile_sources([Source("f", text)]).diagnostics] == ["error"]


def test_the_note_on_memory_comes_once_and_of_refusals_only():
    def notes(text):
        return [found.message for found in compile_sources([Source("f", text)]).diagnostics if found.severity == "note"]

    looking = rule("chdir", 'filename == "/a"', "{}")
    assert notes(looking.replace("{}", "action { LOG }")) == []
    assert notes(rule("chdir", "UID == 5", "action { FAIL }")) == []
    assert len(notes(looking.replace("{}", "action { FAIL }"))) == 1
    (message,) = notes(
        looking.replace("{}", "action { FAIL }") + looking.replace("/a", "/b").replace("{}", "action { FAIL }")
    )
    assert message.startswith("2 rules")
