# SPDX-License-Identifier: GPL-2.0-only
"""What do rules mean as a set: their calls, names, digests, and what is left when some are removed?"""

import pytest
from opinions import Event, judged

from pysct.compiler import compile_files, compile_sources, remove_rules
from pysct.diagnostics import Diagnostics, format_text
from pysct.fold import STRINGS
from pysct import glob
from pysct.image import decode
from pysct.parse import parse
from pysct.points import abis_of
from pysct.source import Position, Source
from pysct.tables import CALLS, CLASSES, UNIMPLEMENTED


def compiled(text: str):
    result = compile_sources([Source("t", text)], "x86_64")
    assert result.image, "\n".join(map(format_text, result.diagnostics))
    return result


def calls(words: str, more: str = "") -> set[str]:
    (rule,) = compiled(f"rule {{ syscall_name = {words} {more} action {{ LOG }} }}").rules
    return {point.call for point in rule.points}


def digests(text: str) -> list[int]:
    return [rule.digest for rule in decode(compiled(text).image).rules]


def test_calls_by_list_glob_and_class():
    assert calls("unlink, unlinkat") == calls('"unlink", unlinkat') == {"unlink", "unlinkat"}
    assert calls('"unlink*"') == calls("unlink*") == {"unlink", "unlinkat"}
    assert calls("@delete, unlink") == {"unlink", "unlinkat", "rmdir"}
    everything = {abi: set(CALLS[abi]) - UNIMPLEMENTED[abi] for abi in abis_of("x86_64")}
    assert calls("*") == calls("@all") == set.union(*everything.values())
    for abi, there in everything.items():
        assert calls("*", f"abi = {abi}") == there
    assert calls("*", "when = after") == calls("*") - {"exit", "exit_group", "reboot"}
    for name in CLASSES:
        compiled(f"rule {{ syscall_name = @{name} abi = x86_64, i386, x32, aarch64, aarch32 action {{ LOG }} }}")


NOTATIONS = [
    'rule { syscall_name = unlink rule_name = r filter_expression { PARAMS[1] == "/x" && (UID > 0) } '
    "action { type = FAIL error_code = -1 } when = before }",
    'rule<syscall_name=unlink;rule_name=r;filter_expression<PARAMS[1]=="/x"&&(UID>0)>;action<type=FAIL;error_code=-1>;when=before>',
    "rule = { when = before; action = { FAIL error_code = EPERM }; "
    'filter_expression = { PARAMS[1] == "/x" && (UID > 0) } rule_name = "r" syscall_name = "unlink" }',
    "rule <\n when=before // comment\n action<FAIL> # comment\n"
    ' filter_expression {PARAMS[1]=="/x" && UID > 0} /* comment */ rule_name=r syscall_name=unlink>',
    "rule{syscall_name=unlink action{FAIL}action{error_code=-EPERM}rule_name=r "
    'filter_expression<(PARAMS[1]=="/x"&&UID>0)>}',
]


@pytest.mark.parametrize("text", NOTATIONS)
def test_notations_mean_the_same(text):
    assert digests(text) == digests(NOTATIONS[0])


def test_closing_two_angle_brackets_at_once():
    assert digests("rule<syscall_name=unlink;rule_name=r;action<FAIL>>") == digests(
        "rule { syscall_name = unlink rule_name = r action { FAIL } }"
    )


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("log_format {%comm : %params delete by %euid --> %suid}", "%comm : %params delete by %euid --> %suid"),
        ("log_format = {  a {b} // c  }", "a {b} // c"),
        ('log_format < <%comm> "x >', '<%comm> "x'),
        ("log_format {one\n      two\r\n three}", "one two three"),
        ("log_format {100%% %uid}", "100%% %uid"),
        ("log_format {}", ""),
    ],
)
def test_log_format_is_raw_text(written, kept):
    image = decode(compiled(f"rule {{ syscall_name = unlink action {{ LOG {written} }} }}").image)
    assert image.rules[0].template == kept.encode()


def test_actions():
    def rule(text):
        return decode(compiled(f"rule {{ syscall_name = unlink {text} }}").image).rules[0]

    assert rule("action { type = LOG, FAIL error_code = -13 }").actions == 3
    assert rule("action { LOG } action { KILL, SUSPEND }").actions == 13
    for code in ("EACCES", "-EACCES", "13", "-13"):
        assert rule(f"action {{ FAIL error_code = {code} }}").error == -13
    assert rule("action { FAIL }").error == -1
    assert rule("action { LOG }").error == 0
    assert rule("action { LOG } continue = yes").flags == 1
    assert rule("action { LOG log_format { %cwd } }").flags == 2
    assert rule("action { LOG } when = after").phase == 1


def test_names_by_default_are_free_ones():
    text = "rule { syscall_name = unlink action { LOG } } rule { syscall_name = unlink action { LOG } }\n"
    rules = compiled(text + "rule { syscall_name = unlink rule_name = rule1_2 action { LOG } }").rules
    assert [rule.name for rule in rules] == ["rule1", "rule1_3", "rule1_2"]


@pytest.mark.parametrize("name", ["a-b", "no.delete", "x:y", "5th", '"two words"', '"größe"'])
def test_names(name):
    assert compiled(f"rule {{ syscall_name = unlink rule_name = {name} action {{ LOG }} }}").rules[
        0
    ].name == name.strip('"')


