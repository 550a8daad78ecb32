# SPDX-License-Identifier: GPL-2.0-only
"""Where does each item of a file begin and end, and of which tokens does it consist?

This is what needs a stack of brackets: a grammar cannot tell a `<` that opens
a block from one that compares, nor find the next item behind a mistake.
"""

from collections.abc import Iterator

from pysct.abi import KEYS, Limit
from pysct.diagnostics import Diagnostics
from pysct.slips import explain_between, explain_text, explain_unclosed
from pysct.source import Source, Span
from pysct.tokens import (
    ASSIGNED,
    CLOSES,
    GOES_ON,
    HEAD_TYPES,
    HEADS,
    ITEM_STARTS,
    KEY_ENDS,
    OPENER,
    RULE_STARTS_LINE,
    Bracket,
    Item,
    Patterns,
    Token,
    balanced,
)

REFUSED = frozenset({"COMMENT", "UNCLOSED", "QUOTED", "BAD"})  # see pysct.tokens
BRACED = frozenset("{<")  # whose brackets are tokens of the grammar's OPEN and CLOSE
BLOCKS = {"rule": "RULE", "action": "ACTION", "filter_expression": "FILTER"}  # all others hold raw text
# A key of a rule inside an expression means that the expression was not closed.
ENDS = {
    **{key.name: OPENER for key in KEYS.values() if key.form == "block"},
    **{key.name: ASSIGNED for key in KEYS.values() if (key.place, key.form) == ("rule", "words")},
}


