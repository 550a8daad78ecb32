# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule see of data what the call writes or has read, and nothing else?"""

import pytest
from opinions import Event, judged

from pysct import members
from pysct.abi import ABIS, Limit, SourceFlag
from pysct.compiler import compile_sources
from pysct.image import decode
from pysct.layouts import DATA
from pysct.reading import decode as decode_reading
from pysct.source import Source
from pysct.tables import CALLS

PAGE = 4096
AT = 5 * PAGE
MATCHES, FAILS, UNKNOWN = (["r"], []), ([], []), ([], ["r"])


def rule(call: str, condition: str, more: str = "", action: str = "LOG") -> str:
    return f"rule {{ syscall_name = {call} rule_name = r filter_expression {{ {condition} }} action {{ {action} }} {more} }}"


def written(condition: str, data: bytes, count: int | None = None, at: int = AT, abi: str = "x86_64", call: str = "write"):
    args = (3, at, len(data) if count is None else count)
    return judged(rule(call, condition, f"abi = {abi}"), Event(call, args, abi=abi, memory={AT: data}))


@pytest.mark.parametrize("condition, data, outcome", [
    ('buf == "secret"', b"secret", MATCHES),
    ('buf == "secret"', b"secrets", FAILS),
    ('buf == "secret"', b"secret\0", FAILS),
    ('buf != "secret"', b"secret\0", MATCHES),
    ('buf startswith "sec"', b"secret", MATCHES),
    ('buf startswith "sec"', b"se", FAILS),
    ('buf contains "cre"', b"\0\0secret", MATCHES),
    ('buf contains "cre"', b"\0\0sec\0ret", FAILS),
    ('buf endswith "ret"', b"a\0ret", MATCHES),
    ('buf endswith "ret"', b"ret\0", FAILS),
    ('buf =~ "s*t"', b"s/\0/t", MATCHES),
    ('buf =~ "a?b"', b"a\0b", MATCHES),
    ('buf =~ "a?b"', b"a\0\0b", FAILS),
    ('buf in { "a", "b" }', b"b", MATCHES),
    ('buf == COMM', b"rm", MATCHES),
    ('buf == ""', b"", MATCHES),
    ('PARAMS[2] == "a"', b"a", MATCHES),
])  # fmt: skip
def test_bytes(condition, data, outcome):
    event = Event("write", (3, AT, len(data)), fields={"COMM": b"rm"}, memory={AT: data})
    assert judged(rule("write", condition), event) == outcome


def test_nothing_behind_the_count():
    for count, outcome in ((6, MATCHES), (7, FAILS), (5, FAILS), (0, FAILS)):
        assert written('buf == "secret"', b"secret data", count) == outcome
    assert written('buf contains "data"', b"secret data", 10) == FAILS


def test_no_data_is_known_wherever_it_is():
    for at in (0, 1, AT + 100, 2**64 - 1):
        assert written('buf == ""', b"x", 0, at) == MATCHES
    assert written('buf == ""', b"x", 2**32, abi="i386") == MATCHES, "of which the kernel sees the lower half"


def test_what_is_seen_ends():
    full = b"a" * Limit.DATA
    assert written('buf endswith "ab"', full[1:] + b"b") == MATCHES
    assert written('buf contains "b"', full + b"b") == FAILS
    assert written('buf startswith "aaa"', full + b"b") == MATCHES
    assert written('buf endswith "aaa" && count > 5000', full + b"b" * 5000) == MATCHES
    longest = b"a" * (Limit.STRING - 1)
    for data, outcome in ((longest, MATCHES), (full, FAILS), (full + b"a", FAILS)):
        assert written(f'buf == "{longest.decode()}"', data) == outcome, "that a text is not all is known of any length"
        assert written(f'buf startswith "{longest.decode()}"', data) == MATCHES


