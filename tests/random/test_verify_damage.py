# SPDX-License-Identifier: GPL-2.0-only
"""Do the verifier and the judge stand images that are damaged, with the sanitizers watching?

A C program does the damage: see native/damage.c.  SCT_ROUNDS makes it try harder.
"""

import os
import struct
import subprocess
from pathlib import Path
from random import Random

import parts
import pytest
import random_programs as programs

from pysct import abi
from pysct.native import SOURCES, built

ROUNDS = int(os.environ.get("SCT_ROUNDS", "1"))
DAMAGE = Path(__file__).parent / "native/damage.c"
FLAGS = ("-std=gnu11", "-O1", "-g", "-Wall", "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
         "-fsanitize-coverage=trace-pc")
QUIET = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
NUMBER = {error.name: error.number for error in abi.ERRORS.values()}


@pytest.fixture(scope="session")
def damage() -> Path:
    """The program that does the damage."""
    return built("damage", FLAGS, (DAMAGE, *SOURCES))


def run(damage: Path, mode: str, images: list[bytes], seed: int = 1) -> dict[int, int]:
    """How many images were refused for each error, 0: accepted; fails the test if the program dies."""
    data = b"".join(struct.pack("<I", len(image)) + image for image in images)
    done = subprocess.run([str(damage), mode, str(seed)], input=data, capture_output=True, env={**os.environ, **QUIET})
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
    lines = [line.split() for line in done.stdout.decode().splitlines()]
    return {int(code): int(count) for code, count in lines if code != "blocks"}


def test_cut_at_every_length(damage):
    image = parts.everything()
    found = run(damage, "cut", [image])
    assert sum(found.values()) == 2 * len(image)
    assert 0 not in found
    assert found[NUMBER["SHORT"]] == 2 * abi.ImageStruct.SIZE


def test_every_bit(damage):
    image = parts.everything()
    found = run(damage, "flip", [image])
    assert sum(found.values()) == 2 * 8 * len(image)
    assert found[NUMBER["CRC"]] > 8 * len(image) * 3 // 4
    assert found[0] > 500, "that almost nothing was accepted proves little"


def test_several_numbers(damage):
    chance = Random(3)
    images = [parts.everything(), *(programs.program_image(chance) for _ in range(2))]
    found = {}
    for seed in range(1, 1 + ROUNDS):
        found = run(damage, "stir", images, seed)
        assert sum(found.values()) == 2000 * len(images)
    assert set(range(NUMBER["SECTION"], NUMBER["COST"] + 1)) <= set(found)


def test_random_programs(damage):
    for seed in range(ROUNDS):
        chance = Random(seed)
        images = [programs.program_image(chance, points=4) for _ in range(100)]
        assert run(damage, "take", images, seed + 1) == {0: len(images)}


def nonsense(chance: Random) -> bytes:
    """A program of instructions drawn one by one, each of which has an opcode that there is."""
    numbers = [opcode.number for opcode in abi.OPCODES.values()]
    small = lambda: chance.choice((0, 0, 0, 1, 2, 15, 16, 27))  # noqa: E731
    insns = [[chance.choice(numbers), small(), small(), small(), chance.choice((0, 1, 2, -1, 16))] for _ in range(chance.randrange(1, 4))]
    return parts.one(*insns, parts.insn("RET"), strings=[b"r", b"*a*", b"\\"]).bytes()


def test_nonsense(damage):
    chance = Random(7)
    found = run(damage, "take", [nonsense(chance) for _ in range(2000)])
    assert found[0] > 0 and set(found) <= {0, *range(NUMBER["OPCODE"], NUMBER["COST"] + 1), NUMBER["BLOCK"]}


def hard() -> list[bytes]:
    """Patterns that a search goes over again and again."""
    patterns = (b"*" + b"a" * 2000 + b"b", b"*[!b]" + b"[a]" * 1300 + b"b", b"*" + b"?" * 100 + b"b", b"a" * 2000 + b"b", b"*a" * 2000)
    names = ("SEQ", "SPRE", "SSUF", "SCON", "SGLOB")
    return [parts.one(parts.insn(name, 0, imm=1), parts.insn("RET"), strings=[b"r", pattern]).bytes()
            for name in names for pattern in patterns]  # fmt: skip


def test_the_hardest_searches_stay_within_their_cost(damage):
    for seed in range(1, 5 + ROUNDS):
        assert set(run(damage, "take", hard(), seed)) == {0}
