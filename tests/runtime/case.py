# SPDX-License-Identifier: GPL-2.0-only
"""What does a paragraph of a runtime test say?

A file holds `[[case]]` tables:

    name      of the test; letters, digits, _
    why       what it is for, if the name does not say it
    rules     text of the rules, or
    example   a file below examples/
    files     names of files to be made, in the case's own directory, which is also where commands run
    setup     a shell command to be run before the rules are loaded
    as        "UID:GID" that the command runs as; root if it is not given
    run       the shell command; `call` is tests/programs/call.c, the others there likewise
    status    its exit status (0), 128 + N if it was killed by signal N
    stdout    list of the lines it prints; not looked at if not given
    stderr    the same
    log       list of the lines of the log, all of them, in order; or
    log_any   the same in any order; or
    log_has   lines that must be there, whatever else is
    log_not   patterns that no line of the log may fit
    counters  table: rule = { counter = value, … }
    after     a shell command that must then succeed, the rules still being loaded
    calls     list of the system calls that it cannot do without; it is for machines whose own ABI, and kernel, has them

In an expected line `…` stands for any text, everything else for itself.
`{dir}` in any text is the case's directory, `{abi}` this machine's own ABI and
`{nr_CALL}` the number of a call of it.
"""

import dataclasses
import platform
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from pysct.tables import CALLS

TREE = Path(__file__).resolve().parents[2]


@dataclass
class Case:
    """One test; the members are explained above."""

    name: str
    run: str = "true"
    why: str = ""
    rules: str = ""
    example: str = ""
    files: list[str] = field(default_factory=list)
    setup: str = ""
    as_: str = ""
    status: int = 0
    stdout: list[str] | None = None
    stderr: list[str] | None = None
    log: list[str] | None = None
    log_any: list[str] | None = None
    log_has: list[str] = field(default_factory=list)
    log_not: list[str] = field(default_factory=list)
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    after: str = ""
    calls: list[str] = field(default_factory=list)


def read(path: Path) -> list[Case]:
    """The cases of a file; raises ValueError where one says what no case can say."""
    known = {member.name.rstrip("_"): member.name for member in dataclasses.fields(Case)}
    cases = []
    for table in tomllib.loads(path.read_text())["case"]:
        name = table.get("name", "")
        if not re.fullmatch(r"\w+", name):
            raise ValueError(f"{path}: a case without a proper name: {name!r}")
        if wrong := set(table) - set(known):
            raise ValueError(f"{path}: {name}: unknown: {', '.join(sorted(wrong))}")
        if "rules" in table and "example" in table:
            raise ValueError(f"{path}: {name}: rules or example, not both")
        cases.append(Case(**{known[key]: value for key, value in table.items()}))
    return cases


def filled_in(value, directory: Path):
    """The same value with `{dir}` and the like filled in, at any depth."""
    if isinstance(value, str):
        value = value.replace("{dir}", str(directory)).replace("{abi}", platform.machine())
        return re.sub(r"\{nr_(\w+)\}", lambda match: str(CALLS[platform.machine()][match[1]][0]), value)
    if isinstance(value, list):
        return [filled_in(each, directory) for each in value]
    return value