def test_digest_says_what_a_rule_means_and_not_where_it_stands():
    rule = 'rule { syscall_name = unlink rule_name = a filter_expression { UID == 0 && COMM == "x" } action { LOG } }'
    other = "rule { syscall_name = unlink rule_name = b action { LOG } }"
    assert digests(rule)[0] == digests(other + "\n\n" + rule.replace(" == ", "  ==  "))[1]
    for change in (
        ("UID", "EUID"),
        ('"x"', '"y"'),
        ("LOG", "KILL"),
        ("unlink", "rmdir"),
        ("= a", "= c"),
        ("&&", "||"),
        ("action", "continue = yes action"),
        ("action", "when = after action"),
        ("LOG", "LOG log_format {x}"),
    ):
        assert digests(rule.replace(*change)) != digests(rule), change


def test_rules_of_a_point_are_in_file_order():
    text = "".join(
        f"rule {{ syscall_name = {call} rule_name = {name} continue = yes action {{ LOG }} }}\n"
        for name, call in (("a", "unlink, rmdir"), ("b", "rmdir"), ("c", "@delete"))
    )
    assert judged(text, Event("rmdir", (b"/",))) == (["a", "b", "c"], [])
    assert judged(text, Event("unlink", (b"/",))) == (["a", "c"], [])


def test_a_rule_that_cannot_match_costs_nothing():
    result = compiled('rule { syscall_name = unlink, rmdir filter_expression { SYSCALL == "rmdir" } action { LOG } }')
    assert [(prog.abi, prog.nr) for prog in decode(result.image).progs] == [(0, 84), (1, 40), (2, 84)]
    result = compiled('rule { syscall_name = unlink filter_expression { ABI == "i386" } action { LOG } }')
    assert [(prog.abi, prog.nr) for prog in decode(result.image).progs] == [(1, 10)]


FILE = b"""# first
rule { syscall_name = unlink rule_name = a action { LOG } }
  rule {   # second
     syscall_name = unlink rule_name = b action { LOG } } ;
rule { syscall_name = unlink rule_name = c action {LOG} } rule { syscall_name = unlink rule_name = d action {LOG} } #\xff
# last"""


@pytest.mark.parametrize(
    ("names", "rest"),
    [
        ([], FILE.splitlines(keepends=True)),
        (["a"], FILE.splitlines(keepends=True)[:1] + FILE.splitlines(keepends=True)[2:]),
        (["b"], FILE.splitlines(keepends=True)[:2] + FILE.splitlines(keepends=True)[4:]),
        (["b", "a"], FILE.splitlines(keepends=True)[:1] + FILE.splitlines(keepends=True)[4:]),
        (["c"], [FILE.replace(b"rule { syscall_name = unlink rule_name = c action {LOG} }", b"")]),
        (["d"], [FILE.replace(b"rule { syscall_name = unlink rule_name = d action {LOG} }", b"")]),
    ],
)
def test_removing_rules_leaves_all_else(names, rest):
    assert remove_rules(FILE, names) == b"".join(rest)


def test_removing_all_or_unknown_rules():
    assert remove_rules(FILE, ["a", "b", "c", "d"]) == b"# first\n  #\xff\n# last"
    with pytest.raises(LookupError, match="nobody"):
        remove_rules(FILE, ["a", "nobody"])


def test_several_errors_each_with_its_place():
    text = "rule { syscall_name = unlink filter_expression { UIDD } action { LOGG } }\n\nrule { when = never }\n"
    found = [found.to_json() for found in compile_sources([Source("f", text)]).diagnostics]
    assert [(d["line"], d["column"], d["end_column"]) for d in found] == [
        (1, 50, 54),
        (1, 66, 70),
        (3, 1, 5),
        (3, 1, 5),
        (3, 15, 20),
    ]
    assert all(d["severity"] == "error" and d["file"] == "f" for d in found)


def test_positions():
    source = Source("f", "ab\n\ncé\udcff")
    assert source.position(0) == Position(1, 1)
    assert source.position(3) == Position(2, 1)
    assert source.position(6) == Position(3, 3)
    assert source.line(3) == "cé\udcff" and source.data == b"ab\n\nc\xc3\xa9\xff"


def test_an_error_in_a_long_line_is_shown_short():
    text = (
        "rule { syscall_name = unlink filter_expression { "
        + "UID || " * 500
        + "UIDD"
        + " || UID" * 500
        + " } action { LOG } }"
    )
    (found,) = compile_sources([Source("f", text)]).diagnostics
    line, excerpt, caret, _ = format_text(found).splitlines()
    assert len(excerpt) < 140 and excerpt[caret.index("^") :].startswith("UIDD")


def test_an_error_is_in_the_file_that_has_it(tmp_path):
    good, bad = tmp_path / "good.conf", tmp_path / "bad.conf"
    good.write_text("rule { syscall_name = unlink rule_name = x action { LOG } }")
    bad.write_text("\nrule { syscall_name = unlink rule_name = x action { LOG } }")
    (found,) = compile_files([good, bad]).diagnostics
    assert found.source.name == str(bad) and found.to_json()["line"] == 2 and "good.conf, line 1" in found.hint


def test_parsing_makes_a_tree_of_each_rule():
    diagnostics = Diagnostics()
    trees = list(parse(Source("t", "rule { when = before } rule { } rule <>"), diagnostics))
    assert [len(rule.entries) for rule in trees] == [1, 0, 0] and not diagnostics.errors


@pytest.mark.parametrize(
    "pattern", [b"", b"*", b"**", b"a*", b"*a", b"*a*", b"a", b"***ab**", b"a*b", b"?", b"[a]*", b"a\\*"]
)
def test_a_cheaper_test_decides_as_the_glob(pattern):
    (found,) = glob.tests(pattern, False)
    assert (found.op == "SGLOB") == (pattern in (b"a*b", b"?", b"[a]*"))
    for text in (b"", b"a", b"b", b"ab", b"ba", b"bab", b"aab", b"a*"):
        assert STRINGS[found.op](text, found.text) == glob.matches(pattern, text)
