# SPDX-License-Identifier: GPL-2.0-only
"""What does a rule mean in each ABI?"""

import platform

import pytest
from opinions import Event, judged

from pysct import calls
from pysct.abi import ABIS
from pysct.cli.loaded import LoadedRule
from pysct.compiler import compile_sources
from pysct.diagnostics import format_text
from pysct.image import decode
from pysct.names import STR, lookup, type_of
from pysct.points import abis_of, point
from pysct.source import Source
from pysct.tables import CALLS

AMD64 = abis_of("x86_64")


def rule(words: str) -> str:
    return f"rule {{ rule_name = r action {{ LOG }} syscall_name = {words} }}"


def compiled(words: str, machine: str | None = "x86_64") -> bytes:
    """The image of one rule."""
    result = compile_sources([Source("t", rule(words))], machine)
    assert result.image, "\n".join(map(format_text, result.diagnostics))
    return result.image


def points(words: str, machine: str | None = "x86_64") -> list[tuple[int, int]]:
    return [(prog.abi, prog.nr) for prog in decode(compiled(words, machine)).progs]


def test_all_of_the_machine_by_default():
    assert AMD64 == ("x86_64", "i386", "x32")
    assert points("unlink") == [(0, 87), (1, 10), (2, 87)]
    assert points("unlink, unlinkat abi = x86_64, i386, aarch64") == [(0, 87), (0, 263), (1, 10), (1, 301), (3, 35)]


@pytest.mark.parametrize(
    ("machine", "there"),
    [("x86_64", [(0, 87), (1, 10), (2, 87)]), ("aarch64", [(4, 10)]), ("riscv64", [(0, 87), (1, 10), (2, 87)])],
)
def test_the_machine_is_this_one_unless_it_is_named(machine, there, monkeypatch):
    """Where rules cannot be used they are checked as for amd64."""
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert points("unlink", machine=None) == there
    assert points("unlink", machine="x86_64") == [(0, 87), (1, 10), (2, 87)]
    assert points("unlink", machine="aarch64") == [(4, 10)]


def test_a_call_need_not_exist_in_all():
    assert points("waitpid, unlink") == [(0, 87), (1, 7), (1, 10), (2, 87)]
    assert points("waitpid*") == [(1, 7)]


def test_a_number_that_no_kernel_implements_is_left_out_where_another_abi_has_the_call():
    """x86_64 has a number for uselib and nothing behind it."""
    assert points('uselib filter_expression { library == "/x" }') == [(1, 86)]
    assert points("uselib abi = x86_64") == [(0, 134)]
    assert points("uselib, unlink abi = x86_64") == [(0, 87), (0, 134)]


def test_a_condition_may_choose_the_abi():
    assert points('unlink filter_expression { ABI == "i386" }') == [(1, 10)]
    assert points('unlink filter_expression { ABI != "i386" && UID == 0 }') == [(0, 87), (2, 87)]


@pytest.mark.parametrize(
    ("words", "call", "values"),
    [
        ("ioctl filter_expression { cmd == BLKGETSIZE64 }", "ioctl", {"x86_64": 0x80081272, "i386": 0x80041272}),
        ("fcntl filter_expression { cmd == F_SETLK }", "fcntl", {"x86_64": 6, "i386": 6, "x32": 6}),
        ("open filter_expression { flags & O_DIRECTORY } abi = x86_64, aarch32, i386", "open",
         {"x86_64": 0o200000, "i386": 0o200000, "aarch32": 0o40000}),
        ("openat filter_expression { flags & O_DIRECTORY } abi = x86_64, aarch64", "openat",
         {"x86_64": 0o200000, "aarch64": 0o40000}),
    ],
)  # fmt: skip
def test_constants_have_the_value_of_the_abi(words, call, values):
    for abi, value in values.items():
        names = [name for name, _ in CALLS[abi][call][1]]
        at = names.index("cmd" if "cmd" in names else "flags")
        for number, fits in ((value, True), (value ^ 0o240000, False)):
            args = [b"" if kind == "str" else 0 for _, kind in CALLS[abi][call][1]]
            args[at] = number
            assert judged(rule(words), Event(call, tuple(args), abi=abi)) == (["r"] * fits, [])


def test_an_argument_has_the_width_and_place_of_the_abi():
    text = rule("clone filter_expression { tls == 0xffffffff }")
    for abi, args, fits in (
        ("x86_64", (0, 0, 0, 0, 0xFFFFFFFF), True),
        ("x86_64", (0, 0, 0, 0xFFFFFFFF, 0), False),
        ("x86_64", (0, 0, 0, 0, 0xFFFFFFFFFFFFFFFF), False),
        ("i386", (0, 0, 0, 0xFFFFFFFF, 0), True),
        ("i386", (0, 0, 0, 0, 0xFFFFFFFF), False),
    ):
        assert judged(text, Event("clone", args, abi=abi)) == (["r"] * fits, [])


def test_the_kind_of_a_name_is_the_same_in_all_abis():
    """Else a rule that is sound for one ABI would be refused for all."""
    for call in set.union(*(set(CALLS[abi]) for abi in AMD64)):
        there = [point(abi, call) for abi in AMD64 if call in CALLS[abi]]
        for name in {name for p in there for name, _ in p.args}:
            strings = {type_of(lookup(name, p)) == STR for p in there if any(name == other for other, _ in p.args)}
            assert len(strings) == 1, (call, name)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("unlink, unlinkat", ["unlink", "unlinkat"]),
        ("unlink, waitpid", ["unlink", "waitpid"]),
        ("unlink abi = i386", ["unlink (i386)"]),
        ("unlink, waitpid abi = i386, x86_64", ["unlink (x86_64, i386)", "waitpid"]),
        ("uselib", ["uselib"]),
        ("unlink abi = x86_64, i386, x32", ["unlink"]),
        ("unlink abi = aarch32", ["unlink"]),
        ("unlinkat abi = aarch32", ["unlinkat (aarch32)"]),
    ],
)
def test_a_list_shows_each_call_once(words, shown):
    rule = LoadedRule(b"r", 0, 1, 0, 1, tuple(dict.fromkeys(points(words))))
    assert rule.call_names() == shown


def test_a_call_without_a_name_is_shown():
    assert LoadedRule(b"r", 0, 1, 0, 1, ((0, 999), (9, 1))).call_names() == ["syscall_999", "syscall_1 (abi_9)"]
    assert calls.is_all("unlink", list(ABIS))
