# SPDX-License-Identifier: GPL-2.0-only
"""How is the virtual machine started?"""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from .accel import kvm_works
from .error import VmError
from .image import Image
from .places import TREE
from .wire import PORT

GUEST = TREE / "vm" / "sctvm" / "guest"
ARCH = {"amd64": "x86_64", "arm64": "aarch64"}
"""QEMU's name of Debian's architectures."""

ALWAYS = (
    "panic_on_warn=1",
    "oops=panic",
    "panic=-1",
    "softlockup_panic=1",
    "sysctl.kernel.panic_on_rcu_stall=1",
    "ignore_loglevel",
    "printk.devkmsg=on",
)
"""Kernel command line: any fault ends the guest, so does a processor that is stuck, and the console says everything."""

ONE_THREAD = ("-accel", "tcg,thread=single")
"""Without KVM, one thread emulates all processors in turn.

With a thread for each, QEMU 7.2 can go on executing what an instruction was before another processor changed it: a
breakpoint that the kernel sets while it patches a function and that is long gone. All that call the function then
trap for ever.
"""


@dataclass(frozen=True)
class Settings:
    """What the user may choose about the machine."""

    append: tuple[str, ...] = ()
    icount: bool = False
    gdb: bool = False
    memory: int = 2048
    """MiB."""
    cpus: int = max(2, min(4, os.cpu_count() or 2))


@dataclass(frozen=True)
class Machine:
    """A started machine: its process, which leads a group of its own, and our ends of its port and console."""

    process: subprocess.Popen
    wire: socket.socket
    console: int
    scratch: tempfile.TemporaryDirectory
    """Holds what virtme-run leaves behind."""


def start(image: Image, settings: Settings) -> Machine:
    """Starts QEMU through virtme-ng. The machine dies with this process, however that ends."""
    ours, theirs = socket.socketpair()
    console, its_end = os.pipe()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise VmError("setpriv: not found; install the package util-linux")
    command = [setpriv, "--pdeathsig", "KILL", _virtme_run(), *_options(image, settings, theirs.fileno())]
    scratch = tempfile.TemporaryDirectory(prefix="sct-vm-")
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=its_end,
        stderr=its_end,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
        env={**os.environ, "TMPDIR": scratch.name, "SCT_QEMU": f"qemu-system-{ARCH[image.kernel.arch]}"},
    )
    theirs.close()
    os.close(its_end)
    return Machine(process, ours, console, scratch)


def end(machine: Machine) -> None:
    """Ends the machine's processes, whatever state they are in."""
    try:
        os.killpg(machine.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    machine.process.wait()
    machine.wire.close()
    os.close(machine.console)
    machine.scratch.cleanup()


def _virtme_run() -> str:
    own = TREE / ".venv" / "bin" / "virtme-run"
    found = str(own) if own.exists() else shutil.which("virtme-run")
    if found is None:
        raise VmError("virtme-run: not found in .venv or on PATH; run `make tools`")
    return found


def _options(image: Image, settings: Settings, port: int) -> list[str]:
    """The words after virtme-run."""
    words = ["--kimg", str(image.vmlinuz), "--mods", "auto", "--force-9p", "--disable-microvm"]
    words += ["--qemu-bin", str(GUEST.parent / "qemu"), "--arch", ARCH[image.kernel.arch]]
    # Not for /etc, which is replaced together with the root: it makes virtme-ng load the overlay module.
    words += ["--overlay-rwdir", "/etc"]
    words += ["--name", "sct-vm", "--memory", f"{settings.memory}M"]
    words += ["--cpus", "1" if settings.icount else str(settings.cpus)]
    if emulated := settings.icount or not kvm_works():
        words += ["--disable-kvm"]
    words += ["--show-boot-console", "--script-sh", shlex.join(["exec", "sh", str(GUEST / "enter.sh"), *_agent()])]
    for word in _kernel_words(settings):
        words += ["--kopt", word]
    return [*words, "--qemu-opts", *_devices(port), *(ONE_THREAD if emulated else ()), *_qemu_words(settings)]


def _agent() -> list[str]:
    return [os.path.realpath(sys.executable), str(GUEST / "agent.py")]


def _kernel_words(settings: Settings) -> list[str]:
    # What is unknown to the kernel becomes environment of init, which finds its programs there first.
    words = [*ALWAYS, f"PATH={GUEST / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin"]
    if settings.icount:
        words.append("init_on_alloc=0")
    if settings.gdb:
        words.append("nokaslr")
    return [*words, *settings.append]


def _devices(port: int) -> list[str]:
    """The port to the agent, and the share that becomes the command's root (see guest/enter.sh)."""
    return [
        *("-chardev", f"socket,id=sct,fd={port}", "-device", "virtio-serial-pci,id=sct-bus"),
        *("-device", f"virtserialport,bus=sct-bus.0,name={PORT},chardev=sct"),
        *("-fsdev", "local,id=sct-root,path=/,security_model=none,readonly=on,multidevs=remap"),
        *("-device", "virtio-9p-pci,fsdev=sct-root,mount_tag=sct.root"),
    ]


def _qemu_words(settings: Settings) -> list[str]:
    words = []
    if settings.icount:
        words += ["-icount", "shift=0,sleep=off"]
    if settings.gdb:
        words += ["-gdb", "tcp:127.0.0.1:1234"]
    return words
