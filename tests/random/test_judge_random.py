# SPDX-License-Identifier: GPL-2.0-only
"""Does the kernel's judge do what the specification says, whatever the program and the call?

SCT_ROUNDS makes it try harder.
"""

import os
from ctypes import c_bool
from pathlib import Path
from random import Random

import interpreter
import pytest
import random_programs as programs

from pysct import image, judge
from pysct.compiler import compile_sources
from pysct.native import library
from pysct.source import Source

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ROUNDS = int(os.environ.get("SCT_ROUNDS", "1"))


@pytest.mark.parametrize("seed", range(4 * ROUNDS))
def test_random_programs(seed):
    chance = Random(seed)
    matched = unknown = 0
    for _ in range(150):
        data = programs.program_image(chance)
        decoded = image.decode(data)
        with judge.Judge(data) as rules:
            for index, prog in enumerate(decoded.progs):
                for _ in range(2):
                    call = programs.call(chance)
                    expected = interpreter.run(decoded, index, call)
                    found = rules.judge(prog.abi, prog.nr, prog.phase, call)
                    assert (list(found.matched), list(found.unknown)) == (expected.matched, expected.unknown), (prog, call)
                    assert expected.steps <= prog.cost
                    matched += len(found.matched)
                    unknown += len(found.unknown)
    assert matched > 100 and unknown > 50, "these programs prove little"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.conf")), ids=lambda path: path.stem)
def test_examples(path):
    """What the compiler writes is taken, and judges calls as specified."""
    data = compile_sources([Source.read(path)]).image
    decoded, chance = image.decode(data), Random(path.name)
    with judge.Judge(data) as rules:
        for index, prog in enumerate(decoded.progs):
            for _ in range(max(1, 12 // len(decoded.progs))):
                call = programs.call(chance)
                expected = interpreter.run(decoded, index, call)
                found = rules.judge(prog.abi, prog.nr, prog.phase, call)
                assert (list(found.matched), list(found.unknown)) == (expected.matched, expected.unknown), (prog, call)
                assert expected.steps <= prog.cost


@pytest.mark.parametrize("name, path", [("sct_glob", False), ("sct_path_glob", True)])
def test_globs(name, path):
    chance = Random(1 if ROUNDS == 1 else None)
    glob = library()[name]
    glob.restype = c_bool
    hits = 0
    for _ in range(8000 * ROUNDS):
        pattern, text = programs.glob(chance), chance.choice((programs.word, programs.path))(chance)
        expected = interpreter.glob(pattern, text, path)
        behind = programs.glob(chance) + b"]"  # what is not theirs must not matter
        assert glob(pattern + behind, len(pattern), text + behind, len(text)) == expected, (pattern, text, behind)
        hits += expected
    assert hits > 500
