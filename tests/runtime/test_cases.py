# SPDX-License-Identifier: GPL-2.0-only
"""Does every paragraph of the .toml files beside this one happen as it says?"""

import platform
from pathlib import Path

import case as cases
import pytest
from play import play

from pysct.tables import CALLS

CASES = [
    pytest.param(case, id=f"{path.stem}-{case.name}")
    for path in sorted(Path(__file__).parent.glob("*.toml"))
    for case in cases.read(path)
]


@pytest.mark.parametrize("case", CASES)
def test_case(case, loaded, programs, tmp_path):
    if missing := [name for name in case.calls if name not in CALLS[platform.machine()]]:
        pytest.skip(f"{platform.machine()} has no call {', '.join(missing)}")
    if wrong := play(case, tmp_path, programs):
        pytest.fail("\n".join([case.why, *wrong] if case.why else wrong), pytrace=False)
