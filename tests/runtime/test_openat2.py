# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule on where openat2 leads hold, whatever its `how` says?"""

import ctypes
import errno
import itertools
import os
import struct
import subprocess
import threading
from contextlib import contextmanager

import company
import kernel
import pytest
from test_abis import MAIN, NATIVE, way, ways, words  # noqa: F401 - fixtures
from test_paths import HERE, make, place  # noqa: F401 - fixtures

from pysct.constants import CONSTANTS
from pysct.control import Control
from pysct.tables import CALLS

RULE = """
rule {{ syscall_name = openat2 rule_name = keep filter_expression {{ COMM =~ "{comm}" && {condition} }}
       action {{ type = {actions} }} }}
"""
REFUSED = "-1 EDOM"
NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH, IN_ROOT = (
    CONSTANTS[f"RESOLVE_{name}"] for name in ("NO_XDEV", "NO_MAGICLINKS", "NO_SYMLINKS", "BENEATH", "IN_ROOT")
)
EVERY = [0, NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH, IN_ROOT, IN_ROOT | NO_SYMLINKS, BENEATH | NO_XDEV]
NAMES = [
    "d/kept", "d/", ".", "..", "/", "/..", "d/..", "d/../..", "../d/kept", "d/../d/kept", "d/../../d/kept", "/d/kept", "//..//d//kept",
    "to_kept", "to_d/kept", "to_d/", "to_d/..", "to_d_from_top/kept", "from_top", "from_top/", "from_top/kept", "deep/up", "deep/up/kept",
    "deep/in/../up", "d/none", "none/x", "d/kept/", "d/kept/x", "round", "to_new", "mnt", "mnt/file", "mnt/..", "mnt/../d/kept", "to_mnt",
    "/proc/self/cwd/d/kept", "proc", "proc/d/kept",
]  # fmt: skip
LIBC = ctypes.CDLL(None, use_errno=True)

pytestmark = pytest.mark.usefixtures("ready")


@pytest.fixture
def tree(place):  # noqa: F811
    """The place, with what only makes a difference below a root of its own, and a mount."""
    (place / "from_top").symlink_to("/d")
    (place / "new_from_top").symlink_to("/d/new")
    (place / "deep/in").mkdir(parents=True)
    (place / "deep/up").symlink_to("../../d")
    (place / "proc").symlink_to("/proc/self/cwd")
    (place / "mnt").mkdir()
    (place / "to_mnt").symlink_to("mnt/file")
    subprocess.run(["mount", "-t", "tmpfs", "none", place / "mnt"], check=True)
    (place / "mnt/file").write_text("")
    yield place
    subprocess.run(["umount", place / "mnt"], check=True)


def how(resolve: int = 0, flags: int = os.O_PATH) -> bytes:
    return struct.pack("<QQQ", flags, 0o600 if flags & os.O_CREAT else 0, resolve)


def open_it(fd: int, name: str, said: bytes) -> str | int:
    """What is open then, or the error."""
    got = LIBC.syscall(CALLS[NATIVE]["openat2"][0], fd, name.encode(), said, len(said))
    if got < 0:
        return ctypes.get_errno()
    try:
        return os.readlink(f"/proc/self/fd/{got}")
    finally:
        os.close(got)


@contextmanager
def opened(start: str):
    """A descriptor of a directory, or the number of the current one."""
    fd = os.open(start, os.O_PATH) if start else HERE
    yield fd
    if fd != HERE:
        os.close(fd)


def refuse(condition: str) -> None:
    kernel.upload(RULE.format(comm="call*", condition=condition, actions="FAIL error_code = EDOM"))


def counted():
    with Control.open() as control:
        return control.counters()[0][0]


def ask(name: str, resolve: int = 0, flags: int = os.O_PATH, fd: int = HERE, **more) -> str:
    return make("openat2", fd, f"s:{name}", f"s:hex={how(resolve, flags).hex()}", 24, pass_fds=(fd,) if fd != HERE else (), **more)


