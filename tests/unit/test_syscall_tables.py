# SPDX-License-Identifier: GPL-2.0-only
"""Are the tables of system calls and the kinds of their arguments what the manual pages say?

The expected values were written down from the manual pages and the ABI documents, not taken from the tables.
"""

import re
import sys
from pathlib import Path

import pytest

GRAMMAR = Path(__file__).resolve().parents[2] / "grammar"
sys.path.insert(0, str(GRAMMAR / "extract"))

import kinds  # noqa: E402

# ABI, number, name, entry, arguments by kind; the arguments' names are checked where they matter to users.
KNOWN = """
x86_64   0 read              sys_read               fd ptr u64
x86_64   1 write             sys_write              fd:fd buf:ptr count:u64
x86_64   2 open              sys_open               filename:str flags:s32 mode:u16
x86_64   4 stat              sys_newstat            filename:str statbuf:ptr
x86_64   8 lseek             sys_lseek              fd s64 u32
x86_64   9 mmap              sys_mmap               addr:u64 len:u64 prot:u64 flags:u64 fd:fd off:u64
x86_64  16 ioctl             sys_ioctl              fd:fd cmd:u32 arg:u64
x86_64  17 pread64           sys_pread64            fd:fd buf:ptr count:u64 pos:s64
x86_64  22 pipe              sys_pipe               fildes:ptr
x86_64  33 dup2              sys_dup2               oldfd:fd newfd:fd
x86_64  39 getpid            sys_getpid
x86_64  40 sendfile          sys_sendfile64         out_fd:fd in_fd:fd offset:ptr count:u64
x86_64  41 socket            sys_socket             family:s32 type:s32 protocol:s32
x86_64  42 connect           sys_connect            fd:fd ptr s32
x86_64  44 sendto            sys_sendto             fd:fd buff:ptr len:u64 u32 ptr s32
x86_64  56 clone             sys_clone              clone_flags:u64 newsp:u64 parent_tidptr:ptr child_tidptr:ptr tls:u64
x86_64  59 execve            sys_execve             filename:str argv:ptr envp:ptr
x86_64  62 kill              sys_kill               pid:s32 sig:s32
x86_64  76 truncate          sys_truncate           path:str length:s64
x86_64  82 rename            sys_rename             oldname:str newname:str
x86_64  87 unlink            sys_unlink             pathname:str
x86_64  90 chmod             sys_chmod              filename:str mode:u16
x86_64  92 chown             sys_chown              filename:str user:u32 group:u32
x86_64 101 ptrace            sys_ptrace             request:s64 pid:s64 addr:u64 data:u64
x86_64 105 setuid            sys_setuid             uid:u32
x86_64 132 utime             sys_utime              filename:str times:ptr
x86_64 157 prctl             sys_prctl              option:s32 arg2:u64 arg3:u64 arg4:u64 arg5:u64
x86_64 158 arch_prctl        sys_arch_prctl         option:s32 arg2:u64
x86_64 165 mount             sys_mount              dev_name:str dir_name:str type:str flags:u64 data:str
x86_64 166 umount2           sys_umount             name:str flags:s32
x86_64 169 reboot            sys_reboot             magic1:s32 magic2:s32 cmd:u32 arg:ptr
x86_64 170 sethostname       sys_sethostname        name:ptr len:s32
x86_64 175 init_module       sys_init_module        umod:ptr len:u64 uargs:str
x86_64 188 setxattr          sys_setxattr           pathname:str name:str value:ptr size:u64 flags:s32
x86_64 202 futex             sys_futex              uaddr:ptr op:s32 val:u32 utime:ptr uaddr2:ptr val3:u32
x86_64 233 epoll_ctl         sys_epoll_ctl          epfd:fd op:s32 fd:fd event:ptr
x86_64 240 mq_open           sys_mq_open            u_name:str oflag:s32 mode:u16 u_attr:ptr
x86_64 248 add_key           sys_add_key            type:str description:str payload:ptr plen:u64 ringid:s32
x86_64 257 openat            sys_openat             dfd:fd filename:str flags:s32 mode:u16
x86_64 262 newfstatat        sys_newfstatat         dfd:fd filename:str statbuf:ptr flag:s32
x86_64 263 unlinkat          sys_unlinkat           dfd:fd pathname:str flag:s32
x86_64 264 renameat          sys_renameat           olddfd:fd oldname:str newdfd:fd newname:str
x86_64 265 linkat            sys_linkat             olddfd:fd oldname:str newdfd:fd newname:str flags:s32
x86_64 266 symlinkat         sys_symlinkat          oldname:str newdfd:fd newname:str
x86_64 288 accept4           sys_accept4            fd:fd ptr ptr flags:s32
x86_64 301 fanotify_mark     sys_fanotify_mark      fanotify_fd:fd flags:u32 mask:u64 dfd:fd pathname:str
x86_64 313 finit_module      sys_finit_module       fd:fd uargs:str flags:s32
x86_64 316 renameat2         sys_renameat2          olddfd:fd oldname:str newdfd:fd newname:str flags:u32
x86_64 319 memfd_create      sys_memfd_create       uname:str flags:u32
x86_64 322 execveat          sys_execveat           fd:fd filename:str argv:ptr envp:ptr flags:s32
x86_64 332 statx             sys_statx              dfd:fd filename:str flags:u32 mask:u32 buffer:ptr
x86_64 435 clone3            sys_clone3             uargs:ptr size:u64
x86_64 436 close_range       sys_close_range        fd:u32 max_fd:u32 flags:u32
x86_64 437 openat2           sys_openat2            dfd:fd filename:str how:ptr usize:u64
x86_64 438 pidfd_getfd       sys_pidfd_getfd        pidfd:fd fd:s32 flags:u32
x86_64 452 fchmodat2         sys_fchmodat2          dfd:fd filename:str mode:u16 flags:u32
i386     5 open              compat_sys_open        filename:str flags:s32 mode:u16
i386    10 unlink            sys_unlink             pathname:str
i386    11 execve            compat_sys_execve      filename:str argv:ptr envp:ptr
i386    16 lchown            sys_lchown16           filename:str user:u16 group:u16
i386    23 setuid            sys_setuid16           uid:u16
i386    26 ptrace            compat_sys_ptrace      request:s32 pid:s32 addr:s32 data:s32
i386    90 mmap              compat_sys_ia32_mmap   arg:ptr
i386    92 truncate          compat_sys_truncate    path:str length:s32
i386   102 socketcall        compat_sys_socketcall  call:s32 args:ptr
i386   117 ipc               compat_sys_ipc         call:u32 first:s32 second:s32 third:u32 ptr:ptr fifth:u32
i386   120 clone             compat_sys_ia32_clone  clone_flags:u32 newsp:u32 parent_tidptr:ptr tls:u32 child_tidptr:ptr
i386   140 _llseek           sys_llseek             fd:fd offset_high:u32 offset_low:u32 result:ptr whence:u32
i386   180 pread64           sys_ia32_pread64       fd:fd buf:ptr count:u32 pos_lo:u32 pos_hi:u32
i386   192 mmap2             sys_mmap_pgoff         addr:u32 len:u32 prot:u32 flags:u32 fd:fd pgoff:u32
i386   193 truncate64        sys_ia32_truncate64    path:str length_lo:u32 length_hi:u32
i386   213 setuid32          sys_setuid             uid:u32
i386   240 futex             sys_futex_time32       uaddr:ptr op:s32 val:u32 utime:ptr uaddr2:ptr val3:u32
i386   272 fadvise64_64      sys_ia32_fadvise64_64  fd:fd u32 u32 u32 u32 advice:s32
i386   295 openat            compat_sys_openat      dfd:fd filename:str flags:s32 mode:u16
i386   301 unlinkat          sys_unlinkat           dfd:fd pathname:str flag:s32
i386   339 fanotify_mark     compat_sys_fanotify_mark fanotify_fd:fd flags:u32 u32 u32 dfd:fd pathname:str
i386   358 execveat          compat_sys_execveat    fd:fd filename:str argv:ptr envp:ptr flags:s32
i386   403 clock_gettime64   sys_clock_gettime      which_clock:s32 tp:ptr
i386   437 openat2           sys_openat2            dfd:fd filename:str how:ptr usize:u32
x32      0 read              sys_read               fd:fd buf:ptr count:u64
x32    263 unlinkat          sys_unlinkat           dfd:fd pathname:str flag:s32
x32    512 rt_sigaction      compat_sys_rt_sigaction sig:s32 ptr ptr u32
x32    514 ioctl             compat_sys_ioctl       fd:fd cmd:u32 u32
x32    520 execve            compat_sys_execve      filename:str argv:ptr envp:ptr
x32    545 execveat          compat_sys_execveat    fd:fd filename:str argv:ptr envp:ptr flags:s32
aarch64  35 unlinkat         sys_unlinkat           dfd:fd pathname:str flag:s32
aarch64  38 renameat         sys_renameat           olddfd:fd oldname:str newdfd:fd newname:str
aarch64  56 openat           sys_openat             dfd:fd filename:str flags:s32 mode:u16
aarch64  63 read             sys_read               fd:fd buf:ptr count:u64
aarch64  67 pread64          sys_pread64            fd:fd buf:ptr count:u64 pos:s64
aarch64  92 personality      sys_arm64_personality  personality:u32
aarch64 172 getpid           sys_getpid
aarch64 220 clone            sys_clone              clone_flags:u64 newsp:u64 parent_tidptr:ptr tls:u64 child_tidptr:ptr
aarch64 221 execve           sys_execve             filename:str argv:ptr envp:ptr
aarch64 222 mmap             sys_mmap               addr:u64 len:u64 prot:u64 flags:u64 fd:fd off:u64
aarch64 437 openat2          sys_openat2            dfd:fd filename:str how:ptr usize:u64
aarch32  10 unlink           sys_unlink             pathname:str
aarch32 120 clone            sys_clone              clone_flags:u32 newsp:u32 parent_tidptr:ptr tls:u32 child_tidptr:ptr
aarch32 180 pread64          compat_sys_aarch32_pread64 fd:fd buf:ptr count:u32 __pad:u32 pos_lo:u32 pos_hi:u32
aarch32 192 mmap2            compat_sys_aarch32_mmap2 addr:u32 len:u32 prot:u32 flags:u32 fd:fd pgoff:u32
aarch32 193 truncate64       compat_sys_aarch32_truncate64 path:str __pad:u32 length_lo:u32 length_hi:u32
aarch32 270 arm_fadvise64_64 compat_sys_aarch32_fadvise64_64 fd:fd advice:s32 u32 u32 u32 u32
aarch32 322 openat           compat_sys_openat      dfd:fd filename:str flags:s32 mode:u16
aarch32 328 unlinkat         sys_unlinkat           dfd:fd pathname:str flag:s32
aarch32 387 execveat         compat_sys_execveat    fd:fd filename:str argv:ptr envp:ptr flags:s32
"""

