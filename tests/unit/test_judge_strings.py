# SPDX-License-Identifier: GPL-2.0-only
"""Does the kernel's judge compare strings as the specification says, at every length?"""

from random import Random

import interpreter
import pytest
import random_programs as programs
from parts import AFTER, Parts, insn, prog, rule

from pysct import abi, fold, glob
from pysct.judge import Call, Judge
from pysct.reference import globs as reference

COMM, CWD = abi.FIELDS["COMM"].number, abi.FIELDS["CWD"].number
LENGTHS = (0, 1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25, 40)
BASE = b"/usr/share/some/rather/long/directory/of/ours"


def near(base: bytes) -> list[bytes]:
    """A string, and those that differ from it in one byte, at each place."""
    return [base, *(base[:at] + bytes([base[at] ^ 1]) + base[at + 1 :] for at in range(len(base)))]


def judge_of(name: str, patterns: list[bytes], operand: int = 0, phase: int = 0) -> Judge:
    """A rule for each pattern."""
    insns = []
    for index in range(len(patterns)):
        insns += [insn(name, 0, a=operand, imm=index + 1), insn("MATCH", imm=index)]
    rules = [rule(flags=abi.RuleFlag.CONTINUE, phase=phase) for _ in patterns]
    insns.append(insn("RET"))
    return Judge(Parts(insns, [prog(len(insns), ("str", "str"), phase=phase)], rules, strings=[b"rule", *patterns]).bytes())


def compare_all(name: str, patterns: list[bytes], texts: list[bytes]) -> int:
    """Every pattern with every text; how many fit."""
    hits = 0
    for start in range(0, len(patterns), 63):
        some = patterns[start : start + 63]
        with judge_of(name, some) as rules:
            for text in texts:
                verdict = rules.judge(0, 0, 0, Call((), {}, {0: text}))
                assert not verdict.unknown
                assert [interpreter.compare(name, text, pattern) for pattern in some] == [
                    int(index in verdict.matched) for index in range(len(some))
                ], (text, some)
                hits += len(verdict.matched)
    return hits


@pytest.mark.parametrize("name", ["SEQ", "SPRE", "SSUF", "SCON"])
def test_every_length(name):
    patterns = [BASE[:length] for length in LENGTHS] + [BASE[-length:] for length in LENGTHS if length]
    texts = [BASE[:length] for length in range(len(BASE) + 1)] + [BASE[length:] for length in LENGTHS]
    assert compare_all(name, patterns, texts) > 10


@pytest.mark.parametrize("name", ["SEQ", "SPRE", "SSUF", "SCON"])
@pytest.mark.parametrize("length", LENGTHS)
def test_every_place(name, length):
    assert compare_all(name, [BASE[:length]], near(BASE[:length])) >= 1


def test_searches_that_start_again():
    patterns = [b"aab", b"aaab", b"abab", b"ababab", b"b", b"ba", b"a" * 9 + b"b"]
    texts = [b"aaab", b"aaaaab", b"ababaabab", b"abababab", b"bbbb", b"a" * 30 + b"b", b"a" * 30, b"ba" * 12]
    assert compare_all("SCON", patterns, texts) > 10


def test_searches_of_few_letters():
    chance = Random(2)
    words = [bytes(chance.choice(b"ab") for _ in range(chance.randrange(14))) for _ in range(300)]
    assert compare_all("SCON", words[:120], words[120:]) > 1000


SETS = [b"[", b"[]", b"[]]", b"[!]]", b"[^]]", b"[!]", b"[^", b"[!", b"[a", b"[a-", b"[a-]", b"[a-c", b"[a-c]", b"[!a-c]", b"[c-a]",
        b"[-a]", b"[a-c-e]", b"[\\]]", b"[\\]", b"[\\", b"[a-\\]]", b"[a-\\", b"[A-\\", b"[\\a-\\c]", b"[]-a]", b"[]a]", b"[[]", b"[*]", b"[?]",
        b"[\x00-\xff]", b"[\x80-\xff]", b"[!\xff]", b"\\", b"\\\\", b"\\a", b"\\[", b"\\*", b"\\?", b"*\\", b"[a]\\", b"?", b"*", b"", b"a"]  # fmt: skip


@pytest.mark.parametrize("around", [b"%b", b"*%b", b"%b*", b"*%b*", b"a%b", b"%ba", b"%b%%b"], ids=repr)
def test_sets(around):
    """Each as a glob of its own and with something around it, closed or not, against every byte."""
    patterns = [around.replace(b"%b", one, 1).replace(b"%%b", one) for one in SETS]
    patterns = [pattern.replace(b"\0", b"\1") for pattern in patterns]  # an image's strings have no NUL
    texts = [b"", *(bytes([byte]) for byte in range(1, 256, 1 if around == b"%b" else 7)), *[b"a" + bytes([byte]) for byte in b"[]\\a-!*?/"]]
    assert compare_all("SGLOB", patterns, texts) > 100
    assert compare_all("SPATH", patterns, texts) > 100


@pytest.mark.parametrize("operand", [0, 1, COMM, CWD])
def test_operands(operand):
    others = {place: b"other" for place in (0, 1, COMM, CWD)}
    with judge_of("SEQ", [b"this"], operand) as rules:
        assert rules.judge(0, 0, 0, Call((), {}, {**others, operand: b"this"})).matched == (0,)
        assert rules.judge(0, 0, 0, Call((), {}, others)).matched == ()


