# SPDX-License-Identifier: GPL-2.0-only
"""Do operators bind as in C?

The reference evaluator gets its trees from the compiler's parser, so that it would be wrong with it: here a C compiler says
what expressions without parentheses mean.
"""

import random
import re
import subprocess

from opinions import Event
from rounds import ROUNDS

from pysct.compiler import compile_sources
from pysct.reference.condition import Evaluation
from pysct.reference.names import Meaning
from pysct.source import Source

NAMES = ("UID", "GID", "PID", "EUID")
OPERATORS = ("||", "&&", "|", "^", "&", "==", "!=", "<", "<=", ">", ">=", "<<", ">>", "+", "-", "*", "/", "%")
CALLS = 12
NUMBER = re.compile("([0-9]+)")


def operand(chance: random.Random) -> str:
    return chance.choice(("", "", "", "-", "~", "!")) + chance.choice((*NAMES, "1", "2", "3"))


def expression(chance: random.Random) -> str:
    """Operands and operators; of shifts, and of what divides, the right side is a number."""
    said = operand(chance)
    for _ in range(chance.randrange(2, 8)):
        op = chance.choice(OPERATORS)
        said += f" {op} {chance.choice('123') if op in ('<<', '>>', '/', '%') else operand(chance)}"
    return said


def said_by_c(expressions: list[str], calls: list[dict[str, int]], directory) -> list[str]:
    """For each call a digit for each expression."""
    prints = "".join("putchar('0' + !!(" + NUMBER.sub(r"\1LL", one) + "));\n" for one in expressions)
    declared = [", ".join(f"{name} = {value}" for name, value in call.items()) for call in calls]
    body = "".join(f"{{ long long {each};\n{prints}putchar('\\n'); }}\n" for each in declared)
    (directory / "said.c").write_text(f"#include <stdio.h>\nint main(void) {{\n{body}return 0; }}\n")
    subprocess.run(["gcc", "-w", "-o", directory / "said", directory / "said.c"], check=True)
    return subprocess.run([directory / "said"], check=True, capture_output=True, text=True).stdout.split()


def test_operators_bind_as_in_c(tmp_path):
    chance = random.Random(8 if ROUNDS == 1 else None)
    expressions = [expression(chance) for _ in range(400)]
    calls = [{name: chance.randrange(6) for name in NAMES} for _ in range(CALLS)]
    rules = "".join(f"rule {{ syscall_name = sync abi = x86_64 filter_expression {{ {one} }} action {{ LOG }} }}\n" for one in expressions)
    found = {rule.own_line: rule.condition for rule in compile_sources([Source("t", rules)]).rules}
    assert len(found) == len(expressions)
    for call, digits in zip(calls, said_by_c(expressions, calls, tmp_path), strict=True):
        meaning = Meaning("x86_64", "sync", Event("sync", fields=call).seen())
        for line, (one, digit) in enumerate(zip(expressions, digits, strict=True), 1):
            assert Evaluation(found[line], meaning).outcome is (digit == "1"), (one, call)
