# SPDX-License-Identifier: GPL-2.0-only
"""Does every example compile without a word, and to the code that was read when it was last changed?

`pytest tests/golden --update` writes the disassembly anew; read the difference.
"""

import platform
from pathlib import Path

import pytest

from pysct.compiler import compile_sources
from pysct.diagnostics import format_text
from pysct.disassemble import disassemble
from pysct.image import decode
from pysct.source import Source

HERE = Path(__file__).parent
MACHINE = "x86_64"  # wherever this runs: the files in this directory are for it
EXAMPLES = sorted((HERE.parents[1] / "examples").glob("*.conf"))


def compiled(path: Path):
    return compile_sources([Source(path.name, path.read_bytes())], MACHINE)


def golden(path: Path) -> Path:
    return HERE / f"{path.stem}.txt"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, request):
    result = compiled(path)
    assert not result.diagnostics, "\n".join(map(format_text, result.diagnostics))
    assert decode(result.image).source == path.read_bytes()
    text = disassemble(result.image)
    if request.config.getoption("--update"):
        golden(path).write_text(text)
    assert text == golden(path).read_text()


@pytest.mark.parametrize("machine", ["aarch64", "riscv64"])
def test_the_machine_that_this_runs_on_does_not_matter(machine, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    for path in EXAMPLES:
        assert disassemble(compiled(path).image) == golden(path).read_text()


def test_nothing_golden_is_left_over():
    assert {path.stem for path in HERE.glob("*.txt")} == {path.stem for path in EXAMPLES}


def test_both_notations_mean_the_same():
    def rules(name):
        return decode(compiled(HERE.parents[1] / "examples" / name).image).rules

    curly, angle = rules("prevent_delete.conf"), rules("angle_brackets.conf")
    assert [(r.name, r.actions, r.error) for r in curly] == [(r.name, r.actions, r.error) for r in angle]
