# SPDX-License-Identifier: GPL-2.0-only
"""What integer value has each candidate name, for an ABI, after some C text? Asks gcc; runs nothing that it builds.

Needs gcc and objcopy of an x86 machine: x32 and the 32- and 64-bit layouts suffice for arm too, with arm's own headers.
"""
import os
import re
import struct
import subprocess
import tempfile
from pathlib import Path

# ABI -> (kernel architecture, gcc options). -malign-double gives arm's alignment of 64-bit members of structs, which
# ioctl numbers contain the size of.
ABIS = {
    "x86_64": ("x86", ["-m64"]),
    "i386": ("x86", ["-m32"]),
    "x32": ("x86", ["-mx32"]),
    "aarch64": ("arm64", ["-m64", "-U__x86_64__", "-D__aarch64__", "-D__AARCH64EL__"]),
    "aarch32": ("arm", ["-m32", "-malign-double", "-U__i386__", "-D__arm__", "-D__ARM_EABI__", "-D__ARMEL__"]),
}
_INT_MIN = -(1 << 31)
_ARRAY = '__attribute__((section(".values"))) const long long sct_values[]'


class ProbeError(RuntimeError):
    """gcc or objcopy failed for another reason than a name that is no constant."""


def _run(command: list[str], text: str) -> subprocess.CompletedProcess:
    plain = {**os.environ, "LC_ALL": "C"}  # messages are parsed
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=plain)


class Probe:
    """The compiler for one ABI with one architecture's exported headers (`include`: the directory holding linux/)."""

    def __init__(self, abi: str, include: Path):
        own = _run(["gcc", "-print-file-name=include"], "").stdout.strip()
        self.abi = abi
        self.options = ["gcc", *ABIS[abi][1], "-std=gnu11", "-w", "-nostdinc",
                        "-isystem", str(include), "-isystem", own, "-x", "c"]

    def preprocess(self, text: str) -> tuple[str, str]:
        """(the preprocessed text, the macro definitions); both empty when a header does not exist for this ABI."""
        plain = _run([*self.options, "-E", "-P", "-"], text)
        if plain.returncode:
            if re.search(r"fatal error: \S+: No such file", plain.stderr):
                return "", ""
            raise ProbeError(f"{self.abi}: gcc -E: {plain.stderr}")
        return plain.stdout, _run([*self.options, "-E", "-dM", "-"], text).stdout

    def values(self, text: str, names: list[str]) -> dict[str, int]:
        """The value of every name that is an integer constant after `text`; the others are left out."""
        with tempfile.TemporaryDirectory() as directory:
            result = Path(directory, "values.o")
            while names:
                lines = (f'# {number} "names"\n({name}), (({name}) < 0),\n' for number, name in enumerate(names, 1))
                source = f"{text}\n{_ARRAY} = {{\n{''.join(lines)}}};\n"
                run = _run([*self.options, "-ftrack-macro-expansion=0", "-c", "-o", str(result), "-"], source)
                if not run.returncode:
                    return self._read(result, names)
                bad = {int(number) for number in re.findall(r"^names:(\d+):\d+: error:", run.stderr, re.M)}
                if not bad:
                    raise ProbeError(f"{self.abi}: gcc: {run.stderr}")
                names = [name for number, name in enumerate(names, 1) if number not in bad]
        return {}

    def _read(self, result: Path, names: list[str]) -> dict[str, int]:
        """The values in the object file's own section: pairs of 64-bit value and "is negative"."""
        raw = result.with_suffix(".bin")
        copy = _run(["objcopy", "-O", "binary", "--only-section=.values", str(result), str(raw)], "")
        if copy.returncode:
            raise ProbeError(f"{self.abi}: objcopy: {copy.stderr}")
        words = struct.unpack(f"<{2 * len(names)}q", raw.read_bytes())
        return {name: _number(words[2 * i], words[2 * i + 1]) for i, name in enumerate(names)}


def _number(value: int, negative: int) -> int:
    """The value as meant: unsigned 64-bit ones are not negative, and INT_MIN is always the flag bit `1 << 31`."""
    if value == _INT_MIN:
        return -_INT_MIN
    return value if negative or value >= 0 else value + (1 << 64)
