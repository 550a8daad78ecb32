# SPDX-License-Identifier: GPL-2.0-only
"""Have named constants the values that headers and manual pages give them, in every ABI?"""

import sys
from pathlib import Path

import pytest

GRAMMAR = Path(__file__).resolve().parents[2] / "grammar"
sys.path.insert(0, str(GRAMMAR / "extract"))

import kinds  # noqa: E402
import named  # noqa: E402

# Name, then the value in x86_64, i386, x32, aarch64, aarch32; "-" where there is none.
CONSTANTS = """
O_CREAT             0o100        0o100        0o100        0o100        0o100
O_DIRECTORY         0o200000     0o200000     0o200000     0o40000      0o40000
O_NOFOLLOW          0o400000     0o400000     0o400000     0o100000     0o100000
O_LARGEFILE         0o100000     0o100000     0o100000     0o400000     0o400000
AT_FDCWD            -100         -100         -100         -100         -100
AT_REMOVEDIR        0x200        0x200        0x200        0x200        0x200
S_IFMT              0o170000     0o170000     0o170000     0o170000     0o170000
W_OK                2            2            2            2            2
AF_INET6            10           10           10           10           10
SOCK_CLOEXEC        0o2000000    0o2000000    0o2000000    0o2000000    0o2000000
SOL_SOCKET          1            1            1            1            1
SO_REUSEADDR        2            2            2            2            2
IPPROTO_TCP         6            6            6            6            6
MSG_DONTWAIT        0x40         0x40         0x40         0x40         0x40
CLONE_NEWUSER       0x10000000   0x10000000   0x10000000   0x10000000   0x10000000
CLONE_INTO_CGROUP   0x200000000  0x200000000  0x200000000  0x200000000  0x200000000
PROT_EXEC           4            4            4            4            4
MAP_ANONYMOUS       0x20         0x20         0x20         0x20         0x20
MAP_32BIT           0x40         0x40         0x40         -            -
PROT_BTI            -            -            -            0x10         -
MS_BIND             4096         4096         4096         4096         4096
MS_NOUSER           0x80000000   0x80000000   0x80000000   0x80000000   0x80000000
MNT_DETACH          2            2            2            2            2
PTRACE_ATTACH       16           16           16           16           16
PTRACE_GETREGS      12           12           12           -            12
PR_SET_NAME         15           15           15           15           15
ARCH_SET_FS         0x1002       0x1002       0x1002       -            -
SIGKILL             9            9            9            9            9
SIGRTMIN            32           32           32           32           32
EPERM               1            1            1            1            1
ENOSYS              38           38           38           38           38
ERESTARTSYS         512          512          512          512          512
F_SETFL             4            4            4            4            4
F_GETLK64           -            12           12           -            12
CAP_SYS_ADMIN       21           21           21           21           21
EPOLLET             0x80000000   0x80000000   0x80000000   0x80000000   0x80000000
RLIM_INFINITY       0xffffffffffffffff 0xffffffff 0xffffffff 0xffffffffffffffff 0xffffffff
BPF_PROG_LOAD       5            5            5            5            5
KEY_SPEC_SESSION_KEYRING -3      -3           -3           -3           -3
TIOCSTI             0x5412       0x5412       0x5412       0x5412       0x5412
FS_IOC_SETFLAGS     0x40086602   0x40046602   0x40046602   0x40086602   0x40046602
"""

@pytest.mark.parametrize("words", [line.split() for line in CONSTANTS.strip().splitlines()], ids=lambda words: words[0])
def test_known_constant(words):
    name, *expected = words
    found = [named.load(abi)[name].value if name in named.load(abi) else None for abi in kinds.ABIS]
    assert found == [None if word == "-" else int(word, 0) for word in expected]


def test_values_fit_64_bits():
    values = [constant.value for abi in kinds.ABIS for constant in named.load(abi).values()]
    assert min(values) >= -(1 << 63) and max(values) < 1 << 64


def test_errors_are_small_and_positive():
    assert all(0 < constant.value < 4096 for abi in kinds.ABIS for constant in named.load(abi).values()
               if constant.family == "errno")


def test_the_columns_are_the_abis():
    with pytest.raises(ValueError, match="the columns are x86_64, i386, x32, aarch64, aarch32"):
        named.load("m68k")


def test_names_are_sorted_and_single():
    lines = named.TABLE.read_text().splitlines()[2:]
    names = [line.split("\t")[0] for line in lines]
    assert names == sorted(set(names))
