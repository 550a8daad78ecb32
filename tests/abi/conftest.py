# SPDX-License-Identifier: GPL-2.0-only
"""How do the hostile callers run: in a guest, as root, with the modules loaded?

Run them with `vm/run -- .venv/bin/pytest tests/abi`.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[1]
sys.path[:0] = [str(HERE), str(TREE / "tests/unit")]

import raw  # noqa: E402
import reading  # noqa: E402

COMPLAINT = re.compile(r"WARNING:|BUG:|Oops|KASAN|INFO: |general protection|Call Trace|lockup|stall", re.IGNORECASE)
EVERYBODY = 0o755


def pytest_configure(config):
    if "SCT_MODULES" not in os.environ and not config.option.collectonly:
        pytest.exit("these tests load modules into the kernel: run them with vm/run -- pytest tests/abi", 2)


class Kernel:
    """What the kernel says from now on."""

    def __init__(self):
        self.descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.descriptor, 0, os.SEEK_END)

    def complaints(self) -> list[str]:
        """Its complaints since the last time."""
        found = []
        while True:
            try:
                found.append(os.read(self.descriptor, 8192).decode(errors="replace"))
            except BlockingIOError:
                return [text for text in found if COMPLAINT.search(text)]
            except BrokenPipeError:  # overwritten before it was read
                continue


@pytest.fixture(scope="session")
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def loaded(kernel):
    """The modules are loaded; afterwards the kernel has not complained."""
    if not Path("/sys/module/sct_rules").exists():
        done = subprocess.run([Path(sys.executable).with_name("sct_load")], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    yield
    assert kernel.complaints() == []


@pytest.fixture
def control(loaded) -> int:
    """A descriptor of the control device; afterwards no rule is in force."""
    descriptor = os.open("/dev/sct", os.O_RDWR)
    yield descriptor
    assert raw.upload(descriptor, raw.NOTHING)[0] == 0
    os.close(descriptor)


@pytest.fixture
def logged(control):
    """Three rules in force, and nothing in the log of old."""
    assert raw.upload(control, reading.rules(3))[0] == 0
    reader = reading.open_log()
    reading.drain(reader)
    os.close(reader)
    yield control
    for name in os.listdir("/proc/self/fd"):  # of a test that failed
        link = f"/proc/self/fd/{name}"
        if os.path.lexists(link) and os.readlink(link) == "/dev/sctlog":
            os.close(int(name))


@pytest.fixture
def held(loaded) -> raw.Held:
    """A rule that is in force before and after the test, and has counted every call in between."""
    made = raw.Held()
    made.check()
    yield made
    made.check()
    made.close()


@pytest.fixture(scope="session")
def program(tmp_path_factory) -> Callable[..., Path]:
    """Compiles a C program below tests/."""
    directory = tmp_path_factory.mktemp("built")
    directory.chmod(EVERYBODY)
    directory.parent.chmod(EVERYBODY)
    made: dict[str, Path] = {}

    def compiled(source: str, *flags: str, compiler: tuple[str, ...] = ("gcc",)) -> Path:
        if source not in made:
            made[source] = directory / Path(source).stem
            words = [*compiler, "-O1", *flags, "-o", str(made[source]), str(TREE / "tests" / source)]
            subprocess.run(words, check=True)
        return made[source]

    return compiled


@pytest.fixture(scope="session")
def tracing() -> Path:
    """Where the kernel's own tracing is steered, and says what it sees."""
    directory = Path("/sys/kernel/tracing")
    if not (directory / "trace").exists():
        subprocess.run(["mount", "-t", "tracefs", "nodev", directory], check=True)
    return directory
