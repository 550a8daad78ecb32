# SPDX-License-Identifier: GPL-2.0-only
"""Does the extraction read the kernel's tables, macros and conditionals as the kernel does?"""

import sys
from pathlib import Path

import pytest

GRAMMAR = Path(__file__).resolve().parents[2] / "grammar"
sys.path.insert(0, str(GRAMMAR / "extract"))

import conditions  # noqa: E402
import definitions  # noqa: E402
import headers  # noqa: E402
import tables  # noqa: E402


@pytest.mark.parametrize("expression, expected", [
    ("defined(A)", True),
    ("defined B", False),
    ("!defined(B) && A == 64", True),
    ("IS_ENABLED(CONFIG_ANYTHING) || defined(B)", True),
    ("defined(CONFIG_OFF) && defined(A)", False),
    ("A != 64", False),
    ("UNKNOWN", False),
    ("MACRO_CALL(3, 2)", True),
])
def test_conditions(expression, expected):
    assert conditions.holds(expression, {"A": 64, "B": None, "CONFIG_OFF": None}) is expected


def test_only_live_lines_are_left():
    text = "a\n#ifdef X\nb\n#elif defined(Y) && \\\n defined(Z)\nc\n#else\nd /* e\nf */ g\n#endif\nh"
    live = conditions.live_text(text, {"X": None, "Y": 1, "Z": None})
    assert live.split() == ["a", "d", "g", "h"]
    assert live.count("\n") == text.count("\n")


def entries(text, arch="x86"):
    found = definitions.scan_text(text, "x.c", definitions.COMMON | definitions.ARCH[arch])
    return {definition.entry: definition.args for definition in found}


CLONE = """
#ifdef CONFIG_CLONE_BACKWARDS
SYSCALL_DEFINE2(clone, unsigned long, tls,
                int __user *, child)
#else
SYSCALL_DEFINE2(clone, int __user*,child, unsigned  long, tls)
#endif
"""


def test_macros():
    assert entries("SYSCALL_DEFINE0(getpid)\n{") == {"sys_getpid": ()}
    assert entries("COMPAT_SYSCALL_DEFINE1(f, const char  __user*, s)") == {"compat_sys_f": (("const char __user *", "s"),)}
    assert entries("SYSCALL32_DEFINE0(sigreturn)") == {"compat_sys_sigreturn": ()}
    assert entries("#define SYSCALL_DEFINE0(x) \\\n SYSCALL_DEFINE1(x)\n") == {}
    assert [name for _, name in entries(CLONE, "x86")["sys_clone"]] == ["child", "tls"]
    assert [name for _, name in entries(CLONE, "arm64")["sys_clone"]] == ["tls", "child"]


@pytest.mark.parametrize("macro", ["compat_arg_u64_dual(pos)", "arg_u32p(pos)", "SC_ARG64(pos)"])
def test_a_64_bit_argument_is_split(macro):
    assert entries(f"COMPAT_SYSCALL_DEFINE3(f, int, fd, {macro})")["compat_sys_f"] == (
        ("int", "fd"), ("u32", "pos_lo"), ("u32", "pos_hi"))


def test_a_macro_that_hides_arguments_is_an_error_with_a_place():
    with pytest.raises(ValueError, match=r"x\.c:2: 2 words after the name for 2 arguments"):
        entries("\nSYSCALL_DEFINE2(f, int, PAIR(a))")


def test_a_table(tmp_path):
    folder = tmp_path / "arch/x86/entry/syscalls"
    folder.mkdir(parents=True)
    (folder / "syscall_64.tbl").write_text(
        "# comment\n60 common exit sys_exit - noreturn\n4 64 stat sys_newstat\n16 64 ioctl sys_ioctl\n"
        "134 64 uselib\n514 x32 ioctl compat_sys_ioctl\n")
    (folder / "syscall_32.tbl").write_text("5 i386 open sys_open compat_sys_open\n1 i386 exit sys_exit - noreturn\n")
    rows = {abi: [(row.nr, row.name, row.entry) for row in tables.table(tmp_path, abi)] for abi in ("x86_64", "x32", "i386")}
    assert rows["x86_64"] == [(4, "stat", "sys_newstat"), (16, "ioctl", "sys_ioctl"), (60, "exit", "sys_exit"),
                              (134, "uselib", "sys_ni_syscall")]
    assert rows["x32"] == [(60, "exit", "sys_exit"), (514, "ioctl", "compat_sys_ioctl")]
    assert rows["i386"] == [(1, "exit", "sys_exit"), (5, "open", "compat_sys_open")]
    with pytest.raises(FileNotFoundError, match="is this a kernel source tree"):
        tables.table(tmp_path, "aarch64")


def test_names_in_a_header():
    assert headers.macros("#define A 1\n#define B\n#define C(x) x\n#define D (1 << 2)\n") == ["A", "D"]
    assert headers.enumerators("enum e { A, B = 1 << 2,\n C = (1), };") == ["A", "B", "C"]
