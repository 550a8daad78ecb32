# SPDX-License-Identifier: GPL-2.0-only
"""Does each call reach the checkpoints at which it is said to be judged, and only with what the kernel has read itself?

A kprobe event on each checkpoint's function says which of our calls came by.
"""

import errno
import os
import re
import shutil
import socket
import struct
import subprocess
import tomllib
from ctypes import CDLL
from functools import cache
from pathlib import Path

import pytest
from case import TREE
from company import TRACING
from test_abis import MAIN, WAYS, way, ways, words  # noqa: F401 - fixtures
from test_members import PORT, memory

from pysct import release
from pysct.abi import ABIS
from pysct.tables import CALLS, CHECKPOINTS

ACL = tomllib.loads((TREE / "grammar/syscalls/checkpoints.toml").read_text())["acl"]
YOUNG = {"fchmodat2", "setxattrat", "getxattrat", "listxattrat", "removexattrat"}
"""Calls that not all supported kernels have."""
TIMES = {"utime", "utimes", "futimesat", "utimensat"}
"""Calls of 32-bit programs that a kernel can be built without (CONFIG_COMPAT_32BIT_TIME)."""

PASSED = re.compile(r" (\w+): \(security_")
UNREADABLE = 1  # an address
HERE, REMOVEDIR = -100, 0x200

PATHS = {name: f"s:./{name}" for name in ("file", "new", "directory", "link", "mount", "script")}
XATTR = {"pathname": PATHS["file"], "name": "s:user.x"}
XATTRS = {
    "inode_setxattr": ("setxattr", "lsetxattr", "fsetxattr", "setxattrat"),
    "inode_getxattr": ("getxattr", "lgetxattr", "fgetxattr", "getxattrat"),
    "inode_removexattr": ("removexattr", "lremovexattr", "fremovexattr", "removexattrat"),
    "inode_listxattr": ("listxattr", "llistxattr", "listxattrat"),
}


def narrow(abi: str) -> bool:
    """Whether its `long` in structures has 32 bits: not so with x32's rlimit."""
    return ABIS[abi].bits == 32 and abi != "x32"


