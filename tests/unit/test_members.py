# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule mean the members that its author does, wherever each ABI has them?"""

import struct

import pytest
from opinions import Event, judged

from pysct import members
from pysct.abi import ABIS, FIELDS, Limit
from pysct.layouts import ARGUMENTS, LAYOUTS, POINTERS
from pysct.tables import CALLS

AT = 0x1000
IN = b"\x02\0" + b"\0\x16" + bytes([10, 1, 2, 3]) + bytes(8)
IN6 = b"\x0a\0" + b"\0\x16" + bytes(4) + bytes.fromhex("20010db8000000000000000000000007") + bytes(4)
MATCHES, FAILS, UNKNOWN = (["r"], []), ([], []), ([], ["r"])


def rule(call: str, condition: str, more: str = "") -> str:
    return f"rule {{ syscall_name = {call} rule_name = r filter_expression {{ {condition} }} action {{ LOG }} {more} }}"


def connect(condition: str, address: bytes, size: int | None = None, at: int = AT):
    args = (3, at, len(address) if size is None else size)
    return judged(rule("connect", condition), Event("connect", args, memory={AT: address}))


@pytest.mark.parametrize("condition, address, outcome", [
    ("addr.sin_port == 22", IN, MATCHES),
    ("addr.sin_port != 22", IN, FAILS),
    ("PARAMS[2].sin_port == 22", IN, MATCHES),
    ("addr.sa_family == AF_INET", IN, MATCHES),
    ("addr.sin_addr == 10.1.2.3", IN, MATCHES),
    ("addr.sin_addr in 10.0.0.0/8", IN, MATCHES),
    ("addr.sin_addr in 10.1.2.2/31", IN, MATCHES),
    ("addr.sin_addr in 10.1.2.0/31", IN, FAILS),
    ("addr.sin_addr in { 192.168.0.0/16, 10.1.2.3 }", IN, MATCHES),
    ("addr.sin_addr in 0.0.0.0/0", IN, MATCHES),
    ("addr.sin_addr != 10.1.2.3", IN, FAILS),
    ("addr.sin6_port == 22", IN6, MATCHES),
    ("addr.sin6_addr == 2001:db8::7", IN6, MATCHES),
    ("addr.sin6_addr in 2001:db8::/32", IN6, MATCHES),
    ("addr.sin6_addr in 2001:db8::/125", IN6, MATCHES),
    ("addr.sin6_addr in 2001:db8::/126", IN6, FAILS),
    ("addr.sin6_addr in 2001:db9::/32", IN6, FAILS),
    ("addr.sin6_addr in ::/0", IN6, MATCHES),
    ("addr.sin_port == 22", IN6, UNKNOWN),
    ("addr.sin_port != 22", IN6, UNKNOWN),
    ("addr.sin_addr in 0.0.0.0/0", IN6, UNKNOWN),
    ("!(addr.sun_path == \"/x\")", IN, UNKNOWN),
    ("addr.sa_family == AF_INET6 && addr.sin6_port == 22", IN, FAILS),
    ("addr.sin_port == 22", b"\0\0" + IN[2:], MATCHES),
    ("addr.sun_path == \"/x\"", b"\1\0/x\0junk", MATCHES),
    ("addr.sun_path == \"/x\"", b"\1\0/x", MATCHES),
    ("addr.sun_path == \"@x\\x41\"", b"\1\0\0xA", MATCHES),
    ("addr.sun_path == \"@x\"", b"\1\0\0x\0", FAILS),
    ("addr.sun_path == \"\"", b"\1\0", MATCHES),
    ("addr.sun_path startswith \"/\"", b"\1\0" + b"/" * 108, MATCHES),
    ("addr.sun_path startswith \"/\"", b"\1\0" + b"/" * 109, UNKNOWN),
    ("addr.nl_pid == 7", struct.pack("<HHII", 16, 0, 7, 0), MATCHES),
    ("addr.sll_protocol == 0x0800", struct.pack("<HHi", 17, 0x0008, 1), MATCHES),
])  # fmt: skip
def test_socket_addresses(condition, address, outcome):
    assert connect(condition, address) == outcome


