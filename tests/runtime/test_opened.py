# SPDX-License-Identifier: GPL-2.0-only
"""Is it known what a call has opened?"""

import ctypes
import os
import struct
import subprocess

import kernel
import pytest
from test_abis import MAIN, NATIVE, way, ways, words  # noqa: F401 - fixtures
from test_openat2 import counted
from test_paths import HERE, make, place  # noqa: F401 - fixtures

from pysct.tables import CALLS

RULE = """
rule {{ syscall_name = {calls} rule_name = told filter_expression {{ {condition} }}
       action {{ type = LOG log_format {{ %fdpath(RETVAL) }} }} when = after }}
"""
LIBC = ctypes.CDLL(None, use_errno=True)
OPENERS = {
    "openat": (HERE, b"to_kept", os.O_PATH, 0),
    "openat2": (HERE, b"d", struct.pack("<QQQ", os.O_PATH, 0, 0), 24),
    "socket": (1, 1, 0),
    "dup": (0,),
    "dup3": (0, 77, 0),
    "eventfd2": (0, 0),
    "epoll_create1": (0,),
    "memfd_create": (b"room", 0),
    "inotify_init1": (0,),
    "timerfd_create": (1, 0),
    "pidfd_open": (os.getpid(), 0),
    "fsopen": (b"tmpfs", 0),
    "open_tree": (HERE, b"to_d/kept", 0),
}

pytestmark = pytest.mark.usefixtures("ready")


def test_it_is_what_the_descriptor_is_open_on(place):  # noqa: F811
    kernel.upload(RULE.format(calls=", ".join(OPENERS), condition=f"PID == {os.getpid()}"))
    found = {}
    with kernel.Log() as log:
        for name, args in OPENERS.items():
            got = LIBC.syscall(CALLS[NATIVE][name][0], *args)
            assert got >= 0, (name, ctypes.get_errno())
            found[name] = f'"{os.readlink(f"/proc/self/fd/{got}")}"'
            os.close(got)
        lines = log.lines(len(OPENERS), 5)
    assert dict(zip(OPENERS, lines, strict=True)) == found
    assert found["openat"] == f'"{place}/d/kept"'


def test_a_call_that_fails_has_opened_nothing(place):  # noqa: F811
    kernel.upload(RULE.format(calls="openat", condition=f'COMM == "call" && fdpath(RETVAL) startswith "{place}"'))
    assert make("openat", HERE, "s:none", 0, 0) == "-1 ENOENT"
    assert (counted().matched, counted().unknown) == (0, 1)
    assert not make("openat", HERE, "s:to_kept", 0, 0).startswith("-")
    assert not make("openat", HERE, "s:/etc", 0, 0).startswith("-")
    assert (counted().matched, counted().unknown) == (1, 1)


@pytest.mark.parametrize("way", MAIN.values(), ids="-".join, indirect=True)
def test_in_each_abi(place, way):  # noqa: F811
    kernel.upload(RULE.format(calls="openat", condition=f'fdpath(RETVAL) == "{place}/d/kept"'))
    with kernel.Log() as log:
        subprocess.run(words(way, "openat", HERE, "s:to_d/kept", 0, 0), stdout=subprocess.DEVNULL)
        assert log.lines(1, 3) == [f'"{place}/d/kept"']
