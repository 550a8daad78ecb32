# SPDX-License-Identifier: GPL-2.0-only
"""Does sct_config test say what becomes of a call, which rule decides, and why?"""

from pathlib import Path

import pytest

from pysct import cases
from pysct.cli import config

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RULES = """\
rule { syscall_name = unlink, read rule_name = watch continue = yes action { LOG } }
rule {
   syscall_name = unlink
   rule_name = guard
   filter_expression { UID == 0 && (pathname =~ "/etc/*" || COMM == "rm") }
   action { type = FAIL error_code = EACCES }
}
rule { syscall_name = unlink rule_name = late filter_expression { UID > 5 } action { KILL } }
rule { syscall_name = rmdir rule_name = wait filter_expression { UID == 0 } action { SUSPEND } }
rule { syscall_name = rmdir rule_name = die action { KILL } }
rule { syscall_name = unlink, read, rmdir rule_name = after filter_expression { RETVAL < 0 } action { LOG } when = after }
"""


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    """Runs sct_config test on the rules; returns its exit status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    Path("rules").write_text(RULES)

    def run(*words):
        try:
            status = config.main(["test", "rules", *words])
        except SystemExit as end:
            status = end.code
        return (status, *capsys.readouterr())

    return run


def test_unknown_rules_that_the_kernel_does_not_ask_in_order(say):
    """Rules that ask one string alone are asked first, wherever they stand."""
    rest = ['pathname =~ "/a00*z" && UID == 0', *(f'pathname =~ "/a{at:02}*z"' for at in range(1, 12))]
    Path("rules").write_text("".join(f"rule {{ syscall_name = unlink filter_expression {{ {each} }} action {{ LOG }} }}\n" for each in rest))
    status, out, err = say("--event", "unlink(?) uid=0")
    assert (status, err) == (0, "") and out.count("is unknown") >= 12, out + err


def test_the_rule_and_the_condition_that_decide(say):
    status, out, err = say("--event", 'unlink("/etc/passwd") uid=0 comm=rm')
    assert (status, err) == (0, "rules that judge after the call were not asked: add retval=… or errno=…\n")
    assert (
        out
        == """\
unlink (x86_64): LOG, FAIL with EACCES, by watch, guard

rule watch (rules:1, before the call) matches every call

rule guard (rules:4, before the call) matches:
rules:5:24: true, since UID is 0
       filter_expression { UID == 0 && (pathname =~ "/etc/*" || COMM == "rm") }
                           ^~~~~~~~
rules:5:37: true, since pathname is "/etc/passwd"
       filter_expression { UID == 0 && (pathname =~ "/etc/*" || COMM == "rm") }
                                        ^~~~~~~~~~~~~~~~~~~~

rule late (rules:8, before the call) is not asked: one above ended the search; it does not match
"""
    )


def test_what_does_not_matter_need_not_be_said(say):
    status, out, _ = say("--event", "unlink(?) uid=4")
    assert (
        status == 0
        and "LOG, by watch\n" in out
        and "rules:5:24: false, since UID is 4" in out
        and "cannot be read" not in out
    )


def test_what_matters_must_be_said(say):
    status, out, err = say("--event", 'unlink("/tmp") uid=0')
    assert status == 1 and "rule `guard` matches depends on COMM" in err and "comm=…" in err
    status, out, err = say("--event", "unlink() uid=0 comm=cat")
    assert status == 1 and "depends on pathname" in err and "arguments" in err


def test_unknown(say):
    status, out, _ = say("--event", "unlink(?) uid=0 comm=cat")
    assert status == 0 and "is unknown and so does not match" in out and "unknown, since pathname cannot be read" in out


def test_rules_that_judge_after_the_call(say):
    status, out, err = say("--event", "read(3)")
    assert "read (x86_64): LOG, by watch\n" in out and "add retval=" in err
    status, out, err = say("--event", "read(3) retval=-EINTR")
    assert "read (x86_64): LOG, by watch, after\n" in out and err == ""
    assert "rule after" not in say("--event", 'unlink("/etc/x") uid=0 retval=-1')[1], (
        "a call that was refused is not judged again"
    )


def test_no_rule_is_about_it(say):
    assert say("--event", "sync()")[:2] == (0, "sync (x86_64): none\nno rule is about this call\n")


def test_the_example(capsys):
    assert (
        config.main(["test", str(EXAMPLES / "prevent_delete.conf"), "--cases", str(EXAMPLES / "prevent_delete.yaml")])
        == 0
    )
    assert capsys.readouterr() == ("5 cases, all as expected\n", "")


def test_cases_that_fail(say):
    Path("cases").write_text("""\
