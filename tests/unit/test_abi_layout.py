# SPDX-License-Identifier: GPL-2.0-only
"""Do 64-bit programs, 32-bit programs and Python agree with the header on what is exchanged?"""

import shutil
import subprocess
from ctypes import sizeof

import pytest

from pysct import abi
from pysct.native import KMOD

LIBRARY_HEADERS = "/usr/include/x86_64-linux-gnu"  # <asm/types.h>, the same for both


def assertions() -> list[str]:
    """That the header says what Python says, as C."""
    said = []
    for name, made in vars(abi).items():
        if name.endswith("Struct") and name != "LittleEndianStructure":
            struct = f"struct sct_{name.removesuffix('Struct').lower()}"
            said.append(f"sizeof({struct}) == {sizeof(made)}")
            said += [f"__builtin_offsetof({struct}, {member}) == {getattr(made, member).offset}" for member, *_ in made._fields_]
    said += [f"SCT_IOC_{name} == {value:#x}" for name, value in vars(abi.Ioctl).items() if name.isupper()]
    said += [f"SCT_{name}_MAX == {value}" for name, value in vars(abi.Limit).items() if name.isupper()]
    return said


@pytest.mark.parametrize("bits", ["-m64", "-m32"])
@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_layout(bits):
    lines = ["#include <asm/ioctl.h>", '#include "sct_abi.h"', "SCT_ABI_ASSERTIONS(_Static_assert);"]
    lines += [f"_Static_assert({assertion});" for assertion in assertions()]
    words = ["gcc", bits, "-std=gnu2x", "-Wall", "-Werror", "-fsyntax-only", "-idirafter", LIBRARY_HEADERS, f"-I{KMOD}", "-xc", "-"]
    done = subprocess.run(words, input="\n".join(lines), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_there_is_something_to_compare():
    assert len(assertions()) > 150
