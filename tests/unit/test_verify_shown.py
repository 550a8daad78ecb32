# SPDX-License-Identifier: GPL-2.0-only
"""Which lists of fields that a rule's events shall carry does the verifier take?"""

import pytest
from parts import AFTER, Parts, prog, rule

from pysct.abi import ERRORS, FIELDS
from pysct.judge import verify

NUMBERS = {name: field.number for name, field in FIELDS.items()}


def showing(fields: bytes, shows: int = 2, **others) -> bytes:
    """An image whose rule shows some fields."""
    phase = others.get("phase", 0)
    return Parts(rules=[rule(shows=shows, **others)], progs=[prog(3, phase=phase)], strings=[b"rule", fields]).bytes()


@pytest.mark.parametrize("names", [[], ["EXE"], ["PID", "COMM", "CWD", "EXE", "ROOT", "TTY", "CGROUP", "SESSION", "SESSION_LEADER"], ["TTY", "PARENT.PID", "PARENT.EXE"]])
def test_taken(names):
    assert verify(showing(bytes(NUMBERS[name] for name in names))) is None


@pytest.mark.parametrize("phase", [0, AFTER])
def test_all_of_the_parent(phase):
    assert verify(showing(bytes(NUMBERS[name] for name in NUMBERS if name.startswith("PARENT.")), phase=phase)) is None


def test_of_the_call_after_it():
    assert verify(showing(bytes([NUMBERS["RETVAL"], NUMBERS["DURATION"]]), phase=AFTER)) is None


@pytest.mark.parametrize(
    "image",
    [
        showing(b"\x01"),
        showing(b"\xff"),
        showing(bytes([NUMBERS["EXE"], NUMBERS["EXE"]])),
        showing(bytes([NUMBERS["ROOT"], NUMBERS["EXE"]])),
        showing(bytes([NUMBERS["DURATION"]])),
        showing(bytes([NUMBERS["PARENT.UID"], NUMBERS["PARENT.UID"]])),
        showing(bytes([NUMBERS["PARENT.PID"] + NUMBERS["TID"] - NUMBERS["PID"]])),
        showing(bytes([NUMBERS["ANCESTOR.PID"]])),
        showing(bytes([NUMBERS["ANCESTOR.EXE"]])),
        showing(b"", shows=3),
        showing(b"", shows=2**32 - 1),
    ],
    ids=["no field", "field 255", "twice", "out of order", "of the result, before", "of the parent twice", "of the parent, unknown of others", "of an ancestor", "text of an ancestor", "no string", "the last string"],
)
def test_refused(image):
    assert ERRORS[verify(image).code].name == "RULE"
