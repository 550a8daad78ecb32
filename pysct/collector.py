# SPDX-License-Identifier: GPL-2.0-only
"""How does work that makes many objects and no cycles go without searches for those?"""

import gc
from contextlib import contextmanager


@contextmanager
def without_collector():
    """No search for garbage cycles, of which parser and compiler make none: it would go through all rules every time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
