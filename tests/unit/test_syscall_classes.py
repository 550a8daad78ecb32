# SPDX-License-Identifier: GPL-2.0-only
"""Do the classes of system calls contain what their names promise?"""

import re
import sys
from pathlib import Path

import pytest

GRAMMAR = Path(__file__).resolve().parents[2] / "grammar"
sys.path.insert(0, str(GRAMMAR / "extract"))

import classes  # noqa: E402

@pytest.mark.parametrize("name, some", [
    ("delete", {"unlink", "unlinkat", "rmdir"}),
    ("rename", {"rename", "renameat", "renameat2"}),
    ("open", {"open", "openat", "openat2", "creat"}),
    ("exec", {"execve", "execveat"}),
    ("dir_write", {"mkdir", "unlinkat", "renameat2", "symlink"}),
    ("network", {"socketcall", "connect", "accept4", "sendmmsg"}),
    ("all", {"read", "getpid", "_llseek", "arm_fadvise64_64"}),
])
def test_known_class(name, some):
    assert some <= set(classes.load()[name].members)


def test_every_class_has_a_line_of_doc_and_members():
    for entry in classes.load().values():
        assert entry.members and entry.doc and "\n" not in entry.doc, entry.name


@pytest.mark.parametrize("raw, part", [
    ({"a": {"doc": "", "members": ["nosuch"]}}, "nosuch in @a is a system call of no ABI"),
    ({"a": {"doc": "", "members": ["@b"]}}, "@b in @a is no class"),
    ({"a": {"doc": "", "members": ["@b"]}, "b": {"doc": "", "members": ["@a"]}}, "contains itself"),
])
def test_a_wrong_class_is_refused(raw, part):
    with pytest.raises(classes.ClassError, match=re.escape(part)):
        classes.resolve(raw, frozenset({"read"}), "classes.toml")
