# SPDX-License-Identifier: GPL-2.0-only
"""Does the kernel do with real calls what the reference evaluator says of them, whatever the rules?

Random rules, which `make drawn` wrote on the host, are judged for calls that a program of each ABI makes with the
registers and the memory of a random event. Rules before a call refuse it, each with an error of its own, so that none is
made: the last rule refuses what no other one does. Rules after a call only log, and are about calls that change nothing.
Where paths lead is for test_paths.py.
"""

import json
import os
import re
import struct
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import kernel
import pytest
from opinions import UNKNOWN, Event, Rules
from random_calls import Caller

from pysct import release, target
from pysct.abi import PHASES
from pysct.control import Control
from pysct.points import abis_of
from pysct.tables import CALLS

DRAWN = kernel.TREE / ".venv/drawn.json"
EVENTS = 8
PAGE = 4096
STRINGS, WINDOW = 0x1000000, 0x10000  # where the strings of arguments lie, and how far apart
REQUEST = struct.Struct("<7Qq Q")
RUN = struct.Struct("<3Q")
WITHOUT_NUL = 0x10


class Pages(dict):
    """Memory by the page, as a process has it: what nobody wrote in a page is 0."""

    def write(self, at: int, data: bytes) -> None:
        for place, byte in enumerate(data, at):
            self.setdefault(place // PAGE, bytearray(PAGE))[place % PAGE] = byte

    def runs(self) -> dict[int, bytes]:
        """Pages side by side together, by address."""
        found: dict[int, bytes] = {}
        for number in sorted(self):
            begin = next((at for at, held in found.items() if at + len(held) == number * PAGE), number * PAGE)
            found[begin] = found.get(begin, b"") + self[number]
        return found


def place(event: Event, chance: Random) -> tuple[list[int], dict[int, bytes]]:
    """Registers, and runs of memory, that make a real call of an event; some of what it points to is missing."""
    pages, registers = Pages(), []
    for at, data in event.memory.items():
        pages.write(at, data)
    for index, value in enumerate(event.args):
        begin = STRINGS + index * WINDOW
        if isinstance(value, bytes):
            end = PAGE if chance.random() < 0.5 else PAGE + len(value) // 2 + 1  # before a page that is missing, or across pages
            pages.write(begin + end - len(value) - 1, value + b"\0")
            registers.append(begin + end - len(value) - 1)
        elif value is UNKNOWN:
            pages.write(begin + PAGE - WITHOUT_NUL, b"x" * WITHOUT_NUL)
            registers.append(chance.choice((1, begin + PAGE - WITHOUT_NUL, 0xFFFFE000)))
        else:
            registers.append(value % (1 << 64))
    runs = pages.runs()
    return registers, {at: held for at, held in runs.items() if at >= STRINGS or chance.random() < 0.8}


def make(event: Event, chance: Random, path: Path, programs: dict[str, str], above: tuple[dict, ...]) -> tuple[int, list[Event]]:
    """Makes a call; returns the result, and the event as it was before and after it."""
    registers, runs = place(event, chance)
    mapping = next(call for call in ("mmap2", "mmap") if call in CALLS[event.abi])
    unit = PAGE if mapping == "mmap2" else 1
    head, body = b"", b""
    for at, held in runs.items():
        head += RUN.pack(at, len(held), (PAGE + len(body)) // unit)
        body += held
    call = [CALLS[event.abi][event.call][0], *registers, *[0] * (6 - len(registers))]
    path.write_bytes((REQUEST.pack(*call, 0, len(runs)) + head).ljust(PAGE, b"\0") + body)
    uid = abs(event.fields["UID"]) % 60000
    words = [f"pair.{event.abi}", *(str(CALLS[event.abi][name][0]) for name in (mapping, "prctl"))]
    out = subprocess.DEVNULL
    with path.open("r+b") as file:
        process = subprocess.Popen(words, cwd=path.parent, env=programs, user=uid, stdin=file, stdout=out, stderr=out)
        assert process.wait() == 0, event
    left = path.read_bytes()
    result = REQUEST.unpack_from(left)[7]
    fields = {"UID": uid, "PID": process.pid, "COMM": b"pair", "CWD": os.fsencode(path.parent), "CAPS": 0 if uid else CAPABILITIES}
    before = replace(event, phase="before", fields=fields, memory=runs, ancestors=above, paths={})
    memory, offset = {}, PAGE
    for at, held in runs.items():
        memory[at] = left[offset : offset + len(held)]
        offset += len(held)
    fields = fields | {"RETVAL": result, "ERRNO": -result if -4096 < result < 0 else 0}
    return result, [before, replace(before, phase="after", fields=fields, memory=memory)]


def processes_above() -> tuple[dict, ...]:
    """This process, which the program's parent is, and those above it."""
    found, pid = [], os.getpid()
    while pid:
        directory = Path("/proc") / str(pid)
        status = dict(line.split(":", 1) for line in (directory / "status").read_text().splitlines())
        comm = (directory / "comm").read_bytes().removesuffix(b"\n")
        found.append({"PID": pid, "UID": int(status["Uid"].split()[0]), "COMM": comm, "EXE": os.readlink(bytes(directory / "exe"))})
        pid = int(status["PPid"])
    return tuple(found)


CAPABILITIES = int(re.search(r"CapBnd:\s*(\w+)", Path("/proc/self/status").read_text())[1], 16)


def drawn(abi: str, phase: str) -> list[dict]:
    """The rule files about calls that this kernel has."""
    assert DRAWN.exists(), "run `make drawn` on the host first"
    here = release.running()
    known = [each for each in json.loads(DRAWN.read_text()) if (each["abi"], each["phase"]) == (abi, phase)]
    return [each for each in known if not target.lacks_call(here, abi, each["call"])]


def counters(control: Control) -> list[tuple[int, int]]:
    """What each rule has matched, and was unknown for, so far."""
    return [(row.matched, row.unknown) for row in control.counters()[0]]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("abi", abis_of())
def test_real_calls(abi, phase, loaded, programs, tmp_path):
    if not kernel.serves(abi):
        pytest.skip("this kernel does not serve the ABI")
    tmp_path.chmod(0o755)
    seen, above = Counter(), processes_above()

    def judged(event: Event, rules: Rules, control: Control, chance: Random) -> None:
        before = counters(control)
        result, events = make(event, chance, tmp_path / "request", programs, above)
        verdicts = [rules.judge(each) for each in events[: 1 + (phase == "after")]]
        matched, unknown = ([at for verdict in verdicts for at in getattr(verdict, what)] for what in ("matched", "unknown"))
        expected = [(int(at in matched), int(at in unknown)) for at in range(len(rules.names))]
        found = [(a - c, b - d) for (a, b), (c, d) in zip(counters(control), before, strict=True)]
        assert found == expected, (events, result)
        if phase == "before":
            assert result == rules.rules[matched[0]].actions.error, (event, matched)  # each of them refuses: the first
        seen.update(pairs=len(rules.names), matched=len(matched), unknown=len(unknown))

    for each in drawn(abi, phase):
        with Rules(each["text"], each["included"]) as rules, Control.open() as control:
            if rules.errors:
                assert rules.slipped, rules.errors
                continue
            control.upload(rules.ways["optimised"])
            text = each["text"] + "".join(each["included"].values())
            chance = Random(text)
            caller = Caller(chance, text)
            for _ in range(EVENTS):
                judged(caller.call(each["call"], phase, abi), rules, control, chance)
    print(dict(seen))
    assert seen["matched"] > 40 and seen["unknown"] > 5, f"these rules prove little: {seen}"
