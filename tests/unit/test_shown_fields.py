# SPDX-License-Identifier: GPL-2.0-only
"""Which fields do the events of a rule carry for its log_format?"""

import pytest

from pysct import image
from pysct.abi import FIELDS, SUBJECTS, RuleFlag
from pysct.compiler import compile_sources
from pysct.judge import verify
from pysct.source import Source
from pysct.tables import CALLS


def compiled(log_format: str, more: str = "") -> image.ImageRule:
    made = compile_sources([Source("rules", f"rule {{ syscall_name = unlink {more} action {{ LOG log_format {{{log_format}}} }} }}")], "x86_64").image
    assert verify(made) is None
    return image.decode(made).rules[0]


@pytest.mark.parametrize(
    ("log_format", "names"),
    [
        ("%comm %uid", []),
        ("%exe %tty", ["EXE", "TTY"]),
        ("%comm, started by %parent.comm (%parent.exe).", ["PARENT.COMM", "PARENT.EXE"]),
        ("%parent.uid %uid %parent.cwd %caps %parent.cwd", ["CAPS", "PARENT.UID", "PARENT.CWD"]),
        ("%exe.old %parent.pid.x %caps[0]", ["EXE", "CAPS", "PARENT.PID"]),
        ("%%parent.comm", []),
    ],
)
def test_shown(log_format, names):
    assert list(compiled(log_format).shows) == [FIELDS[name].number for name in names]


def test_the_directory_of_the_parent_is_not_that_of_the_caller():
    flags = [compiled(log_format).flags & RuleFlag.LOG_CWD for log_format in ("%parent.cwd", "%cwd", "%cwd.old")]
    assert flags == [0, RuleFlag.LOG_CWD, RuleFlag.LOG_CWD]


@pytest.mark.parametrize("when", ["before", "after"])
def test_all_of_the_parent(when):
    names = [name for name, field in FIELDS.items() if field.subject == "PARENT"]
    for name in names:
        assert list(compiled(f"%{name.lower()}", f"when = {when}").shows) == [FIELDS[name].number]


def test_no_argument_is_named_as_another_process():
    """Else %parent.x could mean a member of it."""
    arguments = {name for calls in CALLS.values() for _, args in calls.values() for name, _ in args}
    assert arguments.isdisjoint(map(str.lower, SUBJECTS))
