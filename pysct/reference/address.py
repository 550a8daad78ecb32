# SPDX-License-Identifier: GPL-2.0-only
"""What is an internet address of the rule language?"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """An address of `bits` bits, or all that begin with its first `prefix` bits."""

    bits: int
    value: int
    prefix: int | None = None

    def holds(self, other: "Address") -> bool:
        """Whether another address is this one, or one of these."""
        rest = self.bits - (self.bits if self.prefix is None else self.prefix)
        return self.bits == other.bits and self.value >> rest == other.value >> rest
