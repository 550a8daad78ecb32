# SPDX-License-Identifier: GPL-2.0-only
"""Are numbers of a call shown by the constants that they consist of?"""

import errno
import re

import pytest
from fake_modules import NAME, event, item

from pysct import abi, events, jsonlines, members, render, shown, values, words
from pysct.constants import CONSTANTS
from pysct.shown import ARGUMENTS, SETS
from pysct.tables import CALLS

KINDS = {name: kind.number for name, kind in abi.KINDS.items()}


def said(call: str, *args: int, of: str = "x86_64", template: bytes = b"%args", **others) -> str:
    """The line that is logged of a call."""
    nr, arguments = CALLS[of][call]
    kinds = tuple(KINDS[kind] for _, kind in arguments)
    given = {"nr": nr, "abi": abi.ABIS[of].number, "nargs": len(kinds), "kinds": kinds, "args": args, **others}
    (found,) = events.read_all(event([NAME, item(abi.Item.TEMPLATE, template)], **given))
    return render.line(found)


@pytest.mark.parametrize(
    ("call", "args", "text"),
    [
        ("openat", (2**64 - 100, 0, 0o1101, 0o644), "AT_FDCWD, NULL, O_WRONLY|O_CREAT|O_TRUNC, 0644"),
        ("openat", (3, 0, 0, 0), "3, NULL, O_RDONLY, 000"),
        ("openat", (3, 0, 0o4210000, 0o7777), "3, NULL, O_RDONLY|O_SYNC|O_DIRECTORY, 07777"),
        ("openat", (3, 0, 3, 0), "3, NULL, 0x3, 000"),
        ("openat", (3, 0, 1 << 30 | 2, 0), "3, NULL, O_RDWR|0x40000000, 000"),
        ("mknodat", (3, 0, 0o100644, 5), "3, NULL, S_IFREG|0644, 5"),
        ("mkdirat", (2**32 - 100, 0, 0o700), "AT_FDCWD, NULL, 0700"),
        ("unlinkat", (3, 0, 0x200), "3, NULL, AT_REMOVEDIR"),
        ("unlinkat", (3, 0, 0x300), "3, NULL, AT_REMOVEDIR|0x100"),
        ("unlinkat", (3, 0, 0x100), "3, NULL, 0x100"),
        ("kill", (1, 9), "1, SIGKILL"),
        ("kill", (1, 0), "1, 0"),
        ("kill", (1, 64), "1, 64"),
        ("access", (0, 0), "NULL, F_OK"),
        ("access", (0, 6), "NULL, W_OK|R_OK"),
        ("socket", (1, 0o2004001, 0), "AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0"),
        ("mmap", (0, 4096, 3, 0x22, 2**64 - 1, 0), "0, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0"),
        ("mprotect", (4096, 1, 0), "4096, 1, PROT_NONE"),
        ("clone", (0x1200011, 0, 0, 0, 0), "SIGCHLD|CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID, 0, NULL, NULL, 0"),
        ("ptrace", (24, 5, 0, 0), "PTRACE_SYSCALL, 5, 0, 0"),
        ("lseek", (3, 0, 2), "3, 0, SEEK_END"),
        ("lseek", (3, 0, 77), "3, 0, 77"),
        ("close", (3,), "3"),
    ],
)
def test_args(call, args, text):
    assert said(call, *args) == text


def test_params_are_as_the_ancestor_printed_them():
    assert said("openat", 2**64 - 100, 0, 0o1101, 0o644, template=b"%params") == "-100, NULL, 577, 420"


def test_an_arguments_own_macro_says_it_in_words():
    assert said("openat", 3, 0, 0o101, 0o644, template=b"%flags %mode %dfd") == "O_WRONLY|O_CREAT 0644 3"


