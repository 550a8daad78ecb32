# SPDX-License-Identifier: GPL-2.0-only
"""About how many steps does it take to compute a part of a condition?

What is asked first is what takes few; the verifier counts what a program takes at most.
"""

from pysct.abi import OPCODES, Limit
from pysct.ir import Each, Int, Load, Member, StrPair, StrRef, StrTest
from pysct.reading import RESOLVED, Reading

COSTS = {name: opcode.cost for name, opcode in OPCODES.items()}
MANY = 12  # elements of a set that are looked up
LOOKUP = 1 << 20  # steps, and more than anything else: a path that the file system has to be asked for


def string_cost(op: str, text: bytes) -> int:
    """Steps of a test with a string known now, as the verifier counts them."""
    return COSTS[op] * (min(max(len(text), 1), Limit.STRING) if OPCODES[op].scales else 1)


def finding(operand: StrRef) -> int:
    """About how many steps it takes until a string is there."""
    return LOOKUP if isinstance(operand.operand, Reading) and operand.operand.what in RESOLVED else 0


class Steps:
    """Counts, each node once."""

    def __init__(self):
        self.known: dict[int, int] = {}

    def of(self, node) -> int:
        found = self.known.get(id(node))
        if found is None:
            found = self.known[id(node)] = self.count(node)
        return found

    def count(self, node) -> int:
        match node:
            case Int():
                return 1
            case Load():
                return COSTS[node.op]
            case StrTest():
                return string_cost(node.op, node.text) + finding(node.operand)
            case StrPair():
                return COSTS["SEQS"] + finding(node.left) + finding(node.right)
            case Each(operand=operand):
                return Limit.ANCESTORS * self.of(operand)
            case Member():
                few = min(len(node.elements), MANY)
                if isinstance(node.elements[0], bytes):
                    return COSTS["SEQ"] * few + finding(node.operand)
                return self.of(node.operand) + 3 * few
        return 1 + sum(map(self.of, node.operands))
