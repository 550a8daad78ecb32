# SPDX-License-Identifier: GPL-2.0-only
"""Which tree does a piece of grammar become?

The parser calls the method that has the name of a grammar rule (or of its
alias) with what stands in it: tokens, and what these methods returned.
"""

import re
from ipaddress import ip_address, ip_network

from pysct import tree
from pysct.abi import Limit
from pysct.diagnostics import Diagnostics
from pysct.members import LISTED
from pysct.source import Source, Span, encode
from pysct.tokens import Token

ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|.)", re.DOTALL)
ESCAPES = {b'"': b'"', b"\\": b"\\", b"n": b"\n", b"t": b"\t"}
BASES = (
    (re.compile(r"0[xX][0-9a-fA-F]+"), 16),
    (re.compile(r"0[bB][01]+"), 2),
    (re.compile(r"0[oO]?[0-7]+"), 8),
    (re.compile(r"0|[1-9][0-9]*"), 10),
)


class Unusable(Exception):
    """The tokens cannot become a tree; why was reported."""


class Builder:
    """Builds the items of one file; lark holds the one instance, begin() says for whom.

    `good`: nothing that was built since is unusable.
    """

    def begin(self, source: Source, diagnostics: Diagnostics):
        self.source, self.diagnostics, self.good = source, diagnostics, True

    def wrong(self, span: Span, message: str, hint: str | None = None) -> tree.Number:
        """Reports what makes the item unusable, but hides no other error in it; returns what may stand there meanwhile."""
        self.diagnostics.error(self.source, span, message, hint)
        self.good = False
        return tree.Number(span, 1)

    def refuse(self, span: Span, message: str, hint: str | None = None):
        """Raises Unusable."""
        self.diagnostics.error(self.source, span, message, hint)
        raise Unusable

    # ------------------------------------------------------------------ items

    def rule(self, parts) -> tree.Rule:
        keyword, end = parts[0], parts[-1]
        return tree.Rule(
            Span(keyword.start, end.end),
            self.source,
            keyword.span,
            [part for part in parts if not isinstance(part, Token)],
        )

    def let(self, parts) -> tree.Let:
        head, name, _, body = parts
        return tree.Let(around(parts), self.source, name.value, name.span, body)

    def set(self, parts) -> tree.Set:
        name, opened = parts[1], next(at for at, part in enumerate(parts) if is_token(part, "OPEN"))
        return tree.Set(around(parts), self.source, name.value, name.span, parts[opened + 1 : -1 : 2])

    def include(self, parts) -> tree.Include:
        head, path = parts
        return tree.Include(around(parts), self.source, self.unescape(path), path.value, path.span)

    def setting(self, parts) -> tree.Setting:
        values = [self.word(token) for token in parts[2::2]]
        return tree.Setting(parts[0].span, parts[0].value, values)

    def bare(self, parts) -> tree.Setting:
        values = [tree.Word(token.span, token.value) for token in parts[::2]]
        return tree.Setting(values[0].span, "type", values)

    def filter(self, parts) -> tree.Filter:
        return tree.Filter(parts[0].span, parts[-2])

    def action(self, parts) -> tree.Action:
        return tree.Action(parts[0].span, [part for part in parts[1:] if not isinstance(part, Token)])

    def block(self, parts) -> tree.Block:
        return tree.Block(parts[0].span, parts[0].value, parts[-2].value, parts[-2].span)

    def word(self, token: Token) -> tree.Word:
        if token.value[0] != '"':
            return tree.Word(token.span, token.value)
        text = self.unescape(token).decode("utf-8", "surrogateescape")
        return tree.Word(token.span, text, True)

    # ------------------------------------------------------------ expressions

    def logical(self, parts) -> tree.Logical:
        operands = parts[::2]
        return self.deepen(tree.Logical(around(parts), parts[1].value, operands), *operands)

    any = all = logical

    def binary(self, parts) -> tree.Binary:
        left, op, right = parts
        return self.deepen(tree.Binary(around(parts), op.value, left, right, op.span), left, right)

    def unary(self, parts) -> tree.Node:
        op, operand = parts
        if op.type == "MINUS" and isinstance(operand, tree.Number) and not operand.enclosed and operand.value > 0:
            if operand.value > 1 << 63:
                return self.wrong(around(parts), "the number does not fit in 64 bits")
            return tree.Number(around(parts), -operand.value)
        if op.type == "NOGLOB":  # !~x: the complement's truth, inverted
            inner = self.deepen(tree.Unary(around(parts), "~", operand), operand)
            return self.deepen(tree.Unary(around(parts), "!", inner), inner)
        return self.deepen(tree.Unary(around(parts), op.value, operand), operand)

    def member(self, parts) -> tree.Member:
        operand, elements = parts[0], parts[3:-1:2]
        return self.deepen(tree.Member(around(parts), operand, elements), operand, *elements)

    def member_of(self, parts) -> tree.Member:
        operand, _, *names = parts
        element = tree.SetName(around(names), "".join(name.value for name in names))
        return self.deepen(tree.Member(around(parts), operand, [element]), operand, element)

    def span(self, parts) -> tree.Range:
        low, _, high = parts
        return self.deepen(tree.Range(around(parts), low, high), low, high)

    def number(self, parts) -> tree.Number:
        text = parts[0].value
        base = next((base for pattern, base in BASES if pattern.fullmatch(text)), None)
        if base is None:
            return self.wrong(parts[0].span, f"`{text[:32]}` is not a number", "numbers are whole: 42, 0x2a, 0755, 0b101")
        digits = text[2:] if text[1:2].isalpha() else text
        if len(digits) > 64 or (value := int(digits, base)) >> 64:
            return self.wrong(parts[0].span, "the number does not fit in 64 bits")
        return tree.Number(parts[0].span, value)

    def address(self, parts) -> tree.Address:
        """An address, or a network as ADDRESS/BITS."""
        text, slash, prefix = parts[0].value.partition("/")
        try:
            found = ip_address(text)
        except ValueError:
            return self.wrong(parts[0].span, f"`{text}` is not an internet address", "write 10.0.0.1 or 2001:db8::1")
        if slash and int(prefix) > found.max_prefixlen:
            return self.wrong(parts[0].span, f"an address like this has {found.max_prefixlen} bits, not {prefix}")
        if slash and (network := ip_network(parts[0].value, strict=False)).network_address != found:
            return self.wrong(parts[0].span, f"`{text}` has bits behind the first {prefix}", f"the network is {network}")
        return tree.Address(parts[0].span, found.max_prefixlen, int(found), int(prefix) if slash else None)

    def member_address(self, parts) -> tree.Member:
        operand, _, address = parts
        element = self.address([address])
        return self.deepen(tree.Member(around(parts), operand, [element]), operand, element)

    def text(self, parts) -> tree.Text:
        return tree.Text(parts[0].span, self.unescape(parts[0]))

    def place(self, parts) -> tree.Name | tree.Param:
        """A name, perhaps with indices and members: all of it is the name of one thing."""
        said = parts[0].value
        for at, part in enumerate(parts[1:], 1):
            if is_token(part, "MEMBER"):
                said += part.value
            elif is_token(part, "LSQB"):
                index = self.index(said, Span(parts[0].start, part.start), parts[at + 1], is_token(parts[-1], "MEMBER"))
                if said == "PARAMS" and len(parts) == 4:
                    return tree.Param(around(parts), index)
                said += f"[{index}]"
        return tree.Name(around(parts), said)

    def index(self, name: str, span: Span, index: tree.Node, members: bool) -> int:
        """The number between the brackets behind a name; `members` says whether the whole is that of one."""
        listed = name in LISTED and not members
        if name != "PARAMS" and not members and not listed:
            hint = "PARAMS takes an index, argv and envp, and arrays whose members are named: PARAMS[1], argv[0], vec[0].iov_len"
            return self.wrong(span, f"`{name}` is not a list", hint).value
        if not isinstance(index, tree.Number):
            return self.wrong(index.span, f"the index of {name} is a plain number").value
        if name == "PARAMS" and index.value < 1:
            self.wrong(index.span, "arguments are counted from 1", "PARAMS[1] is the first argument")
        if listed and index.value >= Limit.ELEMENTS:
            self.wrong(index.span, f"a rule sees the first {Limit.ELEMENTS} of `{name}`")
        return index.value

    def applied(self, parts) -> tree.Name:
        """What is made of an argument: `path(pathname)`. All of it is a name, which the check stage knows or not."""
        name, _, place, _, *members = parts
        inner = place.name if isinstance(place, tree.Name) else f"PARAMS[{place.number}]"
        return tree.Name(around(parts), f"{name.value}({inner})" + "".join(member.value for member in members))

    def parentheses(self, parts) -> tree.Node:
        node = parts[1]
        node.span, node.enclosed = around(parts), True
        return node

    # ---------------------------------------------------------------- details

    def deepen(self, node: tree.Node, *below: tree.Node) -> tree.Node:
        """The node with its depth. Later stages are recursive, so that it has to be bounded here."""
        node.depth = 1 + max(child.depth for child in below)
        if node.depth > Limit.DEPTH:
            self.refuse(node.span, f"the expression is more than {Limit.DEPTH} operators deep", "split the rule")
        return node

    def unescape(self, token: Token, nul: bool = False) -> bytes:
        """The bytes that a string in quotes means; `nul` says whether these can be among them."""
        data = encode(token.value[1:-1])
        if b"\\" in data:
            data = ESCAPE.sub(lambda found: self.escape(token, found[1]), data)
        if b"\0" in data and not nul:
            self.wrong(token.span, "a string cannot contain NUL", "the strings of system calls end at the first NUL; in data, a `?` of a glob fits one")
        return data

    def escape(self, token: Token, code: bytes) -> bytes:
        if len(code) == 3:
            return bytes([int(code[1:], 16)])
        if code in ESCAPES:
            return ESCAPES[code]
        if code == b"0":
            return b"\0"
        shown = code.decode("ascii", "replace")
        hint = f'escapes are \\" \\\\ \\n \\t and \\x41; a backslash is written `\\\\`, so `\\\\{shown}`'
        self.wrong(token.span, f"`\\{shown}` means nothing in a string", hint)
        return b""


def is_token(part, kind: str) -> bool:
    return isinstance(part, Token) and part.type == kind


def around(parts) -> Span:
    """From the first to the last of some tokens and nodes."""
    first, last = parts[0], parts[-1]
    start = first.start if isinstance(first, Token) else first.span.start
    end = last.end if isinstance(last, Token) else last.span.end
    return Span(start, end)
