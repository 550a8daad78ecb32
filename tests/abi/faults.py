# SPDX-License-Identifier: GPL-2.0-only
"""A page that is not there until we say so: whoever touches it waits (userfaultfd)."""

import ctypes
import fcntl
import mmap
import os
import struct

import raw

API = 0xC018AA3F
REGISTER = 0xC020AA00
COPY = 0xC028AA03
MISSING = 1
VERSION = 0xAA


class LatePage:
    """Such a page; `wait` until somebody touches it, `supply` what it holds."""

    def __init__(self):
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self.start = raw.LIBC.mmap(None, raw.PAGE, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)
        self.descriptor = raw.LIBC.syscall(raw.NUMBERS["userfaultfd"], os.O_CLOEXEC)
        assert self.descriptor >= 0, os.strerror(ctypes.get_errno())
        fcntl.ioctl(self.descriptor, API, struct.pack("<QQQ", VERSION, 0, 0))
        fcntl.ioctl(self.descriptor, REGISTER, struct.pack("<QQQQ", self.start, raw.PAGE, MISSING, 0))

    def wait(self) -> None:
        """Until somebody waits for the page."""
        assert len(os.read(self.descriptor, 32)) == 32

    def supply(self, data: bytes) -> None:
        """The page holds this; who waited goes on."""
        source = ctypes.create_string_buffer(data, raw.PAGE)
        fcntl.ioctl(self.descriptor, COPY, struct.pack("<QQQQq", self.start, ctypes.addressof(source), raw.PAGE, 0, 0))

    def close(self) -> None:
        """Who still waits goes on, with a page of zeros."""
        os.close(self.descriptor)
