# SPDX-License-Identifier: GPL-2.0-only
"""Is every mistake met with its place, its cause and the way out?

Each NAME.conf must not compile, or only with a warning if its name starts with
`warn`; NAME.txt is what is said about it, to the letter.
`pytest tests/bad --update` writes the texts anew; read the difference.
"""

import platform
from pathlib import Path

import pytest

from pysct.compiler import compile_sources
from pysct.diagnostics import format_text
from pysct.source import Source

HERE = Path(__file__).parent
MACHINE, KERNEL = "x86_64", (5, 10)  # wherever this runs: the files in this directory are for these
FILES = sorted(HERE.glob("*.conf"))


def compiled(path: Path):
    """Whether there is an image, and what is said."""
    result = compile_sources([Source(path.name, path.read_bytes())], MACHINE, kernel=KERNEL)
    return result.image is not None, "\n".join(map(format_text, result.diagnostics)) + "\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_bad(path, request, monkeypatch):
    monkeypatch.chdir(HERE)
    there_is_one, text = compiled(path)
    assert there_is_one == path.stem.startswith("warn")
    expected = path.with_suffix(".txt")
    if request.config.getoption("--update"):
        expected.write_text(text)
    assert text == expected.read_text()


@pytest.mark.parametrize("machine", ["aarch64", "riscv64"])
def test_the_machine_that_this_runs_on_does_not_matter(machine, monkeypatch):
    monkeypatch.chdir(HERE)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    for path in FILES:
        assert compiled(path)[1] == path.with_suffix(".txt").read_text()


def test_nothing_bad_is_left_over():
    assert {path.stem for path in HERE.glob("*.txt")} == {path.stem for path in FILES}
