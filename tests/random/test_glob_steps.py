# SPDX-License-Identifier: GPL-2.0-only
"""Does matching a glob take no more steps than pattern and text have bytes, multiplied, as its cost says?

The kernel's code is built so that each call of one of its functions is counted.
"""

import ctypes
import os
from random import Random

import pytest

from pysct.native import KMOD, built

ROUNDS = int(os.environ.get("SCT_ROUNDS", "1"))
FLAGS = ("-std=gnu11", "-O0", "-Wall", "-Werror", "-fPIC", "-shared", "-Wl,-Bsymbolic", "-finstrument-functions", f"-I{KMOD}/rules")
COUNTER = """\
unsigned long sct_count_steps;
__attribute__((no_instrument_function)) void __cyg_profile_func_enter(void *own, void *caller) { sct_count_steps++; }
__attribute__((no_instrument_function)) void __cyg_profile_func_exit(void *own, void *caller) { }
"""
PARTS = (b"a", b"b", b"aa", b"ab", b"/", b"*", b"*", b"**", b"/**/", b"?", b"[ab]", b"a*b", b"a/b")
LONG = (b"a" * 400, b"a/" * 200, b"ab" * 200, b"aaaaaaa/" * 50, b"/" * 400, b"a" * 200 + b"/" + b"a" * 199)
HARD = (b"**a*b", b"**a*a*a*a*b", b"*a*a*a*a*b", b"**a**a**a**b", b"/**/a/**/a/**/b", b"**a/*b", b"**a/a*b/a*b", b"**aaaaaaaab", b"**a*/b*/c")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    counter = tmp_path_factory.mktemp("steps") / "counter.c"
    counter.write_text(COUNTER)
    return ctypes.CDLL(str(built("steps.so", FLAGS, (counter, KMOD / "rules/glob.c"))))


def steps(library, name: str, pattern: bytes, text: bytes) -> int:
    counter = ctypes.c_ulong.in_dll(library, "sct_count_steps")
    counter.value = 0
    library[name](pattern, ctypes.c_size_t(len(pattern)), text, ctypes.c_size_t(len(text)))
    return counter.value


@pytest.mark.parametrize("name", ["sct_glob", "sct_path_glob"])
def test_steps(library, name):
    chance = Random(5 if ROUNDS == 1 else None)
    patterns = [b"".join(chance.choices(PARTS, k=chance.randrange(1, 12))) for _ in range(1000 * ROUNDS)]
    worst = 0.0
    for pattern in [*HARD, *patterns]:
        for text in LONG:
            # Up to three functions look at an element, one goes back, and one calls the others.
            taken = (steps(library, name, pattern, text) - 1) / 4
            worst = max(worst, taken / ((len(pattern) + 2) * (len(text) + 2)))
    assert 0.1 < worst <= 1
