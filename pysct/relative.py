# SPDX-License-Identifier: GPL-2.0-only
"""Is a path compared with something that it only is in one of the ways in which it can be written?"""

from collections.abc import Iterator

from pysct import resolved, tree
from pysct.check import Rule
from pysct.diagnostics import Diagnostics
from pysct.glob import alternatives
from pysct.ir import StrRef
from pysct.paths import argument_is_path, field_is_path

WHOLE = frozenset({"==", "!=", "startswith"})
GLOBS = frozenset({"=~", "!~"})
ANYWHERE = (b"/", b"**", b"\\/")  # how a glob starts that also fits an absolute path
PLAIN = frozenset({b"", b".", b".."})  # written so by everybody


def advise_paths(rule: Rule, diagnostics: Diagnostics):
    """Warn of each comparison of a path with one that does not start with /."""
    if rule.condition is None:
        return
    for node, name, texts in comparisons(rule.condition):
        absolute = is_absolute(name)
        if not absolute and not (meets_slashes(name, rule) if is_glob(node) else is_path(name, rule)):
            continue
        for text in texts:
            if not fits_anywhere(node, text) and not is_no_file(name, text):
                hint = anywhere(node, text) if not absolute or is_glob(node) else "write the path from / on"
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


def is_absolute(name: tree.Name | tree.Param) -> bool:
    """Whether what a name says starts with / always."""
    return isinstance(name, tree.Name) and (field_is_path(name.name) or resolved.is_path(name.name))


def is_path(name: tree.Name | tree.Param, rule: Rule) -> bool:
    """Whether a name is that of a path at all points of a rule."""
    for point in rule.points:
        kinds = dict(point.args)
        argument = name.name if isinstance(name, tree.Name) else point.args[name.number - 1][0]
        if not argument_is_path(point.call, argument, kinds.get(argument, "")):
            return False
    return True


def meets_slashes(name: tree.Name | tree.Param, rule: Rule) -> bool:
    """Whether what a name says is a path to a glob, in which no / fits a *."""
    leaves = rule.names.leaves.get(name.number if isinstance(name, tree.Param) else name.name, ())
    return bool(leaves) and all(isinstance(leaf, StrRef) and leaf.path for leaf in leaves)


def is_no_file(name: tree.Name | tree.Param, text: tree.Text) -> bool:
    """Whether a text is that of a socket's name that is no path, or of what a descriptor is open on that is none: pipe:[7]."""
    said = name.name if isinstance(name, tree.Name) else ""
    return said.endswith(".sun_path") and text.value.startswith(b"@") or said.startswith("fdpath(") and b":" in text.value


def is_glob(node: tree.Node) -> bool:
    return isinstance(node, tree.Binary) and node.op in GLOBS


def fits_anywhere(node: tree.Node, text: tree.Text) -> bool:
    if is_glob(node):
        return all(each.startswith(ANYWHERE) or each in PLAIN for each in alternatives(text.value))
    return text.value.startswith(b"/") or text.value in PLAIN


def anywhere(node: tree.Node, text: tree.Text) -> str:
    """The hint that says how to compare with a path in any directory."""
    tail = text.value.lstrip(b"./").decode("utf-8", "replace")
    if not tail:
        return "write the path from / on"
    if is_glob(node) and text.value.startswith(b"*"):
        return f'no `/` fits `*`: `=~ "*{tail}"` fits it in any directory'
    if isinstance(node, tree.Binary) and node.op not in ("==", "!="):
        return f'`=~ "**/{tail}{"**" if node.op == "startswith" else ""}"` fits it in any directory'
    return f'`endswith "/{tail}"` fits it in any directory'


def report(rule: Rule, name: tree.Node, text: tree.Text, hint: str, diagnostics: Diagnostics):
    source = name.source or rule.source
    shown = source.said(name.span, 40)
    message = f"`{shown}` is the path as the caller writes it, and most write it from / on"
    if is_absolute(name) or isinstance(name, tree.Name) and resolved.is_one(name.name):
        message = f"`{shown}` starts with /, and this text does not"
    diagnostics.warning(text.source or source, text.span, message, hint)


def note_stars(rules: list[Rule], diagnostics: Diagnostics):
    """Say once of a glob that ends in `*` that it takes in nothing below."""
    for rule in rules:
        for node, name, texts in comparisons(rule.condition) if rule.condition is not None else ():
            if is_glob(node) and meets_slashes(name, rule):
                for each in alternatives(texts[0].value):
                    if each.endswith(b"*") and not each.endswith((b"**", b"\\*")):
                        shown = each.decode("utf-8", "replace")
                        message = f'no `/` fits `*` in a path: with "{shown}", rule \'{rule.name}\' does not mean what lies'
                        diagnostics.note(f'{message} in directories below; "{shown}*" does')
                        return
