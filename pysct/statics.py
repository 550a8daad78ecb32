# SPDX-License-Identifier: GPL-2.0-only
"""Is SYSCALL or ABI compared with a name that it never has in a rule?"""

from collections.abc import Iterator

from pysct import tree
from pysct.abi import ABIS, STATICS, ProgFlag
from pysct.check import Rule
from pysct.diagnostics import Diagnostics, suggest
from pysct.tables import CALLS

EVERY_CALL = frozenset(call for calls in CALLS.values() for call in calls)


def advise_statics(rule: Rule, diagnostics: Diagnostics):
    """Warn of each name that is none, or not one of those that the rule itself says."""
    for name, text in compared(rule.condition) if rule.condition is not None else ():
        said = text.value.decode("utf-8", "replace")
        why = of_abi(said, rule) if name == "ABI" else of_call(said, rule)
        if why and (said not in EVERY_CALL | ABIS.keys() or text.source is None):  # a definition is for other rules as well
            diagnostics.warning(text.source or rule.source, text.span, f"`{name}` is never `{said}`", why)


def compared(condition: tree.Node) -> Iterator[tuple[str, tree.Text]]:
    """SYSCALL and ABI where they are compared with a text as it stands."""
    for node in tree.walk(condition):
        match node:
            case tree.Binary(op="==" | "!=", left=tree.Name(name=name), right=tree.Text() as text) if name in STATICS:
                yield name, text
            case tree.Binary(op="==" | "!=", left=tree.Text() as text, right=tree.Name(name=name)) if name in STATICS:
                yield name, text
            case tree.Member(operand=tree.Name(name=name), elements=elements) if name in STATICS:
                yield from ((name, each) for each in elements if isinstance(each, tree.Text))


def of_abi(said: str, rule: Rule) -> str | None:
    """The hint where a name is none of an ABI; None if it is one. Those of other machines are meant for these."""
    if said not in ABIS:
        return suggest(said, ABIS, f"it is one of {', '.join(ABIS)}")
    named = list(dict.fromkeys(point.abi for point in rule.points if not rule.optional[point] & ProgFlag.ABI))
    return f"the rule is for {', '.join(named)}" if named and said not in named else None


def of_call(said: str, rule: Rule) -> str | None:
    """The hint where a name is none of a call, or of none in a rule that names its calls; None if it can be."""
    if said not in EVERY_CALL:
        return suggest(said, EVERY_CALL, "the kernel has no such call")
    words = [word.text for word in rule.words]
    return f"the rule is for {', '.join(words)}" if EVERY_CALL.issuperset(words) and said not in words else None
