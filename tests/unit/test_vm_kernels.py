# SPDX-License-Identifier: GPL-2.0-only
"""Is the list of kernels sound, and are its packages resolved and unpacked as it says?"""

import subprocess
import sys

import pytest

from sctvm import image, kernels, modules
from sctvm.arches import ARCHES
from sctvm.error import VmError
from sctvm.kernels import Kernel
from sctvm.places import TREE

GOOD = """
["amd64-6.1"]
about = "x"
arch = "amd64"
suites = ["bookworm"]
image = "linux-image-amd64"
headers = "linux-headers-amd64"
default = true
"""


def test_the_list_is_valid():
    for name, kernel in kernels.load().items():
        assert name.split("-")[0] == kernel.arch
        assert kernel.arch in ARCHES
        assert kernel.suites and kernel.about


def test_list_is_shown():
    shown = subprocess.run([TREE / "vm" / "run", "--list"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in shown.splitlines()] == list(kernels.load())


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (GOOD.replace("about", "abuot"), "unexpected keyword argument 'abuot'"),
        (GOOD.replace('arch = "amd64"', ""), "missing 1 required positional argument: 'arch'"),
        (GOOD.replace("default = true", ""), "exactly one kernel"),
    ],
)
def test_a_bad_list_is_refused(tmp_path, text, cause):
    (tmp_path / "list.toml").write_text(text)
    with pytest.raises(VmError, match=cause):
        kernels.load(tmp_path / "list.toml")


def test_an_unknown_kernel_is_refused():
    with pytest.raises(VmError, match="--kernel amd64-2.4: not in .*amd64-6.1") as error:
        kernels.pick("amd64-2.4")
    assert error.value.status == 2


class FakeApt:
    """The packages of a release after 6.19, whose image is split."""

    DEPENDS = {
        "linux-image-arm64:arm64": ["linux-image-7.2-arm64"],
        "linux-image-7.2-arm64:arm64": ["linux-binary-7.2-arm64", "linux-modules-7.2-arm64", "linux-base-7.2-arm64"],
        "linux-binary-7.2-arm64:arm64": ["kmod", "linux-base"],
        "linux-headers-arm64:arm64": ["linux-headers-7.2-arm64"],
        "linux-headers-7.2-arm64:arm64": ["linux-headers-7.2-common", "linux-kbuild-7.2", "gcc-15-aarch64-linux-gnu"],
    }

    def depends(self, package):
        return self.DEPENDS.get(package, [])

    def version(self, package):
        return f"version of {package}"


def test_packages_of_a_split_foreign_kernel():
    kernel = Kernel("arm64-7.2", "x", "arm64", ("sid",), "linux-image-arm64", "linux-headers-arm64")
    packages, version = image._packages(FakeApt(), kernel)
    wanted = {*FakeApt.DEPENDS, "linux-modules-7.2-arm64:arm64", "linux-base-7.2-arm64:arm64"}
    assert set(packages) == wanted | {"linux-headers-7.2-common", "linux-kbuild-7.2"}
    assert version == "version of linux-image-7.2-arm64:arm64"


def test_headers_find_their_other_half_wherever_they_lie(tmp_path):
    home = tmp_path / "usr" / "src" / "linux-headers-6.1-amd64"
    common = tmp_path / "usr" / "src" / "linux-headers-6.1-common"
    for directory in (home, common):
        directory.mkdir(parents=True)
    (home / "Makefile").write_text("include /usr/src/linux-headers-6.1-common/Makefile\n")
    (common / "Makefile").write_text("all:\n\t@echo found\n")
    image._relocate(tmp_path)
    assert subprocess.run(["make", "-sC", home], capture_output=True, text=True).stdout == "found\n"


def test_only_what_changed_is_copied(tmp_path):
    source, place = tmp_path / "kmod", tmp_path / "build"
    (source / "rules").mkdir(parents=True)
    place.mkdir()
    for name in ("Kbuild", "rules/judge.c", "old.c", "old.o", "x.mod.c"):
        (source / name).write_text(name)
    modules._copy(source, place)
    assert not (place / "old.o").exists() and not (place / "x.mod.c").exists()
    (place / "rules" / "judge.o").touch()
    stamp = (place / "Kbuild").stat().st_ctime_ns
    (source / "old.c").unlink()
    (source / "rules" / "judge.c").write_text("changed")
    modules._copy(source, place)
    assert (place / "rules" / "judge.c").read_text() == "changed"
    assert (place / "Kbuild").stat().st_ctime_ns == stamp
    assert not (place / "old.c").exists() and (place / "rules" / "judge.o").exists()


def test_no_kbuild_is_said(tmp_path):
    with pytest.raises(VmError, match=r"Kbuild: not there"):
        modules.build(None, tmp_path)


def test_the_agent_needs_nothing_but_python():
    """It runs before the virtual environment does: with the standard library alone."""
    names = ["agent", "files", "pump"]
    sources = [(TREE / "vm" / "sctvm" / "guest" / f"{name}.py").read_text() for name in names]
    imported = {line.split()[1] for text in sources for line in text.splitlines() if line.startswith("import ")}
    assert imported - {"files", "pump", "wire"} <= sys.stdlib_module_names
