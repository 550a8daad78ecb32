# SPDX-License-Identifier: GPL-2.0-only
"""Does KVM work on this machine?"""

import os
import subprocess
import tempfile
from pathlib import Path

from .arches import is_foreign
from .error import VmError
from .places import cache

# A boot sector for `-device isa-debug-exit`: mov al, 0x10; out 0xf4, al; hlt; jmp to the hlt. QEMU then exits with 33.
PROOF = bytes.fromhex("b010 e6f4 f4 ebfd").ljust(510, b"\0") + b"\x55\xaa"
PROVEN = 0x10 << 1 | 1


def kvm_works() -> bool:
    """Whether a guest really runs under KVM, remembered until the next boot.

    An openable /dev/kvm proves little: in nested or confined machines QEMU starts and dies at its first register.
    """
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    answer = cache() / f"kvm-{boot}"
    if not answer.exists():
        answer.parent.mkdir(parents=True, exist_ok=True)
        for outdated in answer.parent.glob("kvm-*"):
            outdated.unlink(missing_ok=True)
        answer.write_text("yes" if runs_a_guest("kvm", "host") else "no")
    return answer.read_text() == "yes"


def is_emulated(arch: str, icount: bool) -> bool:
    """Whether a guest's instructions are emulated: another architecture's, those that are counted, all without KVM."""
    return is_foreign(arch) or icount or not kvm_works()


def runs_a_guest(accelerator: str, cpu: str) -> bool:
    """Whether the smallest of guests boots and says so."""
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(PROOF)
        disk.flush()
        command = ["qemu-system-x86_64", "-accel", accelerator, "-cpu", cpu, "-m", "64M", "-smp", "2", "-nodefaults"]
        command += ["-display", "none", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        command += ["-drive", f"file={disk.name},format=raw,if=ide"]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        except FileNotFoundError:
            raise VmError("qemu-system-x86_64: not found; install the package qemu-system-x86") from None
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == PROVEN
