# SPDX-License-Identifier: GPL-2.0-only
"""Which calls does a file of cases describe, and what shall become of them?

A case has an `event`, as `sct_config test --event` takes it, and what is
expected: `verdict` (actions, or none), and perhaps `rule` (names of the rules
that match) and `error` (what the call returns).
"""

import re
from dataclasses import dataclass

import yaml

from pysct import values
from pysct.abi import ACTIONS
from pysct.diagnostics import Diagnostics, suggest
from pysct.source import Source, Span

KEYS = ("event", "verdict", "rule", "error")
HALF = re.compile("[\ud800-\udfff]")  # YAML writes it as \ud800; no text has it
EXAMPLE = 'a case is written `- {event: "unlink(\\"/x\\") uid=0", verdict: FAIL, error: EPERM}`'


@dataclass(frozen=True)
class Case:
    """`event` stands at `span` of the file, the case begins in `line`; rules and error are None where anything will do."""

    event: str
    span: Span
    line: int
    actions: frozenset[str]
    rules: list[str] | None
    error: list[str] | None


def read(source: Source, diagnostics: Diagnostics) -> list[Case | None]:
    """The cases of a file; None for each that is none, after reporting why.  Raises TooManyErrors."""
    try:
        root = yaml.compose(source.text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        at = mark.index if mark else 0
        problem = getattr(error, "problem", None) or "it cannot be read"
        diagnostics.error(source, Span(at, at + 1), f"this is not YAML: {problem}", EXAMPLE)
        return []
    if root is not None and not isinstance(root, yaml.SequenceNode):
        diagnostics.error(source, span(root), "a file of cases is a list", EXAMPLE)
        return []
    nodes = root.value if root is not None else []
    if not nodes:
        diagnostics.error(source, None, "there is no case in this file", EXAMPLE)
    return [Reader(source, diagnostics).case(node) for node in nodes]


class Reader:
    """Reads one case."""

    def __init__(self, source: Source, diagnostics: Diagnostics):
        self.source, self.diagnostics = source, diagnostics

    def case(self, node: yaml.Node) -> Case | None:
        errors = self.diagnostics.errors
        if not isinstance(node, yaml.MappingNode):
            return self.error(node, "a case has keys and values", EXAMPLE)
        said = {}
        for key, value in node.value:
            if key.value not in KEYS:
                self.error(
                    key, f"unknown key `{key.value}`", suggest(str(key.value), KEYS, f"known are {', '.join(KEYS)}")
                )
            elif key.value in said:
                self.error(key, f"`{key.value}` stands twice")
            else:
                said[key.value] = value
        for needed in ("event", "verdict"):
            if needed not in said:
                self.error(node, f"the case has no {needed}", EXAMPLE)
        if "event" in said and not isinstance(said["event"], yaml.ScalarNode):
            self.error(said["event"], "the event is one text", EXAMPLE)
        elif "event" in said and (half := HALF.search(said["event"].value)):
            message = f"the event has `\\u{ord(half[0]):04x}`, which is half a character"
            self.error(said["event"], message, 'write the character itself; a byte is written "\\\\xff" here, or \'\\xff\'')
        words = {key: self.words(value) for key, value in said.items()}
        actions = frozenset(words.get("verdict") or ()) - {"none"}
        for action in actions - ACTIONS.keys():
            self.error(
                said["verdict"],
                f"unknown action `{action}`",
                suggest(action, ACTIONS, f"it is none, {', '.join(ACTIONS)}"),
            )
        if self.diagnostics.errors > errors:
            return None
        rules = [name for name in words["rule"] if name != "none"] if "rule" in words else None
        error = [error_name(word) for word in words["error"] if word != "none"] if "error" in words else None
        return Case(said["event"].value, span(said["event"]), node.start_mark.line + 1, actions, rules, error)

    def words(self, node: yaml.Node) -> tuple[str, ...]:
        """The value as a list of words: a YAML list, or words with commas between them."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(part, yaml.ScalarNode) for part in parts):
            self.error(node, "a word is expected, or a list of words")
            return ()
        if isinstance(node, yaml.ScalarNode):
            return tuple(word.strip() for word in node.value.split(",") if word.strip())
        return tuple(part.value for part in parts)

    def error(self, node: yaml.Node, message: str, hint: str | None = None) -> None:
        self.diagnostics.error(self.source, span(node), message, hint)


def error_name(word: str) -> str:
    """An error by its name, as EPERM, -EPERM, 1 and -1 say it."""
    bare = word.removeprefix("-")
    return values.error_name(int(bare)) if bare.isdecimal() and len(bare) < 10 else bare


def span(node: yaml.Node) -> Span:
    return Span(node.start_mark.index, max(node.end_mark.index, node.start_mark.index + 1))
