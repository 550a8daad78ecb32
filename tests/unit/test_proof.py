# SPDX-License-Identifier: GPL-2.0-only
"""Are the programs that prove a mechanism what they should be?"""

import platform
import subprocess

import pytest

from pysct import abi, proof
from pysct.failures import Failure

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


@pytest.mark.parametrize("name, code, served", [("i386", None, False), ("x32", proof.NO_CALL, False), ("x32", None, False), ("i386", 99, True)])
def test_only_what_the_kernel_itself_says_counts_as_not_served(name, code, served, monkeypatch):
    monkeypatch.setattr(proof, "_exit_code", lambda _: code)
    monkeypatch.setattr(proof, "_filtered", lambda: False)
    assert proof._answers(name) is served


@pytest.mark.parametrize("name, code, why", [("i386", -31, "Bad system call"), ("i386", proof.NO_CALL, "218"), ("x32", 1, "exit status 1, not 99")])
def test_a_program_that_ends_otherwise_leaves_the_abi_open(name, code, why, monkeypatch):
    monkeypatch.setattr(proof, "_exit_code", lambda _: code)
    with pytest.raises(Failure, match=why):
        proof._answers(name)


def test_a_filter_may_have_answered_in_the_place_of_the_kernel(monkeypatch):
    monkeypatch.setattr(proof, "_exit_code", lambda _: proof.NO_CALL)
    monkeypatch.setattr(proof, "_filtered", lambda: True)
    with pytest.raises(Failure, match="seccomp"):
        proof._answers("x32")


@pytest.mark.parametrize("mode, filtered", [(0, False), (2, True)])
def test_a_filter_is_seen(mode, filtered, tmp_path):
    status = tmp_path / "status"
    status.write_text(f"Name:\tsct_load\nSeccomp:\t{mode}\nSeccomp_filters:\t{mode}\n")
    assert proof._filtered(status) is filtered