def test_no_more_is_read_than_the_size_says():
    for size, outcome in ((16, MATCHES), (4, MATCHES), (3, UNKNOWN), (2, UNKNOWN), (1, UNKNOWN), (0, UNKNOWN), (-1, UNKNOWN)):
        assert connect("addr.sin_port == 22", IN, size) == outcome
    assert connect("addr.sin6_addr in 2001:db8::/32", IN6, 23) == UNKNOWN
    assert connect("addr.sin_port == 22", IN[:3], 16) == UNKNOWN, "the memory ends there"
    assert connect("addr.sin_port == 22", IN, at=0) == UNKNOWN


FILLED = [("x86_64", "fstat", 48, "<q"), ("i386", "fstat", 20, "<I"), ("i386", "fstat64", 44, "<q"), ("x32", "fstat", 48, "<q"),
          ("aarch64", "fstat", 48, "<q"), ("aarch32", "fstat64", 48, "<q")]  # fmt: skip


@pytest.mark.parametrize("abi, call, offset, form", FILLED)
def test_what_a_call_fills_in(abi, call, offset, form):
    """The offsets are those of the manual pages and headers of each ABI, looked up by hand."""
    memory = {AT: b"\xff" * offset + struct.pack(form, 1234) + b"\xff" * (144 - offset - struct.calcsize(form))}
    text = rule(call, "statbuf.st_size == 1234", f"when = after abi = {abi}")
    for error, outcome in ((0, MATCHES), (9, UNKNOWN)):
        assert judged(text, Event(call, (3, AT), "after", {"ERRNO": error, "RETVAL": -error}, abi, memory)) == outcome


@pytest.mark.parametrize("abi, form", [("x86_64", "<QiiQQQQi"), ("i386", "<IiIIIIi"), ("x32", "<IiIIIIi"), ("aarch32", "<IiIIIIi")])
def test_through_pointers(abi, form):
    words = [AT + 0x100, 16, AT + 0x200, 1, 0, 0, 0] if form[1] == "I" else [AT + 0x100, 16, 0, AT + 0x200, 1, 0, 0, 0]
    vector = struct.pack("<QQ" if form[1] == "Q" else "<II", 0x5000, 77)
    memory = {AT: struct.pack(form, *words), AT + 0x100: IN, AT + 0x200: vector}
    for condition in ("msg.msg_name.sin_port == 22", "msg.msg_namelen == 16", "msg.msg_iov.iov_len == 77", "msg.msg_iov.iov_base == 0x5000"):
        assert judged(rule("sendmsg", condition, f"abi = {abi}"), Event("sendmsg", (3, AT, 0), abi=abi, memory=memory)) == MATCHES
    text = rule("sendmsg", "msg.msg_name.sin_port == 22", f"abi = {abi}")
    nowhere = {**memory, AT: bytes(len(memory[AT]))}
    assert judged(text, Event("sendmsg", (3, AT, 0), abi=abi, memory=nowhere)) == UNKNOWN


def test_a_structure_that_grows_is_0_behind_its_size():
    args = struct.pack("<8Q", 0, 0, 0, 0, 17, 0, 0, 0)
    for condition, size, outcome in (
        ("uargs.exit_signal == 17 && uargs.cgroup == 0", 64, MATCHES),
        ("uargs.cgroup == 0", 84, UNKNOWN),
        ("uargs.exit_signal == 17", 36, UNKNOWN),
        ("uargs.exit_signal == 0", 32, MATCHES),
    ):
        assert judged(rule("clone3", condition), Event("clone3", (AT, size), memory={AT: args})) == outcome


NARROW = ("i386", "x32", "aarch32")


