# SPDX-License-Identifier: GPL-2.0-only
"""What remains of a condition at one system call, when everything known now is worked out?"""

from pysct import decided, fold, ir, reach, simplify, tree
from pysct.decided import Decided
from pysct.implied import clash
from pysct.ir import Addr, Each, Int, Net, Op, Str, StrRef

TESTS = {
    "==": "SEQ",
    "!=": "SEQ",
    "=~": "SGLOB",
    "!~": "SGLOB",
    "startswith": "SPRE",
    "endswith": "SSUF",
    "contains": "SCON",
}
NEGATED = frozenset({"!=", "!~"})
OPCODES = {"+": "ADD", "-": "SUB", "*": "MUL", "/": "DIV", "%": "MOD", "&": "AND", "|": "OR", "^": "XOR", "<<": "SHL"}
SWAPPED = {">": "<", ">=": "<="}


class Refused(Exception):
    """The condition has no meaning: `node` says where, the arguments are message and hint."""

    def __init__(self, node: tree.Node, message: str, hint: str | None = None):
        super().__init__(message, hint)
        self.node = node


class Lowering:
    """Lowers one condition for one meaning of its names, by the operations of pysct.simplify or of pysct.plain.

    `decided` collects the parts that come out one way whatever the call is, by the id of their nodes.
    """

    def __init__(self, names: dict, algebra=simplify):
        self.names, self.algebra = names, algebra
        self.decided: dict[int, Decided] = {}

    def lower(self, node: tree.Node):
        """The ir of a checked node. Raises Refused."""
        return getattr(self, type(node).__name__.lower())(node)

    def truth(self, node: tree.Node, within: tree.Node | None = None):
        """The ir of a condition, each part of which is about one ancestor where it names ANCESTOR."""
        before = len(self.decided)
        found = self.lower(node)
        if len(self.decided) == before:
            self.notice(decided.condition(node, found, within))
        return each(found, node)

    def notice(self, found: Decided | None):
        if found and self.algebra.FOLDS:
            self.decided[id(found.node)] = found

    def number(self, node):
        return Int(node.value)

    def text(self, node):
        return Str(node.value)

    def address(self, node):
        return Net(node.bits, node.value, node.bits if node.prefix is None else node.prefix)

    def name(self, node):
        return self.names[node.name]

    def param(self, node):
        return self.names[node.number]

    def unary(self, node):
        if node.op == "!":
            return self.algebra.negate(self.truth(node.operand, node))
        operand = self.lower(node.operand)
        unsigned = ir.is_unsigned(operand)
        if self.algebra.FOLDS and isinstance(operand, Int):
            return Int(fold.wrap(-operand.value if node.op == "-" else ~operand.value, unsigned), unsigned)
        return self.algebra.compute("NEG" if node.op == "-" else "NOT", (operand,), unsigned)

    def logical(self, node):
        """What is decided beside a condition that is known now, such as ABI == "i386", is no surprise."""
        operands, known_before, moot = [], len(self.decided), False
        for operand in node.operands:
            before = len(self.decided)
            found = self.truth(operand, node)
            operands.append(found)
            if isinstance(found, Int) and (found.value != 0) == (node.op == "||") and len(self.decided) == before:
                moot = True
        while moot and len(self.decided) > known_before:
            self.decided.popitem()
        op = "ALL" if node.op == "&&" else "ANY"
        return self.algebra.chain(op, operands) if moot else self.joined(node, op, operands)

    def joined(self, node, op: str, operands):
        """Conditions that exclude each other, or of which one is always true, decide together."""
        outcome = op == "ANY"
        pair = self.algebra.FOLDS and clash(operands, alternatives=outcome)
        if pair:
            clashing = tuple(node.operands[at] for at in pair)
            self.notice(Decided(node, outcome, clashing=clashing))
            if not any(map(ir.may_be_unknown, operands)):
                return Int(int(outcome))
        return self.algebra.chain(op, operands)

    def binary(self, node):
        left, right = self.lower(node.left), self.lower(node.right)
        if isinstance(left, Str | StrRef):
            self.notice(decided.strings(node, TESTS[node.op], left, right))
            test = each(self.algebra.strings(TESTS[node.op], left, right), node)
            return self.algebra.negate(test) if node.op in NEGATED else test
        if isinstance(left, Addr | Net):
            test = self.same_address(left, right)
            return self.algebra.negate(test) if node.op in NEGATED else test
        if node.op == "!=" and (ir.names_ancestor(left) or ir.names_ancestor(right)):
            return self.algebra.negate(each(self.compare(node, "==", left, right), node))
        if node.op in SWAPPED:
            return each(self.compare(node, SWAPPED[node.op], right, left), node)
        if node.op in fold.COMPARISON:
            return each(self.compare(node, node.op, left, right), node)
        return self.arithmetic(node, left, right)

    def arithmetic(self, node, left, right):
        op = node.op
        unsigned = ir.is_unsigned(left) or ir.is_unsigned(right) and op not in ("<<", ">>")
        if isinstance(right, Int):
            if op in ("/", "%") and right.value == 0:
                raise Refused(
                    node.right, "division by zero", "its result is unknown, so that the rule could never match"
                )
            if op in ("<<", ">>") and not 0 <= right.value < 64:
                raise Refused(node.right, f"a shift by {right.value}", "numbers have 64 bits: shift by 0 to 63")
            if self.algebra.FOLDS and isinstance(left, Int):
                return Int(fold.arithmetic(op, left.value, right.value, unsigned), unsigned)
        if op == ">>":
            return self.algebra.compute("SHR" if unsigned else "SAR", (left, right), unsigned)
        suffix = "U" if unsigned and op in ("/", "%") else ""
        return self.algebra.compute(OPCODES[op] + suffix, (left, right), unsigned)

    def compare(self, node, op: str, left, right, of: tree.Node | None = None):
        """A comparison as mathematics has it, or one with an element of a set, then `of` its operand."""
        if self.algebra.FOLDS and isinstance(left, Int) and isinstance(right, Int):
            return Int(int(fold.COMPARISON[op](left.value, right.value)))
        self.notice(decided.comparison(node, op, left, right, of))
        outcome = self.algebra.decide(op, left, right)
        if outcome is not None:
            return self.algebra.known(outcome, left, right)
        negative, large = min(left.low, right.low) < 0, max(left.high, right.high) > ir.S64_MAX
        if negative and large:
            return self.algebra.mixed(op, left, right)
        if op in ("==", "!="):
            return self.algebra.equal(op == "==", left, right)
        unsigned = "U" if large else ""
        return Op(("LT" if op == "<" else "LE") + unsigned, (left, right), 0, 1)

    def bit(self, node, place, bits):
        """Whether a set of bits has the one at a place: of a set that is unknown, that is unknown for any place."""
        one = Op("AND", (Op("SHR", (bits, place)), Int(1)), 0, 1)
        if not isinstance(place, Int):
            return Op("AND", (Op("LEU", (place, Int(63)), 0, 1), one), 0, 1)
        if 0 <= place.value < 64:
            return one
        self.notice(Decided(node, False, reach.Reach(0, 63)))
        return Op("AND", (bits, Int(0)), 0, 0)

    def member(self, node):
        operand = self.lower(node.operand)
        if isinstance(node.elements[0], tree.SetName):
            return each(self.bit(node, operand, self.names[node.elements[0].name]), node)
        if isinstance(operand, Str | StrRef):
            elements = [self.lower(element) for element in node.elements]
            for at, element in zip(node.elements, elements):
                self.notice(decided.strings(at, "SEQ", operand, element, node.operand))
            return self.one_of(self.same_strings(operand, elements), node)
        if isinstance(operand, Addr | Net):
            return self.algebra.chain("ANY", [self.same_address(operand, self.lower(one)) for one in node.elements])
        constant, others = [], []
        for element in node.elements:
            if isinstance(element, tree.Range):
                low, high = self.lower(element.low), self.lower(element.high)
                if isinstance(low, Int) and isinstance(high, Int) and low.value > high.value:
                    raise Refused(element, "the range is empty", "the lower number comes first")
                if self.algebra.FOLDS and isinstance(low, Int) and isinstance(high, Int):
                    constant.append((element, (low.value, high.value)))
                else:
                    ends = ((low, operand), (operand, high))
                    bounds = [self.compare(element, "<=", *pair, node.operand) for pair in ends]
                    others.append(self.algebra.chain("ALL", bounds))
                continue
            value = self.lower(element)
            if self.algebra.FOLDS and isinstance(value, Int):
                constant.append((element, (value.value, value.value)))
            else:
                others.append(self.compare(element, "==", operand, value, node.operand))
        if constant:
            for found in decided.members(node, operand, constant):
                self.notice(found)
            others.insert(0, self.algebra.number_member(operand, [bounds for _, bounds in constant]))
        return self.one_of(others, node)

    def one_of(self, tests: list, node: tree.Node):
        """Whether one of the tests of a set is true: those that name an ancestor ask all of these, the others do not."""
        of_each = [test for test in tests if ir.names_ancestor(test)]
        if not of_each:
            return self.algebra.chain("ANY", tests)
        own = [test for test in tests if not ir.names_ancestor(test)]
        return self.algebra.chain("ANY", [*own, each(self.algebra.chain("ANY", of_each), node)])

    def same_strings(self, operand, elements) -> list:
        texts = tuple(dict.fromkeys(e.value for e in elements if isinstance(e, Str)))
        others = [self.algebra.strings("SEQ", operand, e) for e in elements if not isinstance(e, Str)]
        if texts:
            others.insert(0, self.algebra.string_member(operand, texts))
        return others

    def same_address(self, left: Addr | Net, right: Addr | Net):
        """Whether two addresses are equal, or one is in a network; of what is read all parts have to be known."""
        if isinstance(left, Net):
            left, right = right, left
        if isinstance(left, Net):
            return Int(int(left.value == right.value))
        if isinstance(right, Addr):
            pairs = zip(left.parts, right.parts, strict=True)
            return both([self.algebra.equal(True, one, other) for one, other in pairs])
        width, tests = left.bits // len(left.parts), []
        for at, part in enumerate(left.parts):
            below = left.bits - width * (at + 1)  # bits behind this part
            free = min(max(left.bits - right.prefix - below, 0), width)
            low = (right.value >> below) % (1 << width)
            tests.append(self.algebra.within(part, low, low + (1 << free) - 1))
        return both(tests)


def both(tests: list):
    """Whether all parts of an address are as they should be; unlike in &&, all of them have to be known."""
    return tests[0] if len(tests) == 1 else Op("AND", tuple(tests), 0, 1)


def each(truth, node: tree.Node):
    """The truth value of a node, of one of the ancestors where it names ANCESTOR. Raises Refused."""
    if not ir.names_ancestor(truth):
        return truth
    if ir.asks_each(truth):
        hint = "ask for each by itself, with && or || between them"
        raise Refused(node, "a condition on ancestors stands inside of a comparison of an ancestor", hint)
    return Each(truth)