class Lexer:
    """Splits one source into items: rules, definitions, includes. Errors go to `diagnostics`."""

    def __init__(self, source: Source, diagnostics: Diagnostics, patterns: Patterns):
        self.source, self.text, self.diagnostics = source, source.text, diagnostics
        self.match, self.value, self.words = patterns.token.match, patterns.value, patterns.words
        self.stack: list[Bracket] = []
        self.item = Item([])
        self.limit = -1
        self.torn: int | None = None  # where the last string that is not closed starts
        self.section = 0  # where the last key of the rule itself starts

    def items(self) -> Iterator[Item]:
        """The file's items in order, also those that lack their end."""
        pos = 0
        while True:
            found = self.match(self.text, pos)
            start, pos = found.span(found.lastgroup)
            if found.lastgroup == "END":
                return
            if found.lastgroup == "NAME" and self.starts_item(start, pos):
                self.item = Item([])
                if self.text.startswith("rule", start):
                    pos = self.rule(start)
                    self.item.torn |= GOES_ON.match(self.text, pos) is not None
                else:
                    pos = self.definition(start, pos)
                yield self.item
            else:
                pos = self.between(found.lastgroup, start, pos)

    def rule(self, pos: int) -> int:
        """Collect one rule; where it ends."""
        self.stack.clear()
        self.section = pos
        while self.stack or not self.item.tokens:
            found = self.match(self.text, pos)
            kind = found.lastgroup
            start, after = found.span(kind)
            if kind == "END" or kind == "NAME" and self.stack and self.starts_next(start, after):
                self.item.torn = True
                if not self.item.marks:
                    self.unclosed(self.stack[-1], start)
                while self.stack:
                    self.forget(start)
                return start
            if kind in REFUSED:
                pos = self.refuse(kind, start, after)
            elif self.stack and self.stack[-1].expression:
                pos = self.in_expression(kind, start, after)
            else:
                pos = self.in_block(kind, start, after)
        return pos

    def definition(self, start: int, after: int) -> int:
        """Collect one let, set or include; where it ends: at `;`, the next item, or what only a rule can have."""
        head, self.section = self.text[start:after], start
        self.stack[:] = [Bracket("", start, head, True)]
        self.emit(HEAD_TYPES[head], head, start, after)
        while True:
            found = self.match(self.text, after)
            kind = found.lastgroup
            start, end = found.span(kind)
            text, outside = self.text[start:end], len(self.stack) == 1
            if kind == "NAME" and len(self.item.tokens) == 1:  # that of the definition, whatever it means elsewhere
                self.emit(kind if text in BLOCKS else self.words.get(text, kind), text, start, end)
                after = end
                continue
            if kind == "END" or outside and text == ";" or kind == "NAME" and self.ends_definition(start, end):
                break
            after = self.refuse(kind, start, end) if kind in REFUSED else self.in_expression(kind, start, end)
            if len(self.stack) == 1 and (head == "include" or head == "set" and text == "}"):
                break
        if len(self.stack) > 1 and not self.item.marks:
            self.unclosed(self.stack[-1], start)
        return after

    def ends_definition(self, start: int, after: int) -> bool:
        """Whether a name stands where the next item, or a key of a rule, begins."""
        text = self.text[start:after]
        return self.starts_item(start, after) or text in ENDS and ENDS[text].match(self.text, after) is not None

    def starts_item(self, start: int, after: int) -> bool:
        head = HEADS.get(self.text[start:after])
        return head is not None and head.match(self.text, after) is not None

    def starts_next(self, start: int, after: int) -> bool:
        """Whether a name inside a rule starts the next item; only `rule` does so anywhere in a line."""
        at_line = self.text.startswith("rule", start) or start == 0 or self.text[start - 1] == "\n"
        return at_line and self.starts_item(start, after)

    def in_expression(self, kind: str, start: int, after: int) -> int:
        """Take one token; where to go on."""
        text, top = self.text[start:after], self.stack[-1]
        if kind == "NAME":
            if text in ENDS and ENDS[text].match(self.text, after):
                while self.stack[-1].expression:
                    forgotten = self.forget(start)
                self.item.torn = True
                self.unclosed(forgotten, start)
                return start
            kind = kind if text in BLOCKS else self.words.get(text, kind)
        elif top.char == "<" and text[0] in "<>":
            return self.angle(text, start, after)
        elif text == "{":
            self.emit("OPEN", text, start, after)
            self.open(text, start, "", True)
            return after
        elif text == "}":
            return self.close(text, start)
        self.emit(kind, text, start, after)
        if text in ("(", "["):
            self.open(text, start, "", True)
        elif text in (")", "]"):
            return self.close(text, start, emit=False)
        return after

    def angle(self, text: str, start: int, after: int) -> int:
        """`<` or `>` inside < >, where only `>` means something: the end."""
        if text in (">", ">>") and not self.operand_follows(after):
            return self.close(">", start)  # >> ends two blocks
        hint = "put the comparison in parentheses: (UID > 5)"
        self.error(start, after, f"`{text}` cannot stand bare inside < >", hint)
        return after

    def operand_follows(self, pos: int) -> bool:
        """Whether what comes next can only go on with an expression."""
        found = self.match(self.text, pos)
        if found.lastgroup == "NAME":
            return not KEY_ENDS.match(self.text, found.end())
        return found.lastgroup in ("ADDRESS", "NUMBER", "STRING", "LPAR", "MINUS", "TILDE", "NOT")

    def in_block(self, kind: str, start: int, after: int) -> int:
        """Take one token, and what belongs to it; where to go on."""
        text = self.text[start:after]
        if kind == "NAME":
            opener = OPENER.match(self.text, after)
            self.section = start if len(self.stack) == 1 else self.section
            self.emit(BLOCKS.get(text, "NAME") if opener else "NAME", text, start, after)
            return self.block(text, after, opener.start("bracket")) if opener else after
        if text == "}" or text[0] == ">":
            return self.close(text[0], start)
        if text in ("{", "<"):
            return self.stray(text, start)
        self.emit(kind, text, start, after)
        return self.values(after) if kind == "EQ" else after

    def block(self, name: str, pos: int, at: int) -> int:
        """The bracket behind a block's name and, where the block is raw text, all of that."""
        equals = self.text.find("=", pos, at)
        if equals >= 0:
            self.emit("EQ", "=", equals, equals + 1)
        self.emit("OPEN", self.text[at], at, at + 1)
        self.open(self.text[at], at, name, name == "filter_expression")
        if name in BLOCKS:
            return at + 1
        limit = self.next_rule(at)
        end = balanced(self.text, at, limit)
        if end is None:
            self.unclosed(self.stack[-1], limit)
            return limit
        self.emit("RAW", self.text[at + 1 : end], at + 1, end)
        return self.close(self.text[end], end)

    def next_rule(self, pos: int) -> int:
        """Where a line starts with a rule, at or behind `pos`; searched for only once on the way there."""
        if pos > self.limit:
            found = RULE_STARTS_LINE.search(self.text, pos)
            self.limit = found.start() if found else len(self.text)
        return self.limit

    def values(self, pos: int) -> int:
        """The words and strings behind `=`, and the commas between them."""
        while found := self.value.match(self.text, pos):
            start, after = found.span(found.lastgroup)
            if KEY_ENDS.match(self.text, after):
                break  # the next key: the value is missing
            pos = after
            self.emit("VALUE", self.text[start:pos], start, pos)
            comma = self.match(self.text, pos)
            if comma.lastgroup != "COMMA":
                break
            start, pos = comma.span("COMMA")
            self.emit("COMMA", ",", start, pos)
        return pos

    def emit(self, kind: str, text: str, start: int, after: int):
        self.item.tokens.append(Token(kind, text, start, after))

    def open(self, char: str, at: int, block: str, expression: bool):
        self.stack.append(Bracket(char, at, block, expression))
        if len(self.stack) > Limit.DEPTH and not self.item.marks:
            self.error(at, at + 1, f"brackets are nested more than {Limit.DEPTH} deep", "split the rule")

    def close(self, char: str, at: int, emit: bool = True) -> int:
        """Close the innermost bracket that `char` closes; those inside it were forgotten."""
        if not any(CLOSES[bracket.char] == char for bracket in reversed(self.stack)):
            return self.stray(char, at)
        forgotten = None
        while CLOSES[self.stack[-1].char] != char:
            forgotten = self.forget(at)
        if forgotten:
            self.item.torn |= not forgotten.expression
            self.unclosed(forgotten, at)
        self.stack.pop()
        if emit:
            self.emit("CLOSE", char, at, at + 1)
        return at + 1

    def forget(self, at: int) -> Bracket:
        """Take the innermost bracket for closed at a place where nothing closes it; which it was."""
        if self.stack[-1].char in BRACED:
            self.emit("CLOSE", "", at, at)
        return self.stack.pop()

    def stray(self, char: str, at: int) -> int:
        self.item.torn |= char not in ")]"
        hint = "no `(` is open before it" if char == ")" else "no `[` is open before it" if char == "]" else None
        self.error(at, at + 1, f"`{char}` does not belong here", hint)
        return at + 1

    def unclosed(self, bracket: Bracket, at: int):
        if self.torn is not None and bracket.at < self.torn < at:
            return  # what should have closed it was probably meant by the string that is not closed
        line, following = self.source.position(at).line, self.match(self.text, at)[0].strip()
        same = line == self.source.position(bracket.at).line
        self.error(bracket.at, bracket.at + 1, *explain_unclosed(bracket, f"`{following}`" if same else f"line {line}", self.text[at:]))

    def error(self, start: int, after: int, message: str, hint: str | None = None):
        self.diagnostics.error(self.source, Span(start, after), message, hint)
        self.item.marks.append(start)

    def refuse(self, kind: str, start: int, after: int) -> int:
        """Report what is no token, once in a section if it is a single character; where to go on."""
        end, message, hint = explain_text(self.text, kind, start, after)
        if kind in ("UNCLOSED", "COMMENT"):
            self.item.torn = True
            self.torn = start if kind == "UNCLOSED" else self.torn
        if kind != "BAD" or not any(mark >= self.section for mark in self.item.marks[-1:]):
            self.error(start, end, message, hint)
        else:
            self.item.marks.append(start)
        return len(self.text) if kind == "COMMENT" else end

    def between(self, kind: str, start: int, after: int) -> int:
        """Report what stands between rules, once, and find the next rule."""
        text = self.text[start:after]
        if text == ";":
            return after
        self.item = Item([])
        self.section = start
        if kind in REFUSED:
            after = self.refuse(kind, start, after)
        elif text[0] in "}>":
            self.error(start, start + 1, f"`{text[0]}` closes nothing", "is there one bracket too many above?")
        else:
            self.error(start, after, *explain_between(text))
        found = ITEM_STARTS.search(self.text, after)
        return found.start() if found else len(self.text)
