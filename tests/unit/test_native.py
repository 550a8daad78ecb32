# SPDX-License-Identifier: GPL-2.0-only
"""Is what is built from C made anew when something that goes into it has changed, and only then?"""

import os
import shutil

import pytest

from pysct import native
from pysct.failures import Failure

FLAGS = ("-shared", "-fPIC")


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A source that includes a header, which includes another one in another directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    (tmp_path / "below").mkdir()
    (tmp_path / "a.c").write_text('#include <stdlib.h>\n# include "b.h"\nint sct_one = ONE;\n')
    (tmp_path / "b.h").write_text('#include "below/c.h"\n')
    (tmp_path / "below/c.h").write_text('#pragma once\n#include "../b.h"\n#define ONE 1\n')
    return tmp_path / "a.c"


def made(source, name="x.so", flags=FLAGS):
    return native.built(name, flags, (source,))


@pytest.mark.parametrize("changed", ["a.c", "b.h", "below/c.h"])
def test_every_file_counts(source, changed):
    first = made(source)
    assert first.exists() and made(source) == first
    before, path = first.stat().st_mtime_ns, source.parent / changed
    path.write_text(path.read_text() + "\n/* changed */\n")
    assert made(source) != first and first.stat().st_mtime_ns == before


def test_flags_and_compiler_count(source, tmp_path, monkeypatch):
    first = made(source)
    assert made(source, flags=(*FLAGS, "-O1")) != first
    other = tmp_path / "gcc"
    other.write_text(f"#!/bin/sh\nexec {shutil.which('gcc')} \"$@\"\n")
    other.chmod(0o755)
    monkeypatch.setenv("CC", str(other))
    second = made(source)
    assert second != first
    os.utime(other, ns=(1, 1))
    assert made(source) not in (first, second)


def test_a_header_that_is_not_there_is_named(source, tmp_path):
    (tmp_path / "below/c.h").unlink()
    with pytest.raises(Failure, match="below/c.h: No such file"):
        made(source)


def test_without_a_compiler_the_package_is_named(source, monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(Failure, match="takes a C compiler") as raised:
        made(source)
    assert "apt install gcc" in raised.value.hint
