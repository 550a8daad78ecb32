# SPDX-License-Identifier: GPL-2.0-only
"""Does the text of an image say what its constants stand for, and which instructions are of which rule?"""

import re
from pathlib import Path

import pytest

from pysct.abi import OPCODES
from pysct.compiler import compile_files, compile_sources
from pysct.disassemble import disassemble
from pysct.image import Image, ImageRule, Prog, decode
from pysct.operands import Subject, Use, uses
from pysct.source import Source

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.conf"))


def listing(call: str, condition: str, more: str = "", abi: str = "x86_64") -> str:
    """The text of one rule."""
    more = more or "action { LOG }"
    rule = f"rule {{ abi = {abi} syscall_name = {call} rule_name = r {more} filter_expression {{ {condition} }} }}"
    result = compile_sources([Source("t", rule)], "aarch64" if abi.startswith("aa") else "x86_64")
    assert result.image, result.diagnostics
    return disassemble(result.image)


def constants(*words: str, **more: str) -> list[tuple[str, str]]:
    """The constants of a rule's program, and what is said of each."""
    found = re.findall(r"LD[IC] +r\d+, (-?\d+)(?: +; (.*))?$", listing(*words, **more), re.MULTILINE)
    return [(number, said) for number, said in found]


@pytest.mark.parametrize(
    ("call", "condition", "said"),
    [
        ("openat", "flags & O_CREAT", [("64", "O_CREAT")]),
        ("openat", "(flags & O_ACCMODE) == O_WRONLY", [("3", "O_ACCMODE"), ("1", "O_WRONLY")]),
        ("openat", "(flags & O_ACCMODE) in { O_RDONLY, O_RDWR }", [("3", "O_ACCMODE"), ("0", "O_RDONLY"), ("2", "O_RDWR")]),
        ("openat", "(flags & (O_CREAT | O_TRUNC)) == O_CREAT", [("576", "O_CREAT|O_TRUNC"), ("64", "O_CREAT")]),
        ("openat", "(flags & (O_CREAT | O_ACCMODE)) == O_CREAT", [("67", "O_ACCMODE|O_CREAT"), ("64", "O_RDONLY|O_CREAT")]),
        ("openat", "(flags & ~O_CREAT) == O_RDWR", [("-65", "~O_CREAT"), ("2", "O_RDWR")]),
        ("openat", "flags & 0x80000001", [("2147483649", "O_WRONLY|0x80000000")]),
        ("openat", "(flags ^ O_CREAT) == 99", [("64", "O_CREAT"), ("99", "")]),
        ("openat", "dfd == AT_FDCWD", [("-100", "AT_FDCWD")]),
        ("openat", "mode == 0644", [("420", "0644")]),
        ("mknodat", "(mode & S_IFMT) == S_IFIFO", [("61440", "S_IFMT"), ("4096", "S_IFIFO")]),
        ("mknodat", "(mode & 0777) == 0600", [("511", "0777"), ("384", "0600")]),
        ("kill", "sig == SIGKILL", [("9", "SIGKILL")]),
        ("kill", "sig > 8", [("8", "")]),
        ("kill", "pid == 1000", [("1000", "")]),
        ("brk", "brk == 0xdeadbeef000", [("15302363377664", "0xdeadbeef000")]),
        ("set_tid_address", "tidptr == 4096", [("4096", "0x1000")]),
        ("set_tid_address", "tidptr in { 0, 4096 }", [("0", "NULL"), ("4096", "0x1000")]),
        ("sync", "UID == 1000", [("1000", "")]),
        ("sync", "CAP_SYS_ADMIN in CAPS", [("21", "CAP_SYS_ADMIN"), ("1", "")]),
        ("connect", "addr.sa_family == AF_INET", [("2", "AF_INET")]),
        ("openat2", "how.flags & O_TMPFILE && how.resolve == 8", [("4259840", "O_TMPFILE"), ("8", "RESOLVE_BENEATH")]),
        ("connect", "addr.sin_addr == 10.1.2.3", [("167838211", "10.1.2.3")]),
        ("connect", "addr.sin6_addr == 2001:db8::1", [("2306139568115548160", "2001:db8::, upper half"), ("1", "::1, lower half")]),
    ],
)
def test_constants(call, condition, said):
    assert [pair for pair in constants(call, condition) if pair in said] == said


@pytest.mark.parametrize(
    ("condition", "said"),
    [("ERRNO == EINTR", ("4", "EINTR")), ("RETVAL == -ENOENT", ("-2", "-ENOENT")), ("RETVAL == 2", ("2", "")), ("RETVAL == -5000", ("-5000", ""))],
)
def test_results(condition, said):
    assert said in constants("close", condition, "when = after action { LOG }")


def test_names_are_those_of_the_abi():
    assert ("65536", "O_DIRECTORY") in constants("openat", "flags & 0x10000")
    assert ("65536", "O_DIRECT") in constants("openat", "flags & 0x10000", abi="aarch64")


