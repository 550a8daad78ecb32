# SPDX-License-Identifier: GPL-2.0-only
"""Whichever allocation or copy fails: does a request do all it should or nothing, and say why?

What is lost on the way, kmemleak tells when the run ends.
"""

import ctypes
import errno
import itertools
import os

import failing
import pytest
import raw
import reading
from parts import AFTER, Parts, insn, rule
from raw import prog

from pysct import abi, events
from pysct.compiler import compile_sources
from pysct.control import Control
from pysct.source import Source

pytestmark = [
    pytest.mark.skipif(not failing.POSSIBLE, reason="this kernel fails nothing on demand"),
    pytest.mark.timeout(600),
]

REASONS = {0, errno.ENOMEM, errno.EFAULT}
"""What a request may answer: EFAULT where a copy fails."""


def points(control: int) -> int:
    """How many points there are."""
    request = abi.ListStruct(what=abi.List.POINTS)
    assert raw.ask(control, abi.Ioctl.LIST, request) == 0
    return request.total


def many_points() -> bytes:
    """Rules at calls that nobody makes here, of two ABIs and both phases."""
    insns, progs = [], []
    for name, first in (("x86_64", 180), ("i386", 180)):
        for nr in range(first, first + 30):
            phase = nr % 2
            progs.append(prog(3, ("str",), abi=abi.ABIS[name].number, nr=nr, phase=phase, first=len(insns), flags=abi.ProgFlag.CALL))
            insns += [insn("SEQ", 0, a=0, imm=1), insn("MATCH", imm=phase), insn("RET")]
    rules = [rule(digest=77), rule(digest=78, phase=AFTER)]
    return Parts(insns, progs, rules, strings=[b"rule", b"/no/such/path"]).bytes()


class Request:
    """An upload whose memory is there already."""

    def __init__(self, data: bytes):
        self._image = ctypes.create_string_buffer(data, len(data))

    def __call__(self, descriptor: int) -> int:
        self.answer = abi.UploadStruct(image=ctypes.addressof(self._image), size=len(self._image))
        return raw.ask(descriptor, abi.Ioctl.UPLOAD, self.answer)


def test_an_upload_is_taken_or_the_old_rules_stay(held):
    """All of its points are attached, or none."""
    upload, answers = Request(many_points()), []
    for result in failing.each(lambda: upload(held.descriptor)):
        answers.append(result)
        assert result in REASONS, raw.name_of(upload.answer)
        if raw.version(held.descriptor).generation == held.generation:
            assert result != 0 and points(held.descriptor) == 1
            assert (result == errno.ENOMEM) == (raw.name_of(upload.answer) == "MEMORY")
        else:
            # Where it says EFAULT, nothing but the answer could not be written any more.
            assert result in (0, errno.EFAULT) and points(held.descriptor) > 40
            held.put_back()
        held.check()
    assert answers[0] == answers[-1] == 0 and {errno.ENOMEM, errno.EFAULT} < set(answers)


def test_rules_that_leave_give_their_points_back(held):
    """If not at once for want of memory, then with the next change."""
    upload, nothing = Request(many_points()), Request(raw.NOTHING)

    def come() -> None:
        assert upload(held.descriptor) == 0, raw.name_of(upload.answer)

    for result in failing.each(lambda: nothing(held.descriptor), before=come):
        assert result in REASONS
        assert raw.upload(held.descriptor, raw.NOTHING)[0] == 0 and points(held.descriptor) == 0
    held.put_back()
    assert points(held.descriptor) == 1


@pytest.mark.parametrize("what", range(abi.List.COUNTERS, abi.List.PROOFS + 1))
def test_lists(held, what):
    room = ctypes.create_string_buffer(1 << 16)

    def ask() -> int:
        request = abi.ListStruct(what=what, count=100, buffer=ctypes.addressof(room))
        return raw.ask(held.descriptor, abi.Ioctl.LIST, request)

    answers = list(failing.each(ask))
    assert {0, errno.EFAULT} <= set(answers) <= REASONS and answers[0] == answers[-1] == 0
    held.check()


def test_a_download(held):
    room = ctypes.create_string_buffer(1 << 16)

    def ask() -> int:
        request = abi.DownloadStruct(buffer=ctypes.addressof(room), size=len(room))
        return raw.ask(held.descriptor, abi.Ioctl.DOWNLOAD, request)

    assert set(failing.each(ask)) == {0, errno.EFAULT}
    held.check()