def made(abi: str) -> dict[tuple[str, str], dict[str, int | str]]:
    """The arguments with which each call reaches each of its checkpoints; those that are not named are 0."""
    limit = f"m:{struct.pack('<II' if narrow(abi) else '<QQ', 0, 0).hex()}"
    message = memory(abi, ["*", 16, 0, 0, 0, 0, 0], PORT)
    found: dict[tuple[str, str], dict[str, int | str]] = {
        ("path_unlink", "unlinkat"): {"dfd": HERE, "pathname": PATHS["file"]},
        ("path_unlink", "unlink"): {"pathname": PATHS["file"]},
        ("path_rmdir", "unlinkat"): {"dfd": HERE, "pathname": PATHS["directory"], "flag": REMOVEDIR},
        ("path_rmdir", "rmdir"): {"pathname": PATHS["directory"]},
        ("path_mkdir", "mkdir"): {"pathname": PATHS["new"]},
        ("path_mkdir", "mkdirat"): {"dfd": HERE, "pathname": PATHS["new"]},
        ("path_mknod", "mknod"): {"filename": PATHS["new"], "mode": 0o10600},
        ("path_mknod", "mknodat"): {"dfd": HERE, "filename": PATHS["new"], "mode": 0o10600},
        ("path_chroot", "chroot"): {"filename": PATHS["directory"]},
        ("path_notify", "inotify_add_watch"): {"fd": 0, "pathname": PATHS["file"], "mask": 2},
        ("path_notify", "fanotify_mark"): {"flags": 1, "mask": 2, "mask_lo": 2, "dfd": HERE, "pathname": PATHS["file"]},
        ("file_open", "open"): {"filename": PATHS["file"]},
        ("file_open", "openat"): {"dfd": HERE, "filename": PATHS["file"]},
        ("file_open", "openat2"): {"dfd": HERE, "filename": PATHS["file"], "how": f"m:{'00' * 24}", "usize": 24},
        ("file_open", "creat"): {"pathname": PATHS["new"], "mode": 0o600},
        ("file_open", "swapon"): {"specialfile": PATHS["file"]},
        ("file_open", "swapoff"): {"specialfile": PATHS["file"]},
        ("file_open", "acct"): {"name": "s:/dev/null"},
        ("bprm_check", "execve"): {"filename": PATHS["script"]},
        ("bprm_check", "execveat"): {"fd": HERE, "filename": PATHS["script"]},
        ("inode_readlink", "readlink"): {"path": PATHS["link"], "bufsiz": 9},
        ("inode_readlink", "readlinkat"): {"dfd": HERE, "pathname": PATHS["link"], "bufsiz": 9},
        ("sb_statfs", "statfs"): {"pathname": PATHS["file"]},
        ("sb_statfs", "statfs64"): {"pathname": PATHS["file"], "sz": 84},
        ("sb_mount", "mount"): {"dev_name": "s:x", "dir_name": PATHS["directory"], "type": "s:nonesuch", "data": "s:x"},
        ("sb_umount", "umount"): {"name": PATHS["mount"]},
        ("sb_umount", "umount2"): {"name": PATHS["mount"]},
        ("sb_pivotroot", "pivot_root"): {"new_root": PATHS["directory"], "put_old": PATHS["directory"]},
        ("move_mount", "move_mount"): {
            "from_dfd": HERE, "from_pathname": PATHS["directory"], "to_dfd": HERE, "to_pathname": PATHS["directory"],
        },
        ("socket_connect", "connect"): {"addr": f"m:{PORT}", "addrlen": 16},
        ("socket_bind", "bind"): {"addr": f"m:{PORT}", "addrlen": 16},
        ("socket_sendmsg", "sendto"): {"addr": f"m:{PORT}", "addrlen": 16},
        ("socket_sendmsg", "sendmsg"): {"msg": message},
        ("task_setrlimit", "setrlimit"): {"resource": 4, "rlim": limit},
        ("task_setrlimit", "prlimit64"): {"resource": 4, "new_rlim": f"m:{'00' * 16}"},
    }  # fmt: skip
    for name, calls in {
        "path_symlink": ("symlink", "symlinkat"), "path_link": ("link", "linkat"), "path_rename": ("rename", "renameat", "renameat2"),
    }.items():  # fmt: skip
        for call in calls:
            found[name, call] = {"olddfd": HERE, "newdfd": HERE, "oldname": PATHS["file"], "newname": PATHS["new"]}
    for name in ("path_truncate", "path_chmod", "path_chown", "inode_getattr", "inode_setattr"):
        for call in {judged.split(".")[0] for judged in CHECKPOINTS[name]}:
            found[name, call] = {"dfd": HERE, "path": PATHS["file"], "filename": PATHS["file"]}
    for name, calls in XATTRS.items():
        for call in calls:
            found[name, call] = XATTR | {"dfd": HERE}
            if call in ("setxattrat", "getxattrat"):
                found[name, call] |= {"uargs": f"m:{'00' * 16}", "usize": 16}
            if name in ACL["of"]:
                found[ACL["of"][name], call] = found[name, call] | {"name": "s:system.posix_acl_access"}
    return found


@cache
def there() -> list[str]:
    """The checkpoints of this kernel."""
    newer = set(ACL["of"].values())
    first = release.of(ACL["since"])
    return [name for name in CHECKPOINTS if name not in newer or release.running() >= first]


@pytest.fixture(scope="module")
def seen(complaints):
    """Tells which checkpoints our calls have come by since it was asked last."""
    if not (TRACING / "kprobe_events").exists():
        subprocess.run(["mount", "-t", "tracefs", "nodev", TRACING], check=True)
    events = TRACING / "events/checkpoints"
    (TRACING / "kprobe_events").write_text("".join(f"p:checkpoints/{name} security_{name}\n" for name in there()))
    (events / "filter").write_text('comm ~ "call.*"')
    (events / "enable").write_text("1")

    def ask() -> set[str]:
        found = set(PASSED.findall((TRACING / "trace").read_text()))
        (TRACING / "trace").write_text("")
        return found

    yield ask
    (events / "enable").write_text("0")
    (TRACING / "kprobe_events").write_text("")
    # The kernel minds the oldest calls, a few times.
    assert [said for said in complaints.new() if "using old stat() call" not in said] == []


