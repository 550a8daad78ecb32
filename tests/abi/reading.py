# SPDX-License-Identifier: GPL-2.0-only
"""How is the log made to say something, and what does it say?"""

import errno
import os
from collections import Counter

import raw
from parts import Parts, insn, rule

from pysct import abi, events

ROOM = 1 << 18
PREFIX = b"/logged/by/"


def rules(count: int) -> bytes:
    """Rules r0, r1, … that each log chdir("/logged/by/N/…")."""
    insns, strings = [], []
    for number in range(count):
        insns += [insn("SPRE", 0, a=0, imm=2 * number), insn("MATCH", imm=number)]
        strings += [PREFIX + b"%d/" % number, b"r%d" % number]
    insns.append(insn("RET"))
    made = [rule(name=2 * number + 1, digest=1000 + number) for number in range(count)]
    return Parts(insns, [raw.prog(len(insns), ("str",), nr=raw.CHDIR)], made, strings=strings).bytes()


def cause(number: int, serial: int) -> None:
    """A call that rule `number` logs."""
    assert raw.chdir(PREFIX + b"%d/%08d" % (number, serial)) == errno.ENOENT


def open_log(flags: int = os.O_NONBLOCK) -> int:
    return os.open("/dev/sctlog", os.O_RDONLY | flags)


def drain(reader: int) -> list:
    """All that there is to read now; fails the test for a record that is not well formed."""
    found = []
    while True:
        try:
            data = os.read(reader, ROOM)
        except BlockingIOError:
            return found
        for record in events.split(data):
            assert isinstance(record, bytes), record
            said = events.decode(record)
            assert isinstance(said, (events.Event, events.Lost)) and not getattr(said, "torn", False)
            assert len(record) % 8 == 0 and len(record) <= abi.Limit.RECORD
            found.append(said)


def serials(found: list) -> list[int]:
    return [int(event.strings[0].data[-8:]) for event in found if isinstance(event, events.Event)]


def lost(found: list, why: int | None = None) -> Counter:
    """Lost events by rule name."""
    count = Counter()
    for said in found:
        if isinstance(said, events.Lost):
            assert why is None or said.cause == why
            count[said.name] += said.count
    return count
