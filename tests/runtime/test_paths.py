# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule on where a path leads hold, however the path is written?"""

import os
import shutil
import subprocess
import threading
from pathlib import Path

import company
import kernel
import pytest
from test_abis import MAIN, NATIVE, way, ways, words  # noqa: F401 - fixtures

from pysct.control import Control
from pysct.tables import CALLS

RULE = """
rule {{ syscall_name = {calls} rule_name = keep filter_expression {{ COMM =~ "call*" && {condition} }}
       action {{ type = FAIL error_code = EXDEV }} }}
"""
REFUSED = "-1 EXDEV"
HERE = -100
AT_SYMLINK_NOFOLLOW, AT_SYMLINK_FOLLOW = 0x100, 0x400
DEEP = 40  # directories, each with a name of 200 bytes

pytestmark = pytest.mark.usefixtures("ready")


@pytest.fixture
def place(tmp_path) -> Path:
    """A file, `d/kept`, and ways to it."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d/kept").write_text("")
    (tmp_path / "to_d").symlink_to("d")
    (tmp_path / "to_d_from_top").symlink_to(tmp_path / "d")
    (tmp_path / "to_kept").symlink_to("d/kept")
    (tmp_path / "to_new").symlink_to("to_new_too")
    (tmp_path / "to_new_too").symlink_to(tmp_path / "to_d/new")
    (tmp_path / "round").symlink_to("round")
    return tmp_path


def refuse(condition: str, calls: str) -> None:
    kernel.upload(RULE.format(condition=condition, calls=calls))


def deep_directory() -> int:
    """A descriptor of a new directory with too long a path, DEEP below this one."""
    at = os.open(".", os.O_RDONLY)
    for _ in range(DEEP):
        os.mkdir("n" * 200, dir_fd=at)
        inner = os.open("n" * 200, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    return at


def make(name: str, *args, **how) -> str:
    done = subprocess.run(["call", str(CALLS[NATIVE][name][0]), *map(str, args)],
                          capture_output=True, text=True, **how)  # fmt: skip
    assert done.stderr == ""
    return done.stdout.strip()



@pytest.mark.parametrize(
    "written",
    ["{0}/d/kept", "d/kept", "./d/kept", "d//./../d/kept", "to_d/kept", "to_d_from_top/kept", "/proc/self/cwd/d/kept", "/../{0}/d/kept"],
)
def test_however_it_is_written(place, written):
    refuse(f'path(pathname) == "{place}/d/kept"', "unlinkat")
    assert make("unlinkat", HERE, f"s:{written.format(place)}", 0) == REFUSED
    assert make("unlinkat", HERE, f"late:{written.format(place)}", 0) == REFUSED
    other = written.format(place).replace("kept", "none")
    assert make("unlinkat", HERE, f"s:{other}", 0) == "-1 ENOENT"
    assert (place / "d/kept").exists()


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_PATH])
def test_from_a_descriptor(place, flags):
    refuse(f'path(pathname) == "{place}/d/kept"', "unlinkat")
    for start, rest in (("d", "kept"), ("to_d", "./kept"), (".", "d/kept"), ("/", f"..{place}/d/kept")):
        fd = os.open(place / start, flags)
        assert make("unlinkat", fd, f"s:{rest}", 0, pass_fds=(fd,)) == REFUSED
        assert make("unlinkat", fd, f"s:/proc/self/fd/{fd}/{rest}", 0, pass_fds=(fd,)) == REFUSED
        assert make("unlinkat", fd, f"s:{place}/d/kept", 0, pass_fds=(fd,)) == REFUSED
        os.close(fd)
    assert make("unlinkat", 99, "s:kept", 0) == "-1 EBADF"


@pytest.mark.parametrize("way", MAIN.values(), ids="-".join, indirect=True)
def test_in_each_abi(place, way):
    refuse(f'path(pathname) == "{place}/d/kept"', "unlinkat")
    fd = os.open(place / "to_d", os.O_RDONLY)
    for args in ((HERE, "s:to_d/kept", 0), (fd, "s:kept", 0)):
        done = subprocess.run(words(way, "unlinkat", *args), capture_output=True, text=True, pass_fds=(fd,))
        assert done.stdout.strip() == "-18"
    os.close(fd)


def test_a_link_itself_and_where_it_leads(place):
    refuse(f'path(filename) == "{place}/d/kept"', "openat, newfstatat")
    assert make("openat", HERE, "s:to_kept", os.O_RDONLY, 0) == REFUSED
    assert make("openat", HERE, "s:to_kept", os.O_NOFOLLOW, 0) == "-1 ELOOP"
    assert make("openat", HERE, "s:to_kept", os.O_CREAT | os.O_EXCL, 0o600) == "-1 EEXIST"
    assert make("openat", HERE, "s:to_kept", os.O_PATH | os.O_CREAT | os.O_EXCL, 0o600) == REFUSED  # O_PATH forgets the others
    room = "hex=" + "00" * 256
    assert make("newfstatat", HERE, "s:to_kept", f"s:{room}", 0) == REFUSED
    assert make("newfstatat", HERE, "s:to_kept", f"s:{room}", AT_SYMLINK_NOFOLLOW) == "0"
    refuse(f'path(filename) == "{place}/to_kept"', "newfstatat")
    assert make("newfstatat", HERE, "s:to_kept", f"s:{room}", 0) == "0"
    assert make("newfstatat", HERE, "s:./to_kept", f"s:{room}", AT_SYMLINK_NOFOLLOW) == REFUSED
    # A slash behind it says that what it leads to is meant, whatever the flags say.
    refuse(f'path(filename) == "{place}/d"', "newfstatat")
    assert make("newfstatat", HERE, "s:to_d/", f"s:{room}", AT_SYMLINK_NOFOLLOW) == REFUSED
    assert make("newfstatat", HERE, "s:to_d", f"s:{room}", AT_SYMLINK_NOFOLLOW) == "0"
    assert make("newfstatat", HERE, "s:round", f"s:{room}", 0) == "-1 ELOOP"


def test_what_is_not_there_yet(place):
    """Also where a link leads to it: open makes it there."""
    refuse(f'path(filename) == "{place}/d/new"', "openat")
    for name in ("d/new", "to_d/new", "to_new"):
        assert make("openat", HERE, f"s:{name}", os.O_CREAT | os.O_WRONLY, 0o600) == REFUSED
    assert make("openat", HERE, "s:to_new", os.O_CREAT | os.O_EXCL, 0o600) == "-1 EEXIST"
    assert make("openat", HERE, "s:none/new", os.O_CREAT, 0o600) == "-1 ENOENT"
    assert not (place / "d/new").exists()


def test_what_is_made_and_removed(place):
    refuse(f'path(pathname) == "{place}/d/new"', "mkdirat")
    assert make("mkdirat", HERE, "s:to_d/new/", 0o700) == REFUSED
    refuse(f'path(newname) == "{place}/d/kept" || path(oldname) == "{place}/d/kept"', "renameat2, linkat")
    assert make("renameat2", HERE, "s:to_kept", HERE, "s:to_d/kept", 0) == REFUSED
    assert make("renameat2", HERE, "s:to_d/kept", HERE, "s:x", 0) == REFUSED
    assert make("linkat", HERE, "s:to_kept", HERE, "s:x", AT_SYMLINK_FOLLOW) == REFUSED
    assert make("linkat", HERE, "s:to_kept", HERE, "s:x", 0) == "0"
    refuse(f'path(pathname) startswith "{place}/d"', "unlinkat")
    assert make("unlinkat", HERE, "s:x", 0) == "0"  # the link, not the file
    assert make("unlinkat", HERE, "s:d/..", 0x200) == "-1 ENOTEMPTY"


def test_a_name_that_is_empty(place):
    refuse(f'path(filename) == "{place}/d/kept"', "newfstatat")
    fd = os.open(place / "d/kept", os.O_RDONLY)
    assert make("newfstatat", fd, "s:", "s:hex=" + "00" * 256, 0x1000, pass_fds=(fd,)) == REFUSED
    os.close(fd)


def test_no_name_at_all(place):
    """Some calls take a null pointer for the descriptor itself."""
    fd = os.open(place / "d/kept", os.O_RDONLY)
    refuse(f'path(filename) == "{place}/d/kept"', "utimensat")
    before = (place / "d/kept").stat().st_mtime_ns
    assert make("utimensat", fd, "null", "null", 0, pass_fds=(fd,)) == REFUSED
    assert (place / "d/kept").stat().st_mtime_ns == before
    # Others do not.
    refuse(f'path(pathname) startswith "{place}/"', "unlinkat")
    assert make("unlinkat", HERE, "null", 0) == "-1 EFAULT"
    os.close(fd)


def test_from_another_root(place, programs):
    """The path is told from the root of the mount namespace: chroot leads nowhere else."""
    program = shutil.which(f"call.{NATIVE}", path=programs["PATH"])
    shutil.copy(program, place)
    refuse(f'path(pathname) == "{place}/d/kept"', "unlinkat")
    way = words(MAIN[NATIVE], "unlinkat", HERE, "s:/to_d/kept", 0)
    done = subprocess.run([f"/{way[0]}", *way[1:]], preexec_fn=lambda: (os.chroot(place), os.chdir("/")), capture_output=True, text=True)  # fmt: skip
    assert done.stdout.strip() == "-18"


def test_what_a_descriptor_is_open_on(place):
    refuse(f'fdpath(fd) == "{place}/d/kept"', "fchmod")
    fd = os.open("to_kept", os.O_RDONLY)
    assert make("fchmod", fd, 0o600, pass_fds=(fd,)) == REFUSED
    os.rename("d", "e")
    assert make("fchmod", fd, 0o600, pass_fds=(fd,)) == "0"
    os.close(fd)
    assert make("fchmod", 99, 0o600) == "-1 EBADF"
    refuse('fdpath(fd) startswith "pipe:["', "fchmod")
    ends = os.pipe()
    assert make("fchmod", ends[0], 0o600, pass_fds=ends) == REFUSED
    for end in ends:
        os.close(end)


def test_the_log_says_where_it_leads(place):
    """After the call as well, when nothing is there any more."""
    rule = 'rule {{ syscall_name = unlinkat rule_name = l filter_expression {{ path(pathname) startswith "{0}/" }} action {{ type = LOG log_format {{ {1}: %pathname is %path(pathname) from %fdpath(dfd) }} }} when = {1} }}'
    for when in ("before", "after"):
        (place / "d/gone").write_text("")
        with kernel.Log() as log:
            kernel.upload(rule.format(place, when))
            assert make("unlinkat", HERE, "s:to_d/gone", 0) == "0"
            assert log.lines(1, 3) == [f'{when}: "to_d/gone" is "{place}/d/gone" from "{place}"']


def test_links_that_lead_somewhere_without_a_name(place):
    """They answer as without rules, and the kernel has nothing to complain of."""
    gone = os.open("gone", os.O_CREAT | os.O_RDWR)
    os.unlink("gone")
    paths = ["/proc/self/exe", "/proc/2/exe", "/proc/2/cwd", "/proc/self/ns/mnt", "/proc/thread-self/root", "/proc/self/fd/77", f"/proc/self/fd/{gone}"]
    flags = [os.O_RDONLY, os.O_NOFOLLOW, os.O_CREAT, os.O_PATH | os.O_NOFOLLOW]

    def answers() -> list[str]:
        found = [make("openat", HERE, f"s:{path}", flag, 0o600, pass_fds=(gone,)) for path in paths for flag in flags]
        return [answer if answer.startswith("-") else "opened" for answer in found]

    kernel.upload("")
    before = answers()
    refuse('path(filename) startswith "/nowhere/"', "openat")
    assert answers() == before
    os.close(gone)


def test_names_of_every_length(place):
    """The longest fill the room for the answer; those in the root leave no other for it."""
    refuse('path(pathname) startswith "/"', "unlinkat")
    for length in (255, 4090, 4091, 4092, 4093, 4094):
        for where in ("/", ""):
            answer = make("unlinkat", HERE, f"s:{where}{'n' * length}", 0)
            assert answer in (REFUSED, "-1 ENAMETOOLONG"), (where, length)
    assert make("unlinkat", HERE, "s:/" + "n" * 4092, 0) == REFUSED


@pytest.mark.parametrize("before, target", [("", "./" * 2000 + "d/new"), ("./" * 1980, "d/new" + "n" * 200), ("d/../" * 700, "to_new")])
def test_a_link_that_is_too_long_together_with_what_is_before_it(place, before, target):
    """To what is not there yet: the kernel reads one behind the other."""
    (place / "link").symlink_to(target)
    (place / "to_new_too").unlink()
    (place / "to_new_too").symlink_to("./" * 2000 + "d/new")
    refuse(f'path(filename) startswith "{place}/d/new"', "openat")
    at = os.open(place, os.O_RDONLY)
    for start in (HERE, at):
        assert make("openat", start, f"s:{before}link", os.O_CREAT, 0o600, pass_fds=(at,)) == REFUSED
    os.close(at)
    assert not list((place / "d").glob("new*"))


def test_what_is_too_long_is_unknown(place):
    fd = deep_directory()
    refuse('path(pathname) startswith "/"', "unlinkat")
    assert make("unlinkat", fd, "s:none", 0, pass_fds=(fd,)) == "-1 ENOENT"
    os.close(fd)
    with Control.open() as control:
        counted = control.counters()[0][0]
    assert (counted.matched, counted.unknown) == (0, 1)


def test_while_directories_are_renamed(place):
    """The rule can miss: what it found is not what the call finds. No more than that happens."""
    refuse('path(pathname) endswith "/kept"', "unlinkat")
    over = threading.Event()

    def rename():
        while not over.is_set():
            os.rename("d", "e")
            os.rename("e", "d")

    thread = threading.Thread(target=rename)
    thread.start()
    storm = company.Storm(4, "unlinkat", str(HERE), "s:d/kept", "0")
    over.wait(3)
    over.set()
    thread.join()
    answers = set(storm.end())
    assert REFUSED in answers and answers <= {REFUSED, "-1 ENOENT", "0"}
