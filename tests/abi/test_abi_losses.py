# SPDX-License-Identifier: GPL-2.0-only
"""Does every event reach every reader, or is it accounted for?"""

import ctypes
import os
import threading
import time
from collections import Counter

import pytest
import raw
from faults import LatePage
from patience import PATIENCE
from reading import ROOM, cause, drain, lost, open_log, rules, serials

from pysct import abi, events


def test_every_reader_sees_every_event(logged):
    readers, seen = [open_log() for _ in range(5)], [[] for _ in range(5)]
    serial = 0
    for turn in range(10):
        for _ in range(100):
            cause(serial % 3, serial)
            serial += 1
        for at, reader in enumerate(readers):
            if at != 4 or turn % 3 == 0:  # one reads more seldom
                seen[at] += drain(reader)
    seen[4] += drain(readers[4])
    for found in seen:
        assert serials(found) == list(range(serial)) and not lost(found)
    for reader in readers:
        os.close(reader)


def test_threads_that_share_a_descriptor(logged):
    """Each event reaches one of them, whole."""
    reader, found, made = open_log(0), [], 3000

    def read() -> None:
        while True:
            got = list(events.read_all(os.read(reader, 4096)))
            found.extend(got)
            if serials(got) and max(serials(got)) >= made:
                return

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for serial in range(made):
        cause(serial % 3, serial)
        if serial % 100 == 0:
            time.sleep(0.01)
    for end in range(len(threads)):
        deadline = time.monotonic() + 30 * PATIENCE
        alive = sum(thread.is_alive() for thread in threads)
        cause(0, made + end)
        while sum(thread.is_alive() for thread in threads) == alive:
            assert time.monotonic() < deadline, "a reader was not woken"
            time.sleep(0.01)
    assert sorted(serials(found)) == list(range(made + len(threads))) and not lost(found)
    os.close(reader)


def test_a_reader_that_does_not_read(logged):
    """Another one sees everything; it is told what it missed, by rule."""
    idle, busy, made = open_log(), open_log(), 18000
    seen = []
    for serial in range(made):
        cause(serial % 3, serial)
        if serial % 500 == 0:
            seen += drain(busy)
    seen += drain(busy)
    assert serials(seen) == list(range(made)) and not lost(seen)
    missed = drain(idle)
    got, gone = Counter(event.name for event in missed if isinstance(event, events.Event)), lost(missed, abi.Cause.READER)
    assert set(gone) == {b"r0", b"r1", b"r2"}
    assert all(got[name] + gone[name] == made // 3 for name in gone), (got, gone)
    assert serials(missed) == list(range(len(serials(missed)))), "the first ones, in order"
    cause(0, made)
    assert serials(drain(idle)) == serials(drain(busy)) == [made]
    for reader in (idle, busy):
        os.close(reader)


def test_losses_of_many_rules(logged):
    """More rules than a reader has places for: the sum is right, and the last place says that it is of several."""
    count, each = 100, 3
    assert raw.upload(logged, rules(count))[0] == 0
    idle, busy, filling = open_log(), open_log(), 6000
    for serial in range(filling):
        cause(0, serial)
        if serial % 500 == 0:
            drain(busy)
    drain(busy)
    for number in range(count):
        for serial in range(each):
            cause(number, serial)
    assert len(drain(busy)) == count * each
    missed = drain(idle)
    gone = lost(missed, abi.Cause.READER)
    assert len(serials(missed)) + sum(gone.values()) == filling + count * each
    assert gone[b""] > 0 and all(said.rule == abi.NONE for said in missed if isinstance(said, events.Lost) and not said.name)
    assert all(gone[b"r%d" % number] == each for number in range(1, 60))
    for reader in (idle, busy):
        os.close(reader)


def drops(control: int) -> Counter:
    room = (abi.DropStruct * 4096)()
    request = abi.ListStruct(what=abi.List.DROPS, count=4096, buffer=ctypes.addressof(room))
    assert raw.ask(control, abi.Ioctl.LIST, request) == 0
    count = Counter()
    for drop in room[: request.count]:
        count[drop.cause] += drop.count
    return count


def test_nobody_reads(logged):
    """The ring is full: what is lost is counted for its rule and its processor, and told to who reads at last."""
    before, dropped = raw.counters(logged), drops(logged)
    reader, made = open_log(), 12000
    for serial in range(made):
        cause(serial % 2, serial)
    rows = [abi.CountersStruct.from_buffer_copy(row) for row in raw.counters(logged)]
    found = drain(reader)
    told = lost(found, abi.Cause.BUFFER)
    for number in range(2):
        row, old = rows[number], before[number]
        assert row.matched - old.matched == made // 2
        assert row.logged - old.logged + row.lost - old.lost == made // 2
        assert row.lost - old.lost == told[b"r%d" % number] > 0
    assert rows[2].lost == before[2].lost and len(told) == 2
    assert len(serials(found)) + sum(told.values()) == made
    assert drops(logged)[abi.Cause.BUFFER] - dropped[abi.Cause.BUFFER] == sum(told.values())
    assert lost(drain(reader)) == {}, "once"
    os.close(reader)


def test_losses_when_the_rules_change(logged):
    """Events of a set that is gone, and losses of it, still reach readers under its generation."""
    reader, made = open_log(), 9000
    generation = raw.version(logged).generation
    for serial in range(made):
        cause(0, serial)
    assert raw.upload(logged, rules(1))[0] == 0
    found = drain(reader)
    assert {said.generation for said in found} == {generation}
    assert len(serials(found)) + sum(lost(found).values()) == made
    assert raw.counters(logged)[0].lost >= sum(lost(found).values()), "the same rule keeps its counters"
    os.close(reader)


def test_a_room_that_does_not_come_holds_up_nobody(logged):
    """One reader waits for a page to read into; the others read on, and it gets all in the end."""
    page, waiting, other, got = LatePage(), open_log(), open_log(), []
    cause(0, 1)
    thread = threading.Thread(target=lambda: got.append(raw.LIBC.read(waiting, page.start, raw.PAGE)))
    thread.start()
    page.wait()
    for serial in range(2, 500):
        cause(0, serial)
    assert serials(drain(other)) == list(range(1, 500))
    page.supply(b"")
    thread.join(30)
    first = list(events.read_all(ctypes.string_at(page.start, got[0])))
    assert serials(first + drain(waiting)) == list(range(1, 500))
    page.close()
    for reader in (waiting, other):
        os.close(reader)


def test_sleepers_are_woken(logged):
    """Readers, each in turn asleep and awake: an event reaches all of them at once."""
    count, made = 4, 1000
    readers, seen = [open_log(0) for _ in range(count)], [[] for _ in range(count)]

    def read(at: int) -> None:
        while not seen[at] or seen[at][-1] < made - 1:
            seen[at] += serials(list(events.read_all(os.read(readers[at], ROOM))))

    threads = [threading.Thread(target=read, args=(at,)) for at in range(count)]
    for thread in threads:
        thread.start()
    asleep = []
    for serial in range(made):
        cause(0, serial)
        deadline = time.monotonic() + 2
        while any(not found or found[-1] < serial for found in seen):
            if time.monotonic() > deadline:  # the next event wakes it
                asleep.append(serial)
                break
            time.sleep(0.0005)
    while any(thread.is_alive() for thread in threads):
        cause(0, made)
        time.sleep(0.1)
    assert asleep == [], "a reader slept while there was an event for it"
    assert [found[:made] for found in seen] == [list(range(made))] * count
    for reader in readers:
        os.close(reader)
