# SPDX-License-Identifier: GPL-2.0-only
"""Does the audit see what a call looks up, and not what rules look up before it?"""

import os
import re
import socket
import struct
import subprocess
import time

import kernel
import pytest
from test_abis import NATIVE

from pysct.tables import CALLS

AUDIT = 9  # of NETLINK
SET, ADD_RULE, DELETE_RULE = 1001, 1011, 1012
EXIT, ALWAYS = 4, 2
WORDS = 64

pytestmark = pytest.mark.usefixtures("ready")


def ask(audit: socket.socket, kind: int, payload: bytes) -> None:
    audit.send(struct.pack("=IHHII", 16 + len(payload), kind, 5, 1, 0) + payload)  # a request, to be acknowledged
    answer = audit.recv(8192)
    error = struct.unpack_from("=i", answer, 16)[0]
    if error:
        raise OSError(-error, os.strerror(-error))


def rule(nr: int) -> bytes:
    mask = [0] * WORDS
    mask[nr // 32] = 1 << nr % 32
    return struct.pack(f"={3 + WORDS * 4 + 1}I", EXIT, ALWAYS, 0, *mask, *[0] * WORDS * 3, 0)


@pytest.fixture
def audited():
    """unlinkat is audited; nobody takes the records, which the kernel's log then has."""
    try:
        audit = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, AUDIT)
    except OSError:
        pytest.skip("this kernel has no audit")
    with audit:
        ask(audit, SET, struct.pack("=10I", 1, 1, *[0] * 8))  # on
        text = rule(CALLS[NATIVE]["unlinkat"][0])
        ask(audit, ADD_RULE, text)
        yield
        ask(audit, DELETE_RULE, text)
        ask(audit, SET, struct.pack("=10I", 1, 0, *[0] * 8))


def test_only_the_call_is_audited(audited, tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "to_a").symlink_to("a")
    at = os.open(tmp_path, os.O_RDONLY)
    ear = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)

    def records() -> list[str]:
        os.lseek(ear, 0, os.SEEK_END)
        subprocess.run(["call", "unlinkat", str(at), "s:to_a/b/none", "0"], check=True, stdout=subprocess.DEVNULL, pass_fds=(at,))
        time.sleep(1)
        found = []
        while True:
            try:
                found += re.findall(r'\): item=(\d+) name="?([^" ]*)', os.read(ear, 8192).decode())
            except BlockingIOError:
                return found

    kernel.upload("")
    without = records()
    kernel.upload('rule { syscall_name = unlinkat rule_name = r filter_expression { path(pathname) == "/none" } action { FAIL } }')
    assert without and records() == without
    os.close(at)
    os.close(ear)
