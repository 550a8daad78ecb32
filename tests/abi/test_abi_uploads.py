# SPDX-License-Identifier: GPL-2.0-only
"""Do the rules in force stand whatever is uploaded, however often, and by however many at once?"""

import errno
import os
import platform
import random

import parts
import pytest
import random_programs as programs
import raw
from parts import Parts, insn, one, rule
from raw import name_of, prog

from pysct import abi, image

NUMBER = {error.name: error.number for error in abi.ERRORS.values()}
EXPECT, DRY_RUN = abi.Upload.EXPECT, abi.Upload.DRY_RUN
RET = insn("RET")
GONE = {"x86_64": "uselib", "aarch64": "nfsservctl"}[platform.machine()]
"""A call that has a number, and that no kernel makes."""


def test_expectations(control):
    data = raw.refusing(b"/x", errno.EXDEV).bytes()
    assert raw.upload(control, data)[0] == 0
    generation = raw.version(control).generation
    for wrong in (0, generation - 1, generation + 1, 2**64 - 1):
        result, answer = raw.upload(control, data, EXPECT, wrong)
        assert (result, name_of(answer), answer.generation) == (errno.ESTALE, "STALE", 0)
    assert raw.version(control).generation == generation
    result, answer = raw.upload(control, data, EXPECT, generation)
    assert (result, answer.generation, answer.error.code) == (0, generation + 1, 0)
    assert raw.upload(control, data, EXPECT, generation)[0] == errno.ESTALE
    result, answer = raw.upload(control, data, 0, 12345)
    assert (result, answer.generation) == (0, generation + 2), "without the flag nothing is expected"


def test_dry_runs(held):
    data = raw.refusing(raw.Held.PATH, errno.EXDEV).bytes()
    for flags, expect, result in (
        (DRY_RUN, 0, 0),
        (DRY_RUN | EXPECT, held.generation, 0),
        (DRY_RUN | EXPECT, held.generation + 1, errno.ESTALE),
    ):
        found, answer = raw.upload(held.descriptor, data, flags, expect)
        assert (found, answer.generation) == (result, 0)
        held.check()


def test_dry_runs_attach_nothing(held):
    data = Parts(insns=[RET], progs=[prog(1, ("str",), nr=raw.NUMBERS["unlinkat"])]).bytes()
    assert raw.upload(held.descriptor, data, DRY_RUN)[0] == 0
    request = abi.ListStruct(what=abi.List.POINTS)
    assert raw.ask(held.descriptor, abi.Ioctl.LIST, request) == 0
    assert request.total == 1


@pytest.mark.parametrize("flags", [4, 8, 1 << 31, 2**32 - 1, 4 | DRY_RUN])
def test_unknown_flags(held, flags):
    result, answer = raw.upload(held.descriptor, raw.NOTHING, flags)
    assert (result, answer.error.code, answer.generation) == (errno.EINVAL, 0, 0)


def beside_another(insns: list, changes: dict) -> dict:
    """Programs for a point that there is, and for one that is described."""
    return raw.laid_out((prog(1, ("str",), nr=1), [RET]), (prog(len(insns), **changes), insns))


@pytest.mark.parametrize("flags", [0, DRY_RUN])
@pytest.mark.parametrize(
    "name, result, changes",
    [
        ("FOREIGN", errno.EOPNOTSUPP, {"abi": raw.FOREIGN[0]}),
        ("FOREIGN", errno.EOPNOTSUPP, {"abi": raw.FOREIGN[1], "flags": abi.ProgFlag.CALL}),
        ("ABSENT", errno.ENOSYS, {"nr": 1023}),
        ("ABSENT", errno.ENOSYS, {"nr": raw.NUMBERS[GONE]}),
        ("ABSENT", errno.ENOSYS, {"nr": 1023, "flags": abi.ProgFlag.ABI}),
        ("ABSENT", errno.ENOSYS, {"nr": 1023, "abi": raw.OTHER}),
        ("NO_RETURN", errno.EOPNOTSUPP, {"nr": raw.NUMBERS["exit"], "phase": parts.AFTER}),
        ("NO_RETURN", errno.EOPNOTSUPP, {"nr": raw.NUMBERS["exit_group"], "phase": parts.AFTER}),
    ],
)
def test_points_that_there_are_not(held, flags, name, result, changes):
    """Behind one that there is: all of them or none."""
    found, answer = raw.upload(held.descriptor, Parts(**beside_another([RET], changes)).bytes(), flags)
    assert (found, name_of(answer)) == (result, name)
    assert (answer.error.abi, answer.error.nr) == (changes.get("abi", raw.OWN), changes.get("nr", 0))


