# SPDX-License-Identifier: GPL-2.0-only
"""In which ways can a command fail, and with which exit status?

An error is a place, a cause and a way out; it is raised where it is found and
printed by pysct.cli.report.
"""

from typing import ClassVar


class Failure(Exception):
    """What went wrong (`text`) and what to do about it (`hint`, may be empty).

    `status` is the exit status of a command that ends with it: 1 the rules or
    the input are wrong, 3 no module or device, 4 not permitted.
    """

    status: ClassVar[int] = 1

    def __init__(self, text: str, hint: str = ""):
        super().__init__(text)
        self.text = text
        self.hint = hint


class NotLoaded(Failure):
    """The modules or their devices are not there."""

    status = 3


class NotPermitted(Failure):
    """The caller lacks a right."""

    status = 4


class AbiMismatch(Failure):
    """The modules speak another version of the ABI than the tools."""

    status = 3
