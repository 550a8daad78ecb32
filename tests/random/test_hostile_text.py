# SPDX-License-Identifier: GPL-2.0-only
"""Does the compiler survive every text, and say something about it?"""

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rounds import ROUNDS, examples

from pysct.abi import OPCODES, Limit
from pysct.compiler import compile_sources
from pysct.diagnostics import MAX_ERRORS, Diagnostics, TooManyErrors, format_text
from pysct.disassemble import disassemble
from pysct.explain import explain
from pysct.fmt import format_source
from pysct.source import Source

BESIDE_EXAMPLES = str(Path(__file__).parents[2] / "examples" / "f.conf")
EXAMPLES = [path.read_bytes() for path in sorted(Path(BESIDE_EXAMPLES).parent.glob("*.conf"))]
BAD = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "bad").glob("*.conf"))]
PIECES = [
    b"rule",
    b"{",
    b"}",
    b"<",
    b">",
    b"(",
    b")",
    b"[",
    b"]",
    b"=",
    b"==",
    b"=~",
    b"..",
    b",",
    b";",
    b"%",
    b'"',
    b"'",
    b"syscall_name",
    b"filter_expression",
    b"action",
    b"let",
    b"set",
    b"include",
    b"log_format",
    b"when",
    b"type",
    b"in",
    b"PARAMS",
    b"UID",
    b"COMM",
    b"pathname",
    b"unlink",
    b"@delete",
    b'"*"',
    b"LOG",
    b"FAIL",
    b"0",
    b"1",
    b"0xffffffffffffffff",
    b"-",
    b"!",
    b"&&",
    b"||",
    b"/*",
    b"*/",
    b"//",
    b"#",
    b"\n",
    b" ",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xc3\xa9",
]
NAMES = [piece for piece in PIECES if re.fullmatch(rb"\w+", piece)]
WORD, BETWEEN = re.compile(rb"\b[A-Za-z_]\w*"), re.compile(rb"[^\w\s]+")


def survives(data: bytes, name: str = "f.conf"):
    """The diagnostics' texts; an image exactly if there is no error. The other tools stand the text as well."""
    result = compile_sources([Source(name, data)])
    errors = [found for found in result.diagnostics if found.severity == "error"]
    assert (result.image is None) == bool(errors)
    texts = [format_text(found) for found in result.diagnostics]
    for found, text in zip(result.diagnostics, texts):
        text.encode()
        assert all(character.isprintable() or character == "\n" for character in text)
        assert found.to_json()["message"]
    if result.image:
        disassemble(result.image).encode()
        assert all(line.isprintable() for rule in result.rules[:20] for line in explain(rule, result.rules[:20]))
    if len(data) < 100_000:
        neat = formatted(data)
        assert neat is None or formatted(neat) == neat
        assert neat is not None or errors
    return texts


def formatted(data: bytes) -> bytes | None:
    """What the formatter makes of a text; None if it has errors."""
    try:
        return format_source(Source("f.conf", data), Diagnostics())
    except TooManyErrors:
        return None


@examples(40)
@given(st.binary(max_size=200))
def test_random_bytes(data):
    survives(data)
    survives(b"rule { syscall_name = unlink filter_expression {" + data + b"} action { LOG } }")
    survives(b"rule < syscall_name = unlink action < LOG log_format < " + data + b" > > >")


@examples(40)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_random_tokens(pieces):
    survives(b" ".join(pieces))
    survives(b"rule { syscall_name = unlink filter_expression {" + b"".join(pieces) + b"} action { LOG } }")


def test_mutated_examples():
    draw = random.Random(4 if ROUNDS == 1 else None)
    for _ in range(200 * ROUNDS):
        data = bytearray(draw.choice(EXAMPLES + BAD))
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(len(data) + 1)
            match draw.randrange(6):
                case 0:
                    data[at : at + draw.randrange(1, 20)] = b""
                case 1:
                    data[at:at] = draw.choice(PIECES)
                case 2:
                    data[at : at + 1] = bytes([draw.randrange(256)])
                case 3:
                    start = draw.randrange(len(data) + 1)
                    data[at:at] = data[start : start + draw.randrange(1, 60)]
                case 4:  # a word, or what stands between two, in place of another one
                    found = draw.choice(list(WORD.finditer(data)) or [None])
                    data[slice(*found.span() if found else (0, 0))] = draw.choice(NAMES)
                case 5:
                    found = draw.choice(list(BETWEEN.finditer(data)) or [None])
                    data[slice(*found.span() if found else (0, 0))] = b" " + draw.choice(PIECES) + b" "
        survives(bytes(data))


