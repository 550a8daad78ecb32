# SPDX-License-Identifier: GPL-2.0-only
"""Where do the tree and the cache lie?"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
"""Root of this source tree."""
GUEST = TREE / "vm" / "sctvm" / "guest"
"""What runs in guests."""


def cache() -> Path:
    """The directory for downloads and builds: $SCT_CACHE, or sct/ in the user's cache directory."""
    if own := os.environ.get("SCT_CACHE"):
        return Path(own).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "sct"


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Holds the lock of `directory`, which is created if needed; waits for whoever else holds it."""
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
