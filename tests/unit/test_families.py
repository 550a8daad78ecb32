# SPDX-License-Identifier: GPL-2.0-only
"""Is it said of those conditions on an address, and of no others, that no address meets all of them?"""

from itertools import permutations

import pytest
from opinions import Event, Rules

from pysct.compiler import compile_sources
from pysct.constants import CONSTANTS
from pysct.source import Source

AT = 0x1000
KNOWN = ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET")
TESTS = [
    *(f"addr.sa_family == {name}" for name in KNOWN),
    "AF_INET == addr.sa_family",
    "addr.sa_family in { AF_INET, AF_NETLINK }",
    "addr.sa_family in { AF_UNSPEC, AF_INET6 }",
    "addr.sa_family != AF_PACKET",
    'addr.sun_path != "y"',
    "addr.sin_port + 1 > 0",
    "!(PARAMS[2].sin_port == 7)",
    "addr.sin6_port in { 0..65535 }",
    "addr.nl_pid | 1",
    "(addr.sll_hatype == 1 || UID == 0)",
    "UID == 0",
]


def address(family: int) -> Event:
    memory = family.to_bytes(2, "little") + b"\0" * 26
    return Event("connect", (3, AT, len(memory)), fields={"UID": 0}, memory={AT: memory})


ADDRESSES = {name: address(CONSTANTS[name]) for name in (*KNOWN, "AF_UNSPEC", "AF_BLUETOOTH")}


@pytest.mark.parametrize("first", TESTS)
def test_what_no_address_has_together(first):
    for other in TESTS:
        condition = f"{first} && {other}"
        text = f"rule {{ syscall_name = connect abi = x86_64 filter_expression {{ {condition} }} action {{ LOG }} }}"
        said = [found.message for found in compile_sources([Source("t", text)]).diagnostics if " is of AF_" in found.message]
        with Rules(text) as rules:
            met = {name for name, event in ADDRESSES.items() if rules.judge(event).matched}
        if "AF_UNSPEC" not in condition:  # who does not ask for it does not mean it
            met.discard("AF_UNSPEC")
        if "sa_family" in first and "sa_family" in other:  # about one number, of which others tell
            assert not said
        else:
            assert bool(said) == (not met), (condition, met, said)


def test_what_stands_further_in_is_seen():
    head = "rule { syscall_name = connect abi = x86_64 action { LOG } filter_expression {"
    for one, two, three in permutations(("UID == 0", "addr.sin_port == 22", 'addr.sun_path == "x"')):
        for condition in (f"{one} && ({two} && {three})", f"!({one} && {two} && {three})", f"({one} && {two}) && {three}"):
            found = compile_sources([Source("t", f"{head} {condition} }} }}")]).diagnostics
            assert len([each for each in found if each.severity == "warning"]) == 1, condition