ALL = [(abi, call) for abi in kinds.ABIS for call in kinds.load(abi)]


def lines(text):
    return [line.split() for line in text.strip().splitlines()]


@pytest.mark.parametrize("words", lines(KNOWN), ids=lambda words: f"{words[0]}-{words[2]}")
def test_known_call(words):
    abi, nr, name, entry, *args = words
    call = next(call for call in kinds.load(abi) if call.nr == int(nr))
    assert (call.name, call.entry) == (name, entry)
    # An argument without a name in the list has only its kind checked.
    named_args = [f"{arg.name}:{arg.kind}" if ":" in word else arg.kind for arg, word in zip(call.args, args)]
    assert named_args == args and len(call.args) == len(args)


@pytest.mark.parametrize("abi", kinds.ABIS)
def test_a_table_is_consistent(abi):
    calls = kinds.load(abi)
    assert [call.nr for call in calls] == sorted({call.nr for call in calls})
    assert len({call.name for call in calls}) == len(calls)
    for call in calls:
        assert len(call.args) <= 6, call
        assert len({arg.name for arg in call.args}) == len(call.args), call
        assert {arg.kind for arg in call.args} <= kinds.KINDS, call
        assert re.fullmatch(r"(compat_)?sys_\w+", call.entry), call
        assert all(re.fullmatch(r"[A-Za-z_]\w*", arg.name) for arg in call.args), call


