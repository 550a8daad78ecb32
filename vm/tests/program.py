# SPDX-License-Identifier: GPL-2.0-only
"""Run in the guest by test_boot.py: writes much, exactly, to both streams, and tries to change the host's files."""

import os
import random
import subprocess
import sys

SIZE = 5_000_000
SEED = 7
ERRORS = "".join(f"error {n}\n" for n in range(20_000))
STATUS = 42


def noise() -> bytes:
    """The bytes of standard output: every value, no lines to speak of."""
    return random.Random(SEED).randbytes(SIZE)


def attack(tree: str) -> None:
    """Each of these must succeed in here and change nothing out there."""
    os.remove("/etc/passwd")
    with open("/etc/hostname", "a") as file:
        file.write("changed in the guest\n")
    os.rename(f"{tree}/vm/kernels.toml", f"{tree}/vm/kernels.gone")
    os.chmod(f"{tree}/Makefile", 0)
    for directory in ("/etc", "/tmp", "/usr", "/root", tree, f"{tree}/.venv"):
        with open(f"{directory}/written-in-the-guest", "w") as file:
            file.write("x")
    subprocess.run(["mount", "-o", "remount,rw", "/"], check=False)


def main() -> None:
    typed = sys.stdin.buffer.read()
    sys.stdout.buffer.write(noise())
    sys.stdout.buffer.flush()
    sys.stderr.write(ERRORS)
    sys.stderr.write(f"{len(typed)} {typed[:5]!r} {os.getcwd()} {sys.argv[2:]!r} {os.geteuid()} {os.environ['HOME']}\n")
    attack(sys.argv[1])
    sys.exit(STATUS)


if __name__ == "__main__":
    main()
