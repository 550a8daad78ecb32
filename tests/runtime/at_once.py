# SPDX-License-Identifier: GPL-2.0-only
"""Runs pytest, and ends right behind the last test: what pytest does then may need files that are gone (in_memory)."""

import os
import sys

import pytest


class Ending:
    """What was not as expected is said at once."""

    @staticmethod
    def pytest_runtest_logreport(report):
        if report.failed:
            print(report.longreprtext, flush=True)

    @staticmethod
    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(session, exitstatus):
        print(f"{session.testscollected - session.testsfailed} of {session.testscollected} passed", flush=True)
        os._exit(exitstatus)


sys.exit(pytest.main(["-s", "-x", "-p", "no:cacheprovider", *sys.argv[1:]], plugins=[Ending()]))
