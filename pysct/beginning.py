# SPDX-License-Identifier: GPL-2.0-only
"""Is data, of which a rule sees the beginning, asked for more than that tells?"""

from collections.abc import Iterator

from pysct import members, tree
from pysct.abi import Limit
from pysct.check import Rule
from pysct.diagnostics import Diagnostics
from pysct.glob import alternatives, outline
from pysct.points import Point


def advise_data(rule: Rule, diagnostics: Diagnostics):
    """Warn of each test of the end of data, unless the rule looks at its size as well."""
    for node, name in data_in(rule) if rule.condition is not None else ():
        if not asks_for_end(node):
            continue
        sizes = {size_of(point, argument_of(name, point)) for point in rule.points if is_data(name, point)}
        if sizes.isdisjoint(named(rule)):
            source = name.source or rule.source
            message = f"of `{source.said(name.span, 40)}` a rule sees the first {Limit.DATA} bytes, which end elsewhere if it has more"
            diagnostics.warning(source, node.span, message, f"add `{min(sizes)} <= {Limit.DATA}`")


def note_data(rules: list[Rule], diagnostics: Diagnostics):
    """Say once what rules do not see of data."""
    for rule in rules:
        if rule.condition is not None and any(data_in(rule)):
            diagnostics.note(
                f"rule '{rule.name}' judges the first {Limit.DATA} bytes of each call: not what comes further back, in several"
                " calls, by writev or sendmsg and their like, through io_uring, or by a mapping of the file"
            )
            return


def named(rule: Rule) -> Iterator[str]:
    """What a rule's condition names, arguments by their own names."""
    for key in rule.names.types:
        yield from (point.args[key - 1][0] for point in rule.points) if isinstance(key, int) else (key,)


def data_in(rule: Rule) -> Iterator[tuple[tree.Node, tree.Node]]:
    """The parts of a rule's condition that name data, with the name."""
    for node in tree.walk(rule.condition):
        for name in tree.below(node):
            if isinstance(name, tree.Name | tree.Param) and any(is_data(name, point) for point in rule.points):
                yield node, name


def argument_of(name: tree.Name | tree.Param, point: Point) -> str:
    return name.name if isinstance(name, tree.Name) else point.args[name.number - 1][0]


def is_data(name: tree.Name | tree.Param, point: Point) -> bool:
    return members.data(point.abi, point.call, argument_of(name, point)) is not None


def size_of(point: Point, argument: str) -> str:
    """Who says how much data there is."""
    data = members.data(point.abi, point.call, argument)
    return "RETVAL" if data.filled else point.args[data.readings[0].size - 1][0]


def asks_for_end(node: tree.Node) -> bool:
    """Whether a test depends on where data ends; whether it equals a text does not: no text has as many bytes as are seen."""
    if not isinstance(node, tree.Binary) or not isinstance(node.right, tree.Text):
        return False
    if node.op == "endswith":
        return True
    return node.op in ("=~", "!~") and any(map(has_end_behind_star, alternatives(node.right.value)))


def has_end_behind_star(text: bytes) -> bool:
    kinds, _ = outline(text, False)
    return "S" in kinds and not kinds.endswith("S")
