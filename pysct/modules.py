# SPDX-License-Identifier: GPL-2.0-only
"""Where are the two kernel modules, and how do they get into the kernel and out of it?"""

import os
import subprocess
from pathlib import Path

from pysct.failures import Failure, NotLoaded, NotPermitted

HIJACK, RULES = "sct_hijack", "sct_rules"
FILES = {HIJACK: "sct-hijack.ko", RULES: "sct-rules.ko"}
"""File of each module, in the order in which they load."""

SYSFS = Path("/sys/module")
TREE = Path(__file__).resolve().parent.parent / "kmod"
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
"""kmod's tools live here; an administrator's PATH need not hold it."""


def running() -> str:
    """Release of the running kernel, as `uname -r`."""
    return os.uname().release


def is_loaded(module: str) -> bool:
    """Whether the module is in the kernel; one that is still coming or going counts."""
    return (SYSFS / module).is_dir()


def find() -> dict[str, Path] | None:
    """The files of both modules that fit the running kernel, or None.

    $SCT_MODULES names a directory; without it the source tree is looked at,
    then where `make modules_install` and DKMS put modules.
    """
    chosen = os.environ.get("SCT_MODULES")
    if chosen:
        files = _both(Path(chosen))
        if files is None:
            raise NotLoaded(f"$SCT_MODULES: {chosen} does not hold {' and '.join(FILES.values())}", "correct or unset it")
        return files
    installed = Path("/lib/modules") / running()
    places = [TREE, installed / "updates", installed / "updates/dkms", installed / "extra"]
    return next((files for place in places if (files := _both(place)) and _fits(files)), None)


def _both(directory: Path) -> dict[str, Path] | None:
    found = {module: sorted(directory.glob(name + "*")) for module, name in FILES.items()}
    return {module: files[0] for module, files in found.items()} if all(found.values()) else None


def _fits(files: dict[str, Path]) -> bool:
    magics = [_tool("modinfo", "-F", "vermagic", str(path)).stdout.split() for path in files.values()]
    return all(words[:1] == [running()] for words in magics)


def build() -> dict[str, Path]:
    """Builds both modules in the source tree for the running kernel; raises NotLoaded if it cannot."""
    headers = Path("/lib/modules") / running() / "build"
    if not headers.is_dir():
        raise NotLoaded(
            f"the modules are not built, and the headers of kernel {running()} are missing",
            f"apt install linux-headers-{running()}",
        )
    if not (TREE / "Kbuild").exists() and not (TREE / "Makefile").exists():
        raise NotLoaded(f"no modules for kernel {running()} are installed", "build them in the source tree: make -C kmod")
    done = _tool("make", "-C", str(TREE))
    files = _both(TREE)
    if done.returncode or files is None:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise NotLoaded("the modules do not build: " + "\n".join(lines[-10:]), f"see make -C {TREE}")
    return files


def load(module: str, path: Path, *parameters: str) -> bool:
    """Puts a module into the kernel; False if it was there already."""
    if is_loaded(module):
        return False
    done = _tool("insmod", str(path), *parameters)
    if done.returncode == 0:
        return True
    said = done.stderr.strip().removeprefix("insmod: ")
    if "File exists" in said:
        return False
    if "not permitted" in said:
        raise NotPermitted(f"{path} does not load: not permitted", "become root (sudo)")
    raise NotLoaded(f"{path} does not load: {said}", _way_out(said))


def _way_out(said: str) -> str:
    if "Key was rejected" in said or "Required key" in said or "Lockdown" in said:
        return "this kernel takes signed modules only: sign them, or switch off Secure Boot"
    if "Invalid module format" in said:
        return f"they were built for another kernel: make -C {TREE} clean, then sct_load"
    return "see the last lines of dmesg"


def unload(module: str) -> bool:
    """Takes a module out of the kernel; False if it was not there."""
    if not is_loaded(module):
        return False
    done = _tool("rmmod", module)
    if done.returncode == 0:
        return True
    said = done.stderr.strip().replace("rmmod: ERROR: ", "").replace("\n", "; ")
    if "not permitted" in said:
        raise NotPermitted(f"{module} does not unload: not permitted", "become root (sudo)")
    if not is_loaded(module):
        return False
    raise Failure(f"{module} does not unload: {said}", "see sct_config status for who is inside")


def _tool(*words: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', os.defpath)}:{SBIN}", "LC_ALL": "C"}
    try:
        return subprocess.run(words, capture_output=True, text=True, errors="replace", env=environment)
    except FileNotFoundError:
        raise NotLoaded(f"{words[0]} is not installed", f"apt install {'make' if words[0] == 'make' else 'kmod'}") from None