@pytest.mark.parametrize("start", ["", ".", "deep", "deep/in", "mnt", "to_d"])
def test_what_is_opened_is_what_the_rule_saw(tree, start):
    """Of every call that opens something; of the others it says nothing that is wrong."""
    kernel.upload(RULE.format(comm="**", condition=f"PID == {os.getpid()}", actions="LOG log_format { %path(filename) }"))
    asked = list(itertools.product(NAMES, EVERY, (os.O_PATH, os.O_PATH | os.O_NOFOLLOW)))
    with kernel.Log() as log, opened(start) as fd:
        answers = [open_it(fd, name, how(resolve, flags)) for name, resolve, flags in asked]
        lines = log.lines(len(asked), 20)
    found = [(call, answer, line) for call, answer, line in zip(asked, answers, lines, strict=True) if isinstance(answer, str)]
    assert [(call, line) for call, _, line in found] == [(call, f'"{answer}"') for call, answer, _ in found]
    assert len(found) > 40


@pytest.mark.parametrize(
    "start, name, resolve, flags",
    [
        ("", "d/kept", 0, 0),
        ("", "to_d/kept", 0, 0),
        ("d", "../to_kept", 0, 0),
        ("", "to_kept", NO_XDEV, 0),
        ("", "to_kept", NO_SYMLINKS, 0),
        (".", "/d/kept", IN_ROOT, 0),
        ("", "/d/kept", IN_ROOT, 0),
        ("d", "/kept", IN_ROOT, 0),
        ("d", "../../../kept", IN_ROOT, os.O_NOFOLLOW),
        (".", "from_top/kept", IN_ROOT, 0),
        (".", "from_top/../../to_kept", IN_ROOT, 0),
        ("deep", "../d/kept", 0, os.O_NOFOLLOW),
        ("", "d/../to_d/kept", BENEATH, 0),
    ],
)
def test_it_is_refused(tree, start, name, resolve, flags):
    refuse(f'path(filename) == "{tree}/d/kept"')
    with opened(start) as fd:
        assert ask(name, resolve, flags, fd) == REFUSED


def test_what_is_another_file_is_not_refused(tree):
    refuse(f'path(filename) == "{tree}/d/kept"')
    for name, resolve, flags, answer in (
        ("to_kept", 0, os.O_NOFOLLOW, "-1 ELOOP"),
        ("to_kept", 0, os.O_CREAT | os.O_EXCL, "-1 EEXIST"),
        (f"{tree}/d/kept", IN_ROOT, 0, "-1 ENOENT"),
        ("to_d_from_top/kept", IN_ROOT, 0, "-1 ENOENT"),
        ("from_top/kept", 0, 0, "-1 ENOENT"),
    ):
        assert ask(name, resolve, flags) == answer
    assert (counted().matched, counted().unknown) == (0, 3)  # directories that are not there


def test_what_leads_out_is_unknown(tree):
    """The call fails, and would have with the rule's error as well."""
    refuse(f'path(filename) startswith "{tree}/"')
    for name in (f"{tree}/d/kept", "../kept", "to_d_from_top/kept", "from_top/kept", "d/../../x", "/proc/self/cwd/d/kept"):
        assert ask(name, BENEATH, 0) == "-1 EXDEV", name
    assert (counted().matched, counted().unknown) == (0, 6)


def test_what_is_not_there_yet(tree):
    refuse(f'path(filename) == "{tree}/d/new"')
    create = os.O_CREAT | os.O_WRONLY
    for name, resolve in (
        ("d/new", 0), ("to_new", 0), ("d/new", BENEATH), ("to_d/new", BENEATH),
        ("/d/new", IN_ROOT), ("new_from_top", IN_ROOT), ("from_top/new", IN_ROOT), ("../from_top/../../d/new", IN_ROOT),
    ):  # fmt: skip
        assert ask(name, resolve, create) == REFUSED, name
    assert ask("new_from_top", IN_ROOT, create | os.O_EXCL) == "-1 EEXIST"
    assert not (tree / "d/new").exists()


