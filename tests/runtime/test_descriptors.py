# SPDX-License-Identifier: GPL-2.0-only
"""Does a rule on where a path leads hold from a directory whose own path would not lead there?"""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_abis import MAIN, NATIVE, words
from test_paths import DEEP, REFUSED, deep_directory, make, place, refuse  # noqa: F401 - fixtures

from pysct.control import Control

NOBODY = 65534

pytestmark = pytest.mark.usefixtures("ready")


@contextmanager
def directory(at: Path | str, **how):
    descriptor = os.open(at, os.O_RDONLY, **how)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def unlink(descriptor: int, name: str) -> str:
    return make("unlinkat", descriptor, f"s:{name}", 0, pass_fds=(descriptor,))


@pytest.fixture
def deep(place):  # noqa: F811
    """A descriptor of a directory with too long a path, and links in it."""
    at = deep_directory()
    os.symlink(place / "d", "from_top", dir_fd=at)
    os.symlink("./" * 1900 + "../" * DEEP + "to_d", "upwards", dir_fd=at)
    os.symlink("round", "round", dir_fd=at)
    for n in range(45):
        os.symlink(f"link{n - 1}" if n else place, f"link{n}", dir_fd=at)
    yield at
    os.close(at)


@pytest.mark.parametrize("written", [
    "from_top/kept", "upwards/kept", "./upwards//kept", "link20/to_d/kept", "link38/d/kept", "from_top/../to_kept/../../d/kept",
    "../" * DEEP + "d/kept", "../" * DEEP + "to_d_from_top/kept", "from_top/../../../../../../../../../../proc/self/cwd/d/kept",
])  # fmt: skip
def test_from_a_directory_with_too_long_a_path(place, deep, written):  # noqa: F811
    refuse(f'path(pathname) == "{place}/d/kept"', "unlinkat")
    assert unlink(deep, written) == (REFUSED if "to_kept/" not in written else "-1 ENOTDIR")
    assert (place / "d/kept").exists()


def test_what_leads_nowhere_is_unknown(place, deep):  # noqa: F811
    refuse('path(pathname) startswith "/"', "unlinkat")
    answers = [unlink(deep, name) for name in ("round/kept", "link44/d/kept", "from_top/kept/x", "from_top/none/x", "n" * 256 + "/x")]
    assert answers == ["-1 ELOOP", "-1 ELOOP", "-1 ENOTDIR", "-1 ENOENT", "-1 ENAMETOOLONG"]
    with Control.open() as control:
        counted = control.counters()[0][0]
    assert (counted.matched, counted.unknown) == (0, len(answers))


def test_names_that_are_longer_than_most_file_systems_have_them(place):  # noqa: F811
    """FAT counts characters: with three bytes each, a name has more bytes than elsewhere."""
    name = "中" * 100
    subprocess.run(["truncate", "-s", "1M", "image"], check=True)
    subprocess.run(["busybox", "mkdosfs", "image"], check=True, stdout=subprocess.DEVNULL)
    (place / "fat").mkdir()
    subprocess.run(["modprobe", "--all", "loop", "vfat"], stderr=subprocess.DEVNULL)
    if subprocess.run(["mount", "-o", "loop,utf8", "-t", "vfat", "image", place / "fat"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this kernel has no FAT")
    try:
        (place / "fat" / name).write_text("")
        refuse(f'path(filename) == "{place}/fat/{name}"', "openat")
        with directory(place / "fat") as at:
            assert make("openat", at, f"s:{name}", 0, 0, pass_fds=(at,)) == REFUSED
    finally:
        subprocess.run(["umount", place / "fat"], check=True)


def test_from_outside_of_the_callers_root(place, programs):  # noqa: F811
    """And up from inside, no further than to that root."""
    jail = place / "jail"
    (jail / "d").mkdir(parents=True)
    (jail / "d/kept").write_text("")
    (jail / "d/to_top").symlink_to("/d")
    shutil.copy(shutil.which(f"call.{NATIVE}", path=programs["PATH"]), jail)

    def caught(descriptor: int, name: str) -> str:
        _, *args = words(MAIN[NATIVE], "unlinkat", descriptor, f"s:{name}", 0)
        enter = lambda: (os.chroot(jail), os.chdir("/"))  # noqa: E731
        return subprocess.run([f"/call.{NATIVE}", *args], preexec_fn=enter, capture_output=True, text=True, pass_fds=(descriptor,)).stdout.strip()

    with directory(place / "to_d") as outside, directory(jail / "d") as inside:
        refuse(f'path(pathname) == "{place}/d/kept"', "unlinkat")
        assert caught(outside, "kept") == "-18" and caught(outside, "../to_d/kept") == "-18"
        refuse(f'path(pathname) == "{jail}/d/kept"', "unlinkat")
        assert {caught(inside, name) for name in ("kept", "../d/kept", "../../../../d/kept", "to_top/kept", "to_top/../../d/kept")} == {"-18"}
    assert (place / "d/kept").exists() and (jail / "d/kept").exists()


def test_behind_a_directory_that_the_caller_may_not_search(place):  # noqa: F811
    """It could reach it by its descriptor nevertheless."""
    (place / "d").chmod(0o777)
    place.chmod(0o700)
    refuse(f'path(pathname) == "{place}/d/kept"', "unlinkat")
    with tempfile.TemporaryDirectory(dir="/run") as open_to_all, directory(place / "d") as fd:
        os.chmod(open_to_all, 0o755)
        program = shutil.copy(shutil.which("call"), f"{open_to_all}/call")
        said = subprocess.run([program, *map(str, ("unlinkat", fd, "s:kept", 0))], capture_output=True, text=True, pass_fds=(fd,), user=NOBODY)
    assert said.stdout.strip() == REFUSED and (place / "d/kept").exists()


def test_what_is_mounted_on_the_way(place):  # noqa: F811
    """Above a directory is what is mounted there."""
    (place / "m/in").mkdir(parents=True)
    with directory(place / "m/in") as below:
        subprocess.run(["mount", "-t", "tmpfs", "none", place / "m"], check=True)
        try:
            (place / "m/kept").write_text("")
            refuse(f'path(pathname) == "{place}/m/kept"', "unlinkat")
            with directory(place) as above, directory(place / "m") as on:
                assert {unlink(above, "m/kept"), unlink(on, "kept"), unlink(on, "../m/kept"), unlink(below, "../../m/kept")} == {REFUSED}
        finally:
            subprocess.run(["umount", place / "m"], check=True)
