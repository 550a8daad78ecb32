# SPDX-License-Identifier: GPL-2.0-only
"""Does every paragraph of the .toml files beside this one happen as it says?"""

import platform
from pathlib import Path

import case as cases
import pytest
from play import play

from pysct.release import running
from pysct.tables import CALLS
from pysct.target import LACKS, lacks_call

CASES = [
    pytest.param(case, id=f"{path.stem}-{case.name}")
    for path in sorted(Path(__file__).parent.glob("*.toml"))
    for case in cases.read(path)
]


def is_missing(call: str) -> bool:
    """Whether this machine's own ABI, or its kernel, has no such call."""
    abi = platform.machine()
    return call not in CALLS[abi] or lacks_call(running(), abi, call) == LACKS


@pytest.mark.parametrize("case", CASES)
def test_case(case, loaded, programs, tmp_path):
    if missing := [name for name in case.calls if is_missing(name)]:
        pytest.skip(f"Linux {platform.release()} on {platform.machine()} has no call {', '.join(missing)}")
    if wrong := play(case, tmp_path, programs):
        pytest.fail("\n".join([case.why, *wrong] if case.why else wrong), pytrace=False)
