# SPDX-License-Identifier: GPL-2.0-only
"""How is a kernel built from Debian's package of its source?"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import programs
from .apt import unpack
from .arches import ARCHES, is_foreign
from .error import VmError
from .kernels import Kernel

BUILDER = {"KBUILD_BUILD_USER": "sct", "KBUILD_BUILD_HOST": "sct"}
"""Who the kernel says has built it."""
KEPT = ("Makefile", ".config", "Module.symvers", "System.map", "arch", "include", "scripts", "tools")
"""What of the built source modules are built against."""
SHOWN = 40
"""Lines of the compiler's messages that are shown when the kernel does not build."""


def digest(kernel: Kernel) -> str:
    """Changes when the configuration does."""
    return hashlib.sha256(kernel.fragment.read_bytes()).hexdigest()[:12]


def build(kernel: Kernel, package: Path, scratch: Path, root: Path) -> None:
    """Builds the kernel of a package of source below `root`, where packages of a kernel and of its headers have theirs."""
    tree = _unpack(package, scratch)
    _configure(kernel, tree)
    print(f"{kernel.name}: building it, which takes two processors twenty minutes", file=sys.stderr)
    _make(kernel, tree, f"-j{os.cpu_count()}", ARCHES[kernel.arch].target, "modules")
    _make(kernel, tree, f"INSTALL_MOD_PATH={root}", "modules_install")
    release = _make(kernel, tree, "kernelrelease").splitlines()[-1]
    (root / "boot").mkdir()
    shutil.copy2(tree / _make(kernel, tree, "image_name").splitlines()[-1], root / "boot" / f"vmlinuz-{release}")
    for link in ("build", "source"):
        (root / "lib" / "modules" / release / link).unlink(missing_ok=True)
    _prune(kernel, tree)
    (root / "usr" / "src").mkdir(parents=True)
    tree.rename(root / "usr" / "src" / f"linux-headers-{release}")


def _unpack(package: Path, scratch: Path) -> Path:
    """Where the source lies. It is built there, so that nothing of it names a place."""
    unpacked = scratch / "package"
    tree = scratch / "source"
    for directory in (unpacked, tree):
        directory.mkdir()
    unpack(package, unpacked)
    archive = next(unpacked.glob("usr/src/linux-source-*.tar.*"))
    programs.run(["tar", "-x", "-f", archive, "--strip-components=1", "-C", tree], "tar")
    return tree


def _configure(kernel: Kernel, tree: Path) -> None:
    _make(kernel, tree, f"KCONFIG_ALLCONFIG={kernel.fragment}", "allnoconfig")
    got = set((tree / ".config").read_text().splitlines())
    wanted = [line for line in kernel.fragment.read_text().splitlines() if line.startswith("CONFIG_")]
    if refused := [line for line in wanted if line not in got]:
        raise VmError(
            f"{kernel.fragment}: this source does not take {', '.join(refused)}; "
            "what they depend on may be missing, or they are gone"
        )


def _make(kernel: Kernel, tree: Path, *words: str) -> str:
    arch = ARCHES[kernel.arch]
    command = [programs.find("make", "make"), "-s", "-C", tree, f"ARCH={arch.source}", *words]
    if is_foreign(kernel.arch):
        command.append(f"CROSS_COMPILE={arch.prefix}")
    done = subprocess.run(
        command, env={**os.environ, **BUILDER}, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-SHOWN:]), file=sys.stderr)
        raise VmError(f"{kernel.name}: the kernel does not build; the compiler's last messages are above")
    return done.stdout


def _prune(kernel: Kernel, tree: Path) -> None:
    """Removes what only a build of the kernel itself needs."""
    others = [path for path in (tree / "arch").iterdir() if path.is_dir() and path.name != ARCHES[kernel.arch].source]
    for path in [*(path for path in tree.iterdir() if path.name not in KEPT), *others]:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for pattern in ("*.o", "*.a", ".*.cmd"):
        for path in tree.rglob(pattern):
            path.unlink()
