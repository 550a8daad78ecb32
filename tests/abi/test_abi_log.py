# SPDX-License-Identifier: GPL-2.0-only
"""Does the log device stand readers without manners?"""

import ctypes
import errno
import os
import select
import signal
import threading
import time
from collections import Counter

import pytest
import raw
from reading import PREFIX, ROOM, cause, drain, open_log, serials

from pysct import abi, events

HEAD = 24


def test_records(logged):
    reader = open_log()
    cause(1, 42)
    data = os.read(reader, ROOM)
    event = abi.EventStruct.from_buffer_copy(data)
    assert (event.record.size, event.record.type, event.record.rule) == (len(data), abi.Record.EVENT, 1)
    assert event.record.generation == raw.version(logged).generation
    assert (event.zero, event.nargs, list(event.kinds), event.nr, event.abi, event.phase) == (0, 1, [10, 0, 0, 0, 0, 0], raw.CHDIR, raw.OWN, 0)
    assert (event.pid, event.tid, event.uid, event.actions) == (os.getpid(), threading.get_native_id(), 0, raw.LOG)
    name, path = b"r1", PREFIX + b"1/00000042"
    items = bytes([abi.Item.NAME, 0, len(name), 0]) + name + bytes([abi.Item.ARG, 0, len(path), 0]) + path
    assert data[160:] == items + bytes(-len(items) % 8)
    os.close(reader)


@pytest.mark.parametrize("length", [0, 1, 3, 1000, 3500, 3600, 3650, 3660, 3670, 4000, 4095, 4096, 5000])
def test_records_of_every_size(logged, length):
    """What does not fit is cut, and says so; the record stays within its bounds."""
    reader, path = open_log(), PREFIX + b"0/" + b"n" * length
    path = path[: max(length, len(PREFIX) + 2)]
    raw.chdir(path)
    found = drain(reader)
    if len(path) >= abi.Limit.STRING:  # unknown, and so no match
        assert found == []
    else:
        (event,) = found
        held = event.strings[0]
        assert path.startswith(held.data) and (held.state == abi.State.WHOLE) == (held.data == path)
        assert held.state in (abi.State.WHOLE, abi.State.CUT) and len(held.data) > min(len(path), 3600) - 1
    os.close(reader)


def test_rooms_that_are_too_small(logged):
    reader, memory = open_log(), raw.Memory()
    assert raw.errno_of(raw.LIBC.read, reader, memory.start, 1) == errno.EAGAIN
    cause(0, 1)
    cause(0, 2)
    size = len(os.read(reader, ROOM)) // 2
    cause(0, 3)
    cause(0, 4)
    for less in (1, 8, HEAD - 1, HEAD, size - 1):
        assert raw.errno_of(raw.LIBC.read, reader, memory.start, less) == errno.EINVAL, less
    assert len(os.read(reader, size)) == size
    assert len(os.read(reader, 2 * size - 1)) == size
    assert raw.errno_of(raw.LIBC.read, reader, memory.start, raw.PAGE) == errno.EAGAIN
    os.close(reader)


def test_rooms_that_are_nowhere(logged):
    """What could not be copied out is still there."""
    reader, memory = open_log(), raw.Memory()
    cause(0, 5)
    cause(1, 6)
    gone = (*raw.NOWHERE, memory.end, memory.end - 8, raw.Memory().protect().start, raw.Memory().protect(raw.PROT_NONE).start)
    for address in gone:
        assert raw.errno_of(raw.LIBC.read, reader, address, 4096) == errno.EFAULT, hex(address)
    got = raw.LIBC.read(reader, memory.end - 300, 4096)  # room for one and a half
    first = list(events.read_all(memory.get(got, memory.end - 300)))
    assert serials(first) == [5] and serials(drain(reader)) == [6]
    os.close(reader)


