# SPDX-License-Identifier: GPL-2.0-only
"""What do a condition and each of its parts come to at one call?

Values are Number and bytes; None is unknown.
"""

from pysct import tree
from pysct.abi import FIELDS
from pysct.reference.address import Address
from pysct.reference.globs import matches
from pysct.reference.names import Meaning
from pysct.reference.number import Number, compute, truth

STRINGS = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "startswith": lambda a, b: a[: len(b)] == b,
    "endswith": lambda a, b: b == b"" or a[-len(b) :] == b,
    "contains": lambda a, b: a.find(b) >= 0,
}


GLOBS = {"=~": True, "!~": False}


Defined = dict[str, tree.Let | tree.Set]


class Evaluation:
    """A condition at one call.

    `outcome` is True, False or None; `values` has the value of each node by its id, also of those that others decided.
    """

    def __init__(self, condition: tree.Node | None, meaning: Meaning, defined: Defined | None = None):
        """`defined` has what names of definitions in the condition mean, unless they were written out before."""
        self.meaning, self.defined = meaning, defined or {}
        self.values: dict[int, Number | bytes | None] = {}
        self.outcome: bool | None = True if condition is None else self.is_true(condition)

    def is_true(self, node: tree.Node) -> bool | None:
        value = self.value(node)
        return None if value is None else value.value != 0

    def value(self, node: tree.Node) -> Number | bytes | None:
        found = self.values[id(node)] = getattr(self, type(node).__name__.lower())(node)  # of a range: see fits()
        return found

    def number(self, node):
        return Number.literal(node.value)

    def text(self, node):
        return node.value

    def address(self, node):
        return Address(node.bits, node.value, node.prefix)

    def name(self, node):
        if node.name in self.defined:
            return self.value(self.defined[node.name].body)
        return self.meaning.of(node.name)

    def setname(self, node):
        return self.meaning.of(node.name)

    def param(self, node):
        return self.meaning.argument(node.number - 1)

    def unary(self, node):
        operand = self.value(node.operand)
        if operand is None:
            return None
        if node.op == "!":
            return truth(operand.value == 0)
        return Number.wrapped(-operand.value if node.op == "-" else -operand.value - 1, operand.unsigned)

    def binary(self, node):
        left, right = self.value(node.left), self.value(node.right)
        if left is None or right is None:
            return None
        if node.op in GLOBS:
            return truth(matches(right, left, self.is_path(node.left)) == GLOBS[node.op])
        if isinstance(left, Address):
            return truth((left == right) == (node.op == "=="))
        if isinstance(left, bytes):
            return truth(STRINGS[node.op](left, right))
        return compute(node.op, left, right)

    def is_path(self, node) -> bool:
        """Whether a string is a path."""
        match node:
            case tree.Name(name=name):
                return self.is_path(self.defined[name].body) if name in self.defined else self.meaning.is_path(name)
            case tree.Param(number=number):
                return self.meaning.is_path(self.meaning.arguments[number - 1][0])
        return False

    def logical(self, node):
        outcomes = [self.is_true(operand) for operand in node.operands]
        return truth(conjunction(outcomes) if node.op == "&&" else disjunction(outcomes))

    def member(self, node):
        operand = self.value(node.operand)
        if isinstance(node.elements[0], tree.SetName) and node.elements[0].name in FIELDS:
            bits = self.value(node.elements[0])
            known = operand is not None and bits is not None
            return truth(operand.value in bits_of(bits.value)) if known else None
        return truth(disjunction([self.fits(operand, element) for element in self.written_out(node.elements)]))

    def written_out(self, elements: list[tree.Node]) -> list[tree.Node]:
        """Elements of a set, with those of the sets that it names in their place."""
        found = []
        for element in elements:
            named = self.defined.get(element.name) if isinstance(element, tree.Name | tree.SetName) else None
            found += self.written_out(named.elements) if isinstance(named, tree.Set) else [element]
        return found

    def fits(self, operand: Number | bytes | None, element: tree.Node) -> bool | None:
        """Whether the operand of a set is its element, or in it."""
        if isinstance(element, tree.Range):
            low, high = self.value(element.low), self.value(element.high)
            return conjunction([between(low, operand), between(operand, high)])
        value = self.value(element)
        if operand is None or value is None:
            return None
        if isinstance(operand, Address):
            return value.holds(operand)
        return operand == value if isinstance(operand, bytes) else operand.value == value.value


def bits_of(number: int) -> set[int]:
    """The places of the bits that are 1 in a number of 64 bits."""
    return {place for place in range(64) if number // 2**place % 2}


def between(low: Number | None, high: Number | None) -> bool | None:
    return None if low is None or high is None else low.value <= high.value


def conjunction(outcomes: list[bool | None]) -> bool | None:
    """True if all are, false if one is false."""
    return False if False in outcomes else None if None in outcomes else True


def disjunction(outcomes: list[bool | None]) -> bool | None:
    """True if one is, false if all are false."""
    return True if True in outcomes else None if None in outcomes else False
