# SPDX-License-Identifier: GPL-2.0-only
"""After all that: do the modules leave, come back, and work?"""

import errno
import os
import subprocess
import sys
from pathlib import Path

import raw


def tool(name: str, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([Path(sys.executable).with_name(name), *words], capture_output=True, text=True)


def loaded_modules() -> list[str]:
    return [name for name in ("sct_rules", "sct_hijack") if Path("/sys/module", name).exists()]


def test_unload_and_load(loaded):
    for _ in range(2):
        descriptor = os.open("/dev/sct", os.O_RDWR)
        assert raw.upload(descriptor, raw.refusing(b"/x", errno.EXDEV).bytes())[0] == 0
        assert raw.chdir(b"/x") == errno.EXDEV
        os.close(descriptor)
        done = tool("sct_unload")
        assert done.returncode == 0, done.stderr
        assert loaded_modules() == [] and not os.path.exists("/dev/sct") and not os.path.exists("/dev/sctlog")
        assert raw.chdir(b"/x") == errno.ENOENT
        done = tool("sct_load")
        assert done.returncode == 0, done.stderr
        descriptor = os.open("/dev/sct", os.O_RDWR)
        assert raw.version(descriptor).generation == 0, "nothing is left of the old rules"
        room = raw.abi.DownloadStruct()
        assert raw.ask(descriptor, raw.abi.Ioctl.DOWNLOAD, room) == 0 and room.size == 0
        os.close(descriptor)
