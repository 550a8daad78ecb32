# SPDX-License-Identifier: GPL-2.0-only
"""How do the compiler and the build programs of another Debian release run on this machine?

They are unpacked beside the kernel, with all that they depend on, and each is told to use the dynamic loader and the
libraries that it came with.
"""

import re
import subprocess
from pathlib import Path

from . import programs
from .apt import Apt
from .arches import ARCHES, native
from .error import VmError

PROGRAMS = ("usr/bin/*", "usr/libexec/**/*", "usr/lib/gcc*/**/*", "usr/lib/linux-kbuild-*/**/*")
LOADERS = ("lib64/ld-linux*.so.*", "usr/lib64/ld-linux*.so.*", "lib/ld-linux*.so.*", "usr/lib/ld-linux*.so.*")


def packages(apt: Apt, arch: str, found: list[str]) -> list[str]:
    """What has to be unpacked, with all its dependencies, for the headers and the build programs that were found."""
    headers = next(name for name in found if re.match(r"linux-headers-\d", name) and "-common" not in name)
    kbuild = next(name for name in found if name.startswith("linux-kbuild-"))
    versions = [match[1] for name in apt.depends(headers) if (match := re.match(r"gcc-(\d+)", name))]
    if not versions:
        raise VmError(f"{headers}: depends on no compiler; take `own_tools` out of the kernel's entry")
    return [kbuild, f"gcc-{versions[0]}-{ARCHES[arch].prefix.rstrip('-').replace('_', '-')}"]


def bind(root: Path, final: Path) -> None:
    """Lets the programs below `root` run with the libraries beside them, once all lies at `final`."""
    loader = next(found for pattern in LOADERS for found in sorted(root.glob(pattern))).relative_to(root)
    triplet = ARCHES[native()].prefix.rstrip("-")
    libraries = ":".join(str(final / directory / triplet) for directory in ("usr/lib", "lib"))
    words = ["--set-interpreter", final / loader, "--force-rpath", "--set-rpath", libraries]
    for program in {path for pattern in PROGRAMS for path in root.glob(pattern) if _is_program(path)}:
        programs.run(["patchelf", *words, program], "patchelf")


def _is_program(path: Path) -> bool:
    """Whether it is a dynamically linked program: one that names its loader."""
    if path.is_symlink() or not path.is_file():
        return False
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return False
    asked = [programs.find("patchelf", "patchelf"), "--print-interpreter", path]
    return subprocess.run(asked, capture_output=True).returncode == 0
