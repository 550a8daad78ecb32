# SPDX-License-Identifier: GPL-2.0-only
"""Does an image hold what it should, and does reading one survive every bit?"""

import contextlib
import itertools
import random
import zlib
from pathlib import Path

import pytest

from pysct.abi import NONE, OPCODES, ImageStruct, Limit, ProgFlag, ProgStruct
from pysct.compiler import compile_files, compile_sources
from pysct.disassemble import disassemble
from pysct.image import BEHIND_CRC, ImageError, decode
from pysct.source import Source

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.conf"))
MACHINE = "x86_64"  # wherever this runs
IMAGE = compile_files(EXAMPLES[:3], MACHINE).image
COSTS = {opcode.number: opcode for opcode in OPCODES.values()}


def sealed(data: bytearray) -> bytes:
    """The bytes with a checksum that fits."""
    data[BEHIND_CRC - 4 : BEHIND_CRC] = zlib.crc32(data[BEHIND_CRC:]).to_bytes(4, "little")
    return bytes(data)


def test_sections_follow_each_other_and_nothing_else():
    head = ImageStruct.from_buffer_copy(IMAGE)
    at = head.head
    for name, width in (
        ("progs", 36),
        ("rules", 32),
        ("insns", 8),
        ("consts", 8),
        ("sources", 24),
        ("strings", 8),
        ("text", 1),
        ("source", 1),
    ):
        section = getattr(head, name)
        assert section.offset == at and at % 8 == 0
        at += section.count * width
        assert not any(IMAGE[at : at + -at % 8])
        at += -at % 8
    assert at == head.size == len(IMAGE)
    assert head.crc == zlib.crc32(IMAGE[BEHIND_CRC:])


def test_programs_are_in_order_and_whole():
    image, head = decode(IMAGE), ImageStruct.from_buffer_copy(IMAGE)
    keys = [(prog.abi, prog.nr, prog.phase) for prog in image.progs]
    assert keys == sorted(set(keys))
    insn = 0
    for at in range(head.progs.count):
        prog = ProgStruct.from_buffer_copy(IMAGE, head.progs.offset + at * 36)
        assert prog.insn == insn and not prog.flags & ~(ProgFlag.ABI | ProgFlag.CALL)
        insn += prog.insns
    assert insn == head.insns.count


@pytest.mark.parametrize(
    ("rules", "flags"),
    [
        (["unlink"], ProgFlag.ABI),
        (["unlink*"], ProgFlag.ABI | ProgFlag.CALL),
        (["@delete", "unlink"], ProgFlag.ABI),
        (["unlink abi = x86_64"], 0),
        (["unlink* abi = x86_64"], ProgFlag.CALL),
        (["unlink*", "unlink abi = x86_64"], 0),
        (["unlink", "unlink* abi = x86_64"], 0),
    ],
)
def test_what_a_rule_names_the_kernel_must_have(rules, flags):
    """What any rule of a point needs, in any phase, the image needs."""
    for phases in itertools.product(("before", "after"), repeat=len(rules)):
        pairs = zip(rules, phases, strict=True)
        text = "".join(f"rule {{ syscall_name = {rule} when = {phase} action {{ LOG }} }}" for rule, phase in pairs)
        image = compile_sources([Source("t", text)], MACHINE).image
        head = ImageStruct.from_buffer_copy(image)
        starts = range(head.progs.offset, head.rules.offset - 4, ProgStruct.SIZE)
        progs = [ProgStruct.from_buffer_copy(image, start) for start in starts]
        assert {prog.flags for prog in progs if (prog.abi, prog.nr) == (0, 87)} == {flags}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_cost_is_that_of_the_longest_way(path):
    image = decode(compile_files([path], MACHINE).image)
    names = {opcode.number: name for name, opcode in OPCODES.items()}
    for prog in image.progs:
        ops = [names[op] for op, *_ in prog.insns]
        assert ops.index("RET") == len(ops) - 1
        turns = [1] * len(ops)  # how often an instruction may run
        for at, (_, _, _, _, imm) in enumerate(prog.insns):
            if ops[at] == "EACH":
                turns[at + 1 : at + 1 + imm] = [Limit.ANCESTORS] * imm
        behind = [0] * len(ops)  # the most that it costs to go on from an instruction
        for at, (op, _, _, _, imm) in reversed([*enumerate(prog.insns)]):
            ways = {"JMP": [at + 1 + imm], "JT": [at + 1, at + 1 + imm], "JF": [at + 1, at + 1 + imm], "RET": []}.get(ops[at], [at + 1])
            scale = min(max(len(image.strings[imm]), 1), Limit.STRING) if COSTS[op].scales else 1
            behind[at] = COSTS[op].cost * scale * turns[at] + max((behind[way] for way in ways), default=0)
        assert prog.cost == behind[0]


def test_strings_and_numbers_are_kept_once():
    text = (
        "rule {{ syscall_name = unlink rule_name = {} "
        'filter_expression {{ pathname == "/x" && TIME == 0x123456789 }} action {{ LOG }} }}'
    )
    image = decode(compile_sources([Source("t", "".join(map(text.format, "ab")))], MACHINE).image)
    assert sorted(image.strings) == [b"/x", b"a", b"b"]
    assert image.consts == (0x123456789,)


def test_the_source_is_kept_byte_for_byte():
    data = b"\xff # no UTF-8, no newline at the end\nrule { syscall_name = unlink action { LOG } }"[2:]
    first, second = Source("a", data), Source("b", b"\n\nrule { syscall_name = unlink action { LOG } }\n")
    assert decode(compile_sources([first], MACHINE).image).source == data
    both = decode(compile_sources([first, second], MACHINE).image)
    assert both.source == data + b"\n" + second.data
    assert [(rule.name, rule.line) for rule in both.rules] == [(b"rule2", 2), (b"rule5", 5)]
    again = decode(compile_sources([Source("loaded", both.source)], MACHINE).image)
    assert [rule.digest for rule in again.rules] == [rule.digest for rule in both.rules]


def test_every_cut_is_refused():
    for size in range(0, len(IMAGE), 7):
        with pytest.raises(ImageError):
            decode(IMAGE[:size])


def test_every_flipped_bit_is_refused():
    for at in range(0, len(IMAGE), 3):
        data = bytearray(IMAGE)
        data[at] ^= 1 << at % 8
        with pytest.raises(ImageError):
            decode(bytes(data))


def test_lies_with_a_good_checksum_do_no_harm():
    draw = random.Random(3)
    for _ in range(400):
        data = bytearray(IMAGE)
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(BEHIND_CRC, len(data) if draw.randrange(2) else 72)
            data[at] = draw.choice((0, 1, 0x7F, 0xFF, draw.randrange(256)))
        with contextlib.suppress(ImageError):
            disassemble(sealed(data)).encode()


def test_no_bytes_are_an_image():
    draw = random.Random(5)
    for size in (0, 1, 71, 72, 500):
        with pytest.raises(ImageError):
            decode(draw.randbytes(size))


def test_a_rule_without_log_format_has_no_template():
    image = compile_sources([Source("t", "rule { syscall_name = unlink action { LOG } }")], MACHINE).image
    assert decode(image).rules[0].template is None
    assert NONE.to_bytes(4, "little") in image
