# SPDX-License-Identifier: GPL-2.0-only
"""How does virtme-ng start a machine whose files are this machine's?"""

import os
import shlex
import shutil
import sys

from .accel import is_emulated
from .arches import ARCHES
from .error import VmError
from .image import Image
from .places import GUEST, TREE
from .settings import Settings


def command(image: Image, settings: Settings) -> list[str]:
    """The words that start it; what follows them is QEMU's."""
    words = [_program(), "--kimg", str(image.vmlinuz), "--mods", "auto", "--force-9p", "--disable-microvm"]
    words += ["--qemu-bin", str(GUEST.parent / "qemu"), "--arch", ARCHES[image.kernel.arch].machine]
    # Not for /etc, which is replaced together with the root: it makes virtme-ng load the overlay module.
    words += ["--overlay-rwdir", "/etc"]
    words += ["--name", "sct-vm", "--memory", f"{settings.memory}M", "--cpus", str(settings.cpus)]
    if is_emulated(image.kernel.arch, settings.icount):
        words += ["--disable-kvm"]
    agent = [os.path.realpath(sys.executable), str(GUEST / "agent.py")]
    words += ["--show-boot-console", "--script-sh", shlex.join(["exec", "sh", str(GUEST / "enter.sh"), *agent])]
    # Init finds its programs there first.
    for word in settings.kernel_words((f"PATH={GUEST / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin",)):
        words += ["--kopt", word]
    return [*words, "--qemu-opts"]


def _program() -> str:
    own = TREE / ".venv" / "bin" / "virtme-run"
    found = str(own) if own.exists() else shutil.which("virtme-run")
    if found is None:
        raise VmError("virtme-run: not found in .venv or on PATH; run `make tools`")
    return found