@pytest.mark.parametrize("way", MAIN.values(), ids="-".join, indirect=True)
def test_in_each_abi(tree, way):  # noqa: F811
    refuse(f'path(filename) == "{tree}/d/kept"')
    for start, name, resolve in (("", "to_kept", 0), (".", "from_top/kept", IN_ROOT), ("d", "./kept", BENEATH)):
        with opened(start) as fd:
            args = words(way, "openat2", fd, f"s:{name}", f"m:{how(resolve, 0).hex()}", 24)
            done = subprocess.run(args, capture_output=True, text=True, pass_fds=(fd,) if start else ())
        assert done.stdout.strip() == str(-errno.EDOM), name


def test_a_root_below_where_it_starts(tree):
    """To a lookup that stays in its directory the caller's own root is a directory like any other."""
    (tree / "mnt/jail").mkdir()

    def in_jail(resolve: int) -> int:
        child = os.fork()
        if not child:
            os.chroot("mnt/jail")
            got = LIBC.syscall(CALLS[NATIVE]["openat2"][0], HERE, b"mnt/jail/../../d/kept", how(resolve), 24)
            os._exit(ctypes.get_errno() if got < 0 else 0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    kernel.upload("")
    assert [in_jail(resolve) for resolve in (BENEATH, IN_ROOT, 0)] == [0, 0, errno.ENOENT]
    kept = f'PPID == {os.getpid()} && path(filename) == "{tree}/d/kept"'
    kernel.upload(RULE.format(comm="**", condition=kept, actions="FAIL error_code = EDOM"))
    assert [in_jail(resolve) for resolve in (BENEATH, IN_ROOT, 0)] == [errno.EDOM, errno.EDOM, errno.ENOENT]


def test_how_that_cannot_be_read(tree):
    refuse(f'path(filename) == "{tree}/d/kept"')
    assert make("openat2", HERE, "s:d/kept", "bad", 24) == "-1 EFAULT"
    assert (counted().matched, counted().unknown) == (0, 1)
    for size in (0, 8, 16):
        assert make("openat2", HERE, "s:none", f"s:hex={how().hex()}", size) == "-1 EINVAL"
    more = f"s:hex={how(IN_ROOT).hex()}{'00' * 40}"
    assert make("openat2", HERE, "s:/d/kept", more, 64) == REFUSED
    assert make("openat2", HERE, "s:/d/kept", f"late:hex={how(IN_ROOT).hex()}", 24) == REFUSED


def test_the_flags_that_conditions_see_are_those_of_the_lookup(tree):
    """Another thread changes them all the time; the path is never that of others."""
    link = f'path(filename) == "{tree}/to_kept"'
    kernel.upload(RULE.format(comm="**", condition=f"PID == {os.getpid()} && (how.flags & O_NOFOLLOW) != 0 == !({link})", actions="LOG"))
    said, over = ctypes.create_string_buffer(how(), 24), threading.Event()

    def change():
        while not over.is_set():
            ctypes.memmove(said, how(0, os.O_PATH | os.O_NOFOLLOW), 24)
            ctypes.memmove(said, how(), 24)

    thread = threading.Thread(target=change)
    thread.start()
    answers = set()
    for _ in range(3000):
        got = LIBC.syscall(CALLS[NATIVE]["openat2"][0], HERE, b"to_kept", said, 24)
        if got >= 0:
            answers.add(os.readlink(f"/proc/self/fd/{got}"))
            os.close(got)
    over.set()
    thread.join()
    assert answers == {f"{tree}/to_kept", f"{tree}/d/kept"}
    assert (counted().matched, counted().unknown) == (0, 0)


def test_while_something_else_is_renamed(tree):
    """The kernel's own lookup below a root gives up then; the rule knows all the same."""
    refuse(f'path(filename) == "{tree}/d/kept"')
    over = threading.Event()

    def rename():
        while not over.is_set():
            os.rename("deep/in", "deep/to")
            os.rename("deep/to", "deep/in")

    thread = threading.Thread(target=rename)
    thread.start()
    storm = company.Storm(2, "openat2", str(HERE), f"s:{'d/../' * 60}d/kept", f"s:hex={how(IN_ROOT).hex()}", "24")
    over.wait(5)
    over.set()
    thread.join()
    assert set(storm.end()) == {REFUSED}
    assert counted().unknown == 0
