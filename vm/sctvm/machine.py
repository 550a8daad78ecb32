# SPDX-License-Identifier: GPL-2.0-only
"""How is the virtual machine started?"""

import os
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import programs, small, userland, virtme
from .accel import is_emulated
from .arches import ARCHES, is_foreign
from .image import Image
from .settings import Settings
from .wire import PORT


@dataclass(frozen=True)
class Machine:
    """A started machine: its process, which leads a group of its own, and our ends of its port and console."""

    process: subprocess.Popen
    wire: socket.socket
    console: int
    scratch: tempfile.TemporaryDirectory
    """Holds what the start leaves behind."""


def start(image: Image, settings: Settings) -> Machine:
    """Starts QEMU. The machine dies with this process, however that ends."""
    setpriv = programs.find("setpriv", "util-linux")
    scratch = tempfile.TemporaryDirectory(prefix="sct-vm-")
    ours, theirs = socket.socketpair()
    words = [*_command(image, settings, Path(scratch.name)), *_port(theirs.fileno())]
    words += settings.qemu_words(is_emulated(image.kernel.arch, settings.icount))
    console, its_end = os.pipe()
    process = subprocess.Popen(
        [setpriv, "--pdeathsig", "KILL", *words],
        stdin=subprocess.DEVNULL,
        stdout=its_end,
        stderr=its_end,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
        env={**os.environ, "TMPDIR": scratch.name, "SCT_QEMU": f"qemu-system-{ARCHES[image.kernel.arch].machine}"},
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


def _command(image: Image, settings: Settings, scratch: Path) -> list[str]:
    """The words that start the machine, up to its port."""
    foreign = is_foreign(image.kernel.arch)
    if settings.in_memory:
        return small.command(image, settings, userland.obtain(image.kernel.arch), scratch)
    if not foreign and not image.kernel.small:
        return [*virtme.command(image, settings), *share("root", Path("/"))]
    root = userland.obtain(image.kernel.arch) if foreign else Path("/")
    return [*small.command(image, settings, root, scratch), *share("root", root), *share("host", Path("/"))]


def share(name: str, path: Path) -> list[str]:
    """A directory of this machine that the guest can read, and nothing in the guest can change."""
    return [
        *("-fsdev", f"local,id=sct-{name},path={path},security_model=none,readonly=on,multidevs=remap"),
        *("-device", f"virtio-9p-pci,fsdev=sct-{name},mount_tag=sct.{name}"),
    ]


def _port(descriptor: int) -> list[str]:
    """The port to the agent."""
    return [
        *("-chardev", f"socket,id=sct,fd={descriptor}", "-device", "virtio-serial-pci,id=sct-bus"),
        *("-device", f"virtserialport,bus=sct-bus.0,name={PORT},chardev=sct"),
    ]