def test_values_are_those_of_the_calls_abi():
    name = "O_DIRECTORY"
    here, there = CONSTANTS[name]["x86_64"], CONSTANTS[name]["aarch64"]
    assert here != there
    assert said("openat", 3, 0, here, 0).split(", ")[2] == "O_RDONLY|O_DIRECTORY"
    assert said("openat", 3, 0, there, 0, of="aarch64").split(", ")[2] == "O_RDONLY|O_DIRECTORY"
    assert "O_DIRECTORY" not in said("openat", 3, 0, there, 0)


@pytest.mark.parametrize(
    ("retval", "text"),
    [
        (0, "0"),
        (3, "3"),
        (-2, "-1 ENOENT (No such file or directory)"),
        (-1, "-1 EPERM (Operation not permitted)"),
        (-512, "? ERESTARTSYS"),
        (-4000, "-1 4000"),
        (-(2**62), str(-(2**62))),
    ],
)
def test_result(retval, text):
    assert said("close", 3, template=b"%result", phase=1, retval=retval) == text


def test_every_error_has_a_message():
    assert all(words.message(code) for code in errno.errorcode)


def test_every_flag_alone_is_its_name():
    """Whatever set it is in, for each ABI."""
    for name, (_, mask, flags, *_) in SETS.items():
        for of in abi.ABIS:
            for flag, value in flags:
                value = value if isinstance(value, int) else value.get(of, 0)
                text = words.by_set(name, of, value, 64) if value else flag
                assert flag in text.split("|") and not re.search("0x", text), (name, flag, text)


@pytest.mark.parametrize("register", [0, 1, 2**64 - 1, 2**63, 0xDEADBEEF, 0x5A5A5A5A5A5A5A5A])
def test_names_stand_for_the_whole_number(register):
    """What is shown of any argument, added up again, is the number."""
    seen = 0
    for of, calls in CALLS.items():
        for call, (_, arguments) in calls.items():
            for argument, kind in arguments:
                if argument in ARGUMENTS.get(call, {}) and kind not in ("ptr", "str"):
                    value = values.number(register, KINDS[kind])
                    bits = abi.KINDS[kind].bits
                    text = words.shown(call, argument, of, value, bits)
                    if text is not None:
                        total = 0
                        for part in text.split("|"):
                            total |= worth(part, of)
                        assert total % 2**bits == value % 2**bits, (of, call, argument, text)
                        seen += 1
    assert seen > 100


MEMBERS = {
    ("connect", "addr.sa_family", 2): "AF_INET",
    ("connect", "addr.sa_family", 0): "AF_UNSPEC",
    ("connect", "addr.sa_family", 999): "999",
    ("connect", "addr.sll_protocol", 0x806): "ETH_P_ARP",
    ("connect", "addr.sin_port", 22): "22",
    ("openat2", "how.flags", 0o101): "O_WRONLY|O_CREAT",
    ("openat2", "how.flags", 0): "O_RDONLY",
    ("openat2", "how.flags", -(2**63)): "O_RDONLY|0x8000000000000000",
    ("openat2", "how.mode", 0o644): "0644",
    ("openat2", "how.resolve", 0x28): "RESOLVE_BENEATH|RESOLVE_CACHED",
    ("openat2", "how.resolve", 0): "0",
    ("clone3", "uargs.flags", 0x100000300): "CLONE_VM|CLONE_FS|CLONE_CLEAR_SIGHAND",
    ("clone3", "uargs.flags", 0x80): "CLONE_NEWTIME",
    ("clone3", "uargs.exit_signal", 17): "SIGCHLD",
    ("clone3", "uargs.exit_signal", 0): "0",
    ("fstat", "statbuf.st_mode", 0o100644): "S_IFREG|0644",
    ("fstat", "statbuf.st_mode", 0o41777): "S_IFDIR|01777",
    ("fstat", "statbuf.st_size", 33188): "33188",
    ("statx", "buffer.stx_mode", 0o120777): "S_IFLNK|0777",
    ("statx", "buffer.stx_mask", 0x7FF): "STATX_BASIC_STATS",
    ("statx", "buffer.stx_attributes", 0x30): "STATX_ATTR_IMMUTABLE|STATX_ATTR_APPEND",
    ("sendmsg", "msg.msg_flags", 0x4000): "MSG_NOSIGNAL",
    ("sendmsg", "msg.msg_name.sa_family", 10): "AF_INET6",
    ("mount_setattr", "uattr.attr_set", 3): "MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID",
    ("mount_setattr", "uattr.propagation", 1 << 20): "MS_SHARED",
    ("landlock_create_ruleset", "attr.handled_access_fs", 3): "LANDLOCK_ACCESS_FS_EXECUTE|LANDLOCK_ACCESS_FS_WRITE_FILE",
    ("landlock_create_ruleset", "attr.handled_access_net", 2): "LANDLOCK_ACCESS_NET_CONNECT_TCP",
    ("landlock_create_ruleset", "attr.scoped", 2): "LANDLOCK_SCOPE_SIGNAL",
    ("poll", "ufds[0].events", 0x2003): "POLLIN|POLLPRI|POLLRDHUP",
    ("poll", "ufds[1].revents", 32): "POLLNVAL",
    ("poll", "ufds[0].events", 0x4001): "POLLIN|0x4000",
}


