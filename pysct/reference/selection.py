# SPDX-License-Identifier: GPL-2.0-only
"""Is a rule about a call?"""

from pysct import tree
from pysct.abi import ABIS
from pysct.reference.globs import matches
from pysct.source import encode
from pysct.tables import CALLS, CLASSES, UNIMPLEMENTED


def setting(rule: tree.Rule, key: str) -> list[str] | None:
    """The values of a key; None if the rule does not have it."""
    found = [entry for entry in rule.entries if isinstance(entry, tree.Setting) and entry.key == key]
    return [word.text for word in found[0].values] if found else None


def is_about(rule: tree.Rule, abi: str, call: str, phase: str) -> bool:
    """Whether a call of an ABI, before or after it, is one that the rule names."""
    abis = setting(rule, "abi") or [name for name in ABIS if ABIS[name].machine == ABIS[abi].machine]
    when = (setting(rule, "when") or ["before"])[0]
    if abi not in abis or when not in (phase, "both"):
        return False
    if is_in("noreturn" if phase == "after" else "ending", call) and (phase == "after" or types(rule) != {"LOG"}):
        return False
    return any(stands_for(word, abi, call, abis) for word in setting(rule, "syscall_name") or ())


def types(rule: tree.Rule) -> set[str]:
    """What the actions of a rule are."""
    clauses = [clause for entry in rule.entries if isinstance(entry, tree.Action) for clause in entry.clauses]
    return {word.text for clause in clauses if clause.key == "type" for word in clause.values}


def stands_for(word: str, abi: str, call: str, abis: list[str]) -> bool:
    """Whether a name, pattern or class means the call of this ABI, where a rule is for some ABIs."""
    if word == call:  # what no kernel implements is only meant where it is no more than a name anywhere
        return call not in UNIMPLEMENTED[abi] or all(call in UNIMPLEMENTED[a] for a in abis if call in CALLS[a])
    if call in UNIMPLEMENTED[abi]:
        return False
    if word.startswith("@"):
        return is_in(word[1:], call)
    return any(char in word for char in "*?[{") and matches(encode(word), call.encode())


def is_in(name: str, call: str) -> bool:
    """Whether a class has the call, itself or by a class that it takes in."""
    members = CLASSES[name][1]
    return "*" in members or call in members or any(is_in(m[1:], call) for m in members if m.startswith("@"))
