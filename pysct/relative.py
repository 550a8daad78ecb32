# SPDX-License-Identifier: GPL-2.0-only
"""Is a path compared with something that it only is in one of the ways in which it can be written?"""

from collections.abc import Iterator

from pysct import tree
from pysct.check import Rule
from pysct.diagnostics import Diagnostics
from pysct.tables import ABSOLUTE, NO_PATHS, PATHS

WHOLE = frozenset({"==", "!=", "startswith"})
GLOBS = frozenset({"=~", "!~"})
ANYWHERE = (b"/", b"*", b"?", b"[")  # how a glob starts that also fits an absolute path
PLAIN = frozenset({b"", b".", b".."})  # written so by everybody


def advise_paths(rule: Rule, diagnostics: Diagnostics):
    """Warn of each comparison of a path with one that does not start with /."""
    if rule.condition is None:
        return
    for node, name, texts in comparisons(rule.condition):
        absolute = isinstance(name, tree.Name) and name.name in ABSOLUTE
        if not absolute and not is_path(name, rule):
            continue
        for text in texts:
            if not text.value.startswith(b"/") and not fits_anywhere(node, text):
                hint = "write the path from / on" if absolute else anywhere(node, text)
                report(rule, name, text, hint, diagnostics)


def comparisons(condition: tree.Node) -> Iterator[tuple[tree.Node, tree.Node, list[tree.Text]]]:
    """The comparisons of names with texts in quotes."""
    for node in tree.walk(condition):
        if isinstance(node, tree.Binary) and node.op in WHOLE | GLOBS:
            for name, text in ((node.left, node.right), (node.right, node.left)):
                if isinstance(name, tree.Name | tree.Param) and isinstance(text, tree.Text):
                    yield node, name, [text]
        elif isinstance(node, tree.Member) and isinstance(node.operand, tree.Name | tree.Param):
            yield node, node.operand, [element for element in node.elements if isinstance(element, tree.Text)]


def is_path(name: tree.Name | tree.Param, rule: Rule) -> bool:
    """Whether a name is that of a path at all points of a rule."""
    for point in rule.points:
        argument = name.name if isinstance(name, tree.Name) else point.args[name.number - 1][0]
        if argument not in PATHS or argument in NO_PATHS.get(point.call, ()) or (argument, "str") not in point.args:
            return False
    return True


def fits_anywhere(node: tree.Node, text: tree.Text) -> bool:
    if isinstance(node, tree.Binary) and node.op in GLOBS:
        return text.value.startswith(ANYWHERE)
    return text.value in PLAIN


def anywhere(node: tree.Node, text: tree.Text) -> str:
    """The hint that says how to compare with a path in any directory."""
    tail = text.value.lstrip(b"./").decode("utf-8", "replace")
    if not tail:
        return "write the path from / on"
    if isinstance(node, tree.Binary) and node.op not in ("==", "!="):
        return f'`=~ "*/{tail}{"*" if node.op == "startswith" else ""}"` fits it in any directory'
    return f'`endswith "/{tail}"` fits it in any directory'


def report(rule: Rule, name: tree.Node, text: tree.Text, hint: str, diagnostics: Diagnostics):
    source = name.source or rule.source
    shown = source.said(name.span, 40)
    message = f"`{shown}` is the path as the caller writes it, and most write it from / on"
    if isinstance(name, tree.Name) and name.name in ABSOLUTE:
        message = f"`{shown}` starts with /, and this text does not"
    diagnostics.warning(text.source or source, text.span, message, hint)