def test_data_that_ends_with_its_page():
    """As much as can be read is what the kernel can take; of what begins where nothing is nobody knows anything."""
    before, across = AT - 3, {AT - 3: b"sec"}

    def at(memory: dict[int, bytes], count: int, condition: str):
        return judged(rule("write", condition), Event("write", (3, before, count), memory=memory))

    assert at(across, 100, 'buf == "sec"') == MATCHES
    assert at(across | {AT: b"ret"}, 6, 'buf == "secret"') == MATCHES
    assert at(across | {AT: b"ret"}, 7, 'buf == "sec"') == MATCHES, "a page is there or not"
    assert at({AT: b"ret"}, 6, 'buf contains "ret"') == UNKNOWN
    assert at(across | {AT + PAGE: b"x"}, 3 + PAGE, 'buf == "sec"') == MATCHES, "nothing behind a hole"


def brought(condition: str, held: bytes, result: int, count: int = 100, error: int = 0, abi: str = "x86_64"):
    fields = {"RETVAL": result, "ERRNO": error}
    return judged(rule("read", condition, f"when = after abi = {abi}"), Event("read", (3, AT, count), "after", fields, abi, {AT: held}))


@pytest.mark.parametrize("abi", ABIS)
def test_what_was_read_is_as_much_as_the_call_says(abi):
    assert brought('buf == "hello"', b"helloXXX", 5, abi=abi) == MATCHES
    assert brought('buf contains "X"', b"helloXXX", 5, abi=abi) == FAILS
    assert brought('buf == ""', b"helloXXX", 0, abi=abi) == MATCHES
    assert brought('buf == "hel"', b"helloXXX", 5, count=3, abi=abi) == MATCHES, "more than there is room for"
    assert brought('buf == "hello"', b"helloXXX", -9, error=9, abi=abi) == UNKNOWN
    assert brought('buf != "hello"', b"helloXXX", -512, error=512, abi=abi) == UNKNOWN


@pytest.mark.parametrize("abi", ABIS)
def test_each_call_that_has_data(abi):
    for call, arguments in DATA[abi].items():
        names = [name for name, _ in CALLS[abi][call][1]]
        for argument, (size, filled) in arguments.items():
            args = [0] * len(names)
            args[names.index(argument)], args[names.index(size)] = AT, 3
            event = Event(call, tuple(args), "after", {"RETVAL": 3 if filled else 0, "ERRNO": 0}, abi, {AT: b"abcdef"})
            assert judged(rule(call, f'{argument} == "abc"', f"when = after abi = {abi}"), event) == MATCHES
            assert members.shown(abi, call, members.data(abi, call, argument).readings[0]) == argument
    assert members.data(abi, "read", "count") is None and members.data(abi, "nothing", "buf") is None


TOLD = (
    ("rule_name = r filter_expression { UID == 0 } action { LOG }", False),
    ('rule_name = r filter_expression { buf == "a" } action { LOG }', True),
    ('rule_name = r filter_expression { PARAMS[2] == "a" } action { LOG log_format { %args } }', True),
    ('rule_name = r filter_expression { buf == "a" } action { LOG log_format { %params } }', True),
    ('rule_name = r filter_expression { buf == "a" } action { LOG log_format { %comm } }', False),
    ('rule_name = r filter_expression { buf == "a" } action { FAIL }', False),
    ("rule_name = r action { LOG log_format { %buf } }", True),
    ("rule_name = r action { LOG log_format { %buf.txt } }", True),
    ("rule_name = r action { LOG log_format { %args } }", False),
)


def programs(*rules: str):
    """The programs of rules for x86_64 alone."""
    text = "\n".join(f"rule {{ abi = x86_64 {rule} }}" for rule in rules)
    return decode(compile_sources([Source("t", text)]).image).progs


@pytest.mark.parametrize("rest, told", TOLD)
def test_what_the_log_tells(rest, told):
    (prog,) = programs(f"syscall_name = write {rest}")
    assert any(entry[3] & SourceFlag.LOG for entry in prog.sources) == told


def test_before_a_read_its_buffer_is_an_address():
    (prog,) = programs("syscall_name = read action { LOG log_format { %buf %args } }")
    assert not prog.sources


def test_one_reading_for_all_rules():
    words = ("one", "another", "third")
    (prog,) = programs(*(f'syscall_name = write rule_name = {word} filter_expression {{ buf contains "{word}" }} action {{ LOG }}' for word in words))
    assert [decode_reading(entry) for entry in prog.sources] == list(members.data("x86_64", "write", "buf").readings)