@pytest.fixture
def scene(programs, tmp_path, monkeypatch):
    """Makes the files that calls need anew, as often as it is called."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", programs["PATH"])

    def clear() -> None:
        if os.path.ismount("mount"):
            subprocess.run(["umount", "mount"], check=True)
        for path in Path().iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def make(call: str) -> None:
        clear()
        Path("directory").mkdir()
        Path("mount").mkdir()
        Path("file").write_text("x")
        Path("script").write_text("no program\n")
        Path("script").chmod(0o755)
        Path("link").symlink_to("file")
        if call.startswith("umount"):
            subprocess.run(["mount", "-t", "tmpfs", "none", "mount"], check=True)

    yield make
    clear()


def descriptor(call: str):
    """What a call needs as descriptor 0."""
    library = CDLL(None)
    if call == "inotify_add_watch":
        return os.fdopen(library.inotify_init(), "rb")
    if call == "fanotify_mark":
        return os.fdopen(library.fanotify_init(0, os.O_RDONLY), "rb")
    if call in ("connect", "bind", "sendto", "sendmsg"):
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return open("script", "rb")


def answer(way: tuple[str, str], call: str, arguments: dict[str, int | str]) -> int:  # noqa: F811
    """Makes a call, with what arguments are named, and says what the kernel answered."""
    values = [arguments.get(name, 0) for name, _ in CALLS[WAYS[way]][call][1]]
    with descriptor(call) as stdin:
        done = subprocess.run(words(way, call, *values), stdin=stdin, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), (call, values)
    return int(done.stdout)


@pytest.mark.parametrize("way", MAIN.values(), ids="-".join, indirect=True)
def test_calls_are_judged_where_they_are_said_to_be(way, seen, scene):  # noqa: F811
    abi = WAYS[way]
    recipes, wrong, absent, reached = made(abi), [], set(), 0
    for name in there():
        for call in sorted({judged.split(".")[0] for judged in CHECKPOINTS[name]} & CALLS[abi].keys()):
            arguments = recipes[name, call]
            scene(call)
            result = answer(way, call, arguments)
            found = seen()
            if result == -errno.ENOSYS:
                absent.add(call)
                continue
            reached += name in found
            if name not in found:
                wrong.append((name, call, result, found))
            for argument in sorted(judged.split(".")[1] for judged in CHECKPOINTS[name] if judged.startswith(f"{call}.")):
                result = answer(way, call, arguments | {argument: UNREADABLE})
                if name in (found := seen()) or result != -errno.EFAULT:
                    wrong.append((name, call, argument, result, found))
    assert wrong == []
    assert absent <= YOUNG | (TIMES if abi in ("i386", "aarch32") else set())
    print(f"{abi}: {reached} calls of {len(there())} checkpoints")


@pytest.mark.parametrize("way", MAIN.values(), ids="-".join, indirect=True)
def test_what_is_not_in_the_table_is_seen_by_nobody(way, seen, scene):  # noqa: F811
    """The same look finds nothing where there is nothing to find."""
    calls = {"chdir": {"filename": PATHS["directory"]}, "faccessat": {"dfd": HERE, "filename": PATHS["file"]}, "write": {"buf": "s:x", "count": 1}}
    calls |= {"openat": {"dfd": HERE, "filename": PATHS["file"], "flags": os.O_PATH}}
    for call, arguments in calls.items():
        scene(call)
        answer(way, call, arguments)
        assert seen() == set(), call


def test_lists_begin_when_they_are_said_to():
    """Whether the kernel has the functions for access control lists; no kprobe would say that it has one in vain."""
    symbols = {line.split()[2] for line in Path("/proc/kallsyms").read_text().splitlines()}
    assert {name for name in CHECKPOINTS if f"security_{name}" in symbols} == set(there())
