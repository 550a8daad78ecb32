"""What is arranged in the guest's files before the command runs?"""

import os


def mount(*words: str) -> None:
    child = os.posix_spawnp("mount", ["mount", *words], os.environ)
    if os.waitpid(child, 0)[1] != 0:
        raise OSError(f"mount {' '.join(words)}")


def fresh_tmp(keep: list[str]) -> None:
    """An empty /tmp in memory, save the directories of `keep` that lie in it: those stay as the host has them."""
    kept = [path for path in keep if path.startswith("/tmp/") and os.path.isdir(path)]
    held = [(path, os.open(path, os.O_PATH)) for path in kept]
    mount("-t", "tmpfs", "-o", "mode=1777", "tmp", "/tmp")
    for path, descriptor in held:
        os.makedirs(path, exist_ok=True)
        mount("--bind", f"/proc/{os.getpid()}/fd/{descriptor}", path)
        os.close(descriptor)


def kernel_modules(directory: str) -> None:
    """Lets modprobe find the booted kernel's own modules, which lie in `directory`."""
    place = f"/lib/modules/{os.uname().release}"
    os.makedirs(place, exist_ok=True)
    mount("--bind", directory, place)


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
