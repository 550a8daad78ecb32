# SPDX-License-Identifier: GPL-2.0-only
"""Which programs do the rules make, and what does the image of all that consist of?"""

import struct
from collections import defaultdict
from hashlib import blake2b

from pysct import codegen, lower, tree
from pysct.abi import ABIS, INSN_FORMAT, KINDS, LIMIT_DOC, NONE, PHASES, Limit, ProgStruct, RuleFlag, RuleStruct
from pysct.check import Rule
from pysct.codegen import Code, TooComplex
from pysct.diagnostics import Diagnostics
from pysct.image import encode, string_sections
from pysct.ir import Int
from pysct.points import Point
from pysct.pool import Pool
from pysct.source import encode as encode_text

INSN = struct.calcsize(INSN_FORMAT)


class Linker:
    """Collects the code of all rules; problems go to `diagnostics`."""

    def __init__(self, diagnostics: Diagnostics):
        self.diagnostics = diagnostics
        self.pool = Pool()
        self.programs: dict[tuple[Point, str], list[Code]] = defaultdict(list)
        self.continues: dict[tuple[Point, str], int] = defaultdict(int)
        self.rules: list[bytes] = []

    def add(self, rule: Rule):
        """Append a rule to the programs of its points."""
        index, errors = len(self.rules), self.diagnostics.errors
        self.rules.append(self.entry(rule))
        codes = self.codes(rule, index)
        for point, code in zip(rule.points, codes):
            if code:
                self.programs[point, rule.phase].append(code)
                if rule.flags & RuleFlag.CONTINUE:
                    self.count_continue(rule, point)
        if not any(codes) and self.diagnostics.errors == errors:
            self.diagnostics.warning(
                rule.source, rule.name_span, "the rule never matches: its condition is always false"
            )

    def codes(self, rule: Rule, index: int) -> list[Code | None]:
        """The rule's code at each of its points; made once for all points at which names mean the same."""
        if rule.condition is None:
            return [codegen.compile_rule(Int(1), index, self.pool)] * len(rule.points)
        made: dict[tuple, Code | None] = {}
        decided: list[dict] = []
        codes = []
        for at in range(len(rule.points)):
            names = rule.names.at(at)
            key = tuple(names.values())
            if key not in made:
                lowering = lower.Lowering(names)
                made[key] = self.compile(rule, lowering, index)
                decided.append(lowering.decided)
            codes.append(made[key])
        self.warn_decided(rule, decided)
        return codes

    def compile(self, rule: Rule, lowering: lower.Lowering, index: int) -> Code | None:
        try:
            return codegen.compile_rule(lowering.lower(rule.condition), index, self.pool)
        except lower.Refused as refused:
            self.diagnostics.error(rule.source, refused.node.span, *refused.args)
        except TooComplex:
            self.diagnostics.error(
                rule.source,
                rule.condition.span,
                f"the condition needs more than {Limit.REGS} registers",
                "split the rule",
            )
        return None

    def warn_decided(self, rule: Rule, decided: list[dict]):
        """Warn of comparisons that come out the same at all points, whatever the call is."""
        for key, (node, outcome, low, high) in decided[0].items():
            if all(key in other and other[key].outcome == outcome for other in decided):
                text = " ".join(rule.source.text[node.span.start : node.span.end].split())
                self.diagnostics.warning(
                    rule.source,
                    node.span,
                    f"`{text}` is {'always' if outcome else 'never'} true",
                    f"what it compares is at least {low} and at most {high}",
                )

    def count_continue(self, rule: Rule, point: Point):
        self.continues[point, rule.phase] += 1
        if self.continues[point, rule.phase] == Limit.MATCHES:
            self.diagnostics.error(
                rule.source,
                rule.name_span,
                f"{point.call} has more than {Limit.MATCHES - 1} rules with `continue = yes`",
                "let some of them end the search",
            )

    def entry(self, rule: Rule) -> bytes:
        """struct sct_rule."""
        template = NONE if rule.actions.template is None else self.pool.string(encode_text(rule.actions.template))
        return bytes(
            RuleStruct(
                digest=digest(rule),
                name=self.pool.string(encode_text(rule.name)),
                template=template,
                line=rule.line,
                error=rule.actions.error,
                actions=rule.actions.mask,
                phase=PHASES[rule.phase],
                flags=rule.flags,
            )
        )

    def image(self, source: bytes) -> bytes | None:
        """The whole image; None after reporting a limit that it exceeds."""
        progs, insns, count = [], [], 0
        order = sorted(self.programs, key=lambda key: (ABIS[key[0].abi].number, key[0].nr, PHASES[key[1]]))
        for point, phase in order:
            codes = [*self.programs[point, phase], Code(codegen.RET, codegen.COSTS["RET"])]
            cost, size = sum(code.cost for code in codes), sum(len(code.insns) for code in codes) // INSN
            if cost > Limit.COST:
                self.too_many(cost, "COST", f" for {point.call}")
            kinds = [KINDS[kind].number for _, kind in point.args]
            progs.append(
                bytes(
                    ProgStruct(
                        abi=ABIS[point.abi].number,
                        nr=point.nr,
                        phase=PHASES[phase],
                        nargs=len(kinds),
                        kinds=(*kinds, *[0] * (Limit.ARGS - len(kinds))),
                        insn=count,
                        insns=size,
                        cost=min(cost, Limit.COST),
                    )
                )
            )
            insns += [code.insns for code in codes]
            count += size
        sections = {
            "progs": (b"".join(progs), len(progs)),
            "rules": (b"".join(self.rules), len(self.rules)),
            "insns": (b"".join(insns), count),
            "source": (source, len(source)),
            "consts": (
                b"".join(value.to_bytes(8, "little", signed=True) for value in self.pool.consts),
                len(self.pool.consts),
            ),
            **string_sections(list(self.pool.strings)),
        }
        for name in ("progs", "rules", "insns", "consts", "strings"):
            if sections[name][1] > getattr(Limit, name.upper()):
                self.too_many(sections[name][1], name.upper())
        image = encode(sections)
        if len(image) > Limit.IMAGE:
            self.too_many(len(image), "IMAGE")
        return None if self.diagnostics.errors else image

    def too_many(self, found: int, limit: str, where: str = ""):
        self.diagnostics.error(
            None,
            None,
            f"too much{where}: {found} of at most {getattr(Limit, limit)} ({LIMIT_DOC[limit]})",
            "split the rules, or write fewer",
        )


def digest(rule: Rule) -> int:
    """A number that stays the same as long as the rule says the same, wherever it stands."""
    points = sorted((point.abi, point.nr) for point in rule.points)
    condition = canonical(rule.condition) if rule.condition else None
    meaning = (
        rule.name,
        points,
        rule.phase,
        condition,
        rule.actions.mask,
        rule.actions.error,
        rule.actions.template,
        rule.flags,
    )
    return int.from_bytes(blake2b(repr(meaning).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def canonical(node: tree.Node):
    """A condition without its places, for repr()."""
    match node:
        case tree.Number(value=value) | tree.Text(value=value):
            return value
        case tree.Name(name=name):
            return ("name", name)
        case tree.Param(number=number):
            return ("param", number)
        case tree.Unary(op=op, operand=operand):
            return (op, canonical(operand))
        case tree.Binary(op=op, left=left, right=right):
            return (op, canonical(left), canonical(right))
        case tree.Logical(op=op, operands=operands):
            return (op, *map(canonical, operands))
        case tree.Range(low=low, high=high):
            return ("..", canonical(low), canonical(high))
        case tree.Member(operand=operand, elements=elements):
            return ("in", canonical(operand), *map(canonical, elements))
