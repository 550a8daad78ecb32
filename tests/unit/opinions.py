# SPDX-License-Identifier: GPL-2.0-only
"""Do all agree on what rules say of a call?

Those asked are the kernel's judge with what the compiler wrote, with what it
writes when it optimises nothing, and with what it writes when registers are
short, and the reference evaluator, which never saw any of that.
"""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from pysct import always, codegen, reference
from pysct.abi import ABIS, FIELDS, PHASES
from pysct.compiler import compile_sources
from pysct.diagnostics import format_text
from pysct.judge import Call, Judge, Process, Verdict
from pysct.reference.files import items
from pysct.source import Source
from pysct.tables import CALLS

UNKNOWN = None
FRUGAL = codegen.Generator
SLIPS = (
    "error: division by zero",
    "error: a shift by",
    "error: the range",
    "more than 16 registers",
    "does not fit in 64 bits",
    "inside of a comparison of an ancestor",
)
"""What random rules have of the errors that a compiler finds."""


@dataclass
class Event:
    """A call: `args` are registers, or what a string argument points to as bytes, UNKNOWN if that cannot be read.

    `memory` is what there is behind other arguments, by address; `paths` where arguments lead, as in pysct.judge.
    """

    call: str
    args: tuple = ()
    phase: str = "before"
    fields: dict = field(default_factory=dict)
    abi: str = "x86_64"
    memory: dict[int, bytes] = field(default_factory=dict)
    paths: dict[tuple[str, int], bytes | int] = field(default_factory=dict)
    ancestors: tuple = ()  # of dicts like `fields`, the parent's first

    def possible(self) -> "Event":
        """The same with numbers that a kernel can have, sets of bits left as they are."""
        return replace(self, fields=possible(self.fields), ancestors=tuple(map(possible, self.ancestors)))

    def seen(self) -> Call:
        """The call as a judge gets it."""
        texts = {at: value for at, value in enumerate(self.args) if isinstance(value, bytes)}
        texts |= {FIELDS[name].number: value for name, value in self.fields.items() if isinstance(value, bytes)}
        registers = tuple(value if isinstance(value, int) else 0 for value in self.args)
        numbers = {FIELDS[name].number: value for name, value in self.fields.items() if isinstance(value, int)}
        return Call(registers, numbers, texts, self.memory, self.paths, tuple(map(process, self.ancestors)))


def possible(fields: dict) -> dict:
    """Fields with numbers that a kernel can have."""
    ranges = {name: (FIELDS[name].low, FIELDS[name].high) for name in fields if FIELDS[name].type == "int" and not FIELDS[name].set}
    return fields | {name: min(max(fields[name], low), high) for name, (low, high) in ranges.items()}


def process(fields: dict) -> Process:
    """A process above a caller, by the names of what is known of it."""
    numbers = {FIELDS[name].number: value for name, value in fields.items() if isinstance(value, int)}
    return Process(numbers, {FIELDS[name].number: value for name, value in fields.items() if isinstance(value, bytes)})


class Rules:
    """A rule file, compiled in every way.  Close it, or use it in a `with`.

    `errors` says why there is nothing to judge by; `files` are those that it can include. Where it is relied on what numbers a
    kernel can have, rules are only asked of such.
    """

    def __init__(self, text: str, files: dict[str, str] | None = None):
        self.stack, self.left_out = ExitStack(), False
        source = Source("t", text)
        if files:
            directory = Path(self.stack.enter_context(TemporaryDirectory(prefix="sct-rules-")))
            for name, content in files.items():
                (directory / name).write_text(content)
            source = Source(str(directory / "t"), text)
        with patch("pysct.link.outcome", self.outcome):
            found = compile_sources([source])
        self.errors = [] if found.image else [format_text(diagnostic) for diagnostic in found.diagnostics]
        self.rules = found.rules
        self.names = [rule.name for rule in found.rules]
        self.tree = [] if self.errors else list(items(source))
        plain = None if self.errors else compile_sources([source], optimise=False).image
        with patch("pysct.codegen.Generator", lambda pool, frugal: FRUGAL(pool, True)):
            frugal = None if self.errors else compile_sources([source]).image
        # Literal code may need more registers than there are.
        self.ways = {"optimised": found.image, "plain": plain, "frugal": frugal}
        self.judges = {way: self.stack.enter_context(Judge(image)) for way, image in self.ways.items() if image}

    def outcome(self, condition) -> tuple[bool | None, bool]:
        """The compiler's own, of which it is noted whether a rule is left out for it, or comes before all others."""
        found = always.outcome(condition)
        self.left_out |= found[1]
        return found

    @property
    def slipped(self) -> bool:
        """Whether random rules have an error that random rules may have."""
        return any(slip in error for slip in SLIPS for error in self.errors)

    def __enter__(self) -> "Rules":
        return self

    def __exit__(self, *_) -> None:
        self.stack.close()

    def judge(self, event: Event) -> Verdict:
        """What all say of a call; fails where they differ."""
        event = event.possible() if self.left_out else event
        seen, abi = event.seen(), ABIS[event.abi].number
        expected = reference.judge(self.tree, event.abi, event.call, event.phase, seen)
        nr = CALLS[event.abi][event.call][0]
        found = {way: judge.judge(abi, nr, PHASES[event.phase], seen) for way, judge in self.judges.items()}
        assert found == dict.fromkeys(found, expected), (event, expected)
        return expected


def judged(text: str, event: Event) -> tuple[list[str], list[str]]:
    """Names of the rules that match a call, and of those that are unknown."""
    with Rules(text) as rules:
        assert not rules.errors, "\n".join(rules.errors)
        verdict = rules.judge(event)
    return [rules.names[index] for index in verdict.matched], [rules.names[index] for index in verdict.unknown]
