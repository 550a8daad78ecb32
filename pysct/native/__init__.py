# SPDX-License-Identifier: GPL-2.0-only
"""How does the kernel module's own verifier and judge get into this process?

It is compiled when it is first asked for, from the sources of the module, and
kept in the user's cache until they change.
"""

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from pysct.failures import Failure

HERE = Path(__file__).resolve().parent
KMOD = HERE.parent.parent / "kmod"
SOURCES = (HERE / "offline.c", *(KMOD / "rules" / name for name in ("flow.c", "glob.c", "judge.c", "reading.c", "verify.c")))
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Werror", "-fPIC", "-shared")


@cache
def library() -> ctypes.CDLL:
    """The library, loaded; raises Failure if it is not there and cannot be built."""
    return ctypes.CDLL(str(built("judge.so", FLAGS, SOURCES)))


def built(name: str, flags: tuple[str, ...], sources: tuple[Path, ...], compiler: str = "gcc", package: str = "gcc") -> Path:
    """What a C compiler of a Debian package makes of some sources: `name` with a sum of all that goes into it; raises Failure."""
    found = shutil.which(os.environ.get("CC", compiler) if compiler == "gcc" else compiler)
    if found is None:
        raise Failure("judging calls without the kernel takes a C compiler, and there is none", f"apt install {package} libc6-dev")
    said = b"\0".join([*_texts(sources), *map(str.encode, (*flags, *_identity(found)))])
    target = _cache() / f"{hashlib.sha256(said).hexdigest()[:16]}-{name}"
    if not target.exists():
        _compile(target, found, *flags, *map(str, sources))
    return target


def _texts(sources: tuple[Path, ...]) -> list[bytes]:
    """What the sources say, and the files that they include by names in quotes, and so on."""
    texts: dict[Path, bytes] = {}
    todo = [path.resolve() for path in sources]
    while todo:
        path = todo.pop(0)
        if path in texts:
            continue
        try:
            texts[path] = path.read_bytes()
        except OSError as error:
            raise Failure(f"judging calls without the kernel takes the sources of the modules: {path}: {error.strerror}",
                          "run it from a source tree") from error
        todo += [(path.parent / os.fsdecode(name)).resolve() for name in INCLUDE.findall(texts[path])]
    return list(texts.values())


def _identity(program: str) -> tuple[str, ...]:
    """What is another if a compiler is."""
    path = Path(program).resolve()
    state = path.stat()
    return str(path), str(state.st_size), str(state.st_mtime_ns)


def _compile(target: Path, compiler: str, *words: str) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        part = Path(scratch) / target.name
        done = subprocess.run([compiler, "-o", str(part), *words], capture_output=True, text=True, errors="replace")
        if done.returncode:
            raise Failure(f"the judge does not compile:\n{done.stderr.strip()}", "report it, with the compiler's version")
        part.rename(target)


def _cache() -> Path:
    """A directory that nobody else writes to: what lies there is run."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    directory = Path(home) / "sct"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = directory.stat()
        if state.st_uid == os.geteuid() and not state.st_mode & 0o022 and os.access(directory, os.W_OK):
            return directory
    except OSError:
        pass
    return Path(_own_directory().name)


@cache
def _own_directory() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="sct-judge-")
