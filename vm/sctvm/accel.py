"""Does KVM work on this machine?"""

import subprocess
import tempfile
from pathlib import Path

from .places import cache

# A boot sector for `-device isa-debug-exit`: mov al, 0x10; out 0xf4, al; hlt; jmp to the hlt. QEMU then exits with 33.
PROOF = bytes.fromhex("b010 e6f4 f4 ebfd").ljust(510, b"\0") + b"\x55\xaa"
PROVEN = 0x10 << 1 | 1


def kvm_works() -> bool:
    """Whether a guest really runs under KVM, remembered until the next boot.

    An openable /dev/kvm proves little: in nested or confined machines QEMU starts and dies at its first register.
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    answer = cache() / f"kvm-{boot}"
    if not answer.exists():
        answer.parent.mkdir(parents=True, exist_ok=True)
        for outdated in answer.parent.glob("kvm-*"):
            outdated.unlink(missing_ok=True)
        answer.write_text("yes" if _try() else "no")
    return answer.read_text() == "yes"


def _try() -> bool:
    if not Path("/dev/kvm").exists():
        return False
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(PROOF)
        disk.flush()
        command = ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-m", "64M", "-smp", "2", "-nodefaults"]
        command += ["-display", "none", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        command += ["-drive", f"file={disk.name},format=raw,if=ide,readonly=off"]
        try:
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20).returncode == PROVEN
        except (OSError, subprocess.TimeoutExpired):
            return False
