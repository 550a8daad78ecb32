# SPDX-License-Identifier: GPL-2.0-only
"""Does a condition make sense: is each operand of the type that its operator needs?"""

from pysct import glob, tree
from pysct.abi import FIELDS, STATICS, Limit
from pysct.constants import CONSTANTS, FAMILIES
from pysct.diagnostics import Diagnostics
from pysct.ir import StrRef
from pysct.members import LISTED
from pysct.names import ADDR4, ADDR6, INT, STR, Names
from pysct.source import Source, within

ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"})
ORDER = frozenset({"<", "<=", ">", ">="})
EQUALITY = frozenset({"==", "!="})
PATTERN = frozenset({"=~", "!~", "startswith", "endswith", "contains"})
BITS = frozenset({"&", "|", "^"})
ADDRESSES = frozenset({ADDR4, ADDR6})
NO_ADDRESS = "addresses are members of arguments, as addr.sin_addr is"
NUMBERS_ARE_COMPARED = "numbers are compared by ==, !=, <, <=, >, >= and in"
ADDRESSES_ARE_COMPARED = "addresses are compared by ==, != and in"
FIRST_OF_LIST = "`{0}[0]` is the first of its strings"
DOCS = {name: field.doc for name, field in FIELDS.items()} | STATICS


class Checker:
    """Checks one condition; problems go to `diagnostics`. What has a name without a type is passed over: enough was said of it."""

    def __init__(self, names: Names, source: Source, diagnostics: Diagnostics):
        self.names, self.source, self.diagnostics = names, source, diagnostics

    def condition(self, node: tree.Node) -> bool:
        """Whether the whole can decide about a call."""
        return self.truth(node)

    def type(self, node: tree.Node) -> str | None:
        """INT or STR, or None after an error was reported."""
        return getattr(self, type(node).__name__.lower())(node)

    def number(self, node):
        return INT

    def text(self, node):
        if len(node.value) >= Limit.STRING:
            return self.error(node, f"the string is longer than {Limit.STRING - 1} bytes, which no string of a call is")
        return STR

    def address(self, node):
        return ADDR4 if node.bits == 32 else ADDR6

    def name(self, node):
        return self.names.types.get(node.name)

    def param(self, node):
        return self.names.types.get(node.number)

    def unary(self, node):
        found = self.type(node.operand)
        if found not in (INT, None):
            hint = 'compare the string: == "…"' if node.op == "!" and found == STR else None
            return self.error(node, f"`{node.op}` needs a number, and {self.shown(node.operand)} is {found}", hint)
        return found

    def logical(self, node):
        return INT if all([self.truth(operand) for operand in node.operands]) else None

    def truth(self, node) -> bool:
        found = self.type(node)
        if found == STR:
            self.error(
                node, f"{self.shown(node)} is a string, not a condition", 'compare it: == "…", =~ "…*", startswith "…"'
            )
        elif found in ADDRESSES:
            self.error(node, f"{self.shown(node)} is {found}, not a condition", "compare it: == 10.0.0.1, in 10.0.0.0/8")
        return found == INT

    def binary(self, node):
        left, right = self.type(node.left), self.type(node.right)
        if left is None or right is None:
            return None
        if self.takes_bit_for_mask(node):
            return None
        self.suspect(node)
        if node.op in PATTERN:
            return self.pattern(node, left)
        if node.op in EQUALITY:
            if left == right and left in ADDRESSES and (network := self.network(node)):
                return self.error(network, f"{self.shown(network)} stands for many addresses", "write `in` in place of `==`")
            return INT if left == right else self.mismatch(node, node.left, left, node.right, right)
        if {left, right} != {INT}:
            culprit, found = (node.left, left) if left != INT else (node.right, right)
            hint = (
                "strings are compared by ==, !=, =~, !~, startswith, endswith, contains" if node.op in ORDER else None
            )
            if found in ADDRESSES:
                hint = ADDRESSES_ARE_COMPARED
            return self.error(node, f"`{node.op}` needs numbers, and {self.shown(culprit)} is {found}", hint)
        return INT

    def network(self, node: tree.Binary) -> tree.Address | None:
        """A network where one address is expected."""
        sides = (side for side in (node.right, node.left) if isinstance(side, tree.Address))
        return next((side for side in sides if side.prefix is not None), None)

    def pattern(self, node, left: str):
        if left != STR:
            hint = NUMBERS_ARE_COMPARED if left == INT else ADDRESSES_ARE_COMPARED
            if isinstance(node.left, tree.Name) and node.left.name in LISTED:
                hint = FIRST_OF_LIST.format(node.left.name)
            return self.error(node, f"`{node.op}` needs a string on its left, and {self.shown(node.left)} is {left}", hint)
        if not isinstance(node.right, tree.Text):
            hint = "two strings of a call are compared by == and !="
            return self.error(node.right, f"`{node.op}` needs a string in quotes on its right", hint)
        return self.glob(node) if node.op in ("=~", "!~") else INT

    def glob(self, node):
        try:
            glob.check(node.right.value, self.may_be_path(node.left))
        except glob.GlobError as error:
            source = node.right.source or self.source
            self.diagnostics.error(source, within(source, node.right.span, error.start, error.end), str(error), error.hint)
            return None
        return INT

    def may_be_path(self, node) -> bool:
        """Whether a string is a path, at one of the rule's points at least."""
        key = node.name if isinstance(node, tree.Name) else node.number if isinstance(node, tree.Param) else None
        return any(isinstance(leaf, StrRef) and leaf.path for leaf in self.names.leaves.get(key, ()))

    def takes_bit_for_mask(self, node) -> bool:
        """Whether a set of bits is compared or computed with the place of one of them, which is an error."""
        for field, bit in ((node.left, node.right), (node.right, node.left)):
            if isinstance(field, tree.Name) and isinstance(bit, tree.Name) and field.name in FIELDS:
                family = FIELDS[field.name].set
                if family and FAMILIES.get(bit.name) == family:
                    message = f"`{bit.name}` is the place of a bit, not the bit"
                    self.error(bit, message, f"write `{bit.name} in {field.name}`")
                    return True
        return False

    def bit(self, node):
        """Whether a number is the place of a bit that is set."""
        found, field = self.type(node.operand), node.elements[0].name
        if field not in self.names.types:
            return None
        if found == STR:
            return self.error(node.operand, f"`in {field}` needs a number, and {self.shown(node.operand)} is a string")
        family = FAMILIES.get(node.operand.name) if isinstance(node.operand, tree.Name) else None
        if family and family != FIELDS[field].set:
            return self.error(node.operand, f"`{node.operand.name}` is no {FIELDS[field].set}", f"`{field}` is a set of those")
        return found

    def member(self, node):
        if isinstance(node.elements[0], tree.SetName):
            return self.bit(node)
        operand = self.type(node.operand)
        good = operand is not None
        for element in node.elements:
            found = self.type(element)
            if found is None:
                good = False
            elif operand and found != operand:
                good = bool(self.mismatch(element, node.operand, operand, element, found))
        return INT if good else None

    def range(self, node):
        bounds = [(bound, self.type(bound)) for bound in (node.low, node.high)]
        for bound, found in bounds:
            if found not in (INT, None):
                return self.error(bound, "a range goes from number to number")
        return INT if all(found for _, found in bounds) else None

    def mismatch(self, where, left, left_type: str, right, right_type: str):
        message = f"{self.shown(left)} is {left_type} and {self.shown(right)} is {right_type}: they cannot be compared"
        return self.error(where, message, self.way_out((left, right), {left_type, right_type}))

    def way_out(self, sides: tuple[tree.Node, tree.Node], types: set[str]) -> str | None:
        """What to write in place of a comparison of two types."""
        if types & ADDRESSES:
            if types == ADDRESSES:
                return "IPv4 and IPv6 addresses are different members: sin_addr and sin6_addr"
            return NO_ADDRESS if INT in types else "an address stands without quotes: 10.0.0.1, 2001:db8::1"
        text = next((node.value for node in sides if isinstance(node, tree.Text)), b"")
        names = [node.name for node in sides if isinstance(node, tree.Name)]
        if text and any(name.upper().endswith(("UID", "GID")) for name in names):
            return "users and groups are numbers, as `id` tells them"
        if text.isdigit():
            return "a number stands without quotes"
        if text.decode("ascii", "replace") in CONSTANTS:
            return f"a constant stands without quotes: {text.decode()}"
        for name in names:
            if name in LISTED:
                return FIRST_OF_LIST.format(name)
            if name in DOCS:
                return f"`{name}` stands for: {DOCS[name]}"
        number = next((node.value for node in sides if isinstance(node, tree.Number)), 0)
        return f'a string stands in double quotes: "{number}"' if number > 0 else None

    def suspect(self, node):
        """Warn of what C's precedence makes of something that looks different."""
        sides = node.left, node.right
        compared = [isinstance(side, tree.Binary) and side.op in EQUALITY | ORDER for side in sides]
        if node.op in BITS and all(compared):
            joins = "`||`" if node.op == "|" else "`&&`" if node.op == "&" else "`&&` and `||`"
            message = f"`{node.op}` computes with the truth values of both sides"
            self.warn(node, message, f"conditions are joined by {joins}")
            return
        for child in sides:
            if not isinstance(child, tree.Binary) or child.enclosed:
                continue
            if node.op in BITS and child.op in EQUALITY | ORDER:
                self.warn(
                    node,
                    f"`{node.op}` takes the result of `{child.op}`, as in C",
                    f"put the `{node.op}` in parentheses if it shall come first",
                )
            elif any(node.op in same and child.op in same for same in (ORDER, EQUALITY)):
                self.warn(
                    node,
                    f"`{node.op}` compares with the truth value of `{child.op}`, as in C",
                    f"write `a {child.op} b && b {node.op} c`" if node.op in EQUALITY else "write `a < b && b < c`",
                )

    def shown(self, node) -> str:
        """What the rule says there, short."""
        return f"`{(node.source or self.source).said(node.span, 40)}`"

    def error(self, node, message: str, hint: str | None = None) -> None:
        self.diagnostics.error(node.source or self.source, node.span, message, hint)

    def warn(self, node, message: str, hint: str):
        self.diagnostics.warning(node.source or self.source, node.where, message, hint)
