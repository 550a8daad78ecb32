# SPDX-License-Identifier: GPL-2.0-only
"""Do the rules stand as many of them, and as many who upload them at once, as there may be?"""

import ctypes
import errno
import os
import random
import signal
import struct
import subprocess
import threading
import time

import pytest
import random_programs as programs
import raw
from parts import Parts, insn
from raw import prog

from pysct import abi, image

EXPECT, DRY_RUN = abi.Upload.EXPECT, abi.Upload.DRY_RUN
RET = insn("RET")


def many(count: int) -> bytes:
    """`count` rules for one call, of which only the last matches."""
    match = [abi.OPCODES["MATCH"].number, 0, 0, 0]
    insns = [insn("LDI", 0), *([*match, index] for index in range(count - 1)), insn("LDI", 0, imm=1), [*match, count - 1], RET]
    rules = b"".join(struct.pack("<QIIIiHBBI", index, 0, abi.NONE, 1, -errno.EXDEV, raw.FAIL, 0, 0, 0) for index in range(count))
    return image.encode({
        "progs": (bytes(prog(len(insns), ("str",), nr=raw.CHDIR, cost=programs.cost_of(insns, []))), 1),
        "rules": (rules, count),
        "insns": (b"".join(struct.pack(abi.INSN_FORMAT, *entry) for entry in insns), len(insns)),
        "consts": (b"", 0),
        **image.string_sections([b"rule"]),
        "source": (b"", 0),
    })  # fmt: skip


def test_as_many_rules_as_there_may_be(control):
    most = abi.Limit.RULES
    result, answer = raw.upload(control, many(most + 1))
    assert (result, raw.name_of(answer)) == (errno.E2BIG, "LIMIT")
    assert raw.upload(control, many(most))[0] == 0
    for _ in range(3):
        assert raw.chdir(b"/x") == errno.EXDEV
    room = (abi.CountersStruct * 4096)()
    request = abi.ListStruct(what=abi.List.COUNTERS, first=most - 10, count=4096, buffer=ctypes.addressof(room))
    assert raw.ask(control, abi.Ioctl.LIST, request) == 0
    assert (request.total, request.count) == (most, 10)
    assert [room[at].failed for at in range(10)] == [0] * 9 + [3]
    assert raw.upload(control, many(most))[0] == 0, "with the counters of all of them"
    assert raw.ask(control, abi.Ioctl.LIST, request) == 0 and room[9].failed == 3


def test_the_dearest_program(control):
    """As many steps as are allowed, and a text for which they are taken: it takes its time, and nothing else."""
    cost, size = abi.OPCODES["SGLOB"].cost, abi.Limit.STRING
    count = (abi.Limit.COST - 1) // (cost * size)
    insns = [*[insn("SGLOB", 0, imm=1)] * count, insn("MATCH"), RET]
    made = Parts(insns, [prog(len(insns), ("str",), nr=raw.CHDIR)], strings=[b"rule", b"*" + b"a" * (size // 2) + b"b"])
    assert raw.upload(control, made.bytes())[0] == 0
    assert raw.chdir(b"a" * (size - 1)) == errno.ENAMETOOLONG


@pytest.mark.parametrize("uploaders", [2, 8])
def test_uploads_at_once_while_all_processors_call(control, program, uploaders):
    """Every call is refused by one set or another, and every upload is told a generation of its own."""
    call = program("programs/call.c", "-pthread")
    errors = ("EXDEV", "EROFS")
    images = [raw.refusing(b"/contended", getattr(errno, name), digest=77).bytes() for name in errors]
    assert raw.upload(control, images[0])[0] == 0
    before = raw.counters(control)[0].matched
    processors, calls = os.cpu_count(), 30000
    calling = subprocess.Popen([call, "-t", str(processors), "-n", str(calls), "chdir", "s:/contended"], stdout=subprocess.PIPE)
    generations, failures = [], []

    def work(which: int) -> None:
        descriptor = os.open("/dev/sct", os.O_RDWR)
        while calling.poll() is None:
            result, answer = raw.upload(descriptor, images[which % 2])
            (failures if result else generations).append(result or answer.generation)
        os.close(descriptor)

    threads = [threading.Thread(target=work, args=(which,)) for which in range(uploaders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = dict(line.split(" x ")[::-1] for line in calling.stdout.read().decode().splitlines())
    assert set(said) <= {f"-1 {name}" for name in errors} and sum(map(int, said.values())) == processors * calls
    assert not failures
    assert sorted(generations) == list(range(min(generations), min(generations) + len(generations)))
    assert raw.version(control).generation == max(generations)
    row = raw.counters(control)[0]
    assert (row.matched, row.failed) == (before + processors * calls,) * 2, "the same rule under another set"


def test_half_of_the_uploads_expect_what_is_not_so(control):
    """Who expects a generation replaces only that one: of those that race for it one wins."""
    data, winners = raw.refusing(b"/x", errno.EXDEV).bytes(), []
    for _ in range(10):
        generation, results, barrier = raw.version(control).generation, [], threading.Barrier(4)

        def race(expected=generation, told=results, together=barrier) -> None:
            together.wait()
            told.append(raw.upload(control, data, EXPECT, expected)[0])

        threads = [threading.Thread(target=race) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == [0] + [errno.ESTALE] * 3
        winners.append(results.index(0))
    assert raw.version(control).generation == generation + 1


def upload_under_signals(descriptor: int, seconds: float) -> int:
    """Uploads as often as it can while signals come; how many went well."""
    data, done, until = raw.refusing(b"/x", errno.EXDEV).bytes(), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        result = raw.upload(descriptor, data)[0]
        assert result in (0, errno.EINTR)
        done += result == 0
    return done


def test_signals_while_uploads_wait_for_each_other(control):
    """EINTR means that nothing has happened: as many generations as uploads that went well."""
    before = raw.version(control).generation
    pipes = [os.pipe() for _ in range(4)]
    for at, (_, told) in enumerate(pipes):
        if os.fork() == 0:
            try:
                signal.signal(signal.SIGALRM, lambda *_: None)
                signal.setitimer(signal.ITIMER_REAL, 0.002 + at / 1000, 0.002 + at / 1000)
                os.write(told, b"%d" % upload_under_signals(control, 5))
            finally:
                os._exit(0)
        os.close(told)
    done = 0
    for heard, _ in pipes:
        done += int(os.read(heard, 100))
        os.close(heard)
        os.wait()
    assert raw.version(control).generation == before + done > before


def test_killed_while_it_uploads(held):
    """At any moment of it; whoever comes next is served."""
    data, chance = many(20000), random.Random(11)
    for _ in range(15):
        child = os.fork()
        if child == 0:
            while True:
                raw.upload(held.descriptor, data, DRY_RUN)
        time.sleep(chance.random() / 5)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        held.check()