def filtered(condition: str) -> bytes:
    return f"rule {{ syscall_name = listxattr filter_expression {{ {condition} }} action {{ LOG }} }}".encode()


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3_000 + "UID" + ")" * 3_000,
        "(" * 3_000,
        ")" * 3_000,
        "!" * 3_000 + "UID",
        "-" * 3_000 + "UID",
        " + ".join(["UID"] * 3_000),
        " == ".join(["UID"] * 3_000),
        "UID in {" * 3_000,
        "UID in { 1 " + "in { 1 } " * 3_000 + "}",
        "PARAMS[" * 3_000,
        "!~" * 60 + "UID",
    ],
    ids=lambda text: text[:12],
)
def test_deep_nesting_is_an_error(text):
    assert any(
        "deep" in found or "not closed" in found or "does not belong" in found for found in survives(filtered(text))
    )


@pytest.mark.parametrize(
    "text",
    [
        "(" * 95 + "!" * 95 + "UID" + ")" * 95,
        "!(" * 95 + "UID" + ")" * 95,
        "(" * 95 + "UID" + " / UID < -1)" * 47 + ")" * 48,
        " && ".join(["UID", 'pathname == "/x"'] * 1000),
        "UID in { " + ", ".join(map(str, range(3000))) + " }",
        " || ".join(f"UID == {at} && GID" for at in range(1000)),
    ],
    ids=lambda text: text[:12],
)
def test_what_the_limits_allow_compiles(text):
    assert not [found for found in survives(filtered(text)) if "true" not in found]


def test_a_long_string_is_an_error():
    found = survives(filtered(f'pathname == "{"x" * 300_000}"'))
    assert len(found) == 1 and "longer than 4095 bytes" in found[0] and len(found[0]) < 600


@pytest.mark.parametrize(
    "text", ["x" * 300_000, "1" * 300_000, "'" + "x" * 300_000 + "'", '"' + "x" * 300_000, " " * 300_000]
)
def test_a_long_token_is_an_error_that_can_be_read(text):
    short = text[:100_000]
    for data in (short.encode(), filtered(text), filtered(f"PARAMS[{short}]"), b"rule { " + short.encode() + b" = 1 }"):
        found = survives(data)
        assert found and max(map(len, found)) < 1500


def test_limits_name_themselves():
    assert (
        "longer than 512 bytes"
        in survives(b"rule { syscall_name = unlink action { LOG log_format {" + b"x" * 513 + b"} } }")[0]
    )
    many = b"".join(b"rule { syscall_name = unlink continue = yes action { LOG } }\n" for _ in range(64))
    assert "more than 63 rules with `continue = yes`" in survives(many)[0]
    pattern = "?" * (Limit.STRING - 1)
    count = Limit.COST // (OPCODES["SGLOB"].cost * len(pattern)) + 1
    costly = filtered(" || ".join([f'pathname =~ "{pattern}"'] * count))
    assert f"more than the limit COST of {Limit.COST}: the most that" in survives(costly)[0]


def test_errors_are_many_but_not_endless():
    found = survives(b"rule { syscall_name = nonsense action { LOG } }\n" * 10_000)
    assert len(found) == MAX_ERRORS + 1 and "too many errors" in found[-1]


def test_binary_files():
    assert survives(bytes(range(256)) * 4000)
    assert survives(Path("/proc/self/exe").read_bytes()[:200_000])


def test_nothing_and_blanks():
    assert compile_sources([]).image and not compile_sources([]).diagnostics
    for blank in (b"", b"\n", b"  # comment", b";;\n"):
        assert survives(blank) == ["f.conf: warning: there is no rule in this file"]


def test_bytes_that_are_not_utf8_are_kept():
    data = (
        b'rule { syscall_name = unlink filter_expression { pathname == "/tmp/\xff\xed\xa0" } '
        b"action { LOG log_format {\xe9} } }"
    )
    result = compile_sources([Source("f.conf", data)])
    assert result.image and b"/tmp/\xff\xed\xa0\0" in result.image and data in result.image


def test_line_ends_of_other_systems():
    for example in EXAMPLES:
        said = survives(example, BESIDE_EXAMPLES)
        assert survives(example.replace(b"\n", b"\r\n"), BESIDE_EXAMPLES) == said
        assert not [text for text in said if "error: " in text]


def test_bytes_that_are_not_utf8_are_no_calls_and_no_names():
    for value in (b"unlink\xff", b'"unlink\xff*"', b"unlink, @\xff", b'unlink rule_name = "\xff"'):
        assert survives(b"rule { syscall_name = " + value + b" action { LOG } }")
    assert survives(b'rule { syscall_name = "' + b"*" * 300_000 + b'" action { LOG } }')
