# SPDX-License-Identifier: GPL-2.0-only
"""Is every mistake met with its place, its cause and the way out?

Each NAME.conf must not compile, or only with a warning if its name starts with
`warn`; NAME.txt is what is said about it, to the letter.
`pytest tests/bad --update` writes the texts anew; read the difference.
"""

from pathlib import Path

import pytest

from pysct.compiler import compile_sources
from pysct.diagnostics import format_text
from pysct.source import Source

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.conf"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_bad(path, request, monkeypatch):
    monkeypatch.chdir(HERE)
    result = compile_sources([Source(path.name, path.read_bytes())])
    assert (result.image is not None) == path.stem.startswith("warn")
    expected, text = path.with_suffix(".txt"), "\n".join(map(format_text, result.diagnostics)) + "\n"
    if request.config.getoption("--update"):
        expected.write_text(text)
    assert text == expected.read_text()


def test_nothing_bad_is_left_over():
    assert {path.stem for path in HERE.glob("*.txt")} == {path.stem for path in FILES}