def opened() -> int:
    """The error number of opening the log, which is closed again."""
    reader = raw.LIBC.open(b"/dev/sctlog", os.O_RDONLY | os.O_NONBLOCK)
    if reader < 0:
        return ctypes.get_errno()
    os.close(reader)
    return 0


def test_readers_come_or_do_not(logged):
    answers = list(failing.each(opened))
    assert set(answers) == REASONS and answers[0] == answers[-1] == 0
    readers = [reading.open_log() for _ in range(abi.Limit.READERS)]
    for reader in readers:
        os.close(reader)


def test_no_event_is_lost_where_reading_fails(logged):
    reader, room = reading.open_log(), ctypes.create_string_buffer(reading.ROOM)
    found, numbers = [], itertools.count()

    def read() -> int:
        size = raw.LIBC.read(reader, ctypes.addressof(room), len(room))
        if size < 0:
            return ctypes.get_errno()
        found.extend(events.decode(record) for record in events.split(room.raw[:size]))
        return 0

    def make() -> None:
        for _ in range(3):
            reading.cause(0, next(numbers))

    answers = list(failing.each(read, before=make))
    found += reading.drain(reader)
    os.close(reader)
    assert reading.serials(found) == list(range(next(numbers)))
    assert errno.EFAULT in answers and set(answers) <= REASONS


AROUND = Parts(
    [insn("SEQ", 0, a=0, imm=1), insn("MATCH"), insn("RET"), insn("SEQ", 0, a=0, imm=1), insn("MATCH", imm=1), insn("RET")],
    [prog(3, ("str",), nr=raw.CHDIR), prog(3, ("str",), nr=raw.CHDIR, phase=AFTER, first=3)],
    [rule(actions=raw.FAIL, error=-errno.EROFS), rule(phase=AFTER, digest=1)],
    strings=[b"rule", b"/no/such/path"],
).bytes()
"""One path is refused, and waited for as well: calls are judged in task context, with memory of their own."""


def test_a_call_that_cannot_be_judged_is_refused(control):
    """Unless what cannot be read is its argument: then the rule is unknown, and counted."""
    assert raw.upload(control, AROUND)[0] == 0
    unknown = 0
    for result in failing.each(lambda: raw.chdir(b"/no/such/path")):
        before, unknown = unknown, raw.counters(control)[0].unknown
        assert result in {errno.EROFS, errno.ENOMEM} or unknown > before


LED = """rule { syscall_name = chdir rule_name = r filter_expression { path(filename) == "/no-such-path" }
action { type = FAIL error_code = EROFS } when = before }"""


def test_a_path_that_cannot_be_looked_up_is_refused(control):
    """The file system asks for memory as well."""
    assert raw.upload(control, compile_sources([Source("t", LED)]).image)[0] == 0
    unknown = 0
    for result in failing.each(lambda: raw.chdir(b"/proc/../no-such-path")):
        before, unknown = unknown, raw.counters(control)[0].unknown
        assert result in {errno.EROFS, errno.ENOMEM} or unknown > before
    assert unknown < 20


BESIDE = """rule { syscall_name = chdir rule_name = r filter_expression { path(filename) == "/no-such-path" } action { LOG } continue = yes }
rule { syscall_name = chdir rule_name = s filter_expression { filename endswith "such-path" } action { LOG } }"""


def test_others_hold_where_a_path_cannot_be_looked_up(control):
    """Where no rule refuses, who has a file system that is out of memory does not get past all rules."""
    assert raw.upload(control, compile_sources([Source("t", BESIDE)]).image)[0] == 0
    seen = set()
    before = (0, 0, 0)
    for _ in failing.each(lambda: raw.chdir(b"/proc/../no-such-path")):
        led, said = raw.counters(control)[:2]
        with Control.open() as other:
            dropped = sum(drop.count for drop in other.drops() if drop.cause == abi.Cause.MEMORY)
        now = (led.matched, said.matched, dropped)
        seen.add(tuple(new > old for old, new in zip(before, now, strict=True)))
        before = now
    assert {(True, True, False), (False, True, True)} <= seen


def test_a_call_that_goes_on_is_not_harmed(control):
    """Nothing is done twice, and nothing left behind that would keep the modules."""
    assert raw.upload(control, AROUND)[0] == 0
    answers = set(failing.each(lambda: raw.chdir(b"/no/other/path")))
    assert errno.ENOENT in answers and answers <= {errno.ENOENT, errno.ENOMEM, errno.EFAULT}
    # Others can be inside: init may wait in a call that an earlier test's rule was around.
    with Control.open() as other:
        assert os.getpid() not in {caller.pid for caller in other.callers()}
