# SPDX-License-Identifier: GPL-2.0-only
"""Is memory given back, whatever becomes of what it was for?"""

import errno
import os
import random
import threading

import parts
import pytest
import raw
from faults import LatePage
from parts import Parts, insn, one, rule
from raw import prog
from reading import cause, open_log
from test_abi_crowds import many

from pysct import abi

TIMES = 60
MIB = 1 << 20
NOISE = 48 * MIB  # that others take meanwhile


def available() -> int:
    """Bytes that could be had now."""
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("3")
    with open("/proc/meminfo") as file:
        fields = dict(line.split(":") for line in file)
    return int(fields["MemAvailable"].split()[0]) * 1024


def large(**changes) -> bytes:
    """An image of several MiB, with a second program."""
    source = b"x" * (2 * MIB)
    refusing = [insn("LDI", 0), insn("MATCH"), insn("RET")]
    second = prog(1, **{"nr": raw.NUMBERS["unlinkat"], **changes})
    progs = raw.laid_out((prog(3, ("str",), nr=raw.CHDIR), refusing), (second, [insn("RET")]))
    return Parts(**progs, rules=[rule(actions=raw.FAIL, error=-errno.EXDEV)], source=source).bytes()


SOUND = large()
IMAGES = {
    "taken": (SOUND, 0, 0),
    "tried": (SOUND, abi.Upload.DRY_RUN, 0),
    "stale": (SOUND, abi.Upload.EXPECT, errno.ESTALE),
    "of no checksum": (SOUND[:-8] + b"yyyyyyyy", 0, errno.EBADMSG),
    "of a foreign ABI": (large(abi=raw.FOREIGN[0]), 0, errno.EOPNOTSUPP),
    "of a call that there is not": (large(nr=1023), 0, errno.ENOSYS),
    "with a wrong cost": (large(cost=7), 0, errno.E2BIG),
    "of a call that does not return": (large(nr=raw.NUMBERS["exit_group"], phase=parts.AFTER), 0, errno.EOPNOTSUPP),
}


@pytest.mark.parametrize("what", IMAGES)
def test_images(control, what):
    data, flags, result = IMAGES[what]
    before = available()
    for _ in range(TIMES):
        assert raw.upload(control, data, flags)[0] == result
    raw.upload(control, raw.NOTHING)
    assert before - available() < NOISE < TIMES * len(data) // 2


def test_counters_of_many_rules(control):
    data, before = many(20000), available()
    for _ in range(TIMES):
        assert raw.upload(control, data)[0] == 0
    raw.upload(control, raw.NOTHING)
    assert before - available() < NOISE


def test_readers(logged):
    before = available()
    for turn in range(8):
        readers = [open_log() for _ in range(abi.Limit.READERS)]
        for serial in range(10):
            cause(0, serial)
        if turn % 2:
            os.read(random.Random(turn).choice(readers), 4096)
        for reader in readers:
            os.close(reader)
    assert before - available() < NOISE < 8 * abi.Limit.READERS * MIB // 2


def test_calls_that_wait(held):
    """Each has room for its strings until it is over, or is killed."""
    before = available()

    def child() -> int:
        pages = [LatePage() for _ in range(100)]
        for page in pages:
            threading.Thread(target=raw.LIBC.chdir, args=(page.start,), daemon=True).start()
            page.wait()
        os.kill(os.getpid(), 9)
        return 1

    for _ in range(10):
        assert raw.in_child(child) == -9
    held.recount()
    assert before - available() < NOISE


def test_points_that_come_and_go(control):
    """ftrace's own memory as well."""
    nothing, before = raw.own(one(insn("RET"))).bytes(), available()
    numbers = range(0, 300, 3)
    flags = abi.ProgFlag.CALL
    for _ in range(6):
        progs = [prog(1, ("str",), nr=nr, first=at, flags=flags) for at, nr in enumerate(numbers)]
        assert raw.upload(control, Parts([insn("RET")] * len(progs), progs).bytes())[0] == 0
        assert raw.upload(control, nothing)[0] == 0
    assert before - available() < NOISE
