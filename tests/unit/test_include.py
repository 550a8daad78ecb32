# SPDX-License-Identifier: GPL-2.0-only
"""Is a rule set with included files the same as one in which they were written out?"""

import os
from pathlib import Path

import pytest

from pysct.abi import Limit
from pysct.compiler import compile_files, compile_sources, remove_rules
from pysct.image import decode
from pysct.source import Source


@pytest.fixture
def write(tmp_path):
    """Writes files and compiles the first one."""

    def write(**files: str | bytes):
        for name, text in files.items():
            path = tmp_path / (name.replace("__", "/") + ".conf")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return compile_files([tmp_path / f"{next(iter(files))}.conf"])

    return write


def rule(name: str, condition: str = "UID == 0") -> str:
    condition = f'{condition} && COMM == "{name}"'
    return f"rule {{ syscall_name = kill rule_name = {name} filter_expression {{ {condition} }} action {{ LOG }} }}\n"


def errors(result) -> list[str]:
    return [found.message for found in result.diagnostics if found.severity == "error"]


def test_items_come_in_the_place_of_the_statement(write):
    result = write(
        main=rule("a") + 'include "sub/b.conf"\n' + rule("d", "root"),
        sub__b='include "c.conf"\n' + rule("b"),
        sub__c="let root = UID == 0\n" + rule("c"),
    )
    assert [each.name for each in result.rules] == ["a", "c", "b", "d"] and not result.diagnostics


@pytest.mark.parametrize(
    "main",
    [
        'include "b.conf"\n',
        'include "b.conf"',
        '  include "b.conf" ; ' + rule("x"),
        rule("x").strip() + ' include "b.conf" include "b.conf"' + rule("y"),
        '# \xff\r\ninclude "b.conf" // why\r\n' + rule("x"),
        'include "b.conf"; /* two\nlines */ ' + rule("x") + 'include "b.conf"',
    ],
)
def test_the_text_of_an_image_needs_no_other_file(write, main):
    for inner in (rule("b"), rule("b").strip(), rule("b") + "// last", b"# \xe9\n" + rule("b").encode()):
        result = write(main=main.encode("latin-1"), b=inner)
        image = decode(result.image)
        again = compile_sources([Source("elsewhere", image.source)])
        assert decode(again.image) == image
        lines = image.source.splitlines()
        assert all(b"rule_name = " + each.name in lines[each.line - 1] for each in image.rules)
        assert (inner if isinstance(inner, bytes) else inner.encode()) in image.source


def test_a_text_without_include_stays_as_it_is(write):
    text = b"\r\n# \xff\n" + rule("a").encode().strip()
    assert decode(write(main=text).image).source == text


def test_rules_of_an_included_file_can_be_removed(write):
    source = decode(write(main='include "b.conf"\n' + rule("a"), b=rule("b") + rule("c")).image).source
    assert remove_rules(source, ["b"]).decode() == source.decode().replace(rule("b"), "")


def test_a_file_is_included_once(write):
    result = write(
        main='include "b.conf"\ninclude "c.conf"\ninclude "./b.conf"', b=rule("b"), c='include "b.conf"\n' + rule("c")
    )
    assert [each.name for each in result.rules] == ["b", "c"] and not result.diagnostics


def test_a_file_that_was_given_is_not_included_again(tmp_path):
    (tmp_path / "b").write_text(rule("b"))
    (tmp_path / "a").write_text('include "b"\n' + rule("a"))
    for order in (["a", "b"], ["b", "a"]):
        result = compile_files([tmp_path / name for name in order])
        assert sorted(each.name for each in result.rules) == ["a", "b"] and not result.diagnostics


def test_links_do_not_hide_a_cycle(tmp_path):
    (tmp_path / "a").write_text('include "link"')
    os.symlink("a", tmp_path / "link")
    (found,) = [each for each in compile_files([tmp_path / "a"]).diagnostics if each.severity == "error"]
    assert "includes itself" in found.message and found.to_json()["line"] == 1


def test_the_depth_is_limited(write):
    files = {f"f{at}": f'include "f{at + 1}.conf"\n' for at in range(Limit.INCLUDE_DEPTH)}
    assert not errors(write(**files, **{f"f{Limit.INCLUDE_DEPTH}": rule("last")}))
    files[f"f{Limit.INCLUDE_DEPTH}"] = f'include "f{Limit.INCLUDE_DEPTH + 1}.conf"'
    (message,) = errors(write(**files, **{f"f{Limit.INCLUDE_DEPTH + 1}": rule("last")}))
    assert str(Limit.INCLUDE_DEPTH) in message


def test_the_size_is_limited(write, monkeypatch):
    monkeypatch.setattr(Limit, "INCLUDE_SIZE", 300)
    fits, more = "#" * 150, "#" * 151
    assert not errors(write(main='include "a.conf"\ninclude "b.conf"\n' + rule("r"), a=fits, b=fits))
    (message,) = errors(write(main='include "a.conf"\ninclude "b.conf"\n' + rule("r"), a=fits, b=more))
    assert "more than 300 bytes" in message


def test_what_is_no_file_is_refused_at_its_place(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "secret").write_text("")
    for name in ("pipe", ".", "missing", "a\\x01b", "x" * 300, "/dev/zero"):
        text = f'\n include "{name}"'
        (found,) = [
            each
            for each in compile_sources([Source(str(tmp_path / "f"), text)]).diagnostics
            if each.severity == "error"
        ]
        assert found.to_json()["line"] == 2 and found.to_json()["column"] == 10


def test_file_names_are_bytes(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_text(rule("a"))
    result = compile_sources([Source(str(tmp_path / "f"), b'include "\xff"\n')])
    assert [each.name for each in result.rules] == ["a"] and b'include "\xff": begins' in decode(result.image).source
