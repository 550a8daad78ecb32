# SPDX-License-Identifier: GPL-2.0-only
"""Who may do what?  The right counts when something is asked, not when the device was opened."""

import ctypes
import errno
import os
import socket

import pytest
import raw

from pysct import abi

NOBODY = 65534
NEWUSER = 0x10000000


def become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def enter_user_namespace() -> None:
    """All capabilities, but in a namespace of our own."""
    assert raw.LIBC.unshare(NEWUSER) == 0


def opening(path: str, flags: int = os.O_RDONLY) -> int:
    try:
        os.close(os.open(path, flags))
    except OSError as error:
        return error.errno
    return 0


@pytest.mark.parametrize("path", ["/dev/sct", "/dev/sctlog"])
def test_others_cannot_open(held, path):
    def child() -> int:
        become_nobody()
        return opening(path)

    assert raw.in_child(child) == errno.EACCES
    assert os.stat(path).st_mode & 0o7777 == 0o600


@pytest.mark.parametrize("lose", [raw.drop_rights, become_nobody, enter_user_namespace])
def test_changes_need_the_right_at_the_call(held, lose):
    """On a descriptor that root has opened."""
    image = raw.refusing(raw.Held.PATH, errno.EXDEV).bytes()

    def child() -> int:
        lose()
        for flags in (0, abi.Upload.DRY_RUN, abi.Upload.EXPECT, 0x80):
            result, answer = raw.upload(held.descriptor, image, flags)
            if result != errno.EPERM or answer.generation or answer.error.code:
                return 1
        if raw.ask(held.descriptor, abi.Ioctl.UPLOAD, None) != errno.EPERM:
            return 2
        return 3 if raw.ask(held.descriptor, abi.Ioctl.LOCK, None) != errno.EPERM else 0

    assert raw.in_child(child) == 0
    assert not raw.version(held.descriptor).locked


@pytest.mark.parametrize("lose", [raw.drop_rights, enter_user_namespace])
def test_the_log_needs_the_right_to_open(held, lose):
    def child() -> int:
        lose()
        return opening("/dev/sctlog")

    assert raw.in_child(child) in (errno.EPERM, errno.EACCES)


def test_rights_do_not_travel_with_a_descriptor(held):
    """Passed through a socket to who never had any."""
    ours, theirs = socket.socketpair()
    socket.send_fds(ours, [b"x"], [held.descriptor])

    def child() -> int:
        become_nobody()
        (received,) = socket.recv_fds(theirs, 1, 1)[1]
        return raw.upload(received, raw.NOTHING)[0]

    assert raw.in_child(child) == errno.EPERM


def test_the_log_is_not_written(loaded):
    for flags in (os.O_WRONLY, os.O_RDWR):
        assert opening("/dev/sctlog", flags) == errno.EINVAL


def test_looking_needs_only_the_descriptor(held):
    def child() -> int:
        raw.drop_rights()
        room = (abi.CountersStruct * 1)()
        request = abi.ListStruct(what=abi.List.COUNTERS, count=1, buffer=ctypes.addressof(room))
        return raw.ask(held.descriptor, abi.Ioctl.LIST, request) or raw.version(held.descriptor).generation != held.generation

    assert raw.in_child(child) == 0
