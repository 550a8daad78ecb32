# SPDX-License-Identifier: GPL-2.0-only
"""Does what a described call points to lie in its memory as it was written, and is missed what was not?"""

import pytest
from test_occurrence import described

from pysct.abi import Limit


def test_a_structure_inside_another():
    one, said = described("sendmsg(3, {msg_name.sin_port=53, msg_iovlen=1}, 0)")
    other, also = described("sendmsg(3, {msg_name={sin_port=53, ...}, msg_iovlen=1, ...}, 0)")
    assert not said and not also and one == other


def test_of_what_the_log_cut_nothing_is_known():
    for text, cut in (
        ('openat(AT_FDCWD, "/tm"..., O_RDONLY)', {"filename"}),
        ('write(1, "ab"..., 2)', {"buf"}),
        ('execve("/bin/sh", ["sh", "ab"..., ?], NULL)', {"argv[1]"}),
        ('execve("/bin/sh", ["sh"..., ...], NULL)', {f"argv[{at}]" for at in range(32)}),
        ('uname({sysname="Li"..., nodename="x"})', {"name.sysname"}),
        ('connect(3, {sa_family=AF_UNIX, sun_path="/r"...}, 110)', {"addr.sun_path"}),
        ('sendmsg(3, {msg_name={sa_family=AF_UNIX, sun_path="/r"...}}, 0)', {"msg.msg_name.sun_path"}),
    ):
        found, said = described(text)
        given = described(text.replace('"...', '"'))[0]
        assert not said and cut <= found.missing and found.missing - given.missing <= cut, text
    assert described('openat(AT_FDCWD, "/tm"...., 0)')[0] is None and described('close("3"...)')[0] is None


def test_a_structure_is_what_the_abi_has_there():
    event, said = described("sendmsg(3, {msg_name.sin_port=0x1602, msg_iovlen=5}) abi=i386")
    message, address = event.seen.memory[event.seen.args[1]], 0x21000
    assert not said and message[:8] == address.to_bytes(4, "little") + (16).to_bytes(4, "little") and message[12] == 5
    assert event.seen.memory[address][:5] == b"\x02\0\x16\x02\0"
    assert "msg.msg_name.sin_addr" in event.missing and not {"msg.msg_name.sa_family", "msg.msg_iovlen"} & event.missing
    assert "msg.msg_name.sun_path" not in event.missing, "which no address of its family has"


def length(event, place: int) -> int:
    """vec[place].iov_len, or of the message's vector."""
    at = event.seen.args[1]
    if event.call == "sendmsg":
        at = int.from_bytes(event.seen.memory[at][16:24], "little")
    return int.from_bytes(event.seen.memory[at][16 * place + 8 : 16 * place + 16], "little")


@pytest.mark.parametrize("text, count, lengths", [
    ("writev(1, [{iov_len=3}, {iov_base=NULL, iov_len=5}])", 2, (3, 5)),
    ("writev(1, [{iov_len=3}, {iov_len=5, ...}], 1)", 1, (3, 5)),
    ("writev(1, {iov_len=3})", 1, (3,)),
    ("writev(1, [{iov_len=3}, {...}])", 2, (3,)),
    ("writev(1, [])", 0, ()),
    ("sendmsg(1, {msg_iov=[{iov_len=3}, {iov_len=5}]}, 0)", 2, (3, 5)),
    ("sendmsg(1, {msg_name={sin_port=1}, msg_iov[1].iov_len=5, msg_iov.iov_len=3}, 0)", 2, (3, 5)),
    ("sendmsg(1, {msg_iov=[{...}, {iov_len=5}, ...], msg_iovlen=9}, 0)", 9, (0, 5)),
    ("sendmsg(1, {msg_iovlen=0, msg_iov=[{iov_len=3}]}, 0)", 0, (3,)),
    ("sendmsg(1, {msg_iov=[]}, 0)", 0, ()),
])  # fmt: skip
def test_an_array_of_structures(text, count, lengths):
    event, said = described(text)
    assert not said
    memory, at = event.seen.memory, event.seen.args[1]
    assert (event.seen.args[2] if event.call == "writev" else int.from_bytes(memory[at][24:32], "little")) == count
    assert tuple(length(event, place) for place in range(len(lengths))) == lengths