@pytest.mark.parametrize("state", [abi.State.CUT, abi.State.FAULT, abi.State.LONG, abi.State.ABSENT])
@pytest.mark.parametrize("name", ["SEQ", "SPRE", "SSUF", "SCON", "SGLOB", "SPATH"])
def test_what_cannot_be_read_is_unknown(name, state):
    with judge_of(name, [b"", b"*", b"x"]) as rules:
        verdict = rules.judge(0, 0, 0, Call((), {}, {0: state}))
        assert (verdict.matched, verdict.unknown) == ((), (0, 1, 2))


def test_two_operands():
    texts = [b"", b"a", b"b", b"ab", BASE, BASE[:-1], abi.State.FAULT, abi.State.ABSENT]
    insns = [insn("SEQS", 0, a=0, b=1), insn("MATCH", imm=0), insn("SEQS", 0, a=1, b=COMM), insn("MATCH", imm=1), insn("RET")]
    made = Parts(insns, [prog(len(insns), ("str", "str"), phase=AFTER)], [rule(phase=AFTER, flags=1), rule(phase=AFTER)])
    with Judge(made.bytes()) as rules:
        for first in texts:
            for second in texts:
                verdict = rules.judge(0, 0, AFTER, Call((), {}, {0: first, 1: second, COMM: b"a"}))
                pairs = [(first, second), (second, b"a")]
                known = [all(isinstance(text, bytes) for text in pair) for pair in pairs]
                assert verdict.unknown == tuple(at for at in range(2) if not known[at])
                assert verdict.matched == tuple(at for at in range(2) if known[at] and pairs[at][0] == pairs[at][1])


@pytest.mark.parametrize("name", ["SGLOB", "SPATH"])
def test_globs_are_those_of_the_compiler_and_of_the_reference(name):
    """What the compiler computes of known strings is what the kernel would say."""
    chance, compared, path = Random(12), 0, name == "SPATH"
    for _ in range(60):
        patterns = [programs.glob(chance) for _ in range(40)]
        taken = [pattern for pattern in patterns if is_glob(pattern)]
        with judge_of(name, taken) as rules:
            for _ in range(10):
                text = chance.choice((programs.word, programs.path))(chance)
                matched = rules.judge(0, 0, 0, Call((), {}, {0: text})).matched
                for fits in (glob.matches, reference.matches):
                    said = tuple(at for at, pattern in enumerate(taken) if fits(pattern, text, path))
                    assert matched == said, (text, [taken[at] for at in set(matched) ^ set(said)])
                compared += len(taken)
    assert compared > 8000


def is_glob(pattern: bytes) -> bool:
    try:
        return bool(glob.alternatives(pattern))
    except glob.GlobError:
        return False


BRACES = ["{a,b}", "x{a,b{c,d},}y", "{a,b}{c,d}", "{/a,/b/**}/c", "{*,x}y", "{a}", "{}", "a,b", "[{,}]a", "\\{a,b\\}", "{\\,,\\}}", "{a/,b}**/c"]


@pytest.mark.parametrize("pattern", [pattern.replace("\\\\", "\\").encode() for pattern in BRACES])
def test_braces_are_written_out_alike_by_compiler_and_reference(pattern):
    chance, found = Random(3), 0
    letters = sorted({*pattern} - {*b"*[]\\{}"} | {*b"a/"}) + [b"{"[0], b"}"[0]]
    texts = [bytes(chance.choices(letters, k=chance.randrange(6))) for _ in range(3000)]
    for text in [pattern.replace(b"\\", b""), *texts]:
        for path in (False, True):
            fits = reference.matches(pattern, text, path)
            assert fits == glob.matches(pattern, text, path), text
            tests = glob.tests(pattern, path)
            assert fits == any(fold.STRINGS[op](text, with_) for op, with_ in tests), (text, tests)
            found += fits
    assert found > 0


PATHS = """
/etc/*          /etc/passwd             yes
/etc/*          /etc/a/b                no
/etc/*          /etc/                   yes
/etc/**         /etc/a/b                yes
/etc/**         /etc                    no
/*/x            /a/x                    yes
/*/x            /a/b/x                  no
/**/x           /a/b/x                  yes
/**/x           /x                      yes
/**/x           /ax                     no
**/x            x                       yes
**/x            a/b/x                   yes
**/x            ax                      no
**x             a/bx                    yes
/a?b            /a/b                    no
/a[!x]b         /a/b                    no
/a[+-9]b        /a/b                    no
/a**b           /a/b                    yes
/a/**/b/*/c     /a/b/x/b/y/c            yes
/a/**/b/*/c     /a/b/x/b/y/z/c          no
**/b*c/d        a/bxc/bc/d              yes
**a*b*c         a/ab/xab/xabbcc         yes
**a*b*c         a/ab/xab/xabbcc/        no
"""


@pytest.mark.parametrize("row", [line.split() for line in PATHS.split("\n") if line], ids=" ".join)
def test_stars_in_paths(row):
    pattern, text, fits = row[0].encode(), row[1].encode(), row[2] == "yes"
    assert reference.matches(pattern, text, True) == glob.matches(pattern, text, True) == fits
    assert compare_all("SPATH", [pattern], [text]) == fits
    assert glob.matches(pattern, text) or not fits or b"**/" in pattern  # elsewhere a star is any bytes
