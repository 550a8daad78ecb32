# SPDX-License-Identifier: GPL-2.0-only
"""What does the log of a rule tell of the caller's memory?"""

import re

from pysct import lookup, members, pointed, resolved
from pysct.abi import ACTIONS
from pysct.check import Rule
from pysct.macros import MACRO
from pysct.points import Point
from pysct.reading import Reading


def told(rule: Rule, point: Point) -> list[Reading]:
    """What is read for the rule's lines at a point: members, elements and data that its log_format names, and data that it judges."""
    if not rule.actions.mask & ACTIONS["LOG"].mask:
        return []
    names = [found[1] for found in MACRO.finditer(rule.actions.template or "") if found[1]]
    found = [members.find(point.abi, point.call, name) for name in names if "." in name]
    found += [members.find(point.abi, point.call, name.partition(".")[0]) for name in names if "[" in name]
    arguments = {re.split(r"[.\[]", name)[0] for name in names}
    shows_all = rule.actions.template is None or not arguments.isdisjoint({"args", "params"})
    for number, (argument, _) in enumerate(point.args, 1):
        if argument in arguments or shows_all and not rule.names.types.keys().isdisjoint({argument, number}):
            found.append(data_of(rule, point, argument))
    paths = [lookup.find(point.abi, point.call, name) for name in names if resolved.is_one(name)]
    return [reading for member in found if member for reading in member.readings] + [path for path in paths if path]


def wholes(rule: Rule, point: Point) -> list[str]:
    """The arguments that the rule's lines show by what they point to, as far as there is room for that."""
    if not rule.actions.mask & ACTIONS["LOG"].mask:
        return []
    parts = members.named(point.abi, point.call)
    names = [name for name in rule.actions.macros if name and name not in parts and not members.find(point.abi, point.call, name)]
    names = {name.partition(".")[0] for name in names}
    shows_all = rule.actions.template is None or "args" in names
    return [argument for argument in pointed.arguments(point.abi, point.call) if shows_all or argument in names]


def data_of(rule: Rule, point: Point, argument: str) -> members.Member | None:
    """An argument's data; before the call what it will fill in is none, and the log shows the address."""
    data = members.data(point.abi, point.call, argument)
    return None if data and data.filled and rule.phase == "before" else data
