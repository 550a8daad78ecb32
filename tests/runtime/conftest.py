# SPDX-License-Identifier: GPL-2.0-only
"""How do the runtime tests run: in a guest, with the modules loaded once for all of them?

Run them with `make drawn`, then `vm/run -- .venv/bin/pytest tests/runtime`.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import case as cases  # noqa: E402
import company  # noqa: E402
import kernel  # noqa: E402

from pysct.compiler import compile_sources  # noqa: E402
from pysct.control import Control  # noqa: E402
from pysct.points import abis_of  # noqa: E402

COMPILERS = {
    "x86_64": ["gcc", "-m64"],
    "i386": ["gcc", "-m32"],
    "x32": ["gcc", "-mx32"],
    "aarch64": ["gcc"],
    "aarch32": ["arm-linux-gnueabihf-gcc", "-mcpu=cortex-a15"],  # one that divides: there is no library to do it
}
"""What writes for an ABI; it needs no library of that ABI."""

FREESTANDING = ["-O1", "-ffreestanding", "-static", "-nostdlib", "-fno-pie", "-no-pie", "-fno-stack-protector", "-Wl,-Ttext-segment=0x8000000"]


def pytest_configure(config):
    config.addinivalue_line("markers", "last: leaves the kernel in a state that only a reboot ends")
    if "SCT_MODULES" not in os.environ and not config.option.collectonly:
        pytest.exit("these tests load modules into the kernel: run them with vm/run -- pytest tests/runtime", 2)


def pytest_collection_modifyitems(items):
    """What cannot be undone comes last, behind the tests of other directories as well."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def programs(tmp_path_factory) -> dict[str, str]:
    """The environment for commands, with our commands and the programs of tests/programs on PATH."""
    built = tmp_path_factory.mktemp("programs")
    built.parent.chmod(0o755)
    built.parent.parent.chmod(0o755)
    built.chmod(0o755)
    for source in sorted((cases.TREE / "tests/programs").glob("*.c")):
        subprocess.run(["gcc", "-O1", "-pthread", "-o", str(built / source.stem), str(source)], check=True)
    for abi in abis_of():
        for source in sorted((cases.TREE / "tests/programs/abi").glob("*.c")):
            program = str(built / f"{source.stem}.{abi}")
            subprocess.run([*COMPILERS[abi], *FREESTANDING, "-o", program, str(source)], check=True)
    path = f"{built}:{kernel.BIN}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": "/root", "LC_ALL": "C.UTF-8", "TMPDIR": "/tmp"}


@pytest.fixture(scope="session")
def complaints() -> kernel.Complaints:
    """One ear at the kernel's messages for all tests."""
    return kernel.Complaints()


@pytest.fixture
def loaded(complaints):
    """The modules are loaded; afterwards no rule is, and the kernel has not complained."""
    done = kernel.command("sct_load")
    assert done.returncode == 0, done.stderr
    yield
    if Path("/sys/module/sct_rules").exists():
        with Control.open() as control:
            if not control.version().locked:
                control.upload(compile_sources([]).image)
    assert complaints.new() == []


@pytest.fixture
def ready(loaded, programs, tmp_path, monkeypatch):
    """The modules, our programs on PATH, a directory of the test's own; of the company nobody stays behind a failure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", programs["PATH"])
    yield
    company.dismiss()
