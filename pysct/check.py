# SPDX-License-Identifier: GPL-2.0-only
"""What does a rule ask for, and is it something that can be done?"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from pysct import tree
from pysct.abi import ABIS, KEYS, PHASES, Limit, ProgFlag, RuleFlag
from pysct.actions import Actions, check_actions, refuses_calls
from pysct.conditions import Checker
from pysct.definitions import Definitions
from pysct.diagnostics import Diagnostics, TooManyErrors, closest, suggest
from pysct.names import Names, resolve, used
from pysct.points import OTHER_NAMES, Point, abis_of, select
from pysct.source import Source, Span, encode

SETTINGS = tuple(key.name for key in KEYS.values() if (key.place, key.form) == ("rule", "words"))
BLOCKS = tuple(key.name for key in KEYS.values() if (key.place, key.form) == ("rule", "block"))
IN_ACTION = tuple(key.name for key in KEYS.values() if key.place == "action")
BOTH = "both"  # of `when`: each phase


@dataclass(slots=True)
class Rule:
    """A rule that was checked.

    `line` counts from the start of the rule set; `points` that are in `optional` with SCT_PROGFLAG_* bits need not be
    there in the kernel; `condition` is None where every call matches.
    """

    name: str
    source: Source
    span: Span
    line: int
    name_span: Span
    points: list[Point]
    optional: dict[Point, int]
    phase: str
    condition: tree.Node | None
    names: Names
    actions: Actions
    flags: int
    words: list[tree.Word]  # of syscall_name
    abis: tuple[str, ...]  # that it is for, whether or not they have its calls

    @property
    def own_line(self) -> int:
        """The line of its name in its own file, from 1."""
        return self.source.position(self.name_span.start).line

    @property
    def continues(self) -> bool:
        return bool(self.flags & RuleFlag.CONTINUE)


class RuleChecker:
    """Checks one rule, which is for `abis` unless it says others; problems go to `diagnostics`."""

    def __init__(self, rule: tree.Rule, abis: tuple[str, ...], definitions: Definitions, diagnostics: Diagnostics):
        self.rule, self.source, self.definitions, self.diagnostics = rule, rule.source, definitions, diagnostics
        self.good = not rule.damaged  # without an error that was reported elsewhere
        self.doubtful = set(rule.damaged)  # keys that are missing, or have no value that can be used: enough was said of them
        self.named = ("", rule.keyword)
        self.chosen_abis = abis
        self.settings: dict[str, tree.Setting] = {}
        self.filters: list[tree.Filter] = []
        self.actions: list[tree.Action] = []

    def check(self, line: int) -> list[Rule]:
        """The rule for each phase in which it holds, without a name if it says none; none if it has errors."""
        errors = self.diagnostics.errors
        for entry in self.rule.entries:
            self.entry(entry)
        if "" in self.doubtful:
            self.doubtful |= {*SETTINGS, *BLOCKS, *IN_ACTION} - self.settings.keys() - ({"action"} if self.actions else set())
        self.chosen_abis = self.abis()
        when = self.one_of("when", (*PHASES, BOTH)) or "before"
        if "when" in self.doubtful:
            self.in_some_phase(line)
            return []
        rules = [self.in_phase(phase, line) for phase in (PHASES if when == BOTH else (when,))]
        return rules if self.good and self.diagnostics.errors == errors else []

    def in_some_phase(self, line: int):
        """Reports what is wrong in whichever phase: in which one the rule holds is not known."""
        diagnostics, found = self.diagnostics, []
        for phase in PHASES:
            self.diagnostics = Diagnostics()
            with suppress(TooManyErrors):
                self.in_phase(phase, line)
            found.append(list(self.diagnostics))
        self.diagnostics = diagnostics
        for diagnostic in found[0]:
            if all(diagnostic in others for others in found[1:]):
                diagnostics.add(diagnostic)

    def in_phase(self, phase: str, line: int) -> Rule:
        """The rule in one phase; it means nothing if errors were reported."""
        abis = self.chosen_abis
        continues = self.one_of("continue", ("yes", "no")) == "yes"
        name, name_span = self.named = self.name()
        named = self.points(abis, phase)
        points = list(named)
        condition, names = self.condition(points, phase)
        actions = check_actions(self.rule, self.actions, points, phase, self.diagnostics, self.doubtful)
        flags = RuleFlag.CONTINUE * continues | RuleFlag.LOG_CWD * actions.shows_cwd
        foreign = 0 if "abi" in self.settings else ProgFlag.ABI
        optional = {point: foreign | (0 if is_named else ProgFlag.CALL) for point, is_named in named.items()}
        return Rule(
            name,
            self.source,
            self.rule.span,
            line,
            name_span,
            points,
            optional,
            phase,
            condition,
            names,
            actions,
            flags,
            self.settings["syscall_name"].values if "syscall_name" in self.settings else [],
            abis,
        )

    def condition(self, points: list[Point], phase: str) -> tuple[tree.Node | None, Names]:
        """The condition without names of definitions, and what the others mean."""
        names = Names()
        if not self.filters:
            return None, names
        self.refuse_double_names(self.filters[0].condition, points)
        expanded = self.definitions.expand(self.filters[0].condition, self.source)
        if not expanded:
            self.good = False
            return None, names
        condition, defined, bad = expanded
        self.good &= not bad
        names = resolve(condition, points, phase, self.source, self.diagnostics, defined, bad)
        Checker(names, self.source, self.diagnostics).condition(condition)
        return condition, names

    def refuse_double_names(self, condition: tree.Node, points: list[Point]):
        """A name that is both a definition's and an argument's would be read as the other one by somebody."""
        for name, span in used(condition).items() if self.definitions.known else ():
            calls = [point.call for point in points if any(name == argument for argument, _ in point.args)]
            if name in self.definitions and calls:
                place = self.definitions.known[name].place
                message = f"`{name}` is an argument of {calls[0]}, and defined in {place}"
                self.error(span, message, "give the definition another name")

    def entry(self, entry):
        if isinstance(entry, tree.Filter):
            if self.filters:
                self.error(
                    entry.span, "filter_expression stands twice in this rule", "join the conditions with && or ||"
                )
            self.filters.append(entry)
        elif isinstance(entry, tree.Action):
            self.actions.append(entry)
        elif entry.key not in SETTINGS:
            self.doubtful.add("action" if entry.key in IN_ACTION else closest(entry.key, SETTINGS + BLOCKS))
            self.error(entry.span, *self.unknown_key(entry))
        elif isinstance(entry, tree.Block):
            self.doubtful.add(entry.key)
            self.error(entry.span, f"{entry.key} takes no block", f"write `{entry.key} = …`")
        elif entry.key in self.settings:
            self.error(entry.span, f"{entry.key} stands twice in this rule")
        else:
            self.settings[entry.key] = entry

    def unknown_key(self, entry) -> tuple[str, str | None]:
        key = entry.key
        if key in BLOCKS:
            return f"{key} needs brackets", f"write `{key} {{ … }}`"
        if key in IN_ACTION:
            return f"{key} belongs into an action", f"write `action {{ type = LOG {key} … }}`"
        return f"unknown key `{key}`", suggest(
            key, [*SETTINGS, *BLOCKS, *IN_ACTION], f"a rule has {', '.join(SETTINGS + BLOCKS)}"
        )

    def abis(self) -> tuple[str, ...]:
        """The ABIs that the rule is for, all if that is not known."""
        if "abi" in self.doubtful:
            return tuple(ABIS)
        if "abi" not in self.settings:
            return self.chosen_abis
        chosen = []
        for word in self.settings["abi"].values:
            if word.text in ABIS:
                chosen.append(word.text)
            else:
                said = suggest(OTHER_NAMES.get(word.text, word.text), ABIS, f"it is one of {', '.join(ABIS)}")
                self.error(word.span, f"unknown ABI `{word.text}`", said)
        self.doubtful |= set() if chosen else {"abi"}
        return tuple(sorted(set(chosen or ABIS), key=lambda abi: ABIS[abi].number))

    def points(self, abis: tuple[str, ...], phase: str) -> dict[Point, bool]:
        setting = self.settings.get("syscall_name")
        if not setting:
            if "syscall_name" not in self.doubtful:
                self.error(self.rule.keyword, "the rule names no system call", "add `syscall_name = …`")
            return {}
        refuses = refuses_calls(self.actions, phase)
        says = "abi" in self.settings and "abi" not in self.doubtful
        points = select(setting.values, abis, says, phase, refuses, self.source, self.diagnostics)
        return {} if "abi" in self.doubtful else points

    def one_of(self, key: str, choices: tuple[str, ...]) -> str | None:
        """The value of a key that takes one of some words; None if it is missing or wrong."""
        setting = self.settings.get(key)
        if not setting:
            return None
        word = setting.values[0]
        if len(setting.values) > 1:
            hint = f"`when = {BOTH}` is before and after" if key == "when" else None
            self.error(setting.values[1].span, f"{key} has one value", hint)
        elif word.text in choices:
            return word.text
        else:
            self.error(word.span, f"`{word.text}` is no value of {key}", f"{key} is {' or '.join(choices)}")
        self.doubtful.add(key)
        return None

    def name(self) -> tuple[str, Span]:
        """The name, empty if there is none, and where it stands."""
        setting = self.settings.get("rule_name")
        if not setting:
            return "", self.rule.keyword
        word = setting.values[0]
        if len(setting.values) > 1:
            self.error(setting.values[1].span, "a rule has one name")
        elif not word.text:
            self.error(word.span, "the name is empty")
        elif len(encode(word.text)) > Limit.NAME:
            self.error(word.span, f"the name is longer than {Limit.NAME} bytes")
        elif not word.text.isprintable():
            self.error(word.span, "the name has characters that cannot be printed")
        return word.text, word.span

    def error(self, span, message: str, hint: str | None = None):
        self.diagnostics.error(self.source, span, message, hint)


def check(
    items: Iterable[tree.Item], machine: str | None, line_of: Callable[[Source, int], int], diagnostics: Diagnostics
) -> list[Rule]:
    """The rules that make sense, in order, each with a name of its own; one that holds in both phases comes twice.

    `machine` is the one that they are for, None: this one; `line_of` says on which line of the whole rule set a place of a source stands.
    """
    abis = abis_of(machine)
    checked: list[list[Rule]] = []
    names: dict[str, tuple[Source, Span]] = {}
    items = list(items)
    defined = {item.name: item for item in reversed(items) if isinstance(item, tree.Let | tree.Set)}
    definitions = Definitions(defined, diagnostics)
    for item in items:
        if not isinstance(item, tree.Rule):
            definitions.add(item)
            continue
        checker = RuleChecker(item, abis, definitions, diagnostics)
        if rules := checker.check(line_of(item.source, item.span.start)):
            checked.append(rules)
        check_name(*checker.named, item.source, names, diagnostics)
    for rules in checked:
        if not rules[0].name:
            name = free_name(rules[0].line, names)
            names[name] = rules[0].source, rules[0].name_span
            for rule in rules:
                rule.name = name
    return [rule for rules in checked for rule in rules]


def check_name(name: str, span: Span, source: Source, names: dict[str, tuple[Source, Span]], diagnostics: Diagnostics):
    """Whether no other rule has the name that stands at a place; an empty one is none."""
    first_source, first = names.setdefault(name, (source, span))
    if name and (first_source, first) != (source, span):
        diagnostics.error(source, span, f"another rule is named `{name}`", f"it stands in {first_source.place(first)}")


def free_name(line: int, taken) -> str:
    """The name of a rule that says none: rule12, or rule12_2 where that is taken."""
    name, count = f"rule{line}", 1
    while name in taken:
        count += 1
        name = f"rule{line}_{count}"
    return name
