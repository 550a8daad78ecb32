# SPDX-License-Identifier: GPL-2.0-only
"""Is the list of kernels sound, and are its packages resolved and unpacked as it says?"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sctvm import image, kernels, modules, programs, toolchain
from sctvm.arches import ARCHES, native
from sctvm.error import VmError
from sctvm.kernels import Kernel
from sctvm.places import TREE

LOADER = Path("/lib64/ld-linux-x86-64.so.2")

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
        (GOOD + 'source = "linux-source-6.1"\nconfig = "x"', r"\[amd64-6.1\]: must say either `image` and `headers`, or"),
        (GOOD.replace('image = "linux-image-amd64"', ""), "must say either"),
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


def test_what_is_tested_how_is_said_by_the_list():
    def names(how):
        words = [TREE / "vm" / "run", "--names", how]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()

    listed = kernels.load().values()
    assert names("brief") == [kernel.name for kernel in listed if not kernel.slow and not kernel.early]
    assert names("early") == [kernel.name for kernel in listed if kernel.early]
    assert sorted(names("all") + names("early")) == sorted(kernel.name for kernel in listed)


class FakeApt:
    """The packages of a release after 6.19, whose image is split."""

    DEPENDS = {
        "linux-image-arm64:arm64": ["linux-image-7.2-arm64"],
        "linux-image-7.2-arm64:arm64": ["linux-binary-7.2-arm64", "linux-modules-7.2-arm64", "linux-base-7.2-arm64"],
        "linux-binary-7.2-arm64:arm64": ["kmod", "linux-base"],
        "linux-headers-arm64:arm64": ["linux-headers-7.2-arm64"],
        "linux-headers-7.2-arm64:arm64": ["linux-headers-7.2-common", "linux-kbuild-7.2", "gcc-16-for-host"],
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


def test_a_kernel_brings_the_compiler_that_its_headers_ask_for():
    kernel = Kernel("arm64-7.2", "x", "arm64", ("sid",), "linux-image-arm64", "linux-headers-arm64", own_tools=True)
    found, _ = image._packages(FakeApt(), kernel)
    assert toolchain.packages(FakeApt(), "arm64", found) == ["linux-kbuild-7.2", "gcc-16-aarch64-linux-gnu"]
    with pytest.raises(VmError, match="own_tools"):
        toolchain.packages(FakeApt(), "arm64", ["linux-headers-5.10-arm64", "linux-kbuild-5.10"])


@pytest.mark.skipif(not LOADER.exists(), reason="for x86_64")
@pytest.mark.parametrize("place", ["usr/bin", "usr/libexec/gcc-cross/aarch64-linux-gnu/16", "usr/lib/linux-kbuild-7.2/scripts"])
def test_programs_run_with_the_libraries_that_came_with_them(tmp_path, place):
    libraries = tmp_path / "usr" / "lib" / "x86_64-linux-gnu"
    for directory in (libraries, tmp_path / "usr" / "lib64", tmp_path / place):
        directory.mkdir(parents=True)
    shutil.copy2(LOADER, tmp_path / "usr" / "lib64")
    shutil.copy2("/usr/lib/x86_64-linux-gnu/libc.so.6", libraries)
    shutil.copy2("/usr/bin/true", tmp_path / place / "program")
    (tmp_path / place / "script").write_text("#!/bin/sh\n")
    toolchain.bind(tmp_path, tmp_path)
    used = subprocess.run([tmp_path / place / "program"], env={"LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True)
    assert f"{libraries}/libc.so.6" in used.stdout
    assert (tmp_path / place / "script").read_text() == "#!/bin/sh\n"


def test_a_compiler_that_came_with_the_kernel_is_used(tmp_path, monkeypatch):
    (tmp_path / "root" / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "root" / "usr" / "lib" / "modules" / "7.2").mkdir(parents=True)
    (tmp_path / "root" / "usr" / "lib" / "modules" / "7.2" / "modules.dep").touch()
    (tmp_path / "root" / "usr" / "src" / "linux-headers-7.2").mkdir(parents=True)
    (tmp_path / "root" / "usr" / "src" / "linux-headers-7.2" / "Makefile").write_text(
        "modules:\n\t@echo $(CROSS_COMPILE) $$PATH > $(M)/told\n"
    )
    kernel = Kernel(f"{native()}-7.2", "x", native(), ("sid",), "i", "h", own_tools=True)
    modules._make(image.Image(kernel, tmp_path), tmp_path)
    prefix, path = (tmp_path / "told").read_text().split(maxsplit=1)
    assert prefix == ARCHES[native()].prefix and path.startswith(f"{tmp_path}/root/usr/bin:")


def test_a_program_that_is_missing_or_fails_is_said():
    with pytest.raises(VmError, match="no-such-program: not found; install the package no-such-package"):
        programs.run(["no-such-program"], "no-such-package")
    with pytest.raises(VmError, match="false: exit status 1"):
        programs.run(["false"], "coreutils")


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
    names = ["agent", "detectors", "files", "pump"]
    sources = [(TREE / "vm" / "sctvm" / "guest" / f"{name}.py").read_text() for name in names]
    imported = {line.split()[1] for text in sources for line in text.splitlines() if line.startswith("import ")}
    assert imported - {"detectors", "files", "pump", "wire"} <= sys.stdlib_module_names
