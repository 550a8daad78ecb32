# SPDX-License-Identifier: GPL-2.0-only
"""What does a single token of a rule file look like?

The terminals come from the grammar; this adds what is wrong in every grammar.
"""

import re
from dataclasses import dataclass, field

from pysct.abi import KEYS
from pysct.source import Span

# Not possessive as a whole: before Python 3.11.5 that loses what a group inside has given back.
SKIP = r"(?:[ \t\r\n\f\v]++|#[^\n]*+|//[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*\*/)*"
WORD = r"[A-Za-z0-9_@*?.:+\-\[\]!^$%\\]+"
OPENER = re.compile(rf"{SKIP}(?:=(?![=~]){SKIP})?(?P<bracket>[{{<])")
KEY_ENDS = re.compile(rf"{SKIP}(?:=(?![=~])|[{{<])")  # behind a key
ASSIGNED = re.compile(rf"{SKIP}=(?![=~])")
# What starts an item of a file. Behind `let` and `set` comes a name, as it does behind no name in an expression.
OPERATOR_WORDS = r"(?:in|startswith|endswith|contains)\b"
DEFINES = re.compile(rf"{SKIP}(?:=(?![=~])|(?!{OPERATOR_WORDS})[A-Za-z_])")
HEADS = {"rule": OPENER, "let": DEFINES, "set": DEFINES, "include": re.compile(rf"{SKIP}[\"']")}
HEAD_TYPES = {"let": "LET", "set": "SET", "include": "INCLUDE"}
ITEM_STARTS = re.compile(
    r"(?<![\w\"])rule\s*+=?\s*+[{<]|^[ \t]*+(?:let\s++\w|set\s++\w|include\s*+\")", re.MULTILINE
)
GOES_ON = re.compile(rf"{SKIP}(?:{'|'.join(key.name for key in KEYS.values() if key.place == 'rule')})\b")  # behind a rule
RULE_STARTS_LINE = re.compile(r"^[ \t]*rule\s*+=?\s*+[{<]", re.MULTILINE)
CLOSES = {"{": "}", "<": ">", "(": ")", "[": "]", "": ""}  # the last: an expression without brackets around it

# Alternatives that only bad text matches: tried before and behind the terminals.
FIRST = {"COMMENT": r"/\*"}
LAST = {"UNCLOSED": r'"', "QUOTED": r"'(?:[^'\n]*')?", "BRACE": r"[{}]", "END": r"\Z", "BAD": r"[\s\S]"}


class Token:
    """What lark's parser needs of a token, and where it stands."""

    __slots__ = "type", "value", "start", "end"
    start_pos = line = column = end_line = end_column = end_pos = None  # lark copies these to its own end token

    def __init__(self, type, value, start, end):
        self.type, self.value, self.start, self.end = type, value, start, end

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


@dataclass(slots=True)
class Bracket:
    """An open bracket; `block` names what it opened, and is empty inside an expression."""

    char: str
    at: int
    block: str
    expression: bool


@dataclass(slots=True)
class Item:
    """The tokens of one item; each bracket for a block or set that is open is closed again, if need be by an empty token.

    `marks` are the places of errors that were reported; `torn` says that one of them leaves in doubt what belongs where.
    """

    tokens: list[Token]
    marks: list[int] = field(default_factory=list)
    torn: bool = False


class Patterns:
    """Regular expressions made from the grammar's terminals, {name: (regular expression, is it a pattern?)}.

    `token` matches any text: what is skipped and one token, whose name is the match's lastgroup. `value` matches what
    stands behind `=`. `words` are the terminals that are spelt like names.
    """

    def __init__(self, terminals: dict[str, tuple[str, bool]]):
        self.words = {regexp: name for name, (regexp, _) in terminals.items() if regexp.isidentifier()}
        exact = {
            name: regexp for name, (regexp, pattern) in terminals.items() if regexp not in self.words and not pattern
        }
        longest_first = dict(sorted(exact.items(), key=lambda item: -len(item[1])))
        patterns = {name: regexp for name, (regexp, pattern) in terminals.items() if pattern}
        first = {"ADDRESS": patterns["ADDRESS"]}  # begins as a number or a name does
        self.token = alternatives(FIRST | first | patterns | longest_first | LAST)
        self.value = alternatives({"STRING": patterns["STRING"], "WORD": WORD})


def alternatives(regexps: dict[str, str]) -> re.Pattern:
    return re.compile(
        SKIP + "(?:" + "|".join(f"(?P<{name}>{regexp})" for name, regexp in regexps.items()) + ")", re.ASCII
    )


def balanced(text: str, at: int, limit: int) -> int | None:
    """Where the bracket at `at` is closed, counting only brackets of its kind; None if not before `limit`."""
    opening, closing = text[at], CLOSES[text[at]]
    depth = 0
    for found in re.compile(f"[{opening}{closing}]").finditer(text, at, limit):
        depth += 1 if found[0] == opening else -1
        if depth == 0:
            return found.start()
    return None
