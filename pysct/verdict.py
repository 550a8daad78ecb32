# SPDX-License-Identifier: GPL-2.0-only
"""What do rules make of a call that somebody described, and which of them are to be asked?

The kernel's own judge decides; the reference evaluator explains.
"""

from dataclasses import dataclass

from pysct import values
from pysct.abi import ABIS, ACTIONS, FIELDS, PHASES, RuleFlag
from pysct.check import Rule
from pysct.compiler import Result
from pysct.failures import Failure
from pysct.judge import Judge
from pysct.occurrence import Occurrence
from pysct.resolved import is_one
from pysct.reference.condition import Evaluation
from pysct.reference.names import Meaning
from pysct.tables import CALLS

STOPS = ACTIONS["FAIL"].mask | ACTIONS["KILL"].mask  # what is suspended is made later


@dataclass(frozen=True)
class Opinion:
    """What one rule says of a call, and the evaluation that says why; `asked` is False where the search had ended."""

    rule: Rule
    outcome: Evaluation
    asked: bool


@dataclass(frozen=True)
class Verdict:
    """What becomes of a call: the rules that are about it, and those that matched."""

    opinions: list[Opinion]
    matched: list[Rule]

    @property
    def actions(self) -> list[str]:
        """Names of what is done, each once."""
        mask = 0
        for rule in self.matched:
            mask |= rule.actions.mask
        return values.action_names(mask)

    @property
    def error(self) -> str:
        """Name of the error that the call returns, empty if it is not refused."""
        return next((values.error_name(-rule.actions.error) for rule in self.matched if rule.actions.error), "")


class Court:
    """A rule set that judges described calls.  Close it, or use it in a `with`."""

    def __init__(self, compiled: Result):
        self.rules, self.judge_ = compiled.rules, Judge(compiled.image)

    def __enter__(self) -> "Court":
        return self

    def __exit__(self, *_) -> None:
        self.judge_.close()

    def judge(self, event: Occurrence) -> Verdict:
        """Before the call and, if its result is known and nothing stops it, after it.

        Raises Failure where it depends on what the event does not say.
        """
        before = self.phase(event, "before")
        if not event.has_result or any(rule.actions.mask & STOPS for rule in before.matched):
            return before
        after = self.phase(event, "after")
        return Verdict(before.opinions + after.opinions, before.matched + after.matched)

    def phase(self, event: Occurrence, phase: str) -> Verdict:
        opinions, ended = [], False
        for rule in self.rules:
            if rule.phase == phase and any((p.abi, p.call) == (event.abi, event.call) for p in rule.points):
                outcome = Evaluation(rule.condition, Meaning(event.abi, event.call, event.seen, event.missing))
                opinions.append(Opinion(rule, outcome, not ended))
                ended = ended or outcome.outcome is True and not rule.flags & RuleFlag.CONTINUE
        self.require_enough(opinions, event)
        found = self.judge_.judge(ABIS[event.abi].number, CALLS[event.abi][event.call][0], PHASES[phase], event.seen)
        matched = [self.rules[index] for index in found.matched]
        asked = [opinion for opinion in opinions if opinion.asked]
        unknown = [self.rules[index] for index in sorted(found.unknown)]
        if (matched, unknown) != tuple([o.rule for o in asked if o.outcome.outcome is w] for w in (True, None)):
            raise Failure(
                "the kernel's judge and the reference evaluator disagree", "report it, with the rules and the call"
            )
        return Verdict(opinions, matched)

    def require_enough(self, opinions: list[Opinion], event: Occurrence):
        """Raises Failure if a rule's outcome depends on what is missing."""
        for opinion in opinions:
            lacking = opinion.outcome.meaning.asked_in_vain
            if opinion.asked and opinion.outcome.outcome is None and lacking:
                fields = [f"{name.lower() if name in FIELDS else name}=…" for name in sorted(lacking) if name in FIELDS or is_one(name)]
                hint = f"add {' '.join(fields)} behind the call" if fields else "write more of its arguments"
                names = ", ".join(sorted(lacking))
                raise Failure(
                    f"whether rule `{opinion.rule.name}` matches depends on {names}, which the event does not say", hint
                )
