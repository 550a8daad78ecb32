# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule see of argv and envp the strings that are there, and nothing behind their end?"""

import struct

import pytest
from opinions import Event, judged

from pysct import members
from pysct.abi import ABIS, Limit
from pysct.layouts import LISTS

PAGE = 4096
AT = 16 * PAGE
MATCHES, FAILS, UNKNOWN = (["r"], []), ([], []), ([], ["r"])
FORMS = {abi: "<Q" if entry.bits == 64 else "<I" for abi, entry in ABIS.items()}


def held(abi: str, strings: list[bytes | int], at: int = AT) -> dict[int, bytes]:
    """A list, and each of its strings in a page of its own; a number is an address itself."""
    memory, addresses = {}, b""
    for place, string in enumerate(strings, 1):
        address = string if isinstance(string, int) else at + place * PAGE
        addresses += struct.pack(FORMS[abi], address)
        if isinstance(string, bytes):
            memory[address] = (string + b"\0").ljust(PAGE, b"x")
    return memory | {at: addresses}


def started(condition: str, strings: list[bytes | int], abi: str = "x86_64", argument: str = "argv"):
    at = 1 if argument == "argv" else 2
    args = tuple(AT if place == at else 0 for place in range(3))
    rule = f"rule {{ syscall_name = execve abi = {abi} rule_name = r filter_expression {{ {condition} }} action {{ LOG }} }}"
    return judged(rule, Event("execve", args, abi=abi, memory=held(abi, strings)))


@pytest.mark.parametrize("abi", ABIS)
def test_strings_by_their_place(abi):
    strings = [b"git", b"push", b"", 0]
    for place, string in enumerate(strings[:3]):
        for argument in ("argv", "envp"):
            assert started(f'{argument}[{place}] == "{string.decode()}"', strings, abi, argument) == MATCHES
            assert started(f'{argument}[{place}] == "x"', strings, abi, argument) == FAILS


def test_every_operator():
    for condition in ('argv[1] startswith "pu"', 'argv[1] endswith "sh"', 'argv[1] contains "us"', 'argv[1] =~ "p*"', 'argv[1] =~ "*/x" || argv[1] in { "push" }'):
        assert started(condition, [b"git", b"push", 0]) == MATCHES
    assert started('argv[1] =~ "a*b"', [b"git", b"a/c/b", 0]) == MATCHES, "an argument is no path"


@pytest.mark.parametrize("abi", ABIS)
def test_nothing_behind_the_null(abi):
    assert started('argv[1] != "x"', [b"git", 0, b"behind"], abi) == UNKNOWN
    assert started('argv[2] != "x"', [b"git", 0, b"behind"], abi) == UNKNOWN
    assert started(f'argv[{Limit.ELEMENTS - 1}] != "x"', [0], abi) == UNKNOWN
    assert started('argv[1] == "x" || argv[0] == "git"', [b"git", 0], abi) == MATCHES
    assert started(f'argv[{Limit.ELEMENTS - 1}] == "last"', [b"a"] * (Limit.ELEMENTS - 1) + [b"last", 0], abi) == MATCHES


def test_what_cannot_be_read():
    assert started('argv[1] != "x"', [b"git", 1, 0]) == UNKNOWN
    assert started('argv[0] == "git"', [b"git", 1]) == MATCHES, "the list is read no further than is asked for"
    assert started('argv[1] == "x"', [b"git"]) == UNKNOWN, "where the list ends without a null"
    assert started('envp[0] != "x"', [b"git", 0]) == UNKNOWN, "there is no list"


def test_how_long_a_string_can_be():
    for length, outcome in ((PAGE - 2, MATCHES), (PAGE - 1, MATCHES), (PAGE, UNKNOWN)):
        assert started('argv[0] startswith "aa"', [b"a" * length, 0]) == outcome


def test_a_string_across_pages():
    memory = held("x86_64", [5 * PAGE - 2, 0]) | {5 * PAGE - 2: b"se", 5 * PAGE: b"cret\0".ljust(PAGE, b"x")}
    text = 'rule { syscall_name = execve rule_name = r filter_expression { argv[0] == "secret" } action { LOG } }'
    assert judged(text, Event("execve", (0, AT, 0), memory=memory)) == MATCHES
    del memory[5 * PAGE]
    assert judged(text, Event("execve", (0, AT, 0), memory=memory)) == UNKNOWN


def test_each_element_can_be_named_again():
    for abi, calls in LISTS.items():
        assert set(calls) == {"execve", "execveat"}
        for call, arguments in calls.items():
            for argument in arguments:
                assert len(members.elements(abi, call, argument)) == Limit.ELEMENTS
                for name in members.elements(abi, call, argument):
                    (reading,) = members.find(abi, call, name).readings
                    assert members.shown(abi, call, reading) == name
    for name in (f"argv[{Limit.ELEMENTS}]", "filename[0]", "argv[x]", "argv[]", "argv[0][0]"):
        assert members.find("x86_64", "execve", name) is None
    assert members.elements("x86_64", "unlink", "argv") == [] and not members.exists("nothing[0]") and members.exists("envp[3]")
