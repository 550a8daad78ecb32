# SPDX-License-Identifier: GPL-2.0-only
"""Do members lie where other sources say: a C compiler with the C library's headers, and a table written for the test?"""

import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from pysct.layouts import LAYOUTS, SIZES

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "grammar/extract"))

import btf  # noqa: E402
import kinds  # noqa: E402
import structures  # noqa: E402

HEADERS = ("sys/stat.h", "sys/socket.h", "netinet/in.h", "sys/un.h", "sys/resource.h", "sys/uio.h", "time.h", "sys/utsname.h",
           "poll.h", "linux/netlink.h", "linux/if_packet.h", "linux/openat2.h", "linux/sched.h", "sched.h")  # fmt: skip
NAMES = {"__kernel_timespec": "timespec", "user_msghdr": "msghdr", "rlimit64": "rlimit", "new_utsname": "utsname"}
OTHERS = {"st_atime_nsec": "st_atim.tv_nsec", "st_mtime_nsec": "st_mtim.tv_nsec", "st_ctime_nsec": "st_ctim.tv_nsec"}
STRUCTS = ("stat", "sockaddr_in", "sockaddr_in6", "sockaddr_un", "sockaddr_nl", "sockaddr_ll", "rlimit", "rlimit64", "iovec",
           "__kernel_timespec", "user_msghdr", "open_how", "clone_args", "new_utsname", "pollfd")  # fmt: skip


@pytest.mark.skipif(platform.machine() not in LAYOUTS, reason="for the machines whose layouts there are")
def test_the_compiler_says_the_same(tmp_path):
    """Of 64-bit programs; the kernel's structures that the C library knows by another name are looked up by that."""
    wanted = [(name, member) for name in STRUCTS for member in LAYOUTS[platform.machine()][name]]
    body = "".join(
        f'printf("%zu\\n", offsetof(struct {NAMES.get(name, name)}, {OTHERS.get(member, member)}));'
        for name, member in wanted
        if member != "domainname"
    )
    rows = {name: size for name, size in SIZES[platform.machine()].items() if name in STRUCTS}
    body += "".join(f'printf("%zu\\n", sizeof(struct {NAMES.get(name, name)}));' for name in rows)
    source = tmp_path / "offsets.c"
    includes = "".join(f"#include <{header}>\n" for header in ("stdio.h", "stddef.h", *HEADERS))
    source.write_text(f"{includes}int main(void) {{ {body} return 0; }}\n")
    subprocess.run(["gcc", "-o", str(tmp_path / "offsets"), str(source)], check=True)
    said = subprocess.run([str(tmp_path / "offsets")], capture_output=True, text=True, check=True).stdout.split()
    known = [LAYOUTS[platform.machine()][name][member][0] for name, member in wanted if member != "domainname"]
    assert [int(offset) for offset in said] == [*known, *rows.values()] and len(known) > 60 and len(rows) > 2


@pytest.mark.parametrize("machine, name, member, offset, form", [
    ("x86_64", "compat_stat", "st_size", 20, "u32"),
    ("x86_64", "stat64", "st_size", 44, "s64"),
    ("aarch64", "stat64", "st_size", 48, "s64"),
    ("aarch64", "stat", "st_size", 48, "s64"),
    ("x86_64", "compat_msghdr", "msg_namelen", 4, "s32"),
    ("aarch64", "compat_iovec", "iov_len", 4, "u32"),
    ("x86_64", "sockaddr_in", "sin_port", 2, "u16be"),
    ("x86_64", "old_timespec32", "tv_nsec", 4, "s32"),
    ("aarch64", "statx", "stx_size", 40, "u64"),
    ("aarch64", "pollfd", "revents", 6, "s16"),
])  # fmt: skip
def test_of_other_abis(machine, name, member, offset, form):
    assert LAYOUTS[machine][name][member] == (offset, form)


WORDS = ("int", "__be16", "char", "outer", "number", "port", "text", "way", "low", "bits", "inner", "part")
TEXT = "\0" + "".join(f"{word}\0" for word in WORDS)
AT = {word: TEXT.index(f"\0{word}\0") + 1 for word in WORDS} | {"": 0}


def kind(number: int, name: str, size: int, *rest: int, members: tuple = (), flag: bool = False) -> bytes:
    """A type of BTF: its head, words of its own, and (name, type, place) of members."""
    words = [AT[name], flag << 31 | number << 24 | len(members), size, *rest]
    for member, of, place in members:
        words += [AT[member], of, place]
    return struct.pack(f"<{len(words)}I", *words)


def test_type_information(tmp_path):
    """Numbers, one in network byte order, a pointer, an array, what has no name, what has one, and bit fields."""
    outer = (("number", 1, 0), ("port", 3, 32), ("text", 6, 48), ("way", 4, 128), ("", 7, 192), ("inner", 8, 224))
    types = b"".join([
        kind(1, "int", 4, 1 << 24 | 32),  # 1: signed
        kind(1, "", 2, 16),  # 2: unsigned
        kind(8, "__be16", 2),  # 3: of 2
        kind(2, "", 1),  # 4: int *
        kind(1, "char", 1, 1 << 24 | 8),  # 5
        kind(3, "", 0, 5, 1, 5),  # 6: char[5]
        kind(5, "", 4, members=(("low", 1, 0),)),  # 7: a union
        kind(4, "inner", 4, members=(("part", 1, 0),)),  # 8
        kind(4, "outer", 40, members=outer),  # 9
        kind(4, "bits", 8, members=(("low", 1, 3 << 24), ("number", 1, 32)), flag=True),  # 10: of low 3 bits
    ])  # fmt: skip
    head = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(TEXT))
    path = tmp_path / "vmlinux"
    path.write_bytes(b"\x7fELF whatever" + head + types + TEXT.encode() + b"more")
    found = btf.Btf(path)
    assert [(m.name, m.offset, structures.form_of(m)) for m in found.members("outer")] == [
        ("number", 0, "s32"), ("port", 4, "u16be"), ("text", 6, "chars:5"), ("way", 16, "ptr"), ("low", 24, "s32"), ("inner.part", 28, "s32"),
    ]  # fmt: skip
    assert [m.name for m in found.members("bits")] == ["number"]
    assert found.size("outer") == 40
    assert [m.form for m in found.members("outer", frozenset({"inner"}))][-1] == "inner"
    with pytest.raises(LookupError):
        found.members("nothing")


def test_a_file_without_type_information(tmp_path):
    (tmp_path / "vmlinux").write_bytes(b"\x7fELF")
    with pytest.raises(btf.BtfError):
        btf.Btf(tmp_path / "vmlinux")


@pytest.mark.parametrize("place", ["wriet.buf", "execvee.argv"])
def test_a_call_that_no_abi_has_is_an_error(place):
    with pytest.raises(kinds.KindError, match=place):
        structures.parts(place)
