# SPDX-License-Identifier: GPL-2.0-only
"""What is arranged in the guest's files before the command runs?"""

import os


def mount(*words: str) -> None:
    child = os.posix_spawnp("mount", ["mount", *words], os.environ)
    if os.waitpid(child, 0)[1] != 0:
        raise OSError(f"mount {' '.join(words)}")


def bring(host: str, keep: list[str]) -> None:
    """Puts what `keep` names of the host's files, which are below `host`, into their places, to be written to as well.

    What is written is kept in memory, as with all other files of the guest. A directory in which the guest has files of
    its own, like /usr, stays the guest's.
    """
    if host == "/":
        return
    for number, path in enumerate(outermost([path for path in keep if not _in_use(path)])):
        upper, work = f"/run/sct/kept/{number}/upper", f"/run/sct/kept/{number}/work"
        for directory in (upper, work, path):
            os.makedirs(directory, exist_ok=True)
        mount("-t", "overlay", "-o", f"lowerdir={host}{path},upperdir={upper},workdir={work}", "sct", path)


def _in_use(directory: str) -> bool:
    return os.path.isdir(directory) and bool(os.listdir(directory))


def outermost(paths: list[str]) -> list[str]:
    """Those of the paths that are not below another one."""
    return sorted({path for path in paths if not any(path.startswith(other + "/") for other in paths)})


def empty(place: str, mode: str, keep: list[str]) -> None:
    """Makes `place` an empty directory in memory, save what `keep` names in it: that stays as the host has it."""
    held = [(path, os.open(path, os.O_PATH)) for path in keep if path.startswith(place + "/")]
    mount("-t", "tmpfs", "-o", f"mode={mode}", "sct", place)
    for path, descriptor in held:
        os.makedirs(path, exist_ok=True)
        # Not canonicalised: the link's text is a path, and that path is hidden now.
        mount("--no-canonicalize", "--bind", f"/proc/{os.getpid()}/fd/{descriptor}", path)
        os.close(descriptor)


def usable_home(home: str, keep: list[str]) -> None:
    """An ordinary user's QEMU cannot read root's home on the host: the guest then gets an empty one."""
    try:
        os.listdir(home)
    except PermissionError:
        empty(home, "0700", keep)


def kernel_modules(directory: str) -> None:
    """Lets modprobe find the booted kernel's own modules, which lie in `directory`."""
    place = f"/lib/modules/{os.uname().release}"
    os.makedirs(place, exist_ok=True)
    mount("--bind", directory, place)


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
