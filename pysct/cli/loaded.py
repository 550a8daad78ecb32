# SPDX-License-Identifier: GPL-2.0-only
"""Which rules are in force, told in terms of rules?"""

from dataclasses import dataclass

from pysct import abi, calls, image, values
from pysct.control import Control, Counters
from pysct.failures import Failure
from pysct.source import Source


@dataclass(frozen=True)
class LoadedRule:
    """A rule in force; calls are its points as (abi, nr), in their order."""

    name: bytes
    phase: int
    actions: int
    error: int
    line: int
    calls: tuple[tuple[int, int], ...]

    def call_names(self) -> list[str]:
        """Names of its calls, each once; with its ABIs where others of the machine have the call as well."""
        found: dict[str, list[str]] = {}
        for number, nr in self.calls:
            found.setdefault(calls.call_name(number, nr), []).append(calls.abi_name(number))
        return [name if calls.is_all(name, abis) else f"{name} ({', '.join(abis)})" for name, abis in found.items()]

    def action_text(self) -> str:
        """Its actions, such as `LOG,FAIL(EPERM)`."""
        names = values.action_names(self.actions)
        return ",".join(f"FAIL({values.error_name(-self.error)})" if name == "FAIL" else name for name in names)


@dataclass(frozen=True)
class Loaded:
    """The rule set in force; everything is empty if there is none."""

    image: bytes
    generation: int
    rules: list[LoadedRule]
    source: bytes

    def sources(self) -> list[Source]:
        """The loaded text, to be compiled again; none if there is no text."""
        return [Source("loaded rules", self.source)] if self.source else []


def fetch(control: Control) -> Loaded:
    """Asks the modules for the rule set in force."""
    data, generation = control.download()
    if not data:
        return Loaded(b"", generation, [], b"")
    try:
        held = image.decode(data)
    except image.ImageError as error:
        raise Failure(f"the loaded rules cannot be read: {error}", "upload them again") from error
    return Loaded(data, generation, _rules(held), held.source)


def with_counters(control: Control) -> tuple[Loaded, list[Counters]]:
    """The rule set in force with a row of counters for each rule, both of one generation."""
    while True:
        held = fetch(control)
        rows, generation = control.counters()
        if generation == held.generation:
            return held, rows


def _rules(held: image.Image) -> list[LoadedRule]:
    match = abi.OPCODES["MATCH"].number
    points: list[dict[tuple[int, int], None]] = [{} for _ in held.rules]
    for prog in held.progs:
        for opcode, _dst, _a, _b, rule in prog.insns:
            if opcode == match:
                points[rule][prog.abi, prog.nr] = None
    return [
        LoadedRule(rule.name, rule.phase, rule.actions, rule.error, rule.line, tuple(where))
        for rule, where in zip(held.rules, points, strict=True)
    ]
