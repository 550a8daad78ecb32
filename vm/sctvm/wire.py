# SPDX-License-Identifier: GPL-2.0-only
"""How do the two ends of the virtio port speak to each other?

A frame is one byte of kind, four bytes of length (big-endian) and that many bytes. This file runs in the guest, too.
"""

import struct
from enum import IntEnum

HEAD = struct.Struct("!BI")
PORT = "sct.wire"
"""Name of the virtio port."""


class Kind(IntEnum):
    # From the guest.
    HELLO = 1  # ready for a job; empty
    STDOUT = 2  # bytes of the command's standard output
    STDERR = 3  # bytes of its standard error
    EXIT = 4  # exit status, decimal; nothing follows
    # From the host.
    MODULE = 16  # a module: its name, a zero byte, its contents
    JOB = 17  # what to run: JSON, see guest/agent.py
    STDIN = 18  # bytes of standard input; empty at its end
    SIZE = 19  # rows and columns of the terminal: "24 80"


def frame(kind: Kind, payload: bytes = b"") -> bytes:
    return HEAD.pack(kind, len(payload)) + payload


class Reader:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """The frames that `data` completes."""
        self._bytes += data
        frames = []
        while len(self._bytes) >= HEAD.size:
            kind, length = HEAD.unpack_from(self._bytes)
            end = HEAD.size + length
            if len(self._bytes) < end:
                break
            frames.append((Kind(kind), bytes(self._bytes[HEAD.size : end])))
            del self._bytes[:end]
        return frames
