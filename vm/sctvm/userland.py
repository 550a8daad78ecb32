# SPDX-License-Identifier: GPL-2.0-only
"""Which files does a guest have that does not see this machine's?

Its programs are none that this machine can run, or they lie in its memory.
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from .apt import Apt, codename, unpack
from .places import cache, locked

PACKAGES = (
    *("base-files", "base-passwd", "bash", "busybox-static", "coreutils", "dash", "diffutils", "findutils", "grep"),
    *("hostname", "iproute2", "kmod", "libc-bin", "libudev1", "mount", "procps", "python3", "sed", "strace"),
    *("util-linux", "gcc", "libc6-dev"),
)
"""Packages of this machine's Debian release. They are unpacked only: their maintainer scripts do not run."""

ALSO = {"arm64": ("gcc-arm-linux-gnueabihf",)}
"""Further packages, by the guest's architecture: compilers for programs of its 32-bit one."""

LINKS = {
    "bin": "usr/bin",
    "sbin": "usr/sbin",
    "lib": "usr/lib",
    "usr/bin/awk": "mawk",
    "usr/bin/which": "which.debianutils",
}
"""Symbolic links that an installation makes. Those of directories have to be there first."""

COPIES = {"etc/passwd": "usr/share/base-passwd/passwd.master", "etc/group": "usr/share/base-passwd/group.master"}
"""Files that an installation makes of others."""


def obtain(arch: str) -> Path:
    """The root directory of such a guest, from the cache, where it is made if it is not there; nothing is installed."""
    packages = [*PACKAGES, *ALSO.get(arch, ())]
    wanted = hashlib.sha256(repr((packages, LINKS, COPIES, codename())).encode()).hexdigest()[:12]
    home = cache() / "userland" / arch
    root = home / wanted
    with locked(home):
        if not root.exists():
            print(f"{arch}: downloading the guest's programs into {root}", file=sys.stderr)
            with tempfile.TemporaryDirectory(prefix="fetch-", dir=home) as scratch:
                partial = Path(scratch, "root")
                _unpack(_download(Path(scratch), arch, packages), partial)
                _arrange(partial)
                partial.rename(root)
    return root


def _download(scratch: Path, arch: str, packages: list[str]) -> list[Path]:
    release = codename()
    apt = Apt(scratch / "apt", (arch,), (release, f"{release}-updates", f"{release}-security"))
    apt.update()
    return apt.download_all(packages, scratch / "debs")


def _unpack(packages: list[Path], root: Path) -> None:
    for place, target in LINKS.items():
        link = root / place
        link.parent.mkdir(parents=True, exist_ok=True)
        if "/" in target:
            (root / target).mkdir(parents=True)
        link.symlink_to(target)
    for package in packages:
        unpack(package, root)


def _arrange(root: Path) -> None:
    """What the maintainer scripts would have done, as far as a guest needs it."""
    for place, source in COPIES.items():
        (root / place).write_bytes((root / source).read_bytes())
    (root / "etc" / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    # Bytecode is the same for every architecture, and compiling in an emulated guest takes long.
    compiled = [sys.executable, "-m", "compileall", "-q", "-s", root, root / "usr/lib/python3"]
    subprocess.run([*compiled, *root.glob("usr/lib/python3.*")], check=True)
