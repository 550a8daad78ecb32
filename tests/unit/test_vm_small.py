# SPDX-License-Identifier: GPL-2.0-only
"""Are guests of another architecture given the files, the drivers and the words that they need?"""

import lzma
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sctvm import arches, cli, machine, modules, small, userland, virtme
from sctvm.image import Image
from sctvm.kernels import Kernel
from sctvm.places import GUEST
from sctvm.settings import Settings

sys.path.append(str(GUEST))
import files  # noqa: E402

ARM = Kernel("arm64-6.1", "x", "arm64", ("bookworm",), "linux-image-arm64", "linux-headers-arm64")


@pytest.fixture
def here(monkeypatch):
    """This machine is of the architecture that is asked for."""
    return lambda name: monkeypatch.setattr(arches, "native", lambda: name)


@pytest.fixture
def kernel(tmp_path) -> Image:
    release = tmp_path / "kernel" / "root" / "lib" / "modules" / "6.1-arm64"
    release.mkdir(parents=True)
    (release / "modules.dep").touch()
    boot = tmp_path / "kernel" / "root" / "boot"
    boot.mkdir()
    (boot / "vmlinuz-6.1-arm64").touch()
    return Image(ARM, tmp_path / "kernel")


@pytest.fixture
def programs(tmp_path) -> Path:
    (tmp_path / "user" / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "user" / "usr" / "bin" / "busybox").write_text("busybox")
    return tmp_path / "user"


@pytest.fixture
def drivers(tmp_path, monkeypatch):
    (tmp_path / "virtio.ko").write_text("first")
    (tmp_path / "9p.ko.xz").write_bytes(lzma.compress(b"second"))
    monkeypatch.setattr(small, "_drivers", lambda image: [tmp_path / "virtio.ko", tmp_path / "9p.ko.xz"])


def test_initramfs_holds_drivers_in_order_and_uncompressed(kernel, programs, drivers, tmp_path):
    (tmp_path / "scratch").mkdir()
    unpack(small._initramfs(kernel, programs, tmp_path / "scratch"), tmp_path / "out")
    held = {path.name: path.read_text() for path in sorted((tmp_path / "out" / "modules").iterdir())}
    assert list(held.items()) == [("00-virtio.ko", "first"), ("01-9p.ko", "second")]
    assert (tmp_path / "out" / "init").read_text() == (GUEST / "boot.sh").read_text()
    assert (tmp_path / "out" / "init").stat().st_mode & 0o111
    assert (tmp_path / "out" / "bin" / "sh").read_text() == "busybox"


def unpack(archive: Path, directory: Path) -> None:
    directory.mkdir()
    with open(archive, "rb") as data:
        subprocess.run(["cpio", "--extract", "--quiet"], stdin=data, cwd=directory, check=True)


def test_a_guest_that_can_sleep_has_everything_in_its_memory(kernel, programs, drivers, monkeypatch, tmp_path):
    tree = tmp_path / "a" / "tree"
    (tree / ".git").mkdir(parents=True)
    (tree / ".venv").mkdir()
    (tree / ".venv" / "link").symlink_to("../.git")
    (tree / "file").write_text("ours")
    (programs / "bin").symlink_to("usr/bin")
    for directory in ("man", "python"):
        (programs / "usr" / "share" / directory).mkdir(parents=True)
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(small, "TREE", tree)
    monkeypatch.setattr(userland, "obtain", lambda arch: programs)
    words = machine._command(kernel, Settings(in_memory=True), tmp_path / "scratch")
    assert not any("fsdev" in word for word in words)
    line = words[words.index("-append") + 1].split()
    assert "sct_host=" in line and f"sct_agent={GUEST}/agent.py" in line
    unpack(Path(words[words.index("-initrd") + 1]), out := tmp_path / "out")
    inside = out / str(tree).lstrip("/")
    assert (out / "init").exists() and (out / "bin" / "busybox").read_text() == "busybox"
    assert (inside / "file").read_text() == "ours" and (inside / ".venv" / "link").is_symlink()
    assert [path.name for path in (out / "usr" / "share").iterdir()] == ["python"] and not (inside / ".git").exists()
    assert (out / str(kernel.modules).lstrip("/")).is_dir()


def test_words_of_the_kernel_are_quoted(kernel, programs, drivers, tmp_path):
    (tmp_path / "scratch").mkdir()
    words = small.command(kernel, Settings(append=("a=b c",), icount=True), programs, tmp_path / "scratch")
    line = words[words.index("-append") + 1]
    assert line.endswith(' "a=b c"') and f"sct_agent={small.HOST}{GUEST}/agent.py" in line
    assert words[words.index("-smp") + 1] == "1"