- {event: 'unlink("/etc/x") uid=0', verdict: [LOG, FAIL], rule: [watch, guard], error: -13}
- {event: 'unlink("/etc/x") uid=0', verdict: LOG, rule: guard, error: EPERM}
- {event: 'sync()', verdict: none, error: none}
- {event: 'sync()', verdict: KILL}
""")
    status, out, _ = say("--cases", "cases")
    table, *reasons, count = out.split("\n\n")
    assert status == 1 and count == "4 cases: 2 as expected, 2 not\n"
    assert [line.split() for line in table.splitlines()] == [
        ["LINE", "EVENT", "EXPECTED", "FOUND"],
        ["2", 'unlink("/etc/x")', "uid=0", "verdict", "LOG", "FAIL,", "LOG"],
        ["2", 'unlink("/etc/x")', "uid=0", "rule", "guard", "watch,", "guard"],
        ["2", 'unlink("/etc/x")', "uid=0", "error", "EPERM", "EACCES"],
        ["4", "sync()", "verdict", "KILL", "none"],
    ]
    asked = say("--event", 'unlink("/etc/x") uid=0')[1] + "\n" + say("--event", "sync()")[1]
    assert "\n\n".join(reasons) + "\n" == "cases:2: " + asked.replace("sync (", "cases:4: sync (")
    assert "rules:5:24: true, since UID is 0" in asked


def test_what_cannot_be_judged_keeps_nothing_from_being_judged(say):
    Path("cases").write_text("""\
- {event: 'unlink("/etc/x") uid=0', verdict: [LOG, FAIL]}
- {event: 'unlink("/tmp") uid=0', verdict: LOG}
- {event: 'unlink(1, 2)', verdict: LOG}
- {event: "unlink(\\"\\uD800\\")", verdict: LOG}
-  event: 'sync()'
- {event: 'sync()', verdict: KILL}
""")
    status, out, err = say("--cases", "cases")
    assert status == 1 and [line.split() for line in out.split("\n\n")[0].splitlines()] == [
        ["LINE", "EVENT", "EXPECTED", "FOUND"],
        ["2", 'unlink("/tmp")', "uid=0", "verdict", "LOG", "undecided"],
        ["3", "unlink(1,", "2)", "verdict", "LOG", "not", "a", "call"],
        ["6", "sync()", "verdict", "KILL", "none"],
    ]
    assert out.endswith("\n\n6 cases: 1 as expected, 1 not, 4 not judged\n")
    assert [line for line in err.splitlines() if "error:" in line or "hint:" in line] == [
        "cases:4:11: error: the event has `\\ud800`, which is half a character",
        "hint: write the character itself; a byte is written \"\\\\xff\" here, or '\\xff'",
        "cases:5:4: error: the case has no verdict",
        "hint: " + cases.EXAMPLE,
        "cases:2:11: error: whether rule `guard` matches depends on COMM, which the event does not say",
        "hint: add comm=… behind the call",
        "cases, line 3, event:1:1: error: more arguments than `unlink` has in x86_64",
        "hint: its arguments are pathname",
    ]


@pytest.mark.parametrize("half", ["\\ud800", "\\udc80", "\\udfff", "\\ud83d\\ude00"])
def test_half_a_character_is_no_text(say, half):
    Path("cases").write_text(f'- {{event: "unlink(\\"{half}\\")", verdict: "{half}", rule: "{half}"}}')
    status, out, err = say("--cases", "cases")
    assert (status, out) == (1, "") and f"cases:1:11: error: the event has `{half[:6]}`" in err and "hint: write the" in err


def test_mistakes_without_end(say):
    Path("cases").write_text("- x\n" * 1000)
    status, out, err = say("--cases", "cases")
    assert (status, out) == (1, "") and "too many errors" in err and err.endswith("error: 50 errors in the cases\n")


@pytest.mark.parametrize(
    ("text", "place", "cause"),
    [
        ("", "cases:", "there is no case"),
        ("event: x", "cases:1:1:", "is a list"),
        ("- x", "cases:1:3:", "keys and values"),
        ("- {verdict: LOG}", "cases:1:3:", "has no event"),
        ("- {event: sync()}", "cases:1:3:", "has no verdict"),
        ("- {event: sync(), verdict: LOGG}", "cases:1:28:", "did you mean `LOG`"),
        ("- {event: sync(), verdict: LOG, verdit: LOG}", "cases:1:33:", "did you mean `verdict`"),
        ("- {event: sync(), verdict: LOG, verdict: LOG}", "cases:1:33:", "stands twice"),
        ("- {event: [], verdict: LOG}", "cases:1:11:", "one text"),
        ("- {event: sync(), verdict: {a: b}}", "cases:1:28:", "a word is expected"),
        ("- {event: sync(, verdict", "cases:1:", "not YAML"),
        ("- &a [*a]\n- {*a : b}", "cases:1:3:", "keys and values"),
        ("\0", "cases:", "not YAML"),
    ],
)
def test_files_that_are_no_cases(say, text, place, cause):
    Path("cases").write_text(text)
    status, out, err = say("--cases", "cases")
    assert (status, out) == (1, "") and err.startswith(place) and cause in err and "Traceback" not in err


@pytest.mark.parametrize("data", [bytes(range(256)), b"- [" * 3000, b"\xff\xfe\x00"])
def test_files_that_are_nothing(say, data):
    Path("cases").write_bytes(data)
    assert say("--cases", "cases")[0] == 1


def test_wrong_usage(say):
    assert say()[0] == 2 and say("--event", "sync()", "--cases", "x")[0] == 2
    assert say("--cases", "missing")[0] == 1
