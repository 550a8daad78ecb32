# SPDX-License-Identifier: GPL-2.0-only
"""How are the modules built for a supported kernel?"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .arches import ARCHES, is_foreign
from .error import VmError
from .image import Image
from .places import TREE, locked

SOURCE = TREE / "kmod"

PRODUCTS = shutil.ignore_patterns(
    ".*", "*.o", "*.ko", "*.mod", "*.mod.c", "*.a", "*.so", "modules.order", "Module.symvers"
)
"""What a build in the tree itself leaves behind; it belongs to another kernel."""


def directory(image: Image, source: Path = SOURCE) -> Path:
    """Where modules from `source` are built for that kernel; every tree has its own."""
    tree = hashlib.sha256(os.fsencode(source)).hexdigest()[:12]
    return image.home / "build" / f"{source.name}-{tree}"


def build(image: Image, source: Path = SOURCE) -> dict[str, bytes]:
    """Builds the modules from `source`; their contents by file name."""
    if not (source / "Kbuild").exists():
        raise VmError(f"{source}/Kbuild: not there, so there are no modules to build")
    place = directory(image, source)
    with locked(place):
        _copy(source, place)
        _make(image, place)
        return {path.name: path.read_bytes() for path in sorted(place.glob("*.ko"))}


def _command(image: Image, place: Path) -> list[str]:
    """What builds them; later words win."""
    words = ["make", "-C", str(image.headers), f"M={place}", f"-j{os.cpu_count()}"]
    if is_foreign(image.kernel.arch) or image.tools:
        words.append(f"CROSS_COMPILE={ARCHES[image.kernel.arch].prefix}")
    return [*words, *image.kernel.make, "modules"]


def _make(image: Image, place: Path) -> None:
    command = _command(image, place)
    path = ":".join(str(directory) for directory in (image.tools, os.environ.get("PATH", os.defpath)) if directory)
    env = {**os.environ, "PATH": path}
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stdout)
        raise VmError(f"{image.kernel.name}: the modules do not build; the compiler's messages are above")


def _copy(source: Path, place: Path) -> None:
    """Brings `place` up to date with `source`, touching only what changed, so that make redoes only that."""
    names = set()
    for directory, folders, files in os.walk(source):
        ignored = PRODUCTS(directory, folders + files)
        folders[:] = [name for name in folders if name not in ignored]
        names |= {Path(directory, name).relative_to(source) for name in files if name not in ignored}
    for name in names:
        old, new = place / name, source / name
        if not old.exists() or old.stat().st_mtime_ns != new.stat().st_mtime_ns:
            old.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(new, old)
    for path in [path for path in place.rglob("*") if path.is_file()]:
        name = path.relative_to(place)
        if name not in names and path.name not in PRODUCTS(str(path.parent), [path.name]):
            path.unlink()
