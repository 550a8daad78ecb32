# SPDX-License-Identifier: GPL-2.0-only
"""Are the programs that prove a mechanism what they should be?"""

import platform
import subprocess

import pytest

from pysct import abi, proof

MACHINES = {"x86_64": "X86-64", "x32": "X86-64", "i386": "Intel 80386", "aarch64": "AArch64", "aarch32": "ARM"}


@pytest.mark.parametrize("name", abi.ABIS)
def test_the_program_is_an_executable_of_its_machine(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(proof.executable(name))
    said = subprocess.run(["readelf", "-hl", path], capture_output=True, text=True, check=True)
    assert said.stderr == ""
    assert f"Machine:                           {MACHINES[name]}\n" in said.stdout.replace("Advanced Micro Devices ", "")
    assert "GNU_STACK" in said.stdout and "RWE" not in said.stdout


@pytest.mark.skipif(platform.machine() != "x86_64", reason="runs programs of this machine")
def test_the_program_runs_and_its_call_answers():
    assert proof._answers("x86_64")


def test_a_program_that_the_machine_cannot_run_is_not_served(monkeypatch):
    foreign = next(name for name, entry in abi.ABIS.items() if entry.machine != platform.machine())
    assert not proof._answers(foreign)
