# SPDX-License-Identifier: GPL-2.0-only
"""Which parts of a condition made it true, false or unknown at one call?"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from pysct import tree, values
from pysct.constants import CONSTANTS
from pysct.naming import in_words, key_of
from pysct.reference.condition import Evaluation
from pysct.reference.address import Address
from pysct.reference.number import Number


def deciding(node: tree.Node, outcome: Evaluation) -> list[tree.Node]:
    """The smallest parts that alone make the whole come out as it does."""
    if isinstance(node, tree.Unary) and node.op == "!":
        return deciding(node.operand, outcome)
    if not isinstance(node, tree.Logical):
        return [node]
    wanted = truth(outcome.values[id(node)])
    like_all = [operand for operand in node.operands if truth(outcome.values[id(operand)]) == wanted]
    if wanted is not None and wanted == (node.op == "||"):
        return deciding(like_all[0], outcome)  # one is enough
    return [part for operand in like_all for part in deciding(operand, outcome)]


def truth(value: Number | None) -> bool | None:
    return None if value is None else value.value != 0


def variables(node: tree.Node) -> Iterator[tree.Name | tree.SetName | tree.Param]:
    """What a part names of the call, from left to right."""
    match node:
        case tree.Name(name=name) | tree.SetName(name=name):
            if name not in CONSTANTS:
                yield node
        case tree.Param():
            yield node
        case _:
            for child in tree.below(node):
                yield from variables(child)


def facts(node: tree.Node, outcome: Evaluation) -> list[str]:
    """What the names in a part stand for, as `UID is 0`."""
    said, plain = {}, any(isinstance(part, tree.Number) for part in tree.walk(node))
    for name in variables(node):
        key = f"PARAMS[{name.number}]" if isinstance(name, tree.Param) else name.name
        said[key] = f"{key} {shown(outcome, name, plain)}"
    return list(said.values())


def shown(outcome: Evaluation, node: tree.Name | tree.SetName | tree.Param, plain: bool) -> str:
    """What a name stands for; a number by name as the log has it, and by itself as well if it meets a `plain` one."""
    value = outcome.values[id(node)]
    if len(several := outcome.of_each.get(id(node), [])) > 1:
        return f"is one of {', '.join(map(written, dict.fromkeys(several)))}"
    if value is None:
        missing = outcome.meaning.missing
        name = outcome.meaning.arguments[node.number - 1][0] if isinstance(node, tree.Param) else node.name
        name = outcome.meaning.memory.canonical(name) if outcome.meaning.memory.has(name) else name
        return "is not given" if name in missing else "cannot be read"
    meaning = outcome.meaning
    names = in_words(meaning.abi, meaning.call, key_of(node), value.value) if isinstance(value, Number) else None
    if names is None or names == written(value):
        return f"is {written(value)}"
    return f"is {names} ({written(value)})" if plain else f"is {names}"


def written(value: Number | bytes | Address | None) -> str:
    if value is None:
        return "?"
    if isinstance(value, Address):
        return str(IPv4Address(value.value) if value.bits == 32 else IPv6Address(value.value))
    return values.quote(value) if isinstance(value, bytes) else str(value.value)
