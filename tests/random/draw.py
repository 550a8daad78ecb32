# SPDX-License-Identifier: GPL-2.0-only
"""Which rules are judged for real calls in a guest, which is too slow to draw them?

Prints rule files, of each ABI and for before and after a call, as JSON: tests/runtime/test_random.py says how they are
used. SCT_ROUNDS makes it more of them.
"""

import json
import re
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE), str(TREE / "tests/unit")]

from hypothesis import HealthCheck, given, seed, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from random_calls import SUBJECTS  # noqa: E402
from random_rules import PHASES, files  # noqa: E402
from rounds import ROUNDS  # noqa: E402

OWN = 'COMM == "pair"'
ERRORS = 100  # the first error number of a rule; no call answers so by itself
LAST = ERRORS + 20
HARMLESS = ("lseek", "getpriority", "sched_getparam", "getrlimit", "uname", "statfs", "statfs64", "fstat", "stat64", "statx", "read")
REFUSAL = "rule {{ syscall_name = {} abi = {} filter_expression {{ {} }} action {{ FAIL error_code = {} }} }}\n"


@st.composite
def scene(draw, abi: str, phase: str, call: str) -> dict:
    """Rules about a call, and the files that they include."""
    refuses = phase == "before"
    text, included = draw(files(call, phase, OWN, ERRORS if refuses else 0, (abi,)))
    text += REFUSAL.format(call, abi, OWN, LAST) if refuses else ""
    return {"abi": abi, "phase": phase, "call": call, "text": here(text), "included": {name: here(inner) for name, inner in included.items()}}


def here(text: str) -> str:
    """Rules that do not ask where arguments lead."""
    return re.sub(r"\b(fd)?path\(([^()]*)\)", lambda found: "CWD" if found[1] else found[2], text)


def drawn(abi: str, phase: str, call: str) -> list[dict]:
    """One rule file for each round; the first that is drawn is always the simplest, and left out."""
    found = []

    @seed("".join((abi, phase, call)))
    @settings(max_examples=2 * ROUNDS, derandomize=False, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(scene(abi, phase, call))
    def keep(one):
        found.append(one)

    keep()
    return found[1:]


if __name__ == "__main__":
    wanted = [(abi, phase, call) for call, abis in SUBJECTS.items() for abi in abis for phase in PHASES]
    json.dump([one for each in wanted if each[1] == "before" or each[2] in HARMLESS for one in drawn(*each)], sys.stdout, indent=1)
