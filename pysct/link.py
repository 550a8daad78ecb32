# SPDX-License-Identifier: GPL-2.0-only
"""Which programs do the rules make?"""

from collections import defaultdict

from pysct import codegen, lower, plain, simplify
from pysct.abi import FIELDS, Limit
from pysct.always import is_worth_it, outcome
from pysct.arrange import Arranger, Leaf
from pysct.check import Rule
from pysct.codegen import Code, TooComplex
from pysct.decided import Decided, warn_decided
from pysct.diagnostics import Diagnostics
from pysct.differences import calls
from pysct.ir import Int, may_be_unknown
from pysct.points import Point
from pysct.pool import Pool
from pysct.reading import Reading
from pysct.shadow import Cover, Shadows
from pysct.told import told, wholes

TOGETHER = {
    False: "by what there can be, its parts exclude each other",
    True: "by what there can be, one of its parts is always true",
}
SHOWN = 4  # names of rules that are listed before the rest is counted
SETS = frozenset(name for name, field in FIELDS.items() if field.set)


class Linker:
    """Collects the code of all rules; problems go to `diagnostics`."""

    def __init__(self, diagnostics: Diagnostics, optimise: bool = True):
        """optimise: rules of a point may share tests; else each is there for itself, its condition taken literally."""
        self.diagnostics, self.optimise = diagnostics, optimise
        self.algebra = simplify if optimise else plain
        self.pool = Pool()
        self.programs: dict[tuple[Point, str], list[Leaf]] = defaultdict(list)
        self.continues: dict[tuple[Point, str], int] = defaultdict(int)
        self.optional: dict[Point, int] = {}
        self.shown: dict[tuple[Point, str], list[Reading]] = defaultdict(list)  # what the log tells of memory
        self.wholes: dict[tuple[Point, str], dict[str, None]] = defaultdict(dict)  # and of arguments, if there is room
        self.rules: list[Rule] = []
        self.conditions: list[list] = []  # of each rule, at each of its points
        self.shadows = Shadows()

    def add(self, rule: Rule):
        """Append a rule to the programs of its points."""
        index, errors = len(self.rules), self.diagnostics.errors
        conditions, never = self.meanings(rule)
        self.rules.append(rule)
        self.conditions.append(conditions)
        covering = self.shadows.of(rule, conditions)
        codes = [None] * len(conditions) if is_dead(conditions, covering) else self.codes(rule, index, conditions)
        for point, condition, code in zip(rule.points, conditions, codes):
            # What one rule needs, the image needs.
            self.optional[point] = self.optional.get(point, rule.optional[point]) & rule.optional[point]
            if code:
                self.shown[point, rule.phase] += told(rule, point)
                self.wholes[point, rule.phase] |= dict.fromkeys(wholes(rule, point))
                self.programs[point, rule.phase].append(Leaf(index, condition, code, rule.continues))
                if rule.continues:
                    self.count_continue(rule, point)
        if any(cover.rules for cover in covering):
            if not self.diagnostics.errors:  # else it is perhaps another rule that was meant
                warn_shadowed(rule, covering, self.diagnostics)
        elif (never or not any(codes)) and self.diagnostics.errors == errors:
            warn_never(rule, any(codes), self.diagnostics)

    def finished(self) -> dict[tuple[Point, str], list[Code]]:
        """The programs' code without their ends."""
        if not self.optimise:
            return {key: [leaf.code for leaf in leaves] for key, leaves in self.programs.items()}
        arranger = Arranger(self.pool)
        return {key: arranger.program(leaves) for key, leaves in self.programs.items()}

    def meanings(self, rule: Rule) -> tuple[list, bool]:
        """What the rule's condition means at each of its points, None where an error was reported; and whether it is never true."""
        if rule.condition is None:
            return [Int(1)] * len(rule.points), False
        made: dict[tuple, tuple] = {}
        found = []
        for at in range(len(rule.points)):
            names = rule.names.at(at)
            key = tuple(names.values())
            if key not in made:
                lowering = lower.Lowering(names, self.algebra)
                made[key] = *self.settled(rule, self.meaning(rule, lowering), lowering.decided), lowering.decided
            found.append(made[key])
        conditions, outcomes, decided = zip(*found)
        if any(decided):
            warn_decided(rule, decided, self.diagnostics)
        return list(conditions), all(outcome is False for outcome in outcomes)

    def settled(self, rule: Rule, condition, decided: dict) -> tuple[object, bool | None]:
        """What a condition comes out as where that is the same at all calls, else the condition; and whether it is never true, or always.

        Which bits are in a set is left to the kernel: it may come to have more of them.
        """
        if condition is None or isinstance(condition, Int) or not self.optimise or not (decided or is_worth_it(condition)):
            return condition, None
        if not SETS.isdisjoint(rule.names.types):
            return condition, None
        found, certain = outcome(condition)
        if found is not None and not decided:
            decided[id(rule.condition)] = Decided(rule.condition, found, hint=TOGETHER[found])
        return (Int(int(found)) if certain else condition), found

    def meaning(self, rule: Rule, lowering: lower.Lowering):
        try:
            return lowering.truth(rule.condition)
        except lower.Refused as refused:
            self.diagnostics.error(refused.node.source or rule.source, refused.node.span, *refused.args)
        return None

    def codes(self, rule: Rule, index: int, conditions: list) -> list[Code | None]:
        """The rule's code at each of its points; made once for all at which its condition is the same."""
        made: dict[int, Code | None] = {}
        for condition in conditions:
            if id(condition) not in made:
                made[id(condition)] = None if condition is None else self.compile(rule, condition, index)
        return [made[id(condition)] for condition in conditions]

    def compile(self, rule: Rule, condition, index: int) -> Code | None:
        try:
            return codegen.compile_rule(condition, index, self.pool)
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