@pytest.mark.parametrize("flags", [0, DRY_RUN])
@pytest.mark.parametrize("call", ["exit", "exit_group"])
@pytest.mark.parametrize("action", ["FAIL", "KILL", "SUSPEND"])
def test_a_call_that_ends_its_thread_cannot_be_refused(held, action, call, flags):
    """The kernel's own code behind it is that of another call."""
    errors = {"error": -1} if action == "FAIL" else {}
    made = Parts(rules=[parts.rule(actions=abi.ACTIONS[action].mask, **errors)], progs=[prog(3, (), nr=raw.NUMBERS[call])])
    found, answer = raw.upload(held.descriptor, made.bytes(), flags)
    assert (found, name_of(answer), answer.error.nr) == (errno.EOPNOTSUPP, "NO_REFUSAL", raw.NUMBERS[call])


OPTIONAL = [
    {"nr": 1023, "flags": abi.ProgFlag.CALL},
    {"abi": raw.FOREIGN[0], "flags": abi.ProgFlag.ABI},
]


@pytest.mark.parametrize("changes", OPTIONAL, ids=str)
def test_points_that_need_not_be_there(held, changes):
    """They are left out; a rule that has no others would be in force for nothing."""
    found, answer = raw.upload(held.descriptor, Parts(**beside_another([RET], changes)).bytes(), DRY_RUN)
    assert (found, name_of(answer)) == (0, "")
    matching = [insn("LDI", 0), insn("MATCH", imm=1), RET]
    found, answer = raw.upload(held.descriptor, Parts(**beside_another(matching, changes), rules=[rule(), rule()]).bytes())
    assert (found, name_of(answer), answer.error.index) == (errno.ENOSYS, "ORPHAN", 1)


def test_every_reason_of_the_verifier(held):
    """Each image that the verifier refuses in user space is refused by the kernel, for the same reason."""
    from test_verify_errors import WRONG

    for what, (name, made, index, value) in WRONG.items():
        data = made if isinstance(made, bytes) else made.bytes()
        result, answer = raw.upload(held.descriptor, data)
        assert name_of(answer) == name, what
        assert result == getattr(errno, abi.ERRORS[NUMBER[name]].errno), what
        assert (answer.error.index, answer.error.value) == (index, value), what


def test_cut_short(held):
    data = parts.everything()
    for size in range(0, len(data), 3):
        result, answer = raw.upload(held.descriptor, data[:size])
        assert result == errno.EINVAL and name_of(answer) in ("SHORT", "SIZE"), size


def test_flipped_bits(held):
    chance, data = random.Random(4), parts.everything()
    for bit in chance.sample(range(8 * len(data)), 1000):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        assert raw.upload(held.descriptor, bytes(flipped))[0] != 0, bit


def test_flipped_bits_with_the_sum_made_right(held):
    """As the verifier in user space says; a dry run, so that the rule stays."""
    from pysct.judge import verify

    chance, data, taken = random.Random(6), parts.everything(), 0
    for bit in chance.sample(range(8 * image.BEHIND_CRC, 8 * len(data)), 1500):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        flipped = parts.summed(bytes(flipped))
        result, answer = raw.upload(held.descriptor, flipped, DRY_RUN)
        expected = verify(flipped)
        if expected is not None:
            assert (answer.error.code, answer.error.index, answer.error.value) == (expected.code, expected.index, expected.value)
            assert result != 0
        else:
            assert name_of(answer) in ("", "FOREIGN", "ABSENT", "NO_RETURN", "NO_REFUSAL", "ORPHAN")
            taken += 1
    assert taken > 100


def test_random_programs_judge_real_calls(control):
    """Whatever the verifier takes is put in force and met by calls."""
    chance, memory = random.Random(8), raw.Memory()
    for _ in range(60):
        kinds = ("str", chance.choice(list(abi.KINDS)))
        numbers = tuple(parts.KIND[kind] for kind in kinds)
        strings = [b"rule", *(programs.glob(chance) for _ in range(4)), *(programs.word(chance) for _ in range(4))]
        phase = chance.randrange(2)
        insns = programs.Writer(chance, phase, numbers, 1, len(strings), 1, []).write(chance.randrange(2, 60))
        made = Parts([*map(list, insns)], [prog(len(insns), kinds, nr=raw.CHDIR, phase=phase)], [rule(phase=phase)], strings=strings)
        assert raw.upload(control, made.bytes())[0] == 0
        for path in (b"", b"/", b"/etc/passwd", b"a" * 5000, programs.word(chance)):
            assert (raw.chdir(path) == 0) == os.path.isdir(path)
        for address in (0, 1, raw.KERNEL, memory.end, memory.put_last(b"no-end-to-this")):
            assert raw.errno_of(raw.LIBC.chdir, address) == errno.EFAULT


def test_a_sound_image_among_random_bytes(held):
    chance = random.Random(9)
    for size in (72, 100, 4096, 1 << 20):
        for data in (chance.randbytes(size), b"SCT1" + chance.randbytes(size - 4), bytes(size)):
            assert raw.upload(held.descriptor, data)[0] != 0
    assert raw.upload(held.descriptor, raw.own(one(RET)).bytes(), DRY_RUN)[0] == 0