def test_all_that_a_foreign_guest_sees_is_read_only(kernel, here, monkeypatch, tmp_path):
    here("amd64")
    monkeypatch.setattr(userland, "obtain", lambda arch: Path("/programs"))
    monkeypatch.setattr(small, "command", lambda *args: ["qemu"])
    words = machine._command(kernel, Settings(), tmp_path)
    shares = [word for word in words if word.startswith("local,")]
    assert ["path=/programs," in shares[0], "path=/," in shares[1]] == [True, True]
    assert all(",readonly=on" in share for share in shares)


def test_a_slow_kernel_has_the_small_init_and_this_machines_files(kernel, here, monkeypatch, tmp_path):
    here("arm64")
    monkeypatch.setattr(small, "command", lambda image, settings, userland, scratch: ["qemu", str(userland)])
    monkeypatch.setattr(virtme, "command", lambda image, settings: ["virtme-ng"])
    assert machine._command(kernel, Settings(), tmp_path)[0] == "virtme-ng"
    slow = Image(replace(ARM, small=True), kernel.home)
    assert machine._command(slow, Settings(), tmp_path)[:2] == ["qemu", "/"]


@pytest.mark.parametrize(("works", "wanted"), [(True, "-accel kvm -cpu host"), (False, "-cpu cortex-a72")])
def test_a_processor_is_emulated_only_where_it_has_to_be(kernel, programs, drivers, monkeypatch, tmp_path, works, wanted):
    monkeypatch.setattr(small, "is_emulated", lambda arch, icount: not works)
    (tmp_path / "scratch").mkdir()
    assert wanted in " ".join(small.command(kernel, Settings(), programs, tmp_path / "scratch"))


def test_the_cross_compiler_is_used_where_the_architecture_differs(kernel, here):
    here("amd64")
    assert "CROSS_COMPILE=aarch64-linux-gnu-" in modules._command(kernel, Path("/place"))
    here("arm64")
    assert not any(word.startswith("CROSS_COMPILE") for word in modules._command(kernel, Path("/place")))


@pytest.mark.parametrize(("native", "host"), [("amd64", small.HOST), ("arm64", "/")])
def test_the_agent_learns_where_this_machines_files_are(kernel, here, native, host):
    here(native)
    assert cli._job(["true"], kernel, cli.Terminal())["host"] == host
    assert cli._job(["true"], kernel, cli.Terminal(), in_memory=True)["host"] == "/"


def test_a_directory_is_brought_once():
    assert files.outermost(["/a/b", "/a", "/ab", "/a/b/c", "/a"]) == ["/a", "/ab"]


def test_where_the_guest_has_files_of_its_own_none_are_brought(tmp_path, monkeypatch):
    mounts = []
    monkeypatch.setattr(files, "mount", lambda *words: mounts.append(words))
    monkeypatch.setattr(files.os, "makedirs", lambda *args, **options: None)
    (tmp_path / "empty").mkdir()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").touch()
    files.bring("/host", [str(tmp_path / name) for name in ("tree", "empty", "new")] + ["/"])
    assert [words[-1] for words in mounts] == [str(tmp_path / "empty"), str(tmp_path / "new")]
    assert f"lowerdir=/host{tmp_path}/empty," in mounts[0][3]
    files.bring("/", [str(tmp_path / "new")])
    assert len(mounts) == 2


def package(directory: Path, contents: dict[str, str]) -> Path:
    """A Debian package of these files."""
    tree = directory / "package"
    for name, text in contents.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN" / "control").write_text("Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n")
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, directory / "x.deb"], check=True, capture_output=True)
    return directory / "x.deb"


def test_packages_are_unpacked_into_merged_directories_and_arranged(tmp_path):
    passwd = "root:*:0:0:root:/root:/bin/bash\n"
    lists = {f"usr/share/base-passwd/{name}.master": passwd for name in ("passwd", "group")}
    made = package(tmp_path, {"bin/a": "a", "lib/b": "b", "etc/c": "c", "usr/lib/python3.11/x.py": "x = 1\n", **lists})
    root = tmp_path / "root"
    userland._unpack([made], root)
    userland._arrange(root)
    assert (root / "bin").is_symlink() and (root / "usr" / "bin" / "a").read_text() == "a"
    assert (root / "etc" / "passwd").read_text() == passwd
    assert list(root.glob("usr/lib/python3.11/__pycache__/x.*.pyc"))


@pytest.mark.parametrize("script", sorted(GUEST.rglob("*.sh")), ids=lambda path: path.name)
def test_scripts_of_the_guest_are_sound(script):
    subprocess.run(["sh", "-n", script], check=True)
