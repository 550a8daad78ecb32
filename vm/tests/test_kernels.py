# SPDX-License-Identifier: GPL-2.0-only
"""Does every kernel of the list boot, load modules that were built for it, and run programs of its 32-bit ABI?"""

import re
import subprocess

import pytest

from sctvm import kernels
from sctvm.places import TREE

LIMIT = 600
"""Seconds, and for a kernel that asks for patience as many times as long."""
KERNELS = [
    pytest.param(kernel, id=kernel.name, marks=pytest.mark.timeout(LIMIT * kernel.patience))
    for kernel in kernels.load().values()
    if not kernel.early
]

COMPILERS = {"amd64": "gcc -m32", "arm64": "arm-linux-gnueabihf-gcc"}
EXITS = {
    "amd64": "mov $1, %eax; mov $32, %ebx; int $0x80",
    "arm64": "mov r7, #1; mov r0, #32; svc #0",
}
FREESTANDING = "-O1 -ffreestanding -static -nostdlib -fno-pie -no-pie -fno-stack-protector"


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_of_the_list_is_usable(kernel):
    program = f"{COMPILERS[kernel.arch]} {FREESTANDING} -DEXIT='\"{EXITS[kernel.arch]}\"' -o /tmp/status vm/tests/status.c"
    steps = [
        "uname -r",
        "insmod $SCT_MODULES/sct-still.ko",
        "grep -o ^sct_still /proc/modules",
        "rmmod sct_still",
        "sct_config check examples/log_unlink.conf >&2",
        program,
        "{ /tmp/status; echo $?; }",
    ]
    words = ["--kernel", kernel.name, "--modules", TREE / "vm" / "tests" / "kmod", "--", "sh", "-c", " && ".join(steps)]
    done = subprocess.run([TREE / "vm" / "run", *words], cwd=TREE, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    release, loaded, status = done.stdout.splitlines()
    assert re.search(rf"(^|-){re.escape(kernel.name.split('-')[1])}\b", release)
    assert (loaded, status) == ("sct_still", "32")
