# SPDX-License-Identifier: GPL-2.0-only
"""Does libFuzzer find an image that the verifier takes and that then does harm?

What it found worth keeping is in native/corpus.xz, from which it starts; all
of that, and what it finds now, has to stay within its cost as well: see
native/damage.c.  SCT_ROUNDS makes it try harder; `--update` keeps what it finds.
"""

import lzma
import os
import re
import struct
import subprocess
from pathlib import Path

import parts
import pytest
from test_verify_damage import NUMBER, QUIET, damage, run  # noqa: F401 - a fixture

from pysct.native import SOURCES, built

ROUNDS = int(os.environ.get("SCT_ROUNDS", "1"))
RUNS = 20_000
LONGEST = 2048  # bytes of an image
NATIVE = Path(__file__).parent / "native"
CORPUS = NATIVE / "corpus.xz"
FLAGS = (
    "-std=gnu11",
    "-O1",
    "-g",
    "-Wall",
    "-Werror",
    "-fsanitize=fuzzer,address,undefined",
    "-fno-sanitize-recover=all",
)


@pytest.fixture(scope="module")
def fuzzer() -> Path:
    return built("fuzz", FLAGS, (NATIVE / "fuzz.c", *SOURCES), "clang-14", "clang-14 libclang-rt-14-dev")


def kept() -> list[bytes]:
    """The images of the corpus, each of which stands behind its length in 32 bits."""
    data, images, at = lzma.decompress(CORPUS.read_bytes()), [], 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        images.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return images


def fuzz(fuzzer: Path, *words: str) -> str:
    """What the fuzzer says; fails the test if it found something."""
    done = subprocess.run([str(fuzzer), *words], capture_output=True, env={**os.environ, **QUIET})
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, said[-6000:]
    return said


@pytest.mark.timeout(120 * ROUNDS)
def test_what_the_fuzzer_finds(fuzzer, damage, tmp_path, request):  # noqa: F811
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir(), new.mkdir()
    for number, image in enumerate([parts.everything(), *kept()]):
        (old / str(number)).write_bytes(image)
    seed = 1 if ROUNDS == 1 else int.from_bytes(os.urandom(3), "little")
    artifacts = f"-artifact_prefix={tmp_path}/"
    said = fuzz(fuzzer, f"-seed={seed}", f"-runs={RUNS * ROUNDS}", f"-max_len={LONGEST}", artifacts, str(new), str(old))
    assert re.search(rf"Done {RUNS * ROUNDS} runs", said)
    found = run(
        damage, "take", [path.read_bytes() for path in sorted([*old.iterdir(), *new.iterdir()]) if path.stat().st_size]
    )
    assert found[0] > 100 and {*range(NUMBER["SHORT"], NUMBER["COST"] + 1)} <= {*found}, (
        f"this corpus proves little: {found}"
    )
    if request.config.getoption("--update"):
        merged = tmp_path / "merged"
        merged.mkdir()
        fuzz(fuzzer, "-merge=1", f"-max_len={LONGEST}", str(merged), str(old), str(new))
        images = sorted((path.read_bytes() for path in merged.iterdir()), key=lambda image: (len(image), image))
        CORPUS.write_bytes(lzma.compress(b"".join(struct.pack("<I", len(image)) + image for image in images)))


def test_the_corpus_is_small():
    assert CORPUS.stat().st_size < 50_000
