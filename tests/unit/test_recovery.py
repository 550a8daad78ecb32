# SPDX-License-Identifier: GPL-2.0-only
"""Are all errors of a rule told in one run, and none that only follow from others?"""

from itertools import combinations

import pytest

from pysct.compiler import compile_sources
from pysct.diagnostics import Diagnostics
from pysct.parse import parse
from pysct.source import Source

GOOD = {
    "syscall_name": "syscall_name = unlink",
    "rule_name": "rule_name = r",
    "filter_expression": 'filter_expression { pathname == "/etc/passwd" && UID in { 0, 1 } }',
    "action": "action { type = FAIL, LOG error_code = -1 log_format { %pathname } }",
    "when": "when = before",
    "continue": "continue = no",
    "abi": "abi = x86_64",
}
WRONG = [
    ("syscall_name", "syscall_name = unlnk"),
    ("syscall_name", "syscall_name ="),
    ("syscall_name", "syscall_name unlink"),
    ("syscall_name", "syscall_name == unlink"),
    ("syscall_name", "syscall_name = 'unlink'"),
    ("syscall_name", "syscal_name = unlink"),
    ("syscall_name", "syscall_name { unlink }"),
    ("syscall_name", ""),
    ("rule_name", 'rule_name = ""'),
    ("rule_name", "rule_name = ,"),
    ("filter_expression", "filter_expression { UID = 0 }"),
    ("filter_expression", "filter_expression { UIDD == 0 && GID == 0 }"),
    ("filter_expression", 'filter_expression { GID == "x" }'),
    ("filter_expression", "filter_expression { pathname == '/etc/passwd' }"),
    ("filter_expression", "filter_expression { UID == @root }"),
    ("filter_expression", "filter_expression { UID == 09 }"),
    ("filter_expression", "filter_expression { UID in { 1, 2 }"),
    ("filter_expression", "filter_expression { (UID == 1 }"),
    ("filter_expression", "filter_expression { UID == 1) }"),
    ("filter_expression", "filter_expression { }"),
    ("filter_expression", "filter_expression UID == 0"),
    ("action", "action { type = FAILL error_code = -1 log_format { %pathname } }"),
    ("action", "action { type == FAIL error_code = -1 log_format { %pathname } }"),
    ("action", "action { typ = FAIL error_code = -1 log_format { %pathname } }"),
    ("action", "action { type = FAIL error_code = EPREM }"),
    ("action", "action { FAIL error_code == EPERM }"),
    ("action", "action { FAIL | LOG }"),
    ("action", "acton { FAIL }"),
    ("action", "action = FAIL"),
    ("action", ""),
    ("when", "when = befor"),
    ("when", "when = "),
    ("continue", "continue = perhaps"),
    ("continue", "continue == yes"),
    ("abi", "abi = i368"),
    ("abi", "abi x86_64"),
]

# A bracket that is missing takes in what follows up to a key that there is: what is nowhere else may be there.
SWALLOWED = {
    "filter_expression { UID in { 1, 2 }": ("", "acton { FAIL }", "action = FAIL"),
    "filter_expression UID == 0": ("", "acton { FAIL }"),
    "continue == yes": ("when = ",),  # whose value seems to be `continue`
}


def text_of(*wrong: tuple[str, str]) -> str:
    return "rule {\n   " + "\n   ".join((GOOD | dict(wrong)).values()) + "\n}\n"


def errors(text: str) -> set[tuple[int, str]]:
    """Line and message of each."""
    result = compile_sources([Source("f", text)], "x86_64")
    found = [found for found in result.diagnostics if found.severity == "error"]
    assert (result.image is None) == bool(found)
    return {(found.to_json().get("line", 0), found.message) for found in found}


def test_a_rule_without_errors_has_none():
    assert errors(text_of()) == set()


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong[1] or f"no {wrong[0]}")
def test_an_error_is_told_once(wrong):
    assert len(errors(text_of(wrong))) == 1


def pairs():
    return [pair for pair in combinations(WRONG, 2) if pair[0][0] != pair[1][0]]


def test_errors_of_two_sections_are_what_each_has():
    assert len(pairs()) > 400
    for one, other in pairs():
        each = errors(text_of(one)), errors(text_of(other))
        both = errors(text_of(one, other))
        if other[1] in SWALLOWED.get(one[1], ()):
            assert both == each[0], (one, other)
        elif one[1] in SWALLOWED.get(other[1], ()):
            assert both == each[1], (one, other)
        else:
            assert both == each[0] | each[1], (one, other)


