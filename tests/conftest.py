# SPDX-License-Identifier: GPL-2.0-only
"""What can be asked of all tests, and how long may they take?"""

import pytest
from patience import PATIENCE


def pytest_addoption(parser):
    parser.addoption(
        "--update", action="store_true", help="write what the tests of tests/golden and tests/bad expect anew"
    )


def pytest_collection_modifyitems(config, items):
    for item in items if PATIENCE != 1 else ():
        marker = item.get_closest_marker("timeout")
        seconds = float(marker.args[0] if marker else config.getini("timeout"))
        item.add_marker(pytest.mark.timeout(seconds * PATIENCE), append=False)
