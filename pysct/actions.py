# SPDX-License-Identifier: GPL-2.0-only
"""What shall happen when a rule matches?"""

import re
from collections.abc import Container
from dataclasses import dataclass

from pysct import tree
from pysct.abi import ACTIONS, KEYS, Limit
from pysct.constants import CONSTANTS, FAMILIES
from pysct.diagnostics import Diagnostics, closest, suggest
from pysct.macros import FIELD_MACROS, IN_EVENT, MACRO, check_template, field_of
from pysct.points import Point

DEFAULT_ERROR = -CONSTANTS["EPERM"]
ERRORS = {
    name: CONSTANTS[name] for name, family in FAMILIES.items() if family == "errno" and CONSTANTS[name] <= Limit.ERRNO
}
ANY = -1  # the mask of actions that are not known, since enough was said of them
IN_ACTION = tuple(key.name for key in KEYS.values() if key.place == "action")


@dataclass(frozen=True, slots=True)
class Actions:
    """`mask` has the actions' bits, `error` is the negative errno of a FAIL or 0, `template` the log_format or None."""

    mask: int = 0
    error: int = 0
    template: str | None = None

    @property
    def macros(self) -> set[str]:
        return {found[1] for found in MACRO.finditer(self.template or "")}

    @property
    def fields(self) -> set[str]:
        """Those of the macros that are fields, without what stands behind them."""
        return {known for name in self.macros if name and (known := field_of(name))}

    @property
    def shows_cwd(self) -> bool:
        return "cwd" in self.fields

    @property
    def shown(self) -> bytes:
        """The numbers of the fields that the log needs beside what every event has, in order."""
        return bytes(sorted(FIELD_MACROS[name].number for name in self.fields - IN_EVENT))


def refuses_calls(actions: list[tree.Action], phase: str) -> bool:
    """Whether a rule with these actions can keep a call from being made: all but LOG do, before it."""
    types = (clause for action in actions for clause in action.clauses if clause.key == "type" and isinstance(clause, tree.Setting))
    words = {word.text for clause in types for word in clause.values}
    return phase == "before" and any(name in words for name in ACTIONS if name != "LOG")


def check_actions(
    rule: tree.Rule,
    actions: list[tree.Action],
    points: list[Point],
    phase: str,
    diagnostics: Diagnostics,
    doubtful: Container[str] = (),
) -> Actions:
    """All action blocks of a rule as one; problems are reported. `doubtful` are keys of which one may be meant but missing."""
    clauses: dict[str, tree.Setting | tree.Block] = {}
    mask = 0

    def error(span, message, hint=None):
        diagnostics.error(rule.source, span, message, hint)

    for clause in (clause for action in actions for clause in action.clauses):
        if clause.key not in IN_ACTION:
            error(
                clause.span,
                f"unknown key `{clause.key}`",
                "write `type = FAIL error_code = EPERM`"
                if clause.key in ACTIONS
                else suggest(clause.key, IN_ACTION, f"an action has {', '.join(IN_ACTION)}"),
            )
        elif isinstance(clause, tree.Block) != (clause.key == "log_format"):
            example = "log_format { … }" if clause.key == "log_format" else f"{clause.key} = …"
            error(clause.span, f"{clause.key} is written `{example}`")
        elif clause.key == "type":
            for word in clause.values:
                mask |= action_mask(word, phase, error)
        elif clause.key in clauses:
            error(clause.span, f"{clause.key} stands twice in this rule")
        else:
            clauses[clause.key] = clause
    unknown = {clause.key for action in actions for clause in action.clauses if clause.key not in IN_ACTION}
    types = [clause for action in actions for clause in action.clauses if clause.key == "type"]
    misspelt = not unknown.isdisjoint(ACTIONS) or "type" in {closest(key, IN_ACTION) for key in unknown}
    typeless = not types and "type" not in doubtful and not misspelt
    words = [word.text for clause in types for word in getattr(clause, "values", ())]
    if not actions and "action" not in doubtful:
        error(rule.keyword, "the rule has no action", "add `action { LOG }`")
    elif actions and typeless:
        error(actions[0].span, "the action has no type", f"write `type = …` with one or more of {', '.join(ACTIONS)}")
    sure = words and all(word in ACTIONS for word in words) and "type" not in doubtful
    taken = mask if sure else ANY
    return Actions(
        mask,
        errno(clauses.get("error_code"), taken, error),
        template(clauses.get("log_format"), taken, points, phase, rule, diagnostics),
    )


def action_mask(word: tree.Word, phase: str, error) -> int:
    action = ACTIONS.get(word.text)
    if not action:
        error(
            word.span,
            f"unknown action `{word.text}`",
            "write `error_code = " + word.text + "`"
            if word.text.removeprefix("-") in ERRORS
            else suggest(word.text, ACTIONS, f"it is one of {', '.join(ACTIONS)}"),
        )
        return 0
    if phase not in action.phases:
        error(word.span, f"{action.name} needs `when = {action.phases[0]}`", f"{phase} the call it is too late")
    return action.mask


def errno(setting: tree.Setting | None, mask: int, error) -> int:
    """The negative errno of a rule; 0 if it has none."""
    fails = bool(mask & ACTIONS["FAIL"].mask)
    if not setting:
        return DEFAULT_ERROR if fails else 0
    if not fails:
        error(setting.span, "error_code needs the action FAIL", "write `type = FAIL`")
        return 0
    word = setting.values[0]
    text = word.text.removeprefix("-")
    if len(setting.values) > 1:
        error(setting.values[1].span, "a call returns one error")
    elif text in ERRORS:
        return -ERRORS[text]
    elif re.fullmatch(r"[0-9]{1,9}", text) and 1 <= int(text) <= Limit.ERRNO:
        return -int(text)
    elif text.isdigit():
        error(word.span, f"`{word.text}` is not an error number", f"error numbers go from 1 to {Limit.ERRNO}")
    else:
        error(
            word.span, f"unknown error `{word.text}`", suggest(text, ERRORS, "write a number or a name, as -1 or EPERM")
        )
    return 0


def template(
    block: tree.Block | None, mask: int, points: list[Point], phase: str, rule: tree.Rule, diagnostics: Diagnostics
) -> str | None:
    """The log_format of a rule; None if it has none."""
    if not block:
        return None
    if not mask & ACTIONS["LOG"].mask:
        diagnostics.error(rule.source, block.span, "log_format needs the action LOG", "write `type = LOG, …`")
        return None
    return check_template(block, points, phase, rule.source, diagnostics)