def test_of_an_array_is_missed_what_was_not_written():
    missing = lambda text: {name for name in described(text)[0].missing if "iov" in name or name == "vlen"}  # noqa: E731
    assert missing("writev(1, [{iov_len=3}, {iov_base=1, iov_len=5}])") == {"vec[0].iov_base"}, "what is behind is known not to be there"
    assert missing("writev(1, [{iov_len=3, iov_base=1}, {...}])") == {"vec[1].iov_len", "vec[1].iov_base"}
    assert missing("writev(1, [{iov_len=3, iov_base=1}], 2)") == {"vec[1].iov_len", "vec[1].iov_base"}
    assert missing("writev(1, [{iov_len=3, iov_base=1}], 1)") == missing("writev(1, NULL, 0)") == set()
    more = missing("writev(1, [{iov_len=3, iov_base=1}, ...])")
    assert {"vlen", "vec[1].iov_len", f"vec[{Limit.ELEMENTS - 1}].iov_base"} <= more and "vec[0].iov_len" not in more
    assert missing("sendmsg(1, {msg_iov=[{iov_len=3}], ...}, 0)") == {"msg.msg_iov", "msg.msg_iov[0].iov_base"}
    assert {"msg.msg_iovlen", "msg.msg_iov[9].iov_len"} <= missing("sendmsg(1, {msg_iov=[{iov_len=3}, ...]}, 0)")
    times = {name for name in described('utimensat(-100, "x", [{...}, {tv_sec=1}], 0)')[0].missing if name.startswith("utimes")}
    assert times == {"utimes[0].tv_sec", "utimes[0].tv_nsec", "utimes[1].tv_nsec"}


def test_the_size_of_a_structure_follows_from_what_was_written():
    for text, size in (("{sin_port=1}", 16), ("{sin6_port=1}", 28), ('{sun_path="/x"}', 5), ('{sun_path="@x"}', 4), ("{}", 0)):
        assert described(f"connect(3, {text})")[0].seen.args[2] == size
    assert described("connect(3, {sin_port=1}, 4)")[0].seen.args[2] == 4
    event = described("accept(3, {sin_port=1}) retval=4")[0]
    assert event.seen.memory[event.seen.args[2]][:4] == (16).to_bytes(4, "little")


def test_data_is_bytes_and_as_many_as_the_call_has():
    for text, count in ((r'write(1, "a\0\xff")', 3), (r'write(1, "a\0\xff", 2)', 2), ('write(1, "")', 0)):
        event, said = described(text)
        held = event.seen.memory[event.seen.args[1]]
        assert not said and held == (b"" if count == 0 else b"a\0\xff") and event.seen.args[2] == count
        assert not {"buf", "count"} & event.missing
    for text, missing in (("write(1, ?, 3)", set()), ("write(1, ?)", {"buf", "count"}), ("write(1)", {"buf", "count"}), ("write(1, 4096, 3)", set())):
        event = described(text)[0]
        assert not event.seen.memory and {"buf", "count"} & event.missing == missing
    assert described('read(1, "abc", 100) retval=3')[0].seen.args[2] == 100
    event = described('sendto(1, "abc", 3, 0, {sin_port=22})')[0]
    assert event.seen.args[2] == 3 and event.seen.args[5] == 16 and event.seen.memory[event.seen.args[1]] == b"abc"


def test_lists_of_strings():
    for abi, width in (("x86_64", 8), ("i386", 4)):
        event, said = described(f'execve("/bin/sh", ["sh", "-c", ?], []) abi={abi}')
        argv, envp = event.seen.memory[event.seen.args[1]], event.seen.memory[event.seen.args[2]]
        addresses = [int.from_bytes(argv[at : at + width], "little") for at in range(0, len(argv), width)]
        assert not said and len(addresses) == 4 and addresses[3] == 0 and envp == bytes(width)
        strings = event.seen.memory[addresses[0]]
        assert strings.startswith(b"sh\0-c\0") and addresses[1] == addresses[0] + 3 and addresses[2] not in event.seen.memory
        assert not {"argv", "argv[0]", "argv[5]", "envp[0]"} & event.missing
    event = described('execve("/bin/sh", ?)')[0]
    assert {"envp", "envp[0]"} <= event.missing and not {"argv", "argv[0]"} & event.missing and not event.seen.memory
