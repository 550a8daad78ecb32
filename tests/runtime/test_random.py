# SPDX-License-Identifier: GPL-2.0-only
"""Does the kernel do with real calls what the reference evaluator says of them, whatever the rules?

Rules refuse calls with an error of their own, so that none of them is made; the last rule refuses what no other one
does.  Rules that judge after the call only log, and are about calls that do no harm.
SCT_ROUNDS makes it try harder.
"""

import errno
import platform
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import kernel
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from opinions import UNKNOWN, Rules
from random_calls import Caller
from random_rules import PHASES, files
from rounds import examples

from pysct.control import Control
from pysct.tables import CALLS

CALLS_EACH = 6
ERRORS = 100  # the first error number of a rule; those from here on are not what these calls answer by themselves
LAST = ERRORS + 20
NATIVE = platform.machine()  # names the ABI of its own programs as well
OWN = 'COMM == "call"'
REFUSED = ("unlinkat", "mkdirat", "renameat2", "fchmodat", "mount")  # none of which the program makes by itself
MADE = ("mkdirat", "lseek")
TEXTS = ("s", "fresh", "cross", "crossfresh", "edge")
UNREADABLE = ("bad", "kernel", "null", "open:./x", "long:5000")


def words(chance: Random, args) -> list[str | bytes]:
    """Arguments as the program takes them."""
    found = []
    for value in args:
        if value is UNKNOWN:
            found.append(chance.choice(UNREADABLE))
        elif isinstance(value, bytes):
            found.append(chance.choice(TEXTS[:2] if len(value) < 2 else TEXTS).encode() + b":" + value)
        else:
            value %= 1 << 64
            found.append(str(value - (1 << 64) * (value >> 63)))
    return found


def make(event, chance: Random, directory: Path, environment) -> int:
    """Makes a call; the event has what is known of the caller then. Returns the result, a negative error number."""
    number = str(CALLS[NATIVE][event.call][0])
    uid = event.fields["UID"] % 60000
    run = ["call", "-u", f"{uid},0,0,0", number, *words(chance, event.args)]
    with subprocess.Popen(run, cwd=directory, env=environment, stdout=subprocess.PIPE) as done:
        said = done.stdout.read().split()
    event.fields |= {"UID": uid, "PID": done.pid, "COMM": b"call", "CWD": str(directory).encode()}
    result = -getattr(errno, said[1].decode()) if len(said) > 1 else int(said[0])
    if event.phase == "after":
        event.fields |= {"RETVAL": result, "ERRNO": max(0, -result)}
    return result


@st.composite
def scene(draw, phase: str):
    """Rules for calls of the program, a call that they are about, and a source of chance."""
    call = draw(st.sampled_from(REFUSED if phase == "before" else MADE))
    text, included = draw(files(call, phase, OWN, ERRORS if phase == "before" else 0, (NATIVE,)))
    if phase == "before":
        text += f'rule {{ syscall_name = {call} abi = {NATIVE} filter_expression {{ {OWN} }} action {{ FAIL error_code = {LAST} }} }}\n'
    return call, text, included, Random(draw(st.integers(0, (1 << 64) - 1)))


def counters(control: Control) -> list[tuple[int, int]]:
    """What each rule has matched, and was unknown for, so far."""
    return [(row.matched, row.unknown) for row in control.counters()[0]]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("phase", ["before", "after"])
def test_real_calls(phase, loaded, programs, tmp_path):
    tmp_path.chmod(0o777)
    seen = Counter()

    def judged(event, rules, control, chance):
        before = counters(control)
        result = make(event, chance, tmp_path, programs)
        verdicts = [rules.judge(replace(event, phase=each)) for each in PHASES[: 1 + (phase == "after")]]
        matched, unknown = ([at for verdict in verdicts for at in getattr(verdict, what)] for what in ("matched", "unknown"))
        expected = [(int(at in matched), int(at in unknown)) for at in range(len(rules.names))]
        found = [(a - c, b - d) for (a, b), (c, d) in zip(counters(control), before, strict=True)]
        assert found == expected, (event, result)
        if phase == "before":
            assert result == rules.rules[matched[0]].actions.error, (event, matched)  # each of them refuses: the first
        seen.update(pairs=len(rules.names), matched=len(matched), unknown=len(unknown))

    @examples(60)
    @given(scene(phase))
    def agree(drawn):
        call, text, included, chance = drawn
        with Rules(text, included) as rules, Control.open() as control:
            assume(not rules.errors)
            control.upload(rules.ways["optimised"])
            caller = Caller(chance, text + "".join(included.values()))
            for _ in range(CALLS_EACH):
                judged(caller.call(call, phase, NATIVE), rules, control, chance)

    agree()
    print(dict(seen))
    assert seen["matched"] > 50 and seen["unknown"] > 3, f"these rules prove little: {seen}"
