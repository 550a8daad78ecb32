# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule say the same as another one did?"""

from hashlib import blake2b

from pysct.check import Rule
from pysct.tree import canonical


def digest(rule: Rule) -> int:
    """A number that stays the same as long as the rule says the same, wherever it stands."""
    points = sorted((point.abi, point.nr) for point in rule.points)
    condition = canonical(rule.condition) if rule.condition else None
    meaning = (
        rule.name,
        points,
        rule.phase,
        condition,
        rule.actions.mask,
        rule.actions.error,
        rule.actions.template,
        rule.flags,
    )
    return int.from_bytes(blake2b(repr(meaning).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
