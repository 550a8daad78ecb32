# SPDX-License-Identifier: GPL-2.0-only
"""Are the log's bytes understood, and survived when they are hostile?"""

import random
import subprocess
import sys

import pytest
from fake_modules import NAME, PATH, event, item, lost, record

from pysct import abi, events, jsonlines, render


def one(data):
    (said,) = events.read_all(data)
    return said


def test_event():
    said = one(event([NAME, item(abi.Item.TEMPLATE, b"%comm"), item(abi.Item.CWD, b"/root"), PATH]))
    assert (said.name, said.template, said.torn) == (b"watch", b"%comm", False)
    assert (said.rule, said.generation, said.time) == (7, 3, 1_700_000_000_123_456_789)
    assert (said.pid, said.tid, said.ppid, said.cpu) == (1234, 1235, 1, 1)
    assert (said.uid, said.euid, said.suid, said.fsuid) == (10, 11, 12, 13)
    assert (said.gid, said.egid, said.sgid, said.fsgid) == (20, 21, 22, 23)
    assert said.cwd == events.String(abi.State.WHOLE, b"/root")
    assert said.strings == {1: events.String(abi.State.WHOLE, b"./dummy")}
    assert said.comm == b"rm" and len(said.args) == len(said.kinds) == 3


def test_several_records_in_one_read():
    said = list(events.read_all(event([NAME]) + lost(12) + event([NAME])))
    assert [type(each) for each in said] == [events.Event, events.Lost, events.Event]
    assert (said[1].count, said[1].name, said[1].cause) == (12, b"watch", abi.Cause.BUFFER)


def test_unknown_types_and_items_are_stepped_over():
    said = list(events.read_all(record(999, b"what is this?") + event([item(200, b"new"), NAME])))
    assert len(said) == 1 and said[0].name == b"watch"


@pytest.mark.parametrize("cut", [1, 8, 23, 24, 100])
def test_a_torn_record_is_said_to_be_torn(cut):
    whole = event([NAME])
    said = list(events.read_all(whole + whole[:cut]))
    assert isinstance(said[0], events.Event) and isinstance(said[1], events.Torn)
    assert said[1].offset == len(whole) and said[1].text


@pytest.mark.parametrize("size", [0, 8, 23, 25, 65535])
def test_a_size_that_cannot_be(size):
    said = one(size.to_bytes(2, "little") + event([NAME])[2:])
    assert isinstance(said, events.Torn)


def test_an_item_that_runs_over_the_end():
    data = bytearray(event([NAME, PATH]))
    data[160 + len(NAME) + 2 : 160 + len(NAME) + 4] = b"\xff\xff"
    said = one(bytes(data))
    assert said.torn and said.name == b"watch" and not said.strings


def test_more_arguments_than_there_are():
    said = one(event([NAME], nargs=200))
    assert said.torn and len(said.args) == 6


def test_short_event_and_short_lost():
    assert isinstance(one(record(abi.Record.EVENT, bytes(16))), events.Torn)
    assert isinstance(one(record(abi.Record.LOST, b"")), events.Torn)


def test_nothing_that_arrives_raises():
    chance = random.Random(2)
    whole = event([NAME, item(abi.Item.TEMPLATE, b"%comm %params %cwd %retval %zzz %"), PATH]) + lost(1)
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        for said in events.read_all(bytes(data[: chance.randrange(len(data) + 1)])):
            if isinstance(said, events.Event):
                assert render.line(said).isprintable() and render.default_line(said).isprintable()
                assert jsonlines.line(said).isascii()
            elif isinstance(said, events.Lost):
                assert render.lost_line(said).isprintable()


def test_reading_the_log_needs_no_compiler():
    code = (
        "import sys, pysct.cli.log as l; l.render.line;"
        "bad = [m for m in sys.modules if m == 'lark' or m in"
        " ('pysct.parse', 'pysct.check', 'pysct.codegen', 'pysct.compiler', 'pysct.image', 'pysct.constants')];"
        "sys.exit(str(bad) if bad else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
