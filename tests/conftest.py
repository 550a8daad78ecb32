# SPDX-License-Identifier: GPL-2.0-only
"""What can be asked of all tests?"""


def pytest_addoption(parser):
    parser.addoption(
        "--update", action="store_true", help="write what the tests of tests/golden and tests/bad expect anew"
    )
