# SPDX-License-Identifier: GPL-2.0-only
"""Do all commands speak through one mouth, and end as documented?"""

import re
from pathlib import Path

import pytest

from pysct.failures import Failure

TREE = Path(__file__).resolve().parents[2]


def sources():
    return [path for path in sorted((TREE / "pysct").rglob("*.py"))]


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(TREE)))
def test_only_report_prints(path):
    if path.name != "report.py":
        assert not re.search(r"\bprint\(|sys\.std(out|err)\.(buffer\.)?write", path.read_text())


def test_failures_have_the_documented_status():
    from pysct import failures

    known = {cls.__name__: cls.status for cls in vars(failures).values() if isinstance(cls, type) and issubclass(cls, Failure)}
    assert known == {"Failure": 1, "NotLoaded": 3, "NotPermitted": 4, "AbiMismatch": 3}