def test_what_older_kernels_have_for_an_entry_is_a_compat_function():
    """So the modules take it for what serves the call wherever it exists; and they look for one only."""
    older = {call.name: (call.entry, call.older) for _, call in ALL if call.older}
    assert len(older) >= 3
    for entry, others in older.values():
        assert [name.startswith("compat_sys_") for name in (entry, *others)] == [False, True]


def test_tables_are_as_long_as_they_should_be():
    least = {"x86_64": 370, "i386": 440, "x32": 360, "aarch64": 310, "aarch32": 410}
    assert not {abi: len(kinds.load(abi)) for abi in kinds.ABIS if len(kinds.load(abi)) < least[abi]}


def test_x32_numbers_lack_bit_30():
    assert all(call.nr < 1 << 30 for call in kinds.load("x32"))


@pytest.mark.parametrize("abi", ["i386", "aarch32"])
def test_a_32_bit_caller_passes_32_bits(abi):
    assert not [(call.name, arg) for call in kinds.load(abi) for arg in call.args if arg.kind in ("s64", "u64")]


def test_an_argument_is_of_one_sort_in_every_abi():
    """Widths and signs may differ between ABIs; being a string, an address, a descriptor or a number may not."""
    sorts = {}
    for _, call in ALL:
        for arg in call.args:
            sort = "number" if arg.kind in kinds.INTEGERS else arg.kind
            sorts.setdefault((call.name, arg.name), set()).add(sort)
    assert not {name for name, found in sorts.items() if len(found) > 1}

