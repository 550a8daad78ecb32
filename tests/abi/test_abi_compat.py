# SPDX-License-Identifier: GPL-2.0-only
"""Do the devices answer 32-bit programs as they do others?"""

import errno
import os
import platform
import subprocess

import pytest
import raw

from pysct import tables
from pysct.points import abis_of

COMPILERS = {"x86_64": ("gcc", "-m32"), "aarch64": ("arm-linux-gnueabihf-gcc", "-mcpu=cortex-a15", "-marm")}
FREESTANDING = ("-static", "-nostdlib", "-ffreestanding", "-fno-pic", "-fno-stack-protector", "-Wall", "-Werror")
HEADERS = ("-idirafter", "/usr/include", "-idirafter", f"/usr/include/{platform.machine()}-linux-gnu")
CHDIR_32 = tables.CALLS[abis_of()[1]]["chdir"][0]


def own_image() -> bytes:
    """Refuses chdir() in both ABIs."""
    made = raw.refusing(raw.Held.PATH, errno.EXDEV, digest=32)
    made.progs.append(raw.prog(len(made.insns), ("str",), nr=CHDIR_32, abi=raw.OTHER, first=len(made.insns)))
    made.insns *= 2
    return made.bytes()


@pytest.fixture
def told(held, program):
    """What a 32-bit program was told, by the name of its request."""
    compat = program("abi/programs/compat32.c", *FREESTANDING, *HEADERS, compiler=COMPILERS[platform.machine()])
    done = subprocess.run([compat], input=own_image(), capture_output=True, check=True)
    yield {words[0]: tuple(map(int, words[1:])) for line in done.stdout.decode().splitlines() if (words := line.split())}
    # Its rules are in force now: the held ones come back.
    again = raw.Held()
    held.generation = again.generation
    held.recount()
    os.close(again.descriptor)


def test_answers(held, told):
    generation = held.generation + 1
    assert told["upload"] == (0, generation, 0)
    assert told["version"] == (0, 2, generation)
    assert told["high"] == (-errno.EFAULT, 0, 0), "a 64-bit address stays one"
    assert told["dry"] == (0, 0, 0)
    assert told["short"] == (-errno.ENOSPC, 1, 0)
    assert told["download"] == (0, 1, 1)
    assert told["list"] == (0, 1, 1), "before its chdir() 0, after it 1"
    assert told["unknown"] == (-errno.ENOTTY, 0, 0)
    assert told["nowhere"] == told["null"] == (-errno.EFAULT, 0, 0)
    assert told["chdir"] == (-errno.EXDEV, 0, 0)
    assert told["log"][1] == 1 and (told["log"][0] > 0 or told["log"][0] == -errno.EAGAIN)
    assert raw.chdir(raw.Held.PATH) == errno.EXDEV