def pieces(abi: str, *lengths: int) -> bytes:
    return b"".join(struct.pack("<II" if abi in NARROW else "<QQ", 0x5000 + at, length) for at, length in enumerate(lengths))


@pytest.mark.parametrize("abi", ABIS)
def test_elements_of_an_array(abi):
    """Each where the ABI has it; the last that a rule can name as well."""
    held = {AT: pieces(abi, *range(100, 100 + Limit.ELEMENTS))}
    for place in (0, 1, 2, Limit.ELEMENTS - 1):
        for name in (f"vec[{place}]", f"PARAMS[2][{place}]"):
            for condition, outcome in ((f"{name}.iov_len == {100 + place} && {name}.iov_base == {0x5000 + place}", MATCHES),
                                       (f"{name}.iov_len != {100 + place}", FAILS)):  # fmt: skip
                event = Event("writev", (1, AT, Limit.ELEMENTS), abi=abi, memory=held)
                assert judged(rule("writev", condition, f"abi = {abi}"), event) == outcome


@pytest.mark.parametrize("abi", ABIS)
def test_nothing_behind_the_last_element(abi):
    """Unknown, though there is memory; so is the first of none. A count is as wide as the ABI has it, and not below 0."""
    held = {AT: pieces(abi, 7, 7, 7, 7)}
    for count, place, outcome in ((0, 0, UNKNOWN), (1, 0, MATCHES), (1, 1, UNKNOWN), (2, 1, MATCHES), (2, 2, UNKNOWN), (3, 2, MATCHES),
                                  (-1, 3, MATCHES), (-1, 4, UNKNOWN), (1 << 63, 3, MATCHES), (1 << 60, 3, MATCHES), ((1 << 60) + 1, 3, MATCHES)):  # fmt: skip
        if abi in ("i386", "aarch32") and count >> 32 > 0:
            outcome = MATCHES if place < count % (1 << 32) else UNKNOWN
        for condition in (f"vec[{place}].iov_len == 7", f"!(vec[{place}].iov_len != 7)"):
            assert judged(rule("writev", condition, f"abi = {abi}"), Event("writev", (1, AT, count), abi=abi, memory=held)) == outcome
    for memory, at in (({}, AT), (held, 0), ({AT: held[AT][:9]}, AT + 4)):
        assert judged(rule("writev", "vec[0].iov_len == 7", f"abi = {abi}"), Event("writev", (1, at, 4), abi=abi, memory=memory)) == UNKNOWN


@pytest.mark.parametrize("abi", ABIS)
def test_elements_of_an_array_behind_a_pointer(abi):
    """struct msghdr: msg_iovlen is a word, all of it."""
    form = "<IiIIIII" if abi in NARROW else "<QQQQQQI"
    for count, place, outcome in ((0, 0, UNKNOWN), (1, 0, MATCHES), (1, 1, UNKNOWN), (3, 2, MATCHES), (3, 3, UNKNOWN), (1 << 31, 3, MATCHES),
                                  ((1 << 32) - 1, 3, MATCHES), (1 << 32, 3, MATCHES), ((1 << 64) - 1, 3, MATCHES)):  # fmt: skip
        if abi in NARROW and count >> 32:
            continue
        memory = {AT: struct.pack(form, 0, 0, AT + 0x100, count, 0, 0, 0), AT + 0x100: pieces(abi, 7, 7, 7, 7)}
        for name in (f"msg.msg_iov[{place}]", f"PARAMS[2].msg_iov[{place}]"):
            text = rule("sendmsg", f"{name}.iov_len == 7 && {name}.iov_base == {0x5000 + place}", f"abi = {abi}")
            assert judged(text, Event("sendmsg", (3, AT, 0), abi=abi, memory=memory)) == outcome
        assert judged(rule("sendmsg", "msg.msg_iov.iov_len == 7", f"abi = {abi}"), Event("sendmsg", (3, AT, 0), abi=abi, memory=memory)) == (
            MATCHES if count else UNKNOWN)  # fmt: skip


