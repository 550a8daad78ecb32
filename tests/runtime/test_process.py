# SPDX-License-Identifier: GPL-2.0-only
"""Is what rules know of a process what /proc says of it?"""

import ctypes
import json
import os

import kernel
import pytest
from proc import FLAGS, NAMESPACES, facts

from pysct import abi

RULES = """
rule { syscall_name = unlinkat rule_name = r when = before filter_expression { pathname == "./it-is-me" }
       action { LOG log_format { %exe %root %tty %cgroup %loginuid %session %session_leader %caps %container
                                 %pidns %mntns %netns %userns %utsns %ipcns %cgroupns } } }
"""


def seen(*unshared: str) -> tuple[dict, dict]:
    """What /proc says of a process in namespaces of its own, and what the log says of it."""
    reading, writing = os.pipe()
    with kernel.Log() as log:
        kernel.upload(RULES)
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.setsid()
                flags = sum(FLAGS[name] for name in unshared)
                if ctypes.CDLL(None).unshare(flags) == 0:
                    os.write(writing, json.dumps(facts() | {"tty": ""}).encode())
                    ctypes.CDLL(None).unlinkat(-100, b"./it-is-me", 0)
                    status = 0
            finally:
                os._exit(status)
        assert os.waitpid(pid, 0)[1] == 0
        said = log.said(1, 3)
    known = json.loads(os.read(reading, 1 << 16))
    os.close(reading)
    os.close(writing)
    assert len(said) == 1
    names = {field.number: name.lower() for name, field in abi.FIELDS.items()}
    fields = {names[number]: value if isinstance(value, int) else value.data.decode() for number, value in said[0].fields.items()}
    return known, fields


@pytest.mark.parametrize("unshared", [(), ("mnt",), ("net", "uts", "ipc", "cgroup"), ("user",)])
def test_a_process(loaded, unshared):
    known, fields = seen(*unshared)
    assert fields == known


def test_namespaces_differ(loaded):
    """What unshare() makes anew has another number, and nothing else has."""
    before, after = seen()[1], seen("mnt", "ipc")[1]
    assert {name for name in NAMESPACES if before[f"{name}ns"] != after[f"{name}ns"]} == {"mnt", "ipc"}
