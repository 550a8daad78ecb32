# SPDX-License-Identifier: GPL-2.0-only
"""How much longer may everything take here?"""

import os

PATIENCE = float(os.environ.get("SCT_PATIENCE", "1"))
"""What the kernel's entry in vm/kernels.toml says; limits are multiplied by it."""
