# SPDX-License-Identifier: GPL-2.0-only
"""May an indirect call land where the modules bring calls to?

BPF's trampolines at the end of a function make one, and no test machine has a processor that faults at it: so this looks
for the landing pads.
"""

import platform
import struct

import pytest

ENTRY, PAD = {
    "x86_64": ("__x64_sys_chdir", b"\xf3\x0f\x1e\xfa"),  # endbr64
    "aarch64": ("__arm64_sys_chdir", b"\x5f\x24\x03\xd5"),  # bti c
}[platform.machine()]


def address_of(symbol: str) -> int:
    with open("/proc/kallsyms") as lines:
        return next(int(line.split()[0], 16) for line in lines if line.split()[2] == symbol)


def memory(address: int, size: int) -> bytes:
    """Bytes of the kernel, from its image of itself: an ELF file."""
    with open("/proc/kcore", "rb") as core:
        head = core.read(64)
        (at,), (count,) = struct.unpack_from("<Q", head, 32), struct.unpack_from("<H", head, 56)
        core.seek(at)
        for segment in struct.iter_unpack("<IIQQQQQQ", core.read(56 * count)):
            _, _, offset, start, _, length, _, _ = segment
            if start <= address < start + length:
                core.seek(offset + address - start)
                return core.read(size)
    raise AssertionError(f"{address:#x} is not in the kernel's memory")


@pytest.mark.parametrize("name", ["sct_diversion_pass", "sct_diversion_skip", "sct_diversion"])
def test_landing_pads(loaded, name):
    if memory(address_of(ENTRY), 4) != PAD:
        pytest.skip("this kernel has no landing pads itself")
    assert memory(address_of(name), 4) == PAD
