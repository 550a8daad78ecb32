# SPDX-License-Identifier: GPL-2.0-only
"""Is a kernel that is built here configured as its file says, laid out as packages are, and built anew when it has to be?"""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sctvm import image, kernels, source
from sctvm.arches import native
from sctvm.error import VmError
from sctvm.kernels import Kernel

MAKEFILE = """
allnoconfig:
	@grep -v REFUSED $(KCONFIG_ALLCONFIG) > .config
bzImage Image modules:
	@echo made > $@ && touch built.o .built.o.cmd
modules_install:
	@mkdir -p $(INSTALL_MOD_PATH)/lib/modules/6.12-x && ln -s /here $(INSTALL_MOD_PATH)/lib/modules/6.12-x/build
kernelrelease:
	@echo 6.12-x
image_name:
	@echo bzImage
.PHONY: modules
"""


@pytest.fixture
def kernel(tmp_path, monkeypatch) -> Kernel:
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "x.config").write_text("# Why\nCONFIG_A=y\n")
    monkeypatch.setattr(kernels, "LIST", tmp_path / "list" / "kernels.toml")
    return Kernel(f"{native()}-x", "x", native(), ("suite",), source="linux-source-x", config="x.config")


@pytest.fixture
def package(tmp_path) -> Path:
    """A package of a source that is nothing but what is asked of its make."""
    tree = tmp_path / "linux-source-x"
    for name in ("arch/x86", "arch/arm64", "arch/other", "include", "scripts", "drivers"):
        (tree / name).mkdir(parents=True)
        (tree / name / "file").touch()
    (tree / "Makefile").write_text(MAKEFILE)
    made = tmp_path / "made"
    (made / "usr" / "src").mkdir(parents=True)
    archive = made / "usr" / "src" / "linux-source-x.tar.xz"
    subprocess.run(["tar", "-cJf", archive, "-C", tmp_path, "linux-source-x"], check=True)
    (made / "DEBIAN").mkdir()
    (made / "DEBIAN" / "control").write_text("Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n")
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", made, tmp_path / "x.deb"], check=True, capture_output=True)
    return tmp_path / "x.deb"


def built(kernel: Kernel, package: Path, place: Path) -> image.Image:
    root = place / "home" / "root"
    root.mkdir(parents=True)
    source.build(kernel, package, place, root)
    (root / "lib" / "modules" / "6.12-x" / "modules.dep").touch()
    return image.Image(kernel, place / "home")


def test_what_is_built_lies_as_packages_lay_it(kernel, package, tmp_path):
    made = built(kernel, package, tmp_path)
    assert made.release == "6.12-x" and made.vmlinuz.read_text() == "made\n"
    assert not (made.modules / "build").is_symlink(), "it names a place in which nothing stays"
    left = {str(path.relative_to(made.headers)) for path in made.headers.rglob("*") if path.is_file()}
    here = "arch/x86/file" if native() == "amd64" else "arch/arm64/file"
    assert left == {"Makefile", ".config", here, "include/file", "scripts/file"}


def test_a_line_that_the_source_does_not_take_is_said(kernel, package, tmp_path):
    kernel.fragment.write_text("CONFIG_A=y\nCONFIG_REFUSED=y\n")
    with pytest.raises(VmError, match=r"x\.config: this source does not take CONFIG_REFUSED=y;"):
        built(kernel, package, tmp_path)


def test_what_the_compiler_says_is_shown(kernel, tmp_path, capsys):
    (tmp_path / "Makefile").write_text("bzImage:\n\t@echo some.c: error: no; false\n")
    with pytest.raises(VmError, match="the kernel does not build"):
        source._make(kernel, tmp_path, "bzImage")
    assert "some.c: error: no" in capsys.readouterr().err


def test_another_configuration_is_another_kernel(kernel):
    version = f"6.12-1-{source.digest(kernel)}"
    assert image._is_of(kernel, version)
    kernel.fragment.write_text("CONFIG_A=n\n")
    assert not image._is_of(kernel, version)
    assert image._is_of(replace(kernel, source="", config=""), "6.12-1"), "a package's is the package's"


def test_configurations_of_the_list_are_there_and_name_nothing_twice():
    for kernel in kernels.load().values():
        if kernel.config:
            lines = [line for line in kernel.fragment.read_text().splitlines() if line.startswith("CONFIG_")]
            names = [line.split("=")[0] for line in lines]
            assert lines and len(set(names)) == len(names)
