# SPDX-License-Identifier: GPL-2.0-only
"""Does every example compile without a warning that it is not about, and to the code that was read when it was last changed?

`pytest tests/golden --update` writes the disassembly anew; read the difference.
"""

from pathlib import Path

import pytest

from pysct.compiler import compile_sources
from pysct.diagnostics import format_text
from pysct.disassemble import disassemble
from pysct.image import decode
from pysct.source import Source

HERE = Path(__file__).parent
WARNED = {"fail_before_log", "log_before_fail", "warnings"}  # a warning is what these are about
EXAMPLES = sorted((HERE.parents[1] / "examples").glob("*.conf"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, request, monkeypatch):
    monkeypatch.chdir(path.parent)
    data = path.read_bytes()
    result = compile_sources([Source(path.name, data)])
    said = [format_text(found) for found in result.diagnostics if found.severity != "note"]
    assert bool(said) == (path.stem in WARNED), "\n".join(said)
    assert decode(result.image).source == data or b"\ninclude" in data
    golden, text = HERE / f"{path.stem}.txt", "\n".join([*said, disassemble(result.image)])
    if request.config.getoption("--update"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_nothing_golden_is_left_over():
    assert {path.stem for path in HERE.glob("*.txt")} == {path.stem for path in EXAMPLES}


def test_both_notations_mean_the_same():
    def rules(name):
        return decode(compile_sources([Source.read(HERE.parents[1] / "examples" / name)]).image).rules

    curly, angle = rules("prevent_delete.conf"), rules("angle_brackets.conf")
    assert [(r.name, r.actions, r.error) for r in curly] == [(r.name, r.actions, r.error) for r in angle]
