# SPDX-License-Identifier: GPL-2.0-only
"""Is a text compared as it stands that was probably meant as a glob?"""

from collections.abc import Iterator

from pysct import tree
from pysct.check import Rule
from pysct.diagnostics import Diagnostics

LITERAL = frozenset({"==", "!=", "startswith", "endswith", "contains"})


def advise_stars(rule: Rule, diagnostics: Diagnostics):
    """Warn of each `*` that an operator takes for itself. Names of files have none as a rule; `\\x2a` says that it is meant."""
    for op, text in compared(rule.condition) if rule.condition is not None else ():
        source = text.source or rule.source
        if b"*" in text.value and "*" in source.text[text.span.start : text.span.end]:
            hint = r"`=~` and `!~` take globs; where a star is meant, `\x2a` says so"
            diagnostics.warning(source, text.span, f"`{op}` takes `*` for itself, not for any text", hint)


def compared(condition: tree.Node) -> Iterator[tuple[str, tree.Text]]:
    """The texts that are compared as they stand, each with its operator."""
    for node in tree.walk(condition):
        if isinstance(node, tree.Binary) and node.op in LITERAL:
            yield from ((node.op, side) for side in (node.left, node.right) if isinstance(side, tree.Text))
        elif isinstance(node, tree.Member):
            yield from (("in", element) for element in node.elements if isinstance(element, tree.Text))
