# SPDX-License-Identifier: GPL-2.0-only
"""Which commands are there?  One file for each; report.py is where all of them print."""