def test_an_argument_has_one_name_in_every_abi():
    """Up to padding, the halves of a split 64-bit argument, and calls that take a struct in one ABI."""
    in_a_struct = {("i386", "mmap"), ("i386", "select")}
    found = {}
    for abi, call in ALL:
        names = frozenset(re.sub(r"_(lo|hi)$", "", arg.name) for arg in call.args if arg.name != "__pad")
        if names and (abi, call.name) not in in_a_struct:
            found.setdefault(call.name, set()).add(names)
    assert not {name: names for name, names in found.items() if len(names) > 1}


def test_every_renaming_is_of_an_argument():
    raw = set()
    for path in GRAMMAR.glob("syscalls/*.tsv"):
        rows = [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]
        for _, call, _, args, *_ in (row for row in rows if len(row) > 3):
            raw |= {f"{call}.{name}" for _, name in kinds.parse_args(args)}
    assert set(kinds.policy().renamed) <= raw


def test_what_looks_like_a_descriptor_is_one_or_excused():
    excused = {"close_range.fd", "close_range.max_fd", "pidfd_getfd.fd"}
    looks = [(f"{call.name}.{arg.name}", arg.kind) for _, call in ALL for arg in call.args
             if re.search(r"fd|fildes|mqdes", arg.name) and "*" not in arg.ctype and arg.name != "nfds"]
    assert {name for name, kind in looks if kind != "fd"} == excused


def test_every_decision_is_about_an_argument():
    arguments = {f"{call.name}.{arg.name}" for _, call in ALL for arg in call.args}
    assert set(kinds.policy().decided) <= arguments


def test_strings_are_pointers_to_char_or_to_anything():
    assert {arg.ctype for _, call in ALL for arg in call.args if arg.kind == "str"} <= {
        "const char __user *", "char __user *", "void __user *", "const void __user *"}


def test_every_type_of_the_policy_is_used():
    used = {arg.ctype.removeprefix("const ") for _, call in ALL for arg in call.args}
    assert set(kinds.policy().types) <= used


@pytest.mark.parametrize("line, part", [
    ("1\tfrob\tsys_frob\tstruct frob x", "type 'struct frob' of frob.x has no kind"),
    ("1\tfrob\tsys_frob\tconst char __user * x", "frob.x may be a string or not"),
    ("one\tfrob\tsys_frob", "invalid literal"),
])
def test_an_error_names_file_and_line(tmp_path, monkeypatch, line, part):
    path = tmp_path / "x86_64.tsv"
    path.write_text(f"# Generated\n{line}\n")
    kinds.policy()
    monkeypatch.setattr(kinds, "DATA", tmp_path)
    with pytest.raises(kinds.KindError) as error:
        kinds.load.__wrapped__("x86_64")
    assert str(error.value).startswith(f"{path}:2: ") and part in str(error.value)


def test_a_call_that_nobody_implements_has_no_arguments():
    assert all(not call.args for _, call in ALL if call.entry == "sys_ni_syscall")


@pytest.mark.parametrize("path", sorted(GRAMMAR.glob("*/*.tsv")), ids=lambda path: path.name)
def test_a_generated_file_says_from_what_and_how(path):
    first = path.read_text().splitlines()[0]
    assert re.match(r"# Generated from Linux [\d., ]+ by: python3 grammar/extract/\w+\.py (--source TREE|--release VERSION MACHINE=VMLINUX)", first)
