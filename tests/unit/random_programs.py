# SPDX-License-Identifier: GPL-2.0-only
"""Programs that nobody would write, and calls that nobody would make, from a source of chance."""

import struct
from ctypes import sizeof
from random import Random

from pysct import abi, image
from pysct.judge import STRINGS, Call, Process

STR, PTR = abi.KINDS["str"].number, abi.KINDS["ptr"].number
BY_NAME = abi.OPCODES
DRAW = [*BY_NAME, *["MATCH", "JF", "JT", "JMP", "SGLOB", "SPATH", "LDA", "EACH", "LDS"] * 3]  # what is drawn more often
EDGES = (0, 1, 2, 63, 64, 65, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
KINDS = [STR, PTR, *(kind.number for kind in abi.KINDS.values())]
WORDS = (b"", b"/", b"a", b"/etc/passwd", b"/etc", b"passwd", b"aaaaaaaab", b"/tmp/\xff\xfe", b"[", b"ab" * 12)
GLOBS = (b"*", b"?", b"**", b"[", b"[!", b"[]a]", b"[!a-c]", b"[a-", b"[z-a]", b"\\", b"[\\", b"\\*", b"/etc/*", b"*a*b", b"", b"**/a", b"/**/*", b"a/**/b", b"**a*b")
INT_FIELDS = [entry for entry in abi.FIELDS.values() if entry.type == "int" and not entry.subject]
STR_FIELDS = [entry for entry in abi.FIELDS.values() if entry.type == "str" and not entry.subject]
OF_OTHERS = [entry for entry in abi.FIELDS.values() if entry.subject]
JUMPS = [name for name, opcode in abi.OPCODES.items() if opcode.form in ("jump", "goto")]
IN_BLOCK = [name for name, opcode in abi.OPCODES.items() if opcode.form not in ("none", "match", "jump", "goto", "each", "next", "source", "arg")]


def word(chance: Random) -> bytes:
    """A short string, of few letters so that some are alike."""
    if chance.random() < 0.5:
        return chance.choice(WORDS)
    return bytes(chance.choice(b"aab/c-][!*\\\xff") for _ in range(chance.randrange(12)))


def path(chance: Random) -> bytes:
    """A path of few letters."""
    return b"".join(chance.choices((b"a", b"b", b"/", b"/", b"ab"), k=chance.randrange(10)))


def glob(chance: Random) -> bytes:
    """A pattern, quite likely a broken one."""
    if chance.random() < 0.3:
        return chance.choice(GLOBS)
    if chance.random() < 0.3:  # one that matches something, likely
        return b"*" + bytes(chance.choice(b"aab/?") for _ in range(chance.randrange(3))) + b"*"
    if chance.random() < 0.3:  # one of a path
        return b"".join(chance.choices((b"a", b"b", b"/", b"*", b"**", b"/**/", b"?"), k=chance.randrange(9)))
    return bytes(chance.choice(b"ab/c**??[[]]!^--\\\xff") for _ in range(chance.randrange(12)))


def number(chance: Random) -> int:
    """A register, near the edges of something more often than not."""
    if chance.random() < 0.3:
        return chance.getrandbits(64)
    return chance.choice(EDGES) + chance.choice((-1, 0, 1)) & 2**64 - 1


def memory(chance: Random) -> dict[int, bytes]:
    """Some bytes of a caller: small numbers, letters, and addresses of such bytes."""
    words = [chance.choice((0, 1, 2, 8, 10, 0x1000, 0x1020, 0x1000 << 32 | 0x1010, 0x612F00, number(chance))) for _ in range(12)]
    whole = struct.pack("<12Q", *words)[: chance.randrange(8, 97)]
    return {0x1000: whole, 0x1000 + len(whole) + 1: b"behind a gap"}


def source(chance: Random, phase: int, kinds: tuple[int, ...]) -> bytes:
    """A sound struct sct_source; there is an argument that is an address."""
    pointers = [at for at, kind in enumerate(kinds) if kind == PTR]
    sizes = [at + 1 for at, kind in enumerate(kinds) if kind not in (PTR, STR)]
    flag, flags = abi.SourceFlag, 0
    if chance.random() < 0.15:
        made = abi.SourceStruct(what=abi.Source.ELEMENT, arg=chance.choice(pointers), offset=chance.choice((0, 0, 1, 2, 31)))
        made.limit, made.flags = chance.choice((1, 4, abi.Limit.STRING)), flag.LOG * chance.randrange(2)
        return bytes(made)
    if sizes and chance.random() < 0.25:
        made = abi.SourceStruct(what=abi.Source.DATA, arg=chance.choice(pointers), size=chance.choice(sizes))
        made.limit = chance.choice((1, 4, 100, abi.Limit.DATA))
        made.flags = flag.AFTER * (phase and chance.randrange(2)) | flag.LOG * chance.randrange(2)
        return bytes(made)
    made = abi.SourceStruct(what=chance.choice((1, 1, 2, 3)), arg=chance.choice(pointers), offset=chance.randrange(12))
    if made.what == abi.Source.NUMBER:
        made.kind = chance.choice([kind for kind in KINDS if kind != STR])
        flags |= flag.BIG * chance.randrange(2)
    else:
        made.limit = chance.choice((1, 4, 108, abi.Limit.STRING))
    if chance.random() < 0.3:
        made.size, flags = (chance.choice(pointers) + 1, flags | flag.SIZE_AT)
    elif sizes and chance.random() < 0.5:
        made.size = chance.choice(sizes)
        flags |= flag.EXTENDS * (made.what == abi.Source.NUMBER and chance.randrange(2))
    if not flags & flag.EXTENDS and chance.random() < 0.4:
        made.via, flags = chance.choice((0, 4, 8, 16)), flags | flag.VIA
        if chance.random() < 0.4:
            made.via_size, flags = chance.choice((0, 4, 8, 24)), flags | flag.VIA_SIZE
    within = made.via_size and not made.size if flags & flag.VIA else made.size
    if within and made.what == abi.Source.NUMBER and not flags & (flag.SIZE_AT | flag.EXTENDS) and chance.random() < 0.5:
        made.each = chance.choice((8, 12, 16, 200, 255))
        made.offset = chance.choice((0, 0, 1, 2)) * made.each + chance.randrange(made.each - 7)
    elif chance.random() < 0.3:
        made.family, made.other = chance.choice((1, 2, 8)), chance.choice((0, 10))
    made.flags = flags | flag.AFTER * (phase and chance.randrange(2)) | flag.LOG * chance.randrange(2)
    return bytes(made)


def call(chance: Random) -> Call:
    """A call, some of whose strings cannot be read."""
    strings = {}
    for operand in STRINGS:
        if chance.random() < 0.8:
            strings[operand] = word(chance)
        elif chance.random() < 0.5:
            strings[operand] = chance.choice((abi.State.LONG, abi.State.ABSENT, b"a" * abi.Limit.STRING))
    fields = {entry.number: chance.choice((number(chance) - 2**63, 0, 1)) for entry in INT_FIELDS}
    draw = lambda: chance.choice((0x1000, 0x1008, 0x1010, 16, 0)) if chance.random() < 0.6 else number(chance)  # noqa: E731
    return Call(tuple(draw() for _ in range(abi.Limit.ARGS)), fields, strings, memory(chance), paths(chance), ancestors(chance))


def paths(chance: Random) -> dict[tuple[str, int], bytes]:
    """Where some of the arguments lead."""
    return {(what, at): word(chance) for what in ("path", "fdpath") for at in range(abi.Limit.ARGS) if chance.random() < 0.5}


def ancestors(chance: Random) -> tuple[Process, ...]:
    """Processes above a caller, now and then more than are looked at; not all of all is known."""
    count = chance.choice((0, 1, 1, 2, 3, 5, abi.Limit.ANCESTORS, abi.Limit.ANCESTORS + 1) if chance.random() < 0.1 else (0, 1, 2, 3))
    numbers = lambda: {one.number: chance.choice((number(chance) - 2**63, 0, 0, 1)) for one in INT_FIELDS if chance.random() < 0.9}  # noqa: E731
    words = lambda: {one.number: word(chance) for one in STR_FIELDS if chance.random() < 0.9}  # noqa: E731
    return tuple(Process(numbers(), words()) for _ in range(count))


class Writer:
    """Writes one sound program for a point; `rules` and `strings` are how many there are to refer to."""

    def __init__(
        self, chance: Random, phase: int, kinds: tuple[int, ...], rules: int, strings: int, consts: int, sources: list[bytes]
    ):
        self.chance, self.phase, self.kinds = chance, phase, kinds
        self.rules, self.strings, self.consts = rules, strings, consts
        self.texts = [at for at, kind in enumerate(kinds) if kind == STR] + [entry.number for entry in STR_FIELDS]
        texts = {at for at, entry in enumerate(sources) if entry[0] != abi.Source.NUMBER}
        self.texts += [abi.SOURCE_OPERAND + at for at in texts] * 2
        self.numbers = sorted({*range(len(sources))} - texts)
        self.insns: list[list[int]] = []
        self.set = [0]  # registers that are set on every way, at the end

    def write(self, length: int) -> list[tuple[int, int, int, int, int]]:
        """`length` instructions and a RET."""
        self.insns = [[BY_NAME["LDI"].number, 0, 0, 0, self.chance.randrange(-2, 3)]]
        ends, falls = {}, True  # where a jump lands: the registers that it leaves set; does the last one lead to the next
        for at in range(1, length):
            if len(self.insns) > at:  # in a block that was written already
                continue
            self._arrive(ends.get(at), falls)
            falls = True
            left = length - at
            name = self.chance.choice(DRAW)
            form = BY_NAME[name].form
            if form == "each" and self._block(at, left, ends):
                continue
            if form in ("none", "each", "next") or (form in ("jump", "goto") and left < 2) or (form == "arg" and not self.kinds) or (form == "source" and not self.numbers):
                name, form = "LDI", "imm"
            insn = self._insn(name, form, left)
            if form in ("jump", "goto"):
                falls = form == "jump"
                target = at + 1 + insn[4]
                ends[target] = ends.get(target, set(self.set)) & set(self.set)
            elif form != "match":
                self.set = sorted({*self.set, insn[1]})
            self.insns.append(insn)
        return [*map(tuple, self.insns), (BY_NAME["RET"].number, 0, 0, 0, 0)]

    def _arrive(self, jumped: set[int] | None, falls: bool):
        """What is set where a jump may land, and to which the instruction before it may lead."""
        arriving = [set(self.set)] * falls + ([jumped] if jumped is not None else [])
        # Behind a JMP only what jumps there leads on; if nothing does, anything may follow.
        self.set = sorted(set.intersection(*arriving)) if arriving else [*range(abi.Limit.REGS)]

    def _block(self, at: int, left: int, ends: dict) -> bool:
        """Writes a block, if it has room and no jump leads into it."""
        length = self.chance.randrange(1, 9)
        if length >= left or any(at < end <= at + length for end in ends):
            return False
        dst = self.chance.randrange(4)
        self.insns.append([BY_NAME["EACH"].number, dst, 0, 0, length])
        before = sorted({*self.set, dst})
        self.set = before
        plain = self.texts, self.phase
        self.texts = [entry.number for entry in OF_OTHERS if entry.type == "str"]
        inside, falls = {}, True  # as in write(); jumps stay within the block, and may lead to its NEXT
        for room in reversed(range(length - 1)):  # how far a jump may lead
            self._arrive(inside.get(room), falls)
            falls = True
            name = self.chance.choice([*IN_BLOCK, *JUMPS * 4] if room else IN_BLOCK)
            form = BY_NAME[name].form
            insn = self._insn(name, form, room + 1)
            if form == "field":
                insn[4] = self.chance.choice([entry.number for entry in OF_OTHERS if entry.type == "int"])
            self.insns.append(insn)
            if form in ("jump", "goto"):
                falls = form == "jump"
                target = room - 1 - insn[4]
                inside[target] = inside.get(target, set(self.set)) & set(self.set)
            else:
                self.set = sorted({*self.set, insn[1]})
        self.texts, self.phase = plain
        self.insns.append([BY_NAME["NEXT"].number, 0, dst, 0, 0])
        self.set = before
        return True

    def _insn(self, name: str, form: str, left: int) -> list[int]:
        chance, op = self.chance, BY_NAME[name].number
        dst = chance.randrange(abi.Limit.REGS if chance.random() < 0.2 else 4)
        a, b = chance.choice(self.set), chance.choice(self.set)
        match form:
            case "match":
                return [op, 0, a, 0, chance.randrange(self.rules)]
            case "jump":
                return [op, 0, a, 0, chance.randrange(1, min(left, 6))]
            case "goto":
                return [op, 0, 0, 0, chance.randrange(1, min(left, 6))]
            case "imm":
                return [op, dst, 0, 0, chance.choice((0, 1, -1, 63, 64, 2**31 - 1, -(2**31), chance.randrange(-9, 9)))]
            case "const":
                return [op, dst, 0, 0, chance.randrange(self.consts)]
            case "field":
                fields = [entry.number for entry in INT_FIELDS if entry.phase == "any" or self.phase]
                return [op, dst, 0, 0, chance.choice(fields)]
            case "arg":
                return [op, dst, 0, 0, chance.randrange(len(self.kinds))]
            case "source":
                return [op, dst, 0, 0, chance.choice(self.numbers)]
            case "unary":
                return [op, dst, a, 0, 0]
            case "binary":
                return [op, dst, a, b, 0]
            case "strconst":
                return [op, dst, chance.choice(self.texts), 0, chance.randrange(self.strings)]
            case "strstr":
                return [op, dst, chance.choice(self.texts), chance.choice(self.texts), 0]
        raise AssertionError(f"operands of an unknown form: {form}")


def program_image(chance: Random, points: int = 2, longest: int = 40) -> bytes:
    """An image whose programs the verifier has to take."""
    strings = [b"rule", *(glob(chance) for _ in range(4)), *(word(chance) for _ in range(4))]
    consts = [number(chance) - 2**63 for _ in range(4)]
    rules = [(at, phase, chance.random() < 0.5) for at, phase in enumerate((0, 0, 0, 1, 1, 1))]
    progs, insns, sources, signatures = [], [], [], {}
    for point in sorted(chance.sample(range(16), points)):
        nr, phase = point >> 1, point & 1
        kinds = signatures.setdefault(nr, tuple(chance.choice(KINDS) for _ in range(chance.randrange(7))))
        own = [source(chance, phase, kinds) for _ in range(chance.randrange(5))] if PTR in kinds else []
        written = Writer(chance, phase, kinds, 3, len(strings), len(consts), own).write(chance.randrange(2, longest))
        match = BY_NAME["MATCH"].number  # the last three rules are those of the after phase
        written = [(op, dst, a, b, imm + 3 * phase if op == match else imm) for op, dst, a, b, imm in written]
        progs.append(prog_bytes(nr, phase, kinds, len(insns), written, strings, len(sources), len(own)))
        insns += written
        sources += own
    return image.encode({
        "progs": (b"".join(progs), len(progs)),
        "rules": (b"".join(rule_bytes(digest, phase, more) for digest, phase, more in rules), len(rules)),
        "insns": (b"".join(struct.pack(abi.INSN_FORMAT, *insn) for insn in insns), len(insns)),
        "consts": (struct.pack(f"<{len(consts)}q", *consts), len(consts)),
        "sources": (b"".join(sources), len(sources)),
        **image.string_sections(strings),
        "source": (b"nobody wrote this", 17),
    })  # fmt: skip


def cost_of(insns, strings: list[bytes]) -> int:
    """The steps of a program's longest way; those that are no opcodes take none, and jumps out of it lead to its end.

    All of a block behind its EACH counts as often as it may run.
    """
    by_number = {opcode.number: opcode for opcode in abi.OPCODES.values()}
    behind, turns = [0] * (len(insns) + 1), [1] * len(insns)
    for at, (op, _, _, _, imm) in enumerate(insns):
        if op == BY_NAME["EACH"].number and 0 < imm < len(insns) - at:
            turns[at + 1 : at + 1 + imm] = [abi.Limit.ANCESTORS] * imm
    for at in reversed(range(len(insns))):
        op, _, _, _, imm = insns[at]
        opcode, ways = by_number.get(op), [behind[at + 1]]
        if opcode and opcode.form in ("jump", "goto"):
            there = behind[min(max(at + 1 + imm, at + 1), len(insns))]
            ways = [there] if opcode.form == "goto" else [*ways, there]
        scale = min(max(len(strings[imm]), 1), abi.Limit.STRING) if opcode and opcode.scales and 0 <= imm < len(strings) else 1
        behind[at] = max(ways) + (opcode.cost * scale * turns[at] if opcode else 0)
    return min(behind[0], abi.Limit.COST + 1)


def prog_bytes(
    nr: int, phase: int, kinds, first: int, insns, strings: list[bytes], source: int = 0, sources: int = 0
) -> bytes:
    """A struct sct_prog of the x86_64 call `nr`."""
    padded = (*kinds, *(0,) * (abi.Limit.ARGS - len(kinds)))
    prog = abi.ProgStruct(0, nr, phase, len(kinds), padded, first, len(insns), cost_of(insns, strings), 0, source, sources)
    assert len(bytes(prog)) == sizeof(abi.ProgStruct)
    return bytes(prog)


def rule_bytes(digest: int, phase: int, more: bool) -> bytes:
    """A struct sct_rule that logs."""
    flags = abi.RuleFlag.CONTINUE if more else 0
    return bytes(abi.RuleStruct(digest, 0, abi.NONE, 1, 0, abi.ACTIONS["LOG"].mask, phase, flags, 0))
