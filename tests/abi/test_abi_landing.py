# SPDX-License-Identifier: GPL-2.0-only
"""May an indirect call land where the modules bring calls to?

BPF's trampolines at the end of a function make one, and no test machine has a processor that faults at it: so this looks
for the landing pads.
"""

import os
import platform
import re
from pathlib import Path

import pytest

PREFIX, PAD = {
    "x86_64": ("__x64_", 0xFA1E0FF3),  # endbr64
    "aarch64": ("__arm64_", 0xD503245F),  # bti c
}[platform.machine()]


def first_word(tracing: Path, function: str) -> int:
    """The first four bytes of a function, as a probe on another one reads them."""
    (tracing / "kprobe_events").write_text(f"p:sct/look {PREFIX}sys_getppid word=@{function}:x32\n")
    (tracing / "trace").write_text("")
    switch = tracing / "events/sct/look/enable"
    switch.write_text("1")
    os.getppid()
    switch.write_text("0")
    seen = (tracing / "trace").read_text()
    (tracing / "kprobe_events").write_text("")
    return int(re.search(r"word=0x(\w+)", seen)[1], 16)


@pytest.mark.parametrize("name", ["sct_diversion_pass", "sct_diversion_skip", "sct_diversion"])
def test_landing_pads(loaded, tracing, name):
    if first_word(tracing, f"{PREFIX}sys_chdir") != PAD:
        pytest.skip("this kernel has no landing pads itself")
    assert first_word(tracing, name) == PAD
