# SPDX-License-Identifier: GPL-2.0-only
"""Is what the kernel's detectors have found, and only that, said when a command has ended?"""

import sys

import pytest

from sctvm.console import is_report
from sctvm.places import GUEST

sys.path.append(str(GUEST))
import detectors  # noqa: E402

LEAK = ["unreferenced object 0xffff888003f8a000 (size 64):", '  comm "insmod", pid 1, jiffies 4294']


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """A kernel whose detectors say what is in their files."""
    monkeypatch.setattr(detectors, "LEAKS", str(tmp_path / "leaks"))
    monkeypatch.setattr(detectors, "LOCKS", str(tmp_path / "locks"))
    monkeypatch.setattr(detectors.time, "sleep", lambda seconds: None)
    return tmp_path


@pytest.fixture
def scans(kernel, monkeypatch):
    """What is suspected after each scan."""
    (kernel / "leaks").touch()
    answers, done = [], []
    monkeypatch.setattr(detectors, "_scan", lambda: done.append(1))
    monkeypatch.setattr(detectors, "_suspected", lambda: answers[min(len(done), len(answers)) - 1])
    return answers


def test_a_kernel_without_detectors_says_nothing(kernel):
    assert detectors.findings() == []


def test_lockdep_that_has_stopped_is_a_report(kernel):
    (kernel / "locks").write_text(" lock-classes:    1000 [max: 8192]\n debug_locks:                             1\n")
    assert detectors.findings() == []
    (kernel / "locks").write_text(" lock-classes:    1000 [max: 8192]\n debug_locks:                             0\n")
    assert [is_report(f"[    1.000000] {line}") for line in detectors.findings()] == [True]


@pytest.mark.parametrize(
    ("suspected", "found"),
    [
        ([[], []], []),
        ([LEAK, []], []),  # of the first scan alone
        ([[], LEAK, []], []),  # a pointer was on its way
        ([[], LEAK, LEAK], LEAK),
        ([LEAK, LEAK, LEAK], LEAK),
    ],
)
def test_what_three_scans_suspect_is_lost(scans, suspected, found):
    scans += suspected
    assert detectors.findings() == found
    assert any(is_report(f"[    1.000000] {line}") for line in found) == bool(found)


def test_kmemleak_that_has_stopped_is_a_report(kernel, monkeypatch):
    (kernel / "leaks").touch()

    def scan():
        raise PermissionError

    monkeypatch.setattr(detectors, "_scan", scan)
    assert [is_report(f"[    1.000000] {line}") for line in detectors.findings()] == [True]


def test_a_scan_is_asked_for(kernel):
    (kernel / "leaks").touch()
    detectors._scan()
    assert (kernel / "leaks").read_text() == "scan"
