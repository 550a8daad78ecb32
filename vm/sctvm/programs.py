# SPDX-License-Identifier: GPL-2.0-only
"""How are this machine's programs found and run?"""

import os
import shutil
import subprocess

from .error import VmError


def find(name: str, package: str) -> str:
    """The path of a program, which may be one that only root usually calls."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        raise VmError(f"{name}: not found; install the package {package}")
    return found


def run(command: list, package: str, **options) -> str:
    """Runs a program of that package; what it printed."""
    done = subprocess.run([find(command[0], package), *command[1:]], text=True, capture_output=True, **options)
    if done.returncode:
        raise VmError(f"{' '.join(map(str, command))}: {done.stderr.strip() or f'exit status {done.returncode}'}")
    return done.stdout
