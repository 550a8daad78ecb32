# SPDX-License-Identifier: GPL-2.0-only
"""Does the kernel that looks for mistakes find each kind of them, and the run then fail?"""

import subprocess

import pytest

from sctvm import kernels
from sctvm.places import TREE

REPORTS = {
    "leak": "unreferenced object 0x",
    "use": "BUG: KASAN: slab-use-after-free in use_freed_memory",
    "order": "WARNING: possible circular locking dependency detected",
    "sleep": "BUG: sleeping function called from invalid context",
}
LOOKING = [kernel for kernel in kernels.load().values() if kernel.source]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mistake", REPORTS)
@pytest.mark.parametrize("kernel", LOOKING, ids=lambda kernel: kernel.name)
def test_a_mistake_fails_the_run(kernel, mistake):
    words = ["--kernel", kernel.name, "--modules", TREE / "vm" / "tests" / "kmod", "--"]
    words += ["sh", "-c", f"insmod $SCT_MODULES/sct-faulty.ko mistake={mistake}"]
    done = subprocess.run([TREE / "vm" / "run", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 125, done.stderr
    assert REPORTS[mistake] in done.stderr
