# SPDX-License-Identifier: GPL-2.0-only
"""Are members of structures found where each ABI has them?"""

import errno
import struct
import subprocess
from pathlib import Path

import kernel
import pytest
from test_abis import MAIN, WAYS, call, logging, rule, way, ways, words  # noqa: F401 - fixtures

from pysct.abi import ABIS
from pysct.tables import CALLS

OURS = 'COMM =~ "call.*"'
PORT = "0200" + "1f90" + "7f000001" + "00" * 8  # sockaddr_in: 127.0.0.1, port 8080


def memory(abi: str, words: list[int | str], behind: str = "") -> str:
    """An argument: words of the ABI's `long`; `*` is a pointer to what comes behind."""
    bits = ABIS[abi].bits
    pointer = "^" if bits == 32 else "*"
    parts = [pointer if word == "*" else struct.pack("<I" if bits == 32 else "<Q", word).hex() for word in words]
    return f"m:{''.join(parts)}+{behind}" if behind else f"m:{''.join(parts)}"


@pytest.mark.parametrize("way", MAIN.values(), ids="-".join, indirect=True)
class TestEachAbi:
    def refused(self, call, way, condition: str, name: str, *args) -> bool:
        kernel.upload(rule(name, condition=condition))
        return call(way, name, *args) == -errno.EACCES

    def test_socket_address(self, way, call):
        assert self.refused(call, way, "addr.sin_port == 8080", "connect", -1, f"m:{PORT}", 16)
        assert not self.refused(call, way, "addr.sin_port == 8081", "connect", -1, f"m:{PORT}", 16)
        assert self.refused(call, way, "addr.sin_addr in 127.0.0.0/8", "bind", -1, f"m:{PORT}", 16)

    def test_through_a_pointer(self, way, call):
        """struct msghdr: a pointer, an int, and words."""
        abi = WAYS[way]
        message = memory(abi, ["*", 16, 0, 0, 0, 0, 0], PORT)
        assert self.refused(call, way, "msg.msg_name.sin_port == 8080", "sendmsg", -1, message, 0)
        assert self.refused(call, way, "msg.msg_name.sin_addr == 127.0.0.1", "sendmsg", -1, message, 0)
        short = memory(abi, ["*", 3, 0, 0, 0, 0, 0], PORT)
        assert not self.refused(call, way, "msg.msg_name.sin_port == 8080", "sendmsg", -1, short, 0)
        vector = memory(abi, [0, 0, "*", 1, 0, 0, 0], memory(abi, [0x1000, 77])[2:])
        assert self.refused(call, way, "msg.msg_iov.iov_len == 77", "sendmsg", -1, vector, 0)

    def test_first_of_a_vector(self, way, call):
        abi = WAYS[way]
        assert self.refused(call, way, "vec[0].iov_len == 77 && vec.iov_base == 0x1000", "writev", -1, memory(abi, [0x1000, 77]), 1)

    def test_elements_of_a_vector(self, way, call):
        abi = WAYS[way]
        vector = memory(abi, [0x1000, 77, 0x2000, 88, 0x3000, 99])
        assert self.refused(call, way, "vec[2].iov_len == 99 && vec[1].iov_base == 0x2000", "writev", -1, vector, 3)
        assert not self.refused(call, way, "vec[2].iov_len == 99", "writev", -1, vector, 2)
        assert not self.refused(call, way, "vec[0].iov_len == 77", "writev", -1, vector, 0)
        assert self.refused(call, way, "vec[1].iov_len == 88", "preadv", -1, vector, 2, 0, 0)
        assert self.refused(call, way, "rvec[1].iov_len == 88 && lvec[0].iov_len == 77", "process_vm_readv", 0, vector, 1, vector, 2, 99)
        times = struct.pack("<4q" if ABIS[abi].bits == 64 or abi == "x32" else "<4i", 1, 2, 3, 4).hex()
        assert self.refused(call, way, "utimes[1].tv_sec == 3 && utimes[1].tv_nsec == 4", "utimensat", -100, "s:./none", f"m:{times}", 0)

    def test_elements_behind_a_pointer(self, way, call):
        abi = WAYS[way]
        pieces = memory(abi, [0x1000, 77, 0x2000, 88])[2:]
        assert self.refused(call, way, "msg.msg_iov[1].iov_len == 88", "sendmsg", -1, memory(abi, [0, 0, "*", 2, 0, 0, 0], pieces), 0)
        assert not self.refused(call, way, "msg.msg_iov[1].iov_len == 88", "sendmsg", -1, memory(abi, [0, 0, "*", 1, 0, 0, 0], pieces), 0)

    def test_words(self, way, call):
        """struct rlimit: that of x32 has 64-bit members, those of the other 32-bit ABIs 32-bit ones."""
        narrow = WAYS[way] != "x32" and ABIS[WAYS[way]].bits == 32
        one, two = (0x11, 0x22) if narrow else (2**40, 2**41)
        form = "<II" if narrow else "<QQ"
        args = (99, f"m:{struct.pack(form, one, two).hex()}")
        assert self.refused(call, way, f"rlim.rlim_cur == {one} && rlim.rlim_max == {two}", "setrlimit", *args)

    def test_fixed_widths(self, way, call):
        how = struct.pack("<QQQ", 0o100, 0o600, 1).hex()
        assert self.refused(call, way, "how.flags == O_CREAT && how.mode == 0600 && how.resolve == 1", "openat2", -1, "s:/x", f"m:{how}", 24)

    def test_data(self, way, call):
        """Pointer and count are as wide as the ABI has them; nothing behind the count is seen."""
        data = f"m:{b'secret data'.hex()}"
        assert self.refused(call, way, f'{OURS} && fd == -1 && buf == "secret"', "write", -1, data, 6)
        assert self.refused(call, way, f'{OURS} && PARAMS[2] endswith "t" && count < 9', "pwrite64", -1, data, 6, 0, 0)
        assert not self.refused(call, way, f'{OURS} && fd == -1 && buf contains "secret"', "write", -1, data, 5)
        assert self.refused(call, way, 'buff contains "ret d"', "sendto", -1, data, 11, 0, 0, 0)

    def test_data_that_was_read(self, way, call):
        Path("file").write_bytes(b"hello")
        with kernel.Log() as log, open("file", "rb") as file:
            kernel.upload(rule("read", logging("%abi %buf %retval"), condition=f'{OURS} && fd == 0 && buf == "hello"', more="when = after"))
            done = subprocess.run(words(way, "read", 0, f"m:{'58' * 9}", 9), stdin=file, capture_output=True, text=True, check=True)
            assert done.stdout == "5\n" and log.lines(1, 3) == [f'{WAYS[way]} "hello" 5']

    def test_elements_of_a_list(self, way, call):
        """Addresses as wide as the ABI has them; behind the null is nothing, whatever stands there."""
        abi = WAYS[way]
        argv = memory(abi, [0x1000, "*", 0], b"secret".hex())
        assert self.refused(call, way, 'argv[1] == "secret"', "execve", "s:./none", argv, argv)
        assert self.refused(call, way, 'envp[1] startswith "sec"', "execveat", -1, "s:./none", 0, argv, 0)
        assert not self.refused(call, way, f'{OURS} && (argv[0] != "x" || argv[2] != "x")', "execve", "s:./none", argv, 0)
        behind = memory(abi, [0, "*", 0], b"secret".hex())
        assert not self.refused(call, way, f'{OURS} && (argv[1] == "secret" || argv[0] != "x")', "execve", "s:./none", behind, 0)

    def test_what_the_call_fills_in(self, way, call):
        """struct stat has many layouts: st_size is in another place in each."""
        Path("file").write_bytes(b"x" * 1234)
        names = [name for name in ("stat", "stat64", "newfstatat", "fstatat64") if name in CALLS[WAYS[way]]]
        assert names
        for name in names:
            directory, flags = ((-100,), (0,)) if "fstatat" in name else ((), ())
            with kernel.Log() as log:
                condition = f"{OURS} && statbuf.st_size == 1234"
                kernel.upload(rule(name, logging("%syscall %statbuf.st_size %statbuf.st_uid"), condition=condition, more="when = after"))
                assert call(way, name, *directory, "s:./file", f"m:{'00' * 144}", *flags) == 0
                assert call(way, name, *directory, "s:./none", f"m:{'00' * 144}", *flags) == -errno.ENOENT
                assert log.lines(1, 3) == [f"{name} 1234 0"]

    def test_what_the_log_shows(self, way, call):
        """Structures by their members, one in another as well, a list by its strings: wherever the ABI has them."""
        abi = WAYS[way]
        seconds = memory(abi, [5, 7]) if abi != "x32" else f"m:{struct.pack('<QQ', 5, 7).hex()}"
        address = "{sa_family=AF_INET, sin_port=8080, sin_addr=127.0.0.1}"
        with kernel.Log() as log:
            kernel.upload(rule("connect, sendmsg, clock_nanosleep, execve", logging("%args")))
            call(way, "connect", -1, f"m:{PORT}", 16)
            call(way, "sendmsg", -1, memory(abi, ["*", 16, 0, 0, 0, 0, 0], PORT), 0)
            call(way, "sendmsg", -1, memory(abi, [0, 16, 0, 2, 0, 0, 0]), 0)
            call(way, "clock_nanosleep", 99, 0, seconds, 0)
            call(way, "execve", "s:./none", memory(abi, ["*", 0], b"secret".hex()), 0)
            told = log.lines(5, 3)
        assert told[0] == f"-1, {address}, 16"
        assert told[1] == f"-1, {{msg_name={address}, msg_namelen=16, msg_iovlen=0, msg_controllen=0, msg_flags=0, ...}}, 0"
        assert told[2] == "-1, {msg_name=NULL, msg_namelen=16, msg_iovlen=2, msg_controllen=0, msg_flags=0, ...}, 0"
        assert told[3] == "99, 0, {tv_sec=5, tv_nsec=7}, NULL"
        assert told[4:] == ['"./none", ["secret"], NULL']

    def test_what_the_log_shows_of_what_was_filled_in(self, way, call):
        Path("file").write_bytes(b"x" * 1234)
        Path("file").chmod(0o640)
        name = next(name for name in ("stat64", "stat", "newfstatat") if name in CALLS[WAYS[way]])
        directory, flags = ((-100,), (0,)) if name == "newfstatat" else ((), ())
        with kernel.Log() as log:
            kernel.upload(rule(name, logging("%statbuf"), more="when = both"))
            for file in ("file", "none"):
                call(way, name, *directory, f"s:./{file}", f"m:{'00' * 144}", *flags)
            told = log.lines(4, 3)
        assert told[1] == "{st_mode=S_IFREG|0640, st_size=1234, ...}"
        assert [line.startswith("0x") for line in told] == [True, False, True, True]
