# SPDX-License-Identifier: GPL-2.0-only
"""Which elements has the language, and which of them stand in a rule, or where an error of it is?

An element is (kind, name): a key, a field, whose field it is, an operator, a part of a glob, a macro, an action,
a structure.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pysct import glob, members, tree
from pysct.abi import ABIS, ACTIONS, FIELDS, KEYS, MACROS, STATICS, SUBJECTS
from pysct.layouts import ARGUMENTS, COMPAT, FAMILIES, LAYOUTS, POINTERS
from pysct.macros import MACRO
from pysct.points import abis_of
from pysct.source import Span
from pysct.tables import CALLS

TREE = Path(__file__).resolve().parents[2]
SPEC = tomllib.loads((TREE / "grammar/spec.toml").read_text())
MACHINE = "x86_64"
PATTERNS = ("=~", "!~")
QUOTED = re.compile(r"`([^`]+)`")

Element = tuple[str, str]


def operator(name: str, before: bool = False) -> str:
    """What an operator is called here: `-` is two."""
    return f"{name} before an operand" if before else name


ALL: dict[str, frozenset[str]] = {
    "key": frozenset(KEYS),
    "field": frozenset(name for name, field in FIELDS.items() if not field.subject) | frozenset(STATICS),
    "subject": frozenset(SUBJECTS),
    "operator": frozenset(operator(row["name"], row["level"] == "prefix") for row in SPEC["operator"]),
    "glob": frozenset(row["name"] for row in SPEC["glob"]),
    "macro": frozenset(MACROS),
    "action": frozenset(ACTIONS),
    "structure": frozenset(LAYOUTS[MACHINE]),
}


def glob_parts(pattern: bytes) -> set[str]:
    """The kinds of parts that a glob has, by the names in the specification."""
    found, at = set(), 0
    while at < len(pattern):
        byte, start = pattern[at : at + 1], at
        at = glob.STARS.match(pattern, at).end() if byte == b"*" else glob.behind(pattern, at)
        if byte == b"*":
            deep = pattern[start - 1 : start] in (b"/", b"") and pattern[at : at + 1] == b"/"
            found.add("*" if at - start == 1 else "/**/" if deep else "**")
        elif byte == b"[":
            found.add("[!a-z]" if glob.SET.match(pattern, start)["negated"] else "[a-z]")
        elif byte in b"?{\\":
            found.add({b"?": "?", b"{": "{a,b*}", b"\\": "\\"}[byte])
    return found


def structures(abi: str, call: str, name: str) -> set[str]:
    """The structures in which a member of an argument of a call lies; that of the argument if it is none."""
    said = members.PATH.fullmatch(name)
    arguments = [argument for argument, _ in CALLS[abi].get(call, (0, ()))[1]]
    if not said or said[1] and int(said[1]) > len(arguments):
        return set()
    struct, *_ = ARGUMENTS[abi].get(call, {}).get(arguments[int(said[1]) - 1] if said[1] else said[2], (None,))
    found, path = set(), said[4]
    while struct and struct != "sockaddr":
        found.add(struct)
        pointer, _, path = path.partition(".")
        to = POINTERS[pointer][0] if pointer in POINTERS else None
        struct = COMPAT.get(to, to) if ABIS[abi].bits == 32 else to
    return found | {family for family, _ in FAMILIES if struct and path in LAYOUTS[MACHINE][family]}


def of_name(name: str, calls: list[tuple[str, str]]) -> Iterator[Element]:
    subject, _, field = name.rpartition(".")
    if name in ALL["field"]:
        yield "field", name
    elif subject in SUBJECTS and name in FIELDS:
        yield "subject", subject
    for abi, call in calls:
        yield from (("structure", struct) for struct in structures(abi, call, name))


def of_node(node: tree.Node, calls: list[tuple[str, str]]) -> Iterator[Element]:
    """The elements that a node of a condition is, without those below it."""
    match node:
        case tree.Name(name=name) | tree.SetName(name=name):
            yield from of_name(name, calls)
        case tree.Unary(op=op):
            yield "operator", operator(op, True)
        case tree.Number(value=value) if value < 0:
            yield "operator", operator("-", True)
        case tree.Binary(op=op) | tree.Logical(op=op):
            yield "operator", op
            if op in PATTERNS and isinstance(node.right, tree.Text):
                try:
                    yield from (("glob", part) for part in glob_parts(node.right.value))
                except glob.GlobError:
                    pass
        case tree.Member():
            yield "operator", "in"
        case tree.Range():
            yield "operator", ".."


def of_condition(node: tree.Node, calls: list[tuple[str, str]]) -> set[Element]:
    return {element for each in tree.walk(node) for element in of_node(each, calls)}


def of_rule(rule: tree.Rule) -> set[Element]:
    """Keys, actions and macros of a rule; its condition is for of_condition()."""
    found = set()
    for entry in [*rule.entries, *(c for e in rule.entries if isinstance(e, tree.Action) for c in e.clauses)]:
        match entry:
            case tree.Setting(key=key, values=values):
                found |= {("key", key), *(("action", word.text) for word in values if key == "type")}
            case tree.Block(key=key, text=text):
                found |= {("key", key), *(("macro", made[1]) for made in MACRO.finditer(text))}
            case tree.Filter():
                found.add(("key", "filter_expression"))
            case tree.Action():
                found.add(("key", "action"))
    return found


def calls_of(rule: tree.Rule) -> list[tuple[str, str]]:
    """(ABI, call) for each that a rule names, patterns and classes left out."""
    settings = (entry for entry in rule.entries if isinstance(entry, tree.Setting))
    said = {entry.key: [word.text for word in entry.values] for entry in settings}
    abis = [abi for abi in said.get("abi", abis_of(MACHINE)) if abi in ABIS]
    return [(abi, call) for abi in abis for call in said.get("syscall_name", ()) if call in CALLS[abi]]


def inside(span: Span, outer: Span) -> bool:
    return outer.start <= span.start and span.end <= outer.end


def at_place(rule: tree.Rule, span: Span) -> set[Element]:
    """The elements of a rule that an error at a place is about: the smallest comparison, setting or macro there.

    Of a condition it is the smallest part that has the place, and what that is an operand of.
    """
    found = set()
    for entry in [*rule.entries, *(c for e in rule.entries if isinstance(e, tree.Action) for c in e.clauses)]:
        match entry:
            case tree.Setting(key=key, values=values):
                at = [word for word in values if inside(span, word.span)]
                if at or inside(span, entry.span):
                    found |= {("key", key), *(("action", word.text) for word in at or values if key == "type")}
            case tree.Block(key=key, inner=inner, text=text):
                if inside(span, entry.span) or inside(span, inner):
                    found.add(("key", key))
                    at = span.start - inner.start
                    found |= {("macro", made[1]) for made in MACRO.finditer(text) if made.start() == at}
            case tree.Filter(condition=condition):
                if inside(span, entry.span):
                    found.add(("key", "filter_expression"))
                found |= around(condition, span, calls_of(rule))
            case tree.Action() if inside(span, entry.span):
                found.add(("key", "action"))
    return found


def around(condition: tree.Node, span: Span, calls: list[tuple[str, str]]) -> set[Element]:
    """The elements of the smallest part of a condition that has a place, and of what that is an operand of."""
    above, node = None, condition if inside(span, condition.span) else None
    if node is None:
        return set()
    while below := next((part for part in tree.below(node) if inside(span, part.span)), None):
        above, node = node, below
    if isinstance(above, tree.Logical):
        return {("operator", above.op)} | of_condition(node, calls)
    return of_condition(above or node, calls)


def named(text: str) -> set[Element]:
    """The elements that a message names in backquotes."""
    said, signs = set(QUOTED.findall(text)), {"macro": "%"}
    return {(kind, name) for kind, names in ALL.items() for name in names if signs.get(kind, "") + name in said}
