# SPDX-License-Identifier: GPL-2.0-only
"""What do the names mean that a rule file defines by `let` and `set`?

They are put into conditions before anything else is asked, so that later
stages see expressions without them.  What stands for a name is shared by all
that use it and never copied: a definition may be long.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from pysct import members, resolved, tree
from pysct.abi import FIELDS, STATICS, Limit
from pysct.constants import CONSTANTS
from pysct.diagnostics import Diagnostics, suggest
from pysct.source import Source, Span
from pysct.tables import CALLS
from pysct.tree import canonical, walk

RESERVED = {
    **dict.fromkeys(FIELDS, "a field"),
    **dict.fromkeys(STATICS, "a field"),
    **dict.fromkeys(CONSTANTS, "a constant"),
    "PARAMS": "the list of arguments",
}


Used = dict[str | int, tuple[Span, "Definition"]]
"""What definitions leave open in an expression: where that was named, and by which definition."""


class Unusable(Exception):
    """An error was reported."""


@dataclass(slots=True)
class Definition:
    """A let has a `body`, a set has `elements`; `free` are the names and PARAMS indices that it leaves open."""

    item: tree.Let | tree.Set
    body: tree.Node | None
    elements: list[tree.Node]
    size: int
    free: dict[str | int, Span]

    @property
    def place(self) -> str:
        """Where it stands, for a message."""
        return self.item.source.place(self.item.name_span)


@dataclass(slots=True)
class Expanded:
    """An expression without names of definitions.

    `size` counts its nodes; `free` has the names and PARAMS indices that the expression itself leaves open; `bad` has the
    names that cannot stand where they do, of which enough was said.
    """

    size: int = 0
    used: Used = field(default_factory=dict)
    free: dict[str | int, Span] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)


class Definitions:
    """The definitions of a rule set so far; problems go to `diagnostics`. `all` are those of the whole, by name."""

    def __init__(self, all: dict[str, tree.Let | tree.Set], diagnostics: Diagnostics):
        self.all, self.diagnostics = all, diagnostics
        self.known: dict[str, Definition] = {}
        self.failed: set[str] = set()  # names of wrong ones, of which enough was said; also those that make no item

    def __contains__(self, name: str) -> bool:
        return name in self.known

    def add(self, item: tree.Let | tree.Set | tree.Damaged):
        """Takes a definition from here on; what is wrong with it is reported."""
        if isinstance(item, tree.Damaged):
            self.failed.add(item.name)
            return
        if item.name in RESERVED:
            message = f"`{item.name}` is {RESERVED[item.name]} and cannot be defined"
            self.diagnostics.error(item.source, item.name_span, message, "choose another name")
            return
        expanded, nodes = Expanded(), [item.body] if isinstance(item, tree.Let) else item.elements
        try:
            nodes = self.expand_all(nodes, item.source, expanded, in_set=isinstance(item, tree.Set))
        except Unusable:
            self.failed.add(item.name)
            return
        free = expanded.free | dict.fromkeys(expanded.used, item.name_span)
        if not self.check_names(item, free) or not self.check_elements(item, nodes):
            self.failed.add(item.name)
            return
        for node in nodes:
            mark(node, item.source)
        body, elements = (nodes[0], []) if isinstance(item, tree.Let) else (None, nodes)
        if body:
            body.enclosed = True
        new = Definition(item, body, elements, expanded.size, free)
        old = self.known.setdefault(item.name, new)
        if old is not new and meaning(old) != meaning(new):
            hint = f"it stands in {old.place}"
            self.diagnostics.error(item.source, item.name_span, f"`{item.name}` is already defined", hint)

    def check_names(self, item, free: dict[str | int, Span]) -> bool:
        """Whether each name that is left open means something in some rule."""
        unknown = [name for name in free if isinstance(name, str) and not exists(name)]
        for name in unknown:
            self.diagnostics.error(item.source, free[name], *nowhere(name, self.known))
        return not unknown

    def check_elements(self, item, nodes: list[tree.Node]) -> bool:
        """Whether the elements of a set, as far as they are written out, are of one type."""
        texts = [node for node in nodes if isinstance(node, tree.Text)]
        numbers = [node for node in nodes if isinstance(node, tree.Number | tree.Range)]
        if isinstance(item, tree.Let) or not (texts and numbers):
            return True
        culprit = max(texts[0], numbers[0], key=lambda node: node.span)
        source, hint = culprit.source or item.source, "write a set of each"
        self.diagnostics.error(source, culprit.span, "a set holds either numbers or strings", hint)
        return False

    def expand(self, condition: tree.Node, source: Source) -> tuple[tree.Node, Used, set[str]] | None:
        """The condition without names of definitions, what they leave open, and the names that stay, since enough was said of them.

        None after an error that leaves nothing to go on with was reported.
        """
        if not self.all and not self.failed and not any(isinstance(node, tree.SetName) for node in walk(condition)):
            return condition, {}, set()
        expanded = Expanded()
        try:
            condition = Expansion(self, source, expanded).node(condition)
        except Unusable:
            return None
        return condition, expanded.used, expanded.bad

    def expand_all(self, nodes, source: Source, expanded: Expanded, in_set: bool = False) -> list[tree.Node]:
        """Nodes without names of definitions; raises Unusable."""
        expansion = Expansion(self, source, expanded)
        found = expansion.elements(nodes) if in_set else [expansion.node(node) for node in nodes]
        if expanded.bad:
            raise Unusable
        return found


class Expansion:
    """Puts what names are defined as into the expressions of one source."""

    def __init__(self, definitions: Definitions, source: Source, expanded: Expanded):
        self.definitions, self.source, self.expanded = definitions, source, expanded

    def node(self, node: tree.Node) -> tree.Node:
        self.grow(1, node)
        if isinstance(node, tree.Name):
            return self.name(node)
        if isinstance(node, tree.Param):
            self.expanded.free.setdefault(node.number, node.span)
        before = tree.below(node)
        if isinstance(node, tree.Member):
            after = (self.node(node.operand), *self.elements(node.elements))
        else:
            after = tuple(map(self.node, before))
        if len(before) == len(after) and all(map(lambda a, b: a is b, before, after)):
            return node
        return self.limited(tree.with_below(node, after), node)

    def name(self, node: tree.Name) -> tree.Node:
        found = self.definitions.known.get(node.name)
        if node.name in self.definitions.failed:
            self.expanded.bad.add(node.name)
        elif found is None:
            if node.name in self.definitions.all and node.name not in RESERVED and node.name not in arguments():
                self.wrong(node, *self.too_early(node.name))
            self.expanded.free.setdefault(node.name, node.span)
        elif found.body is None:
            self.wrong(node, f"`{node.name}` is a set", f"write `in {node.name}`")
        else:
            self.use(found, node)
            return found.body
        return node

    def elements(self, nodes: list[tree.Node]) -> list[tree.Node]:
        """The elements of a set, with those of the sets that it names."""
        out = []
        for node in nodes:
            found = self.definitions.known.get(node.name) if isinstance(node, tree.Name | tree.SetName) else None
            if found and found.body is None:
                self.use(found, node)
                out += found.elements
            elif isinstance(node, tree.SetName):
                out.append(self.no_set(node, found))
            else:
                out.append(self.node(node))
        return out

    def no_set(self, node: tree.SetName, found: Definition | None) -> tree.Node:
        if node.name in self.definitions.failed:
            self.expanded.bad.add(node.name)
            return node
        if node.name in FIELDS and FIELDS[node.name].set:
            self.expanded.free.setdefault(node.name, node.span)
            return node
        if found or node.name in RESERVED:
            return self.wrong(node, f"`{node.name}` is not a set", f"write `in {{ {node.name} }}` or `==`")
        if node.name in self.definitions.all:
            return self.wrong(node, *self.too_early(node.name))
        sets = [name for name, known in self.definitions.known.items() if known.body is None]
        if node.name in arguments():
            hint = f"`&` asks for bits, as in `{node.name} & O_CREAT`; `in {{ {node.name} }}` means the same number"
            return self.wrong(node, f"`{node.name}` is not a set", hint)
        hint = suggest(node.name, sets, f"write `set {node.name} = {{ … }}` above, or `in {{ {node.name} }}`")
        return self.wrong(node, f"there is no set `{node.name}`", hint)

    def too_early(self, name: str) -> tuple[str, str]:
        """Message and hint for a name that is defined further down, or that needs itself."""
        item = self.definitions.all[name]
        seen, todo = set(), [name]
        while todo:
            parts = parts_of(self.definitions.all[todo.pop()]) & self.definitions.all.keys()
            if name in parts:
                return f"`{name}` is defined by itself", "what a definition uses stands above it, and does not use it again"
            todo += parts - seen
            seen |= parts
        return f"`{name}` is used before it is defined", f"it is defined in {item.source.place(item.name_span)}: move that up"

    def use(self, found: Definition, node: tree.Node):
        self.grow(found.size, node)
        for key in found.free:
            self.expanded.used.setdefault(key, (node.span, found))

    def grow(self, count: int, node: tree.Node):
        self.expanded.size += count
        if self.expanded.size > Limit.NODES:
            message = f"the expression has more than {Limit.NODES} operands and operators, definitions written out"
            self.wrong(node, message, "split the rule")
            raise Unusable

    def limited(self, node: tree.Node, before: tree.Node) -> tree.Node:
        if node.depth > Limit.DEPTH:
            message = f"the expression is more than {Limit.DEPTH} operators deep, definitions written out"
            self.wrong(before, message, "split the rule")
            raise Unusable
        return node

    def wrong(self, node: tree.Node, message: str, hint: str | None) -> tree.Node:
        """The node as it is, after its error was reported."""
        self.definitions.diagnostics.error(self.source, node.span, message, hint)
        self.expanded.bad.add(getattr(node, "name", ""))
        return node


def mark(node: tree.Node, source: Source):
    """Says of a node, and those below it that do not know better, in which source they stand."""
    if node.source is None:
        node.source = source
        for each in tree.below(node):
            mark(each, source)


def meaning(definition: Definition):
    """Equal for definitions that say the same."""
    if definition.body:
        return canonical(definition.body)
    return ("set", *map(canonical, definition.elements))


@cache
def arguments() -> frozenset[str]:
    """The names of all arguments of all calls."""
    return frozenset(name for calls in CALLS.values() for _, args in calls.values() for name, _ in args)


def exists(name: str) -> bool:
    """Whether a name that nothing defines means something in some rule."""
    return name in RESERVED or name in arguments() or members.exists(name) or resolved.exists(name)


def nowhere(name: str, known: Iterable[str] = ()) -> tuple[str, str | None]:
    """Message and hint for a name that does not exist; `known` are those that are defined."""
    hint = suggest(name, [*known, *FIELDS, *STATICS]) or suggest(name, CONSTANTS)
    return f"unknown name `{name}`", hint or suggest(name, elsewhere(name))


def elsewhere(name: str) -> Iterable[str]:
    """What a name may have been meant to be that rules of some calls know."""
    return resolved.everywhere() if "(" in name else members.everywhere() if "." in name else arguments()


def parts_of(item: tree.Let | tree.Set) -> set[str]:
    """The names in a definition."""
    nodes = [item.body] if isinstance(item, tree.Let) else item.elements
    return {part.name for node in nodes for part in walk(node) if isinstance(part, tree.Name | tree.SetName)}
