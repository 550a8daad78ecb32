# SPDX-License-Identifier: GPL-2.0-only
"""Is what sct_config fmt writes neat, the same rules, with all comments, and neat for good?"""

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_rules import scene
from rounds import examples

from pysct.cli import config
from pysct.diagnostics import Diagnostics, format_text
from pysct.fmt import format_source
from pysct.lexer import Lexer
from pysct.parse import machinery
from pysct.source import Source, encode

TREE = Path(__file__).resolve().parents[2]
FILES = sorted((TREE / "examples").glob("*.conf"))
TEXTS = [Source.read(path).text for path in FILES]
COMMENT = re.compile(r"/\*.*?\*/|(?:#|//)[^\n]*", re.DOTALL)
TRIVIA = [
    " ",
    "",
    "",
    "\n",
    "\n\n\n",
    " # one\n",
    "// two\n",
    " /* three */ ",
    "/* four\n   five */",
    "\n# six\n\n",
    "\r\n",
    "/**/",
    "/* seven */ /* eight */ // nine\n",
    "\t",
]


def formatted(text: str) -> str:
    said = Diagnostics()
    data = format_source(Source("t", text), said)
    assert data is not None, "\n".join(map(format_text, said))
    return Source("t", data).text


def stays(text: str) -> str:
    """The neat text, which stays as it is when it is formatted again."""
    neat = formatted(text)
    assert formatted(neat) == neat
    return neat


NEAT = """\
# Head.

# Of the rule.
rule {
   syscall_name = openat, open
   rule_name = "a b" # quoted

   filter_expression { !(flags & -O_CREAT) && PARAMS[1] in { 0..5, -1 } } /* in */ // line
   action < LOG, KILL >
   # before the action
   action { type = FAIL error_code = -1 }
   when = before
} # behind

rule <
   syscall_name = @all
   action {
     LOG
     log_format {raw,   with { brackets }
  # no comment}
     # end
   }
>
# Foot.
"""
MESSY = """
# Head.


# Of the rule.
rule={syscall_name=openat,open;rule_name="a b"# quoted

filter_expression={!( flags&- O_CREAT )&&PARAMS [ 1 ] in{0 .. 5,-1}}/* in */// line
 action<LOG , KILL>;
 # before the action
action{type=FAIL;error_code=-1};when=before}# behind
rule<syscall_name=@all;action{
LOG log_format={raw,   with { brackets }
  # no comment}
# end
}>
# Foot."""
LONG = """\
rule {
   syscall_name = openat, open, unlinkat, unlink, rename, renameat, renameat2, mkdir, mkdirat,
     rmdir, link, linkat
   filter_expression {
     (UID == 0 || (EUID == 0 && COMM != "some-program") || (EUID == 1 && COMM != "other-program"))
     && !(
       filename startswith "/a/rather/long/path/of/a/file/"
       || filename startswith "/another/rather/long/path/of/a/file"
     )
     && UID + EUID + SUID + FSUID + GID in {
       1111111111111111, 2222222222222222, 3333333333333333, 4444444444444444, 5555555555555555,
       6666666666666666..7777777777777777
     }
   }
   action { LOG }
}
"""


def test_the_layout():
    assert stays(MESSY) == NEAT
    assert stays(NEAT) == NEAT


def test_long_lines_are_broken_where_they_are_loosest():
    assert stays(" ".join(LONG.split())) == LONG


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "/*a*/ /*b*/ // c\n", "/*a*/\n/*b*/ /*c*/ # d", "\n\n/* a */\n\n\n# b\n", " ; \n"])
def test_files_without_rules(text):
    neat = stays(text)
    assert COMMENT.findall(neat) == COMMENT.findall(text) and not neat.startswith("\n") and not neat.endswith("\n\n")


def test_bytes_that_are_no_text_stay():
    data = b'rule{syscall_name=unlink#\xff\nfilter_expression{pathname=="\xed\xa0"}action{LOG log_format{\xe9\r\n}}}'
    neat = encode(stays(Source("t", data).text))
    assert b"#\xff\n" in neat and b'"\xed\xa0"' in neat and b"{\xe9\r\n}" in neat


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_examples(path):
    text = Source.read(path).text
    assert COMMENT.findall(stays(text)) == COMMENT.findall(text)


def test_what_must_not_compile_may_be_formatted_or_is_left_alone():
    for path in sorted((TREE / "tests/bad").glob("*.conf")):
        data = format_source(Source.read(path), Diagnostics())
        assert data is None or stays(Source("t", data).text)


def scattered(text: str, trivia: list[str]) -> str:
    """The text with more blanks, lines and comments between its tokens; trivia are used again and again."""
    out, at, count = [], 0, 0
    for item in Lexer(Source("t", text), Diagnostics(), machinery()[2]).items():
        for index, token in enumerate(item.tokens):
            raw = token.type == "RAW" or index and item.tokens[index - 1].type == "RAW"
            out += [text[at : token.start], "" if raw or not trivia else trivia[count % len(trivia)], token.value]
            at, count = token.end, count + (not raw)
    return "".join(out) + text[at:]


def comments(text: str) -> Counter:
    """Comments outside raw texts and strings, where the lexer finds them."""
    found, at = [], 0
    for item in Lexer(Source("t", text), Diagnostics(), machinery()[2]).items():
        for token in item.tokens:
            found += COMMENT.findall(text[at : token.start])
            at = token.end
    return Counter(comment.rstrip() for comment in found + COMMENT.findall(text[at:]))


@examples(150)
@given(
    st.one_of(st.sampled_from(TEXTS), scene(0).map(lambda drawn: drawn[0])),
    st.lists(st.sampled_from(TRIVIA), max_size=30),
)
def test_any_layout_becomes_one_that_stays(text, trivia):
    """That the rules stay the same is checked by the formatter itself."""
    text = scattered(text, trivia)
    said = Diagnostics()
    if format_source(Source("t", text), said) is None:
        return  # a number that is too large, a glob that is none
    neat = stays(text)
    assert comments(neat) == comments(text)
    assert not re.search(r"\n\n\n", re.sub(r"/\*.*?\*/", "x", neat, flags=re.DOTALL)) and not neat.startswith("\n")


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, text in (("neat", NEAT), ("messy", MESSY), ("wrong", "rule { syscall_name }")):
        Path(name).write_text(text)
    assert config.main(["fmt", "--check", "neat"]) == 0 and capsys.readouterr() == ("", "")
    assert config.main(["fmt", "--check", "neat", "messy"]) == 1 and capsys.readouterr().out == "messy: would change\n"
    assert Path("messy").read_text() == MESSY
    assert config.main(["fmt", "neat", "wrong", "messy"]) == 1
    out, err = capsys.readouterr()
    assert out == "messy: changed\n" and err.startswith("wrong:1:21: error:")
    assert Path("messy").read_text() == NEAT and Path("wrong").read_text() == "rule { syscall_name }"
    assert config.main(["fmt", "missing"]) == 1


def test_a_file_keeps_its_rights_and_links(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("real").write_text(MESSY)
    Path("real").chmod(0o640)
    Path("link").symlink_to("real")
    assert config.main(["fmt", "link"]) == 0
    assert (
        Path("link").is_symlink() and Path("real").read_text() == NEAT and Path("real").stat().st_mode & 0o777 == 0o640
    )
    Path("real").write_text(MESSY)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert config.main(["fmt", "real"]) == 1 and "No space left" in capsys.readouterr().err
    assert Path("real").read_text() == MESSY and sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]