def is_dead(conditions: list, covering: list[Cover]) -> bool:
    """Whether nothing would change without the rule.

    One whose condition can be unknown is tried, and counted, where that of the rules that cover it is unknown as well.
    """
    return all(
        cover.whole or cover.rules and not may_be_unknown(condition) for condition, cover in zip(conditions, covering)
    )


def warn_never(rule: Rule, asked: bool, diagnostics: Diagnostics):
    """Warn of a rule that matches nothing; it may be `asked` all the same."""
    how = "never true" if asked else "always false"
    hint = "it is asked all the same, so that calls at which it is unknown are counted" if asked else None
    diagnostics.warning(rule.source, rule.name_span, f"the rule never matches: its condition is {how}", hint)


def warn_shadowed(rule: Rule, covering: list[Cover], diagnostics: Diagnostics):
    """Warn of the points at which other rules match whatever this one would."""
    points = [point for point, cover in zip(rule.points, covering) if cover.rules]
    where = "" if len(points) == len(rule.points) else f" for {calls(points, rule.points)}"
    everywhere = all(cover.whole for cover in covering if cover.rules)
    if len(most := max((cover.rules for cover in covering), key=len)) > 1:
        named = most[:-1] if len(most) <= SHOWN else most[: SHOWN - 1]
        rest = f"`{most[-1].name}`" if len(most) <= SHOWN else f"{len(most) - SHOWN + 1} more"
        takes = f"{', '.join(f'`{other.name}`' for other in named)} and {rest} together take"
    else:
        others = list(dict.fromkeys(cover.rules[0].name for cover in covering if cover.rules))
        takes = f"`{others[0]}`" + (f" and {len(others) - 1} more" if len(others) > 1 else "") + " takes"
    first = most[0] if len(most) > 1 else next(cover.rules[0] for cover in covering if cover.rules)
    diagnostics.warning(
        rule.source,
        rule.name_span,
        f"the rule is never reached{where}: before it, {takes} {'every call' if everywhere else 'all that it would match'}",
        f"`{first.name}` is in {first.source.place(first.name_span)}: "
        + ("let these say" if len(most) > 1 else "let it say")
        + f" `continue = yes`, or put this rule above {'them' if len(most) > 1 else 'it'}",
    )
