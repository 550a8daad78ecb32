# SPDX-License-Identifier: GPL-2.0-only
"""What do a condition and each of its parts come to at one call?

Values are Number and bytes; None is unknown.
"""

from collections.abc import Callable

from pysct import tree
from pysct.abi import FIELDS, Limit
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
COMPARISONS = frozenset({*STRINGS, *GLOBS, "<", "<=", ">", ">="})
NEGATED = {"!=": "==", "!~": "=~"}  # of ancestors: the opposite of what it is for one of them


class Evaluation:
    """A condition at one call.

    `outcome` is True, False or None; `values` has the value of each node by its id, also of those that others decided;
    `of_each` has those of the names of ancestors, one for each ancestor that was looked at.
    """

    def __init__(self, condition: tree.Node | None, meaning: Meaning, defined: Defined | None = None):
        """`defined` has what names of definitions in the condition mean, unless they were written out before."""
        self.meaning, self.defined = meaning, defined or {}
        self.values: dict[int, Number | bytes | None] = {}
        self.of_each: dict[int, list[Number | bytes | None]] = {}
        self.outcome: bool | None = True if condition is None else self.is_true(condition)

    def is_true(self, node: tree.Node) -> bool | None:
        if not self.asks_ancestor(node):
            return known_truth(self.value(node))
        found = self.for_one(lambda: known_truth(self.value(node)))
        self.values[id(node)] = truth(found)
        return found

    def asks_ancestor(self, node: tree.Node) -> bool:
        """Whether the value of a node is another one for each ancestor; a condition inside it is asked for by itself."""
        match node:
            case tree.Name(name=name) | tree.SetName(name=name) if name in self.defined:
                known = self.defined[name]
                return any(map(self.asks_ancestor, known.elements if isinstance(known, tree.Set) else [known.body]))
            case tree.Name(name=name) | tree.SetName(name=name):
                return is_ancestors(name)
            case tree.Unary(op="-" | "~") | tree.Range():
                return any(map(self.asks_ancestor, tree.below(node)))
            case tree.Binary(op=op) if op not in COMPARISONS:
                return self.asks_ancestor(node.left) or self.asks_ancestor(node.right)
        return False

    def for_one(self, condition: Callable[[], bool | None]) -> bool | None:
        """Whether something holds for one of the ancestors."""
        there = len(self.meaning.event.ancestors)
        outcomes = []
        for self.meaning.ancestor in range(min(there, Limit.ANCESTORS)):
            outcomes.append(condition())
        lacking = any(name.startswith("ANCESTOR.") for name in self.meaning.missing) and not there
        if lacking:
            outcomes.append(condition())
        return disjunction(outcomes + [None] * (there > Limit.ANCESTORS))

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
        value = self.meaning.of(node.name)
        if is_ancestors(node.name):
            self.of_each.setdefault(id(node), []).append(value)
        return value

    setname = name

    def param(self, node):
        return self.meaning.argument(node.number - 1)

    def unary(self, node):
        if node.op == "!":
            found = self.is_true(node.operand)
            return None if found is None else truth(not found)
        operand = self.value(node.operand)
        if operand is None:
            return None
        return Number.wrapped(-operand.value if node.op == "-" else -operand.value - 1, operand.unsigned)

    def binary(self, node):
        if node.op not in COMPARISONS or not (self.asks_ancestor(node.left) or self.asks_ancestor(node.right)):
            return self.applied(node, node.op)
        if node.op not in NEGATED:
            return truth(self.for_one(lambda: known_truth(self.applied(node, node.op))))
        found = self.for_one(lambda: known_truth(self.applied(node, NEGATED[node.op])))
        return truth(None if found is None else not found)

    def applied(self, node, op: str):
        """An operator on two values."""
        left, right = self.value(node.left), self.value(node.right)
        if left is None or right is None:
            return None
        if op in GLOBS:
            return truth(matches(right, left, self.is_path(node.left)) == GLOBS[op])
        if isinstance(left, Address):
            return truth((left == right) == (op == "=="))
        if isinstance(left, bytes):
            return truth(STRINGS[op](left, right))
        return compute(op, left, right)

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
        """Whether the operand of a set is in it: each element asks by itself whom it is about."""
        return truth(disjunction([self.is_element(node.operand, element) for element in self.written_out(node.elements)]))

    def is_element(self, operand: tree.Node, element: tree.Node) -> bool | None:
        if self.asks_ancestor(operand) or self.asks_ancestor(element):
            return self.for_one(lambda: self.fits(self.value(operand), element))
        return self.fits(self.value(operand), element)

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
        if isinstance(element, tree.SetName) and element.name in FIELDS:
            return operand.value in bits_of(value.value)
        if isinstance(operand, Address):
            return value.holds(operand)
        return operand == value if isinstance(operand, bytes) else operand.value == value.value


def known_truth(value: Number | None) -> bool | None:
    return None if value is None else value.value != 0


def is_ancestors(name: str) -> bool:
    return name in FIELDS and FIELDS[name].subject == "ANCESTOR"


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