@pytest.mark.parametrize(("error", "said"), [("EACCES", "EACCES"), ("-1", "EPERM"), ("500", "-500")])
def test_the_error_of_a_rule(error, said):
    assert listing("unlink", "UID", f"action {{ type = FAIL error_code = {error} }}").split("\n")[0].endswith(f": before, FAIL, error {said}")


def number(name: str) -> int:
    return OPCODES[name].number


def test_what_ways_disagree_about_is_not_said():
    """A constant that meets one argument or the other, as the way goes, has no name."""
    program = [
        (number("LDI"), 1, 0, 0, 64),
        (number("LDA"), 0, 0, 0, 2),
        (number("LDF"), 2, 0, 0, 1),
        (number("JF"), 0, 2, 0, 1),
        (number("LDA"), 0, 0, 0, 3),
        (number("AND"), 0, 0, 1, 0),
        (number("MATCH"), 0, 0, 0, 0),
        (number("RET"), 0, 0, 0, 0),
    ]
    assert uses(Prog(0, 257, 0, (), program, 0), ()) == {}
    del program[4]
    program[3] = (number("JF"), 0, 2, 0, 0)
    assert uses(Prog(0, 257, 0, (), program, 0), ()) == {0: {Use("AND", Subject("arg", 2))}}


def test_what_a_block_for_each_ancestor_leaves_is_not_known():
    block = [(number("EACH"), 0, 0, 0, 0), (number("LDA"), 1, 0, 0, 2), (number("NEXT"), 0, 0, 0, 0)]
    rest = [(number("LDI"), 2, 0, 0, 64), (number("EQ"), 0, 1, 2, 0), (number("RET"), 0, 0, 0, 0)]
    assert uses(Prog(0, 257, 0, (), block + rest, 0), ()) == {}
    assert uses(Prog(0, 257, 0, (), block[1:2] + rest, 0), ()) == {1: {Use("EQ", Subject("arg", 2))}}


def test_programs_that_no_compiler_wrote():
    """Every opcode, with operands that lead nowhere."""
    for op in range(256):
        for imm in (-(2**31), -2, 0, 1, 2**31 - 1):
            program = [(number("LDA"), 0, 0, 0, 2), (number("LDI"), 1, 0, 0, imm), (op, 255, 0, 1, imm), (op, 0, 1, 255, imm), (number("EQ"), 9, 0, 1, 0)]
            rule = ImageRule(b"r", 0, 1, 0, 1, -13, 0, None)
            for abi, nr in ((0, 257), (9, 9999)):
                assert "RET" in disassemble(Image([Prog(abi, nr, 0, (6, 6, 99), [*program, (1, 0, 0, 0, 0)], 0)], [rule]))


def test_the_stretch_before_a_match_is_of_its_rule():
    """In every example: the mark above an instruction names the rule of the MATCH that comes next."""
    for path in EXAMPLES:
        image = compile_files([path], "x86_64").image
        marked = matches = 0
        for line in disassemble(image).split("\n"):
            if found := re.match(r" +; line \d+(?:, in \S+)? rule (\w+)", line):
                rule, marked = found[1], marked + 1
            if found := re.search(r"MATCH r\d+, (\w+)$", line):
                assert found[1] == rule, (path, line)
                rule, matches = None, matches + 1
        assert marked == matches > 0


def test_where_a_rule_stands_and_what_it_asks(tmp_path):
    (tmp_path / "sub.conf").write_text("# one\n\nrule { syscall_name = unlink rule_name = inner filter_expression < UID in { 1, 2 } > action { LOG } }\n")
    text = """\
rule {
  syscall_name = unlink
  rule_name = outer
  filter_expression {
    UID == 0  /* root */
      || pathname == "}"
  }
  action { LOG log_format { "' # } }
}
include "sub.conf"
rule { syscall_name = unlink rule_name = all action { KILL } } rule { syscall_name = rmdir rule_name = other filter_expression { UID } action { LOG } }
"""
    result = compile_sources([Source(str(tmp_path / "main.conf"), text)], "x86_64")
    told = {line.strip() for line in disassemble(result.image).split("\n") if line.strip().startswith("; ")}
    assert told == {
        '; line 1 rule outer: UID == 0 /* root */ || pathname == "}"',
        '; line 13, in "sub.conf" rule inner: UID in { 1, 2 }',
        "; line 15 rule all",
        "; line 15 rule other",
    }
    places = [f"{rule.source.name}:{rule.own_line}" for rule in result.rules]
    assert f"; {tmp_path}/sub.conf:3 rule inner: UID in {{ 1, 2 }}" in disassemble(result.image, places)


@pytest.mark.parametrize("source", [b"", b"rule {", b"}" * 1000, b"\xff\0\n" * 100, b"rule { filter_expression {" * 3, b'# include "x": ends\n' * 5, b"rule <" * 5000])
def test_a_text_that_says_nothing_of_the_rule(source):
    image = decode(compile_sources([Source("t", "rule { syscall_name = sync rule_name = r action { LOG } }")], "x86_64").image)
    image.source = source
    assert "; line 1 rule r\n" in disassemble(image)