@pytest.mark.parametrize("abi, call, form", [("x86_64", "utimensat", "<4q"), ("x32", "utimensat", "<4q"), ("i386", "utimensat", "<4i"),
                                             ("i386", "utimensat_time64", "<4q"), ("aarch32", "utimensat", "<4i")])  # fmt: skip
def test_two_times(abi, call, form):
    memory = {AT: struct.pack(form, 1, 2, 3, 4)}
    condition = "utimes[0].tv_sec == 1 && utimes.tv_nsec == 2 && utimes[1].tv_sec == 3 && PARAMS[3][1].tv_nsec == 4"
    for at, outcome in ((AT, MATCHES), (0, UNKNOWN)):
        assert judged(rule(call, condition, f"abi = {abi}"), Event(call, (3, b"x", at, 0), abi=abi, memory=memory)) == outcome


@pytest.mark.parametrize("abi", ["x86_64", "i386", "x32", "aarch32"])
def test_descriptors(abi):
    """What the call answers with is known after it, and only if it did."""
    memory = {AT: struct.pack("<ihh", 3, 1, 16) + struct.pack("<ihh", -1, 4, 32)}
    asked = "ufds[0].fd == 3 && ufds[1].fd == -1 && ufds[0].events == 1 && ufds[1].events == 4"
    assert judged(rule("poll", asked, f"abi = {abi}"), Event("poll", (AT, 2, -1), abi=abi, memory=memory)) == MATCHES
    for error, outcome in ((0, MATCHES), (4, UNKNOWN)):
        text = rule("poll", f"{asked} && ufds[0].revents == 16 && ufds[1].revents == 32", f"abi = {abi} when = after")
        event = Event("poll", (AT, 2, -1), "after", {"ERRNO": error, "RETVAL": -error}, abi, memory)
        assert judged(text, event) == outcome


def test_what_is_several_in_a_row_is_counted():
    """Structures of which there is never one alone, and the members that count them: as wide as a pointer."""
    for abi, calls in ARGUMENTS.items():
        for call, arguments in calls.items():
            for name, (struct_name, *_, count) in arguments.items():
                assert count or struct_name not in ("iovec", "compat_iovec", "pollfd"), (abi, call, name)
    for machine, layouts in LAYOUTS.items():
        for name, bits in (("user_msghdr", 64), ("compat_msghdr", 32)):
            assert {layouts[name][count][1] for _, _, count in POINTERS.values() if count} == {f"u{bits}"}


def test_each_member_can_be_read_and_named_again():
    for abi, calls in ARGUMENTS.items():
        for call in calls:
            for name in members.names(abi, call):
                member = members.find(abi, call, name)
                assert [members.shown(abi, call, reading) for reading in member.readings] == [name] * len(member.readings)
                assert all(reading.arg < len(CALLS[abi][call][1]) for reading in member.readings)


def test_names_that_mean_nothing():
    for name in ("addr", "addr.", "addr.x", "fd.sin_port", "nothing.sin_port", "PARAMS[0].sin_port", "PARAMS[9].sin_port", "addr[0].sin_port"):
        assert members.find("x86_64", "connect", name) is None
    for name in ("how[0].flags", "msg.msg_name[0].sin_port", "msg[0].msg_flags", "vec[32].iov_len", "vec[0][0].iov_len", "vec[0]iov_len"):
        assert not any(members.find("x86_64", call, name) for call in ("openat2", "sendmsg", "writev")), name
    assert members.find("x86_64", "writev", "vec[0].iov_len") == members.find("x86_64", "writev", "vec.iov_len")
    assert members.names("x86_64", "unlink") == () and members.names("nowhere", "nothing") == ()
    assert set(ARGUMENTS) == set(ABIS) and "ERRNO" in FIELDS
