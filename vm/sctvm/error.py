# SPDX-License-Identifier: GPL-2.0-only
"""What can go wrong before a command runs, and with which exit status does it end?"""

OUT_OF_TIME = 124
"""Exit status: the guest did not come up, or the command did not end, in time."""
GUEST_FAILED = 125
"""Exit status: the guest died, its kernel reported a fault, or it could not be started at all."""


class VmError(Exception):
    """A place, a cause and a way out, in one message; `status` is vm/run's exit status."""

    def __init__(self, message: str, status: int = GUEST_FAILED):
        super().__init__(message)
        self.status = status