def test_what_is_no_read(logged):
    reader = open_log()
    for call in (lambda: os.write(reader, b"x"), lambda: os.lseek(reader, 0, os.SEEK_SET), lambda: os.pread(reader, 4096, 0)):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.errno in (errno.EBADF, errno.EINVAL, errno.ESPIPE)
    for request in (0, abi.Ioctl.VERSION, abi.Ioctl.UPLOAD, abi.Ioctl.LOCK):
        assert raw.ask(reader, request, 0) == errno.ENOTTY
    os.close(reader)


def test_poll(logged):
    first, second = open_log(), open_log()
    poll = select.poll()
    for reader in (first, second):
        poll.register(reader, select.POLLIN | select.POLLOUT)
    assert poll.poll(0) == []
    cause(0, 1)
    assert dict(poll.poll(1000)) == {first: select.POLLIN, second: select.POLLIN}
    drain(first)
    assert dict(poll.poll(0)) == {second: select.POLLIN}
    drain(second)
    assert poll.poll(50) == []
    later = threading.Timer(0.3, cause, (0, 2))
    later.start()
    assert poll.poll(10000)
    later.join()
    for reader in (first, second):
        assert serials(drain(reader)) == [2]
        os.close(reader)


def read_with_signal(reader: int, interrupt: bool) -> tuple[int, int, int]:
    """A blocking read that a signal meets: bytes, error number, signals that came."""
    came, memory = [], raw.Memory()
    before = signal.signal(signal.SIGALRM, lambda *_: came.append(1))
    signal.siginterrupt(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        got = raw.LIBC.read(reader, memory.start, raw.PAGE)
        return got, ctypes.get_errno() if got < 0 else 0, len(came)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_read_that_a_signal_interrupts(logged):
    reader = open_log(0)
    assert read_with_signal(reader, True) == (-1, errno.EINTR, 1)
    later = threading.Timer(1, cause, (0, 1))
    later.start()
    got, error, came = read_with_signal(reader, False)
    assert (error, came) == (0, 1) and got > 160, "restarted, and then there was an event"
    later.join()
    os.close(reader)


def test_as_many_readers_as_there_may_be(logged):
    readers = [open_log() for _ in range(abi.Limit.READERS)]
    for _ in range(3):
        with pytest.raises(OSError) as caught:
            open_log()
        assert caught.value.errno == errno.EUSERS
    cause(0, 1)
    for reader in readers:
        assert serials(drain(reader)) == [1]
    os.close(readers.pop())
    readers.append(open_log())
    for reader in readers:
        os.close(reader)


def test_a_crowd_of_processes(logged):
    """Twice as many as there may be, all at once, and all killed: every place is given back."""
    ours, theirs = os.pipe()
    children = []
    for _ in range(2 * abi.Limit.READERS):
        child = os.fork()
        if child == 0:
            try:
                reader = open_log(0)
                os.write(theirs, b"+")
                os.read(reader, ROOM)
            except OSError as error:
                os.write(theirs, b"-" if error.errno == errno.EUSERS else b"?")
            time.sleep(1000)
        children.append(child)
    told = b""
    while len(told) < len(children):
        told += os.read(ours, 100)
    assert Counter(told) == {ord("+"): abi.Limit.READERS, ord("-"): abi.Limit.READERS}
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    for end in (ours, theirs):
        os.close(end)
    readers = [open_log() for _ in range(abi.Limit.READERS)]
    for reader in readers:
        os.close(reader)


def test_closed_while_another_thread_reads(logged):
    """The read goes on, on a device that is closed only then."""
    for serial in range(5):
        reader, got = open_log(0), []
        thread = threading.Thread(target=lambda fd=reader, to=got: to.append(raw.LIBC.read(fd, room.start, raw.PAGE)))
        room = raw.Memory()
        thread.start()
        time.sleep(0.2)
        os.close(reader)
        time.sleep(0.1)
        assert thread.is_alive()
        cause(0, serial)
        thread.join(30)
        assert not thread.is_alive() and got[0] > 160
    readers = [open_log() for _ in range(abi.Limit.READERS)]
    for reader in readers:
        os.close(reader)
