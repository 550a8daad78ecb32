# SPDX-License-Identifier: GPL-2.0-only
"""Does a definition mean what it says, and nothing else than the expression written out?"""

import pytest

from pysct.compiler import compile_sources
from pysct.diagnostics import Diagnostics
from pysct.image import decode
from pysct.parse import parse
from pysct.source import Source


def rule(condition: str, calls: str = "open, openat") -> str:
    return f"rule {{ syscall_name = {calls} rule_name = r filter_expression {{ {condition} }} action {{ LOG }} }}\n"


def compiled(text: str):
    result = compile_sources([Source("f", text)])
    assert result.image, [found.message for found in result.diagnostics]
    return decode(result.image)


def messages(text: str) -> list[str]:
    return [found.message for found in compile_sources([Source("f", text)]).diagnostics if found.severity == "error"]


SAME = [
    ("let a = UID == 0", "a && GID == 0", "UID == 0 && GID == 0"),
    ("let a = UID == 0 || EUID == 0", "a && GID == 0", "(UID == 0 || EUID == 0) && GID == 0"),
    ("let a = 1 + 1", "UID == a * 3", "UID == (1 + 1) * 3"),
    ("let a = flags & O_ACCMODE", "a == O_RDWR", "(flags & O_ACCMODE) == O_RDWR"),
    ("let a = COMM", 'a == "x" || a startswith "y"', 'COMM == "x" || COMM startswith "y"'),
    ("let a = UID let b = a > 5\nlet c = !b", "c", "!(UID > 5)"),
    ("let a = PARAMS[2]", "a == filename", "PARAMS[2] == filename"),
    ("set s = { 1, 5..9 }", "UID in s", "UID in { 1, 5..9 }"),
    ("set s = { 1, 5..9 } set t = { s, 12 }", "UID in { t, 3 }", "UID in { 1, 5..9, 12, 3 }"),
    ('set s = { "a", COMM }', "filename in s", 'filename in { "a", COMM }'),
    ("let low = 5 set s = { low..9, O_CREAT }", "flags in s", "flags in { (5)..9, O_CREAT }"),
    ("set s { 1 }; let a = UID in s;", "!a", "!(UID in { 1 })"),
    ("let rule = UID == 3", "rule", "UID == 3"),
    ("let set = UID == 3 set let = { 4 }", "set && UID in let", "UID == 3 && UID in { 4 }"),
    ("let include = UID < 3\n", "(include)", "UID < 3"),
]


@pytest.mark.parametrize(("definitions", "short", "long"), SAME, ids=[short for _, short, _ in SAME])
def test_a_definition_means_what_it_says(definitions, short, long):
    calls = "openat" if "PARAMS" in definitions else "open, openat"
    found, expected = (
        compiled(f"{definitions}\n{rule(short, calls)}"),
        compiled("\n" * definitions.count("\n") + "\n" + rule(long, calls)),
    )
    assert (found.progs, found.consts, found.strings) == (expected.progs, expected.consts, expected.strings)
    assert [each.digest for each in found.rules] == [each.digest for each in expected.rules]


def test_arguments_are_those_of_the_call_of_the_rule():
    image = compiled('let named = pathname == "/x"\n' + rule("named", "unlink, unlinkat"))
    assert {prog.nr: prog.insns[0][2] for prog in image.progs if prog.abi == 0} == {87: 0, 263: 1}


def test_a_definition_holds_from_its_place_on_and_in_later_files():
    assert messages(rule("a") + "let a = UID == 0") == ["`a` is used before it is defined"]
    assert messages(rule("UID in a") + "set a = { 1 }") == ["`a` is used before it is defined"]
    assert messages("let b = a\nlet a = 1\n" + rule("b")) == ["`a` is used before it is defined"]
    assert messages("let a = a\n" + rule("a")) == ["`a` is defined by itself"]
    sources = [Source("one", "let a = UID == 0 // nothing else"), Source("two", rule("a"))]
    result = compile_sources(sources)
    assert result.image and {found.severity for found in result.diagnostics} == {"note"}
    assert (
        result.rules[0].line == 2
        and decode(result.image).source == b"let a = UID == 0 // nothing else\n" + rule("a").encode()
    )


def test_definitions_without_a_rule_are_nothing():
    assert [found.message for found in compile_sources([Source("f", "let a = 1")]).diagnostics] == [
        "there is no rule in this file"
    ]


def test_an_error_in_a_definition_is_shown_where_it_stands():
    result = compile_sources(
        [Source("defs", "\nlet a = COMM + 1\n"), Source("f", rule("a || a") + rule("a").replace("r ", "s "))]
    )
    (found,) = result.diagnostics
    assert found.source.name == "defs" and found.to_json()["line"] == 2 and "COMM" in found.message


def test_what_a_definition_leaves_open_is_an_error_where_it_is_used():
    result = compile_sources([Source("defs", "let a = flags == 1\n"), Source("f", rule("a", "unlink"))])
    (found,) = result.diagnostics
    assert found.source.name == "f" and "`flags` is not an argument of unlink" in found.message
    assert "`a`, defined in defs, line 1" in found.hint


def test_a_wrong_definition_is_told_once():
    assert messages("let a = UIDD\nlet b = a + 1\n" + rule("b && a") + rule("UID in a").replace("r ", "s ")) == [
        "unknown name `UIDD`"
    ]


def test_definitions_are_shared_not_copied():
    chain = "let a0 = UID == 0\n" + "".join(f"let a{at} = a{at - 1} || a{at - 1}\n" for at in range(1, 15))
    assert compiled(chain + rule("a9")).progs
    (message,) = messages(
        chain.replace("let a0 = UID == 0", "let a0 = UID == GID + 0 + 0 + 0 + 0 + 0 + 0 + 0") + rule("a14 || a14")
    )
    assert "more than 262144 operands" in message


def test_both_phases_are_one_rule_with_one_name():
    text = "rule { syscall_name = unlink when = both action { LOG } }\n" + rule("UID == 0", "unlink")
    result = compile_sources([Source("f", text)])
    rules = decode(result.image).rules
    assert [(each.name, each.phase, each.line) for each in rules] == [(b"rule1", 0, 1), (b"rule1", 1, 1), (b"r", 0, 2)]
    assert rules[0].digest != rules[1].digest
    assert {prog.phase for prog in decode(result.image).progs} == {0, 1}


def test_both_phases_take_only_what_both_have():
    def errors(rest):
        return messages(f"rule {{ syscall_name = {rest} when = both }}")

    assert errors("unlink filter_expression { RETVAL == 0 } action { LOG }") == [
        "`RETVAL` is only known after the call"
    ]
    assert errors("unlink action { FAIL }") == ["FAIL needs `when = before`"]
    assert errors("exit_group action { LOG }") == ["exit_group does not return, so that nothing comes after it"]
    assert errors('"[eg]*" action { LOG }') == []


def test_the_tree_keeps_definitions_as_they_were_written():
    items = list(
        parse(
            Source("t", 'let a = 1\nset b = { 1, a }\ninclude "c"; rule { filter_expression { UID in b } }'),
            Diagnostics(),
        )
    )
    assert [type(item).__name__ for item in items] == ["Let", "Set", "Include", "Rule"]
    assert items[2].path == b"c" and items[3].entries[0].condition.elements[0].name == "b"
