# SPDX-License-Identifier: GPL-2.0-only
"""Of what does the image of a rule set consist?"""

import struct

from pysct import codegen, lookup, pointed
from pysct.abi import ABIS, INSN_FORMAT, KINDS, LIMIT_DOC, NONE, OPCODES, PHASES, Limit, ProgStruct, RuleStruct
from pysct.check import Rule
from pysct.codegen import Code
from pysct.diagnostics import Diagnostics
from pysct.digest import digest
from pysct.image import encode, string_sections
from pysct.link import Linker
from pysct.points import Point
from pysct.pool import Pool
from pysct.reading import Reading
from pysct.source import encode as encode_text
from pysct.steps import string_cost

RET = Code(codegen.RET)
JMP, EACH, NEXT = (OPCODES[name].number for name in ("JMP", "EACH", "NEXT"))
JUMPS = frozenset(opcode.number for opcode in OPCODES.values() if opcode.form in ("jump", "goto"))
SCALING = {opcode.number: opcode.name for opcode in OPCODES.values() if opcode.scales}
STEPS = {opcode.number: opcode.cost for opcode in OPCODES.values()}


def assemble(linker: Linker, source: bytes, diagnostics: Diagnostics) -> bytes | None:
    """The image of all that was linked; None after reporting the limits that it exceeds."""
    sections = {
        **program_sections(linker, diagnostics),
        "rules": (b"".join(rule_entry(rule, linker.pool) for rule in linker.rules), len(linker.rules)),
        "source": (source, len(source)),
    }
    pool = linker.pool
    sections["consts"] = b"".join(n.to_bytes(8, "little", signed=True) for n in pool.consts), len(pool.consts)
    sections |= string_sections(list(pool.strings))
    for name in ("progs", "rules", "insns", "consts", "sources", "strings"):
        check_limit(sections[name][1], name.upper(), diagnostics)
    image = encode(sections)
    check_limit(len(image), "IMAGE", diagnostics)
    return None if diagnostics.errors else image


def program_sections(linker: Linker, diagnostics: Diagnostics) -> dict[str, tuple[bytes, int]]:
    """The programs in the order of their points, and their instructions."""
    progs, insns, sources, count = [], [], [], 0
    programs = linker.finished()
    strings, costs = list(linker.pool.strings), {}
    order = sorted(programs, key=lambda key: (ABIS[key[0].abi].number, key[0].nr, PHASES[key[1]]))
    for point, phase in order:
        codes = [*programs[point, phase], RET]
        found = sources_of(linker, point, phase, codes)
        check_limit(len(found), "PROG_SOURCES", diagnostics, f", and this is {point.call}")
        indices = {reading: min(index, Limit.PROG_SOURCES - 1) for index, reading in enumerate(found)}
        code = b"".join([code.finished(indices) for code in codes])
        size = len(code) // codegen.INSN
        if code not in costs:
            costs[code] = longest_way(code, strings)
        cost = costs[code]
        check_limit(cost, "COST", diagnostics, f", and this is {point.call}")
        progs.append(
            prog_entry(
                point,
                phase,
                flags=linker.optional[point],
                insn=count,
                insns=size,
                cost=min(cost, Limit.COST),
                source=len(sources),
                sources=len(found),
            )
        )
        insns.append(code)
        sources += [reading.entry(shown) for reading, shown in found.items()]
        count += size
    return {
        "progs": (b"".join(progs), len(progs)),
        "insns": (b"".join(insns), count),
        "sources": (b"".join(sources), len(sources)),
    }


def sources_of(linker: Linker, point: Point, phase: str, codes: list[Code]) -> dict[Reading, bool]:
    """What the program of a point reads, in order, and whether an event shows it."""
    asked = {reading: False for code in codes for _, _, reading in code.readings}
    asked |= dict.fromkeys(linker.shown.get((point, phase), ()), True)
    found = {reading: False for path in asked for reading in lookup.before(point.abi, point.call, path)} | asked
    for argument in linker.wholes.get((point, phase), ()):
        for reading in pointed.readings(point.abi, point.call, argument, phase):
            if reading in found or len(found) < Limit.PROG_SOURCES:
                found[reading] = True
    return found


def longest_way(code: bytes, strings: list[bytes]) -> int:
    """What the longest way through a program costs, in steps, as the verifier computes it; `strings` are the image's."""
    insns = list(struct.iter_unpack(INSN_FORMAT, code))
    costs, turns = [0] * (len(insns) + 1), 1
    for at in range(len(insns) - 1, -1, -1):
        op, _, _, _, imm = insns[at]
        cost = costs[at + 1]
        if op in (EACH, NEXT):  # what is between them may run for each of the ancestors, and so may NEXT
            turns = Limit.ANCESTORS if op == NEXT else 1
        if op in JUMPS:
            there = costs[at + 1 + imm]
            cost = there if op == JMP or there > cost else cost
        costs[at] = cost + turns * (string_cost(SCALING[op], strings[imm]) if op in SCALING else STEPS[op])
    return costs[0]


def prog_entry(point: Point, phase: str, **members: int) -> bytes:
    """struct sct_prog."""
    kinds = [KINDS[kind].number for _, kind in point.args]
    prog = ProgStruct(
        abi=ABIS[point.abi].number,
        nr=point.nr,
        phase=PHASES[phase],
        nargs=len(kinds),
        kinds=(*kinds, *[0] * (Limit.ARGS - len(kinds))),
        **members,
    )
    return bytes(prog)


def rule_entry(rule: Rule, pool: Pool) -> bytes:
    """struct sct_rule."""
    template = rule.actions.template
    entry = RuleStruct(
        digest=digest(rule),
        name=pool.string(encode_text(rule.name)),
        template=NONE if template is None else pool.string(encode_text(template)),
        line=rule.line,
        error=rule.actions.error,
        actions=rule.actions.mask,
        phase=PHASES[rule.phase],
        flags=rule.flags,
        shows=pool.string(rule.actions.shown) + 1 if rule.actions.shown else 0,
    )
    return bytes(entry)


def check_limit(found: int, name: str, diagnostics: Diagnostics, where: str = ""):
    limit = getattr(Limit, name)
    if found > limit:
        message = f"{found} is more than the limit {name} of {limit}: {LIMIT_DOC[name]}{where}"
        diagnostics.error(None, None, message, "write fewer rules, or simpler ones")