@pytest.mark.parametrize("opening, closing", ["<>"])
def test_so_it_is_with_the_other_brackets(opening, closing):
    text = "rule < syscall_name=unlnk; filter_expression<UID > 5>; action<type=FAILL>; when=befor >"
    assert [message for _, message in sorted(errors(text))] == [
        "`>` cannot stand bare inside < >", "`befor` is no value of when", "unknown action `FAILL`", "unknown system call `unlnk`",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "condition, messages",
    [
        ('UIDD == 0 && GID == "x"', ["`GID` is a number", "unknown name `UIDD`"]),
        ("UIDD == 0 && GIDD == 0", ["unknown name `GIDD`", "unknown name `UIDD`"]),
        ('UID == "x" || pathname == 1', ["`UID` is a number", "`pathname` is a string"]),
        ("UID == 09 || GID == 18446744073709551616", ["`09` is not a number", "the number does not fit"]),
        (r'pathname == "\q" || pathname == "\z"', ["`\\q` means nothing", "`\\z` means nothing"]),
        ("UID == 10.0.0.1/33 && PARAMS[0] == 1", ["an address like this has 32 bits", "arguments are counted from 1"]),
        ("PARAMS[09] == 1", ["`09` is not a number"]),
        ("RETVAL == 1 && UIDD == 1", ["`RETVAL` is only known after", "unknown name `UIDD`"]),
        ("UIDD + 1 == UIDD * 2 && UIDD in { 1, 2 }", ["unknown name `UIDD`"]),
        ("UIDD", ["unknown name `UIDD`"]),
        ("UID in CAPSS && UID in { UIDD, 1 }", ["there is no set `CAPSS`", "unknown name `UIDD`"]),
        ('pathname =~ "[" && pathname =~ "a[" && UID', ["`[`", "`[`"]),
    ],
)
def test_errors_of_one_condition_are_all_told(condition, messages):
    found = compile_sources([Source("f", text_of(("filter_expression", f"filter_expression {{ {condition} }}")))], "x86_64").diagnostics
    assert len(found) == len(messages)
    for diagnostic, message in zip(sorted(found, key=lambda one: one.message), sorted(messages)):
        assert message in diagnostic.message


def test_what_a_wrong_definition_would_define_is_no_unknown_name():
    for definition in ("let a = UID ==", "let a = UIDD", "let a = '1'", "set a = { 1, }"):
        use = "a == UIDD" if definition.startswith("let") else "UID in a && UIDD"
        rule = text_of(("filter_expression", f"filter_expression {{ {use} }}"))
        messages = [message for line, message in errors(f"{definition}\n{rule}") if line > 1]
        assert messages == ["unknown name `UIDD`"]


def test_a_name_that_two_rules_have_is_told_of_wrong_ones_as_well():
    text = text_of(("when", "when = befor")) + text_of(("when", "when = befor"))
    assert sorted(message for _, message in errors(text)) == ["`befor` is no value of when"] * 2 + ["another rule is named `r`"]


def test_what_a_bracket_that_is_missing_swallows_is_no_error():
    text = "rule { syscall_name = unlnk action { type = LOG, FAILL when = before rule_name = r }\n" + text_of()
    assert errors(text) == {(1, "`rule` is not closed"), (1, "unknown system call `unlnk`"), (1, "unknown action `FAILL`")}
    for torn in ('rule { filter_expression { COMM == "x } syscall_name = unlink action { LOG } }', "rule { action { LOG } /* }"):
        assert len(errors(torn)) == 1


def test_what_stands_behind_a_bracket_too_many_is_not_missing():
    messages = [message for _, message in sorted(errors("rule { syscall_name = unlnk } action { LOG } }"))]
    assert messages == ["expected a rule, not `action`", "unknown system call `unlnk`"]


def test_parsing_gives_what_can_be_read():
    diagnostics = Diagnostics()
    text = "rule { when = before syscall_name == x action { LOG error_code == 1 } } let a = 1 + let b = 2 set c { 1"
    rule, a, b, c = parse(Source("t", text), diagnostics)
    assert [entry.key for entry in rule.entries if hasattr(entry, "key")] == ["when"] and len(rule.entries[-1].clauses) == 1
    assert rule.damaged == {"syscall_name", "error_code"}
    assert (a.name, b.name, c.name) == ("a", "b", "c") and b.body.value == 2 and diagnostics.errors == 4


def test_many_wrong_sections_take_no_time_that_grows_faster_than_they_do():
    text = "rule { " + "syscall_name == x " * 20_000 + "}"
    assert len(errors(text)) == 2
