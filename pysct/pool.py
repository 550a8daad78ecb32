# SPDX-License-Identifier: GPL-2.0-only
"""At which index does an image hold a number or a string?"""


class Pool:
    """Numbers and strings of one image, each once."""

    def __init__(self):
        self.consts: dict[int, int] = {}
        self.strings: dict[bytes, int] = {}

    def const(self, value: int) -> int:
        """Index of a signed 64-bit number."""
        return self.consts.setdefault(value, len(self.consts))

    def string(self, value: bytes) -> int:
        return self.strings.setdefault(value, len(self.strings))
