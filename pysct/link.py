# SPDX-License-Identifier: GPL-2.0-only
"""Which programs do the rules make?"""

from collections import defaultdict
from collections.abc import Sequence

from pysct import codegen, lower, plain, simplify
from pysct.abi import Limit, RuleFlag
from pysct.check import Rule
from pysct.codegen import Code, TooComplex
from pysct.diagnostics import Diagnostics
from pysct.ir import Int
from pysct.points import Point
from pysct.pool import Pool


class Linker:
    """Collects the code of all rules; problems go to `diagnostics`.

    Unless it shall optimise, conditions are taken literally.
    """

    def __init__(self, diagnostics: Diagnostics, optimise: bool = True):
        self.diagnostics = diagnostics
        self.algebra = simplify if optimise else plain
        self.pool = Pool()
        self.programs: dict[tuple[Point, str], list[Code]] = defaultdict(list)
        self.continues: dict[tuple[Point, str], int] = defaultdict(int)
        self.optional: dict[Point, int] = {}
        self.rules: list[Rule] = []

    def add(self, rule: Rule):
        """Append a rule to the programs of its points."""
        index, errors = len(self.rules), self.diagnostics.errors
        self.rules.append(rule)
        codes = self.codes(rule, index)
        for point, code in zip(rule.points, codes):
            # What one rule needs, the image needs.
            self.optional[point] = self.optional.get(point, rule.optional[point]) & rule.optional[point]
            if code:
                self.programs[point, rule.phase].append(code)
                if rule.flags & RuleFlag.CONTINUE:
                    self.count_continue(rule, point)
        if not any(codes) and self.diagnostics.errors == errors:
            self.diagnostics.warning(
                rule.source, rule.name_span, "the rule never matches: its condition is always false"
            )

    def codes(self, rule: Rule, index: int) -> Sequence[Code | None]:
        """The rule's code at each of its points; made once for all points at which names mean the same."""
        if rule.condition is None:
            return [codegen.compile_rule(Int(1), index, self.pool)] * len(rule.points)
        made: dict[tuple, tuple[Code | None, dict]] = {}
        found = []
        for at in range(len(rule.points)):
            names = rule.names.at(at)
            key = tuple(names.values())
            if key not in made:
                lowering = lower.Lowering(names, self.algebra)
                made[key] = self.compile(rule, lowering, index), lowering.decided
            found.append(made[key])
        codes, decided = zip(*found)
        if any(decided):
            warn_decided(rule, decided, self.diagnostics)
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

    def count_continue(self, rule: Rule, point: Point):
        self.continues[point, rule.phase] += 1
        if self.continues[point, rule.phase] == Limit.MATCHES:
            self.diagnostics.error(
                rule.source,
                rule.name_span,
                f"{point.call} has more than {Limit.MATCHES - 1} rules with `continue = yes`",
                "let some of them end the search",
            )


def warn_decided(rule: Rule, decided: Sequence[dict[int, lower.Decided]], diagnostics: Diagnostics):
    """Warn of comparisons that come out the same at all points of an ABI, whatever the call is.

    That a 32-bit number never reaches what only a 64-bit one can is no news.
    """
    by_abi: dict[str, list[dict[int, lower.Decided]]] = {}
    for point, at in zip(rule.points, decided):
        by_abi.setdefault(point.abi, []).append(at)
    for key in dict.fromkeys(key for at in decided for key in at):
        same = {}  # by ABI
        for abi, at in by_abi.items():
            if all(key in each and each[key].outcome == at[0][key].outcome for each in at):
                same[abi] = at[0][key]
        everywhere = len(same) == len(by_abi)
        for outcome in (False, True):
            some = {abi: one for abi, one in same.items() if one.outcome == outcome}
            if some and (everywhere or not all(one.wide for one in some.values())):
                warn_same(rule, some, "" if len(some) == len(by_abi) else f" in {', '.join(some)}", diagnostics)


def warn_same(rule: Rule, some: dict[str, lower.Decided], where: str, diagnostics: Diagnostics):
    """Warn of one comparison that has one outcome in some ABIs."""
    node, outcome = next((one.node, one.outcome) for one in some.values())
    text = " ".join(rule.source.text[node.span.start : node.span.end].split())
    low, high = min(one.low for one in some.values()), max(one.high for one in some.values())
    diagnostics.warning(
        rule.source,
        node.span,
        f"`{text}` is {'always' if outcome else 'never'} true{where}",
        f"what it compares is at least {low} and at most {high}",
    )
