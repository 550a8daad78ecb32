# SPDX-License-Identifier: GPL-2.0-only
"""Is what a rule says told in words that mean the same?"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_calls import SUBJECTS
from random_rules import GRAMMARS
from rounds import examples

from pysct.abi import ACTIONS
from pysct.cli import config
from pysct.compiler import compile_sources
from pysct.diagnostics import format_text
from pysct.explain import DEEDS, explain
from pysct.source import Source

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.conf"))


def explained(text: str) -> list[list[str]]:
    result = compile_sources([Source("t", text)])
    assert result.image, "\n".join(map(format_text, result.diagnostics))
    return [explain(rule, result.rules) for rule in result.rules]


def condition(text: str) -> list[str]:
    """The lines that say when a rule with this condition matches."""
    (lines,) = explained(f"rule {{ syscall_name = openat filter_expression {{ {text} }} action {{ LOG }} }}")
    return [line for line in lines[2:-1] if "cannot be read" not in line]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("UID == 0", "UID is 0"),
        ("!(UID == 0)", "UID is not 0"),
        ("!!(UID != 0)", "UID is not 0"),
        ("UID < 5", "UID is less than 5"),
        ("!(UID < 5)", "UID is at least 5"),
        ("!(UID >= EUID + 1)", "UID is less than EUID + 1"),
        ("UID", "UID is not 0"),
        ("!UID", "UID is 0"),
        ("UID + 1 > 3", "UID + 1 is greater than 3"),
        ("flags & O_CREAT", "flags has O_CREAT set"),
        ("!(flags & O_CREAT)", "flags has O_CREAT not set"),
        ("flags & O_ACCMODE", "flags & O_ACCMODE is not 0"),
        ("flags & (O_CREAT /* or */ | O_EXCL)", "flags & (O_CREAT | O_EXCL) is not 0"),
        ("UID in { 0, 1000..1999 }", "UID is one of 0, 1000 to 1999"),
        ("!(COMM in { \"a # b\", 'x' })".replace("'x'", '"//"'), 'COMM is none of "a # b", "//"'),
        ('filename =~ "/etc/*"', 'filename fits the glob "/etc/*"'),
        ('!(filename !~ "/etc/*")', 'filename fits the glob "/etc/*"'),
        ('(filename) startswith "/"', 'filename starts with "/"'),
        ('PARAMS[2] endswith "x"', 'PARAMS[2] ends with "x"'),
        ('!(COMM contains "x")', 'COMM does not contain "x"'),
        ('PARENT.COMM != "sh"', 'PARENT.COMM is not "sh"'),
        ("!(CAP_CHOWN in PARENT.CAPS)", "PARENT.CAPS lacks CAP_CHOWN"),
        ("ANCESTOR.UID < 5", "for one ancestor: ANCESTOR.UID is less than 5"),
        ("!(ANCESTOR.UID < 5)", "for no ancestor: ANCESTOR.UID is less than 5"),
        ("ANCESTOR.UID != 5", "for no ancestor: ANCESTOR.UID is 5"),
        ("!(ANCESTOR.UID != 5)", "for one ancestor: ANCESTOR.UID is 5"),
        ('ANCESTOR.COMM !~ "ssh*"', 'for no ancestor: ANCESTOR.COMM fits the glob "ssh*"'),
        ("!ANCESTOR.UID", "for no ancestor: ANCESTOR.UID is not 0"),
        ("UID in { ANCESTOR.UID - 1..7 }", "for one ancestor: UID is one of ANCESTOR.UID - 1 to 7"),
        ("!(CAP_CHOWN in ANCESTOR.CAPS)", "for no ancestor: ANCESTOR.CAPS has CAP_CHOWN"),
        ("(ANCESTOR.UID == 5) != 0", "(ANCESTOR.UID == 5) is not 0"),
        ("1", "always"),
        ("!0", "always"),
    ],
)
def test_single_conditions(text, said):
    assert condition(text) == [f"  matches if {said}"]


def test_groups():
    assert condition("UID == 0 && (GID == 1 || !(PID == 2 || PPID == 3)) && (EUID == 4 && TID == 5)") == [
        "  matches if all of these hold:",
        "    - UID is 0",
        "    - one of these:",
        "      - GID is 1",
        "      - all of these:",
        "        - PID is not 2",
        "        - PPID is not 3",
        "    - EUID is 4",
        "    - TID is 5",
    ]
    assert condition("UID == 0 || GID == 0")[0] == "  matches if one of these holds:"


def test_what_cannot_be_read():
    (lines,) = explained(
        'rule { syscall_name = mount filter_expression { PARAMS[1] == "/" || type == COMM } action { LOG } }'
    )
    assert (
        "  is unknown, and does not match, where it depends on a PARAMS[1] or type or COMM that cannot be read" in lines
    )
    (lines,) = explained("rule { syscall_name = sync filter_expression { 7 in ANCESTOR.CAPS || PARENT.UID == 1 } action { LOG } }")
    assert "  is unknown, and does not match, where it depends on an ANCESTOR.CAPS or PARENT.UID that cannot be read" in lines


def test_calls_and_actions():
    text = """rule { syscall_name = unlink, waitpid rule_name = r abi = i386, x86_64 continue = yes
                     action { LOG, FAIL error_code = ENOENT log_format {x %pid} } }"""
    assert explained(text) == [[
        "rule r (t:1)",
        "  judges unlink in x86_64, i386; waitpid in i386, before the call",
        "  matches every such call",
        "  then writes an event to the log and refuses the call with ENOENT; later rules are asked as well",
        "  logs as x %pid",
    ]]  # fmt: skip
    (lines,) = explained("rule { syscall_name = * action { KILL, SUSPEND } }")
    assert "other calls" in lines[1] and max(map(len, lines)) < 1000 and "kills the process and stops" in lines[3]
    assert DEEDS.keys() == ACTIONS.keys()


ROOT = "filter_expression { UID == 0 }"
ROOTS = "filter_expression { GID == 0 && UID == 0 }"


def rules(*parts: str) -> str:
    return "".join(
        f"rule {{ rule_name = r{number} action {{ LOG }} syscall_name = {part} }}\n"
        for number, part in enumerate(parts)
    )


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("unlink", "unlink, rmdir", "can never match unlink in x86_64, i386, x32: r0 (t:1) comes before it, and"),
        ("@delete", "unlink", "can never match: r0 (t:1) comes before it, and matches whenever it would"),
        ("unlink abi = i386", "unlink", "can never match unlink in i386: r0"),
        (f"unlink {ROOT}", f"unlink {ROOTS}", "can never match: r0"),
        (f"unlink {ROOTS}", f"unlink {ROOT}", "is asked about unlink only where r0 (t:1) does not match"),
    ],
)
def test_what_comes_before(first, second, said):
    assert explained(rules(first, second))[1][-1].startswith(f"  {said}")


@pytest.mark.parametrize("first", ["rmdir", "unlink continue = yes", "unlink when = after"])
def test_what_does_not_come_in_between(first):
    assert explained(rules(first, "unlink"))[1][-1].startswith("  then")


@examples(40)
@given(
    st.sampled_from(sorted(SUBJECTS)).flatmap(lambda call: st.tuples(st.just(call), GRAMMARS[call, "before"].number))
)
def test_every_condition_has_words(drawn):
    call, said = drawn
    text = f"rule {{ syscall_name = {call} abi = {SUBJECTS[call][0]} filter_expression {{ {said} }} action {{ LOG }} }}"
    if compile_sources([Source("t", text)]).image:
        (lines,) = explained(text)
        assert any(line.startswith("  matches") for line in lines) and all(line.isprintable() for line in lines)


def test_the_command(capsys):
    for path in EXAMPLES:
        assert config.main(["explain", str(path)]) == 0
    capsys.readouterr()
    assert config.main(["explain", str(EXAMPLES[0].with_name("processes.conf")), "end"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("rule end (") and "start" not in out
    assert config.main(["explain", str(EXAMPLES[0].with_name("processes.conf")), "edn"]) == 1
    assert "its rules are child, child_of_clone, child_of_clone3, start, end" in capsys.readouterr().err


def test_how_much_is_seen_of_data():
    (lines,) = explained('rule { syscall_name = write filter_expression { buf contains "x" || PARAMS[2] == "y" } action { LOG } }')
    assert "  sees the first 4096 bytes of buf and PARAMS[2]" in lines


def test_of_many_rules_before_it_some_are_named():
    lines = explained("".join(f"rule {{ syscall_name = sync filter_expression {{ UID == {at} }} action {{ LOG }} }}\n" for at in range(40)))[-1]
    assert lines[-1] == "  and only where none of 27 other rules before it matches" and len([line for line in lines if "is asked about" in line]) == 12
