# SPDX-License-Identifier: GPL-2.0-only
"""How many examples do the tests draw that could draw any number?

A few of them, so that all tests take seconds; SCT_ROUNDS=20 makes it twenty times as many, and others each time.
"""

import os

from hypothesis import settings

ROUNDS = int(os.environ.get("SCT_ROUNDS", "1"))


def examples(count: int) -> settings:
    """Settings for a property that is tried `count` times as a rule."""
    return settings(max_examples=count * ROUNDS, deadline=None, derandomize=ROUNDS == 1, database=None)
