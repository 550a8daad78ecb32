# SPDX-License-Identifier: GPL-2.0-only
"""The supported kernels: getting, building for, booting, and running a command inside."""
