# SPDX-License-Identifier: GPL-2.0-only
"""Which processes above the caller does somebody describe?

`parent.x` is of the nearest one; each `ancestor.x` is of the nearest one of whom `x` was not said before.
"""

from pysct.abi import FIELDS, Field, State
from pysct.judge import Process


class Above:
    """The processes above a caller, by the names of what is known of them; None is a text that cannot be read."""

    def __init__(self):
        self.processes: list[dict[str, int | bytes | None]] = []

    def add(self, field: Field, value: int | bytes | None) -> bool:
        """Take one field; False if it was said of the parent before."""
        name = field.name.partition(".")[2]
        at = 0 if field.subject == "PARENT" else sum(name in process for process in self.processes)
        if at < len(self.processes) and name in self.processes[at]:
            return False
        self.processes += [{} for _ in range(at + 1 - len(self.processes))]
        self.processes[at][name] = value
        return True

    def known(self) -> list[str]:
        """The fields of the parent, and those that are known of all ancestors."""
        if not self.processes:
            return []
        of_all = set.intersection(*map(set, self.processes))
        return [*(f"PARENT.{name}" for name in self.processes[0]), *(f"ANCESTOR.{name}" for name in of_all)]

    def ancestors(self) -> tuple[Process, ...]:
        return tuple(map(process, self.processes))


def process(known: dict[str, int | bytes | None]) -> Process:
    """What a judge sees of one."""
    numbers = {FIELDS[name].number: value for name, value in known.items() if FIELDS[name].type == "int"}
    texts = {FIELDS[name].number: value for name, value in known.items() if FIELDS[name].type == "str"}
    return Process(numbers, {number: State.FAULT if value is None else value for number, value in texts.items()})