def told(call: str, name: str, value: int, of: str = "x86_64", state: int = abi.State.WHOLE) -> events.Event:
    """The event of a call that shows a member, which is this number."""
    nr, arguments = CALLS[of][call]
    kinds = tuple(KINDS[kind] for _, kind in arguments)
    (reading,) = members.find(of, call, name).readings
    data = (value % 2**64).to_bytes(8, "little") if state == abi.State.WHOLE else b""
    items = [NAME, item(abi.Item.TEMPLATE, f"%{name}".encode()), item(abi.Item.SOURCE, reading.entry() + data, state)]
    (found,) = events.read_all(event(items, nr=nr, abi=abi.ABIS[of].number, nargs=len(kinds), kinds=kinds, args=(0,) * len(kinds)))
    return found


@pytest.mark.parametrize("of", abi.ABIS)
def test_members(of):
    """In lines by their names, in JSON as numbers with the names beside them."""
    for (call, name, value), text in MEMBERS.items():
        if call in CALLS[of] and members.find(of, call, name):
            found = told(call, name, value, of)
            assert render.line(found) == text, (call, name)
            said = jsonlines.event_object(found)
            assert said["words"] == ({} if text == str(value) else {name: text}), (call, name)
            assert isinstance(said["members"][name], int)
            assert said["members"][name] % 2**16 == value % 2**16


def test_every_member_that_has_names_is_tried():
    tried = {members.find("x86_64", call, name).words for call, name, _ in MEMBERS} - {None}
    assert tried == {name for found in shown.MEMBERS.values() for name in found.values()}


def test_a_member_that_cannot_be_read_has_no_name():
    found = told("connect", "addr.sa_family", 0, state=abi.State.FAULT)
    said = jsonlines.event_object(found)
    assert render.line(found) == "?" and said["members"] == {"addr.sa_family": None} and said["words"] == {}


def test_members_of_every_abi_have_the_names_that_the_64_bit_ones_have():
    """Structures of 32-bit programs are others, by names of their own."""
    for of in abi.ABIS:
        for call in ("fstat", "fstat64", "stat", "sendmsg", "recvmsg", "connect", "openat2", "clone3", "statx"):
            for name in members.names(of, call) if call in CALLS[of] else ():
                if name.split(".")[-1] in ("st_mode", "sa_family", "msg_flags", "flags", "stx_mode", "resolve"):
                    assert members.find(of, call, name).words, (of, call, name)


@pytest.mark.parametrize(("retval", "text"), [(-2, "ENOENT"), (-4000, "4000"), (-512, "ERESTARTSYS"), (0, "0"), (7, "0")])
def test_the_error_number_has_its_name(retval, text):
    assert said("close", 3, template=b"%errno", phase=1, retval=retval) == text


def worth(part: str, of: str) -> int:
    if part[0].isdigit():
        return int(part, 16 if part.startswith("0x") else 8)
    value = CONSTANTS[part]
    return value if isinstance(value, int) else value[of]
