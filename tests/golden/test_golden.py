# SPDX-License-Identifier: GPL-2.0-only
"""Does every example compile without a warning that it is not about, and to the code that was read when it was last changed?

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
WARNED = {"fail_before_log", "log_before_fail", "warnings"}  # a warning is what these are about
EXAMPLES = sorted((HERE.parents[1] / "examples").glob("*.conf"))


def compiled(path: Path):
    return compile_sources([Source(path.name, path.read_bytes())], MACHINE)


def listing(result) -> str:
    return disassemble(result.image, [f"{rule.source.name}:{rule.own_line}" for rule in result.rules])


def golden(path: Path) -> Path:
    return HERE / f"{path.stem}.txt"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, request, monkeypatch):
    monkeypatch.chdir(path.parent)
    result, data = compiled(path), path.read_bytes()
    said = [format_text(found) for found in result.diagnostics if found.severity != "note"]
    assert bool(said) == (path.stem in WARNED), "\n".join(said)
    assert decode(result.image).source == data or b"\ninclude" in data
    text = "\n".join([*said, listing(result)])
    if request.config.getoption("--update"):
        golden(path).write_text(text)
    assert text == golden(path).read_text()


@pytest.mark.parametrize("machine", ["aarch64", "riscv64"])
def test_the_machine_that_this_runs_on_does_not_matter(machine, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.chdir(HERE.parents[1] / "examples")
    for path in EXAMPLES:
        assert golden(path).read_text().endswith(listing(compiled(path)))


def test_nothing_golden_is_left_over():
    assert {path.stem for path in HERE.glob("*.txt")} == {path.stem for path in EXAMPLES}


def test_both_notations_mean_the_same():
    def rules(name):
        return decode(compiled(HERE.parents[1] / "examples" / name).image).rules

    curly, angle = rules("prevent_delete.conf"), rules("angle_brackets.conf")
    assert [(r.name, r.actions, r.error) for r in curly] == [(r.name, r.actions, r.error) for r in angle]
