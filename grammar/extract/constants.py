# SPDX-License-Identifier: GPL-2.0-only
"""Which value has each named constant in each ABI? Writes grammar/constants/constants.tsv.

    python3 grammar/extract/constants.py --source LINUX_TREE [--build DIRECTORY]

The families of names stand in grammar/constants/families.toml; the values come from the headers that the tree exports
for x86, arm64 and arm (`make headers` into the build directory), evaluated by gcc. Exit status: 0 written, 1 failed.
"""
import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from headers import cut_out, enumerators, macros
from probe import ABIS, Probe, ProbeError
from syscalls import release

FOLDER = Path(__file__).resolve().parent.parent / "constants"
# What some headers use without including it. time_t is libc's: with one as wide as `long`, SO_RCVTIMEO and its like are
# what they always were; the later values have names of their own (SO_RCVTIMEO_NEW).
_PROLOGUE = """#include <stddef.h>
#include <linux/types.h>
#include <linux/ioctl.h>
#include <linux/time.h>
typedef __kernel_long_t time_t;
"""


@dataclass(frozen=True)
class Family:
    """One family of families.toml."""
    name: str
    doc: str
    match: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    uapi: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    internal: list[str] = field(default_factory=list)
    fixed: dict[str, int] = field(default_factory=dict)
    alias: dict[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> re.Pattern:
        """Matches the whole of each wanted name."""
        excluded = "".join(f"(?!(?:{pattern})\\Z)" for pattern in self.without)
        return re.compile(f"{excluded}(?:{'|'.join(self.match)})")


def families(path: Path) -> list[Family]:
    """The families in the file's order."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))["families"]
    return [Family(name, without=entry.pop("except", []), **entry) for name, entry in raw.items()]


def export_headers(source: Path, arch: str, build: Path) -> Path:
    """The directory with the headers that the tree exports for `arch`; made unless it exists."""
    target = build / arch
    if not (target / "usr/include/linux").is_dir():
        command = ["make", "-s", "-C", str(source), f"O={target}", f"ARCH={arch}", "headers"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise ProbeError(f"{' '.join(command)}: {run.stderr}")
    return target / "usr/include"


def names_and_text(family: Family, probe: Probe, source: Path):
    """Yield (C text, names defined by it) for each header of the family that the ABI has."""
    prologue = _PROLOGUE + "".join(f"#include <{header}>\n" for header in family.needs)
    for header in family.uapi:
        text = f"{prologue}#include <{header}>\n"
        plain, definitions = probe.preprocess(text)
        yield text, macros(definitions) + enumerators(plain)
    for internal in family.internal:
        cut = cut_out(source / internal, family.wanted)
        plain, _ = probe.preprocess(cut)
        yield prologue + cut, macros(cut) + enumerators(plain)


def values(family: Family, probe: Probe, source: Path) -> dict[str, int]:
    """Name → value of one family in one ABI. The first header that defines a name decides."""
    found = dict(family.fixed)
    for text, names in names_and_text(family, probe, source):
        wanted = sorted({name for name in names if family.wanted.fullmatch(name)} - found.keys())
        found.update(probe.values(text, wanted))
    return found | {name: found[target] for name, target in family.alias.items() if target in found}


def render(table: dict[str, tuple[str, dict[str, int]]], source: Path) -> str:
    """The text of constants.tsv."""
    lines = [f"# Generated from Linux {release(source)} by: python3 grammar/extract/constants.py --source TREE",
             "# name\tfamily\t" + "\t".join(ABIS)]
    for name, (family, by_abi) in sorted(table.items()):
        lines.append("\t".join([name, family, *(str(by_abi.get(abi, "")) for abi in ABIS)]))
    return "\n".join(lines) + "\n"


def collect(source: Path, build: Path) -> dict[str, tuple[str, dict[str, int]]]:
    """name → (family, ABI → value). Raises ValueError when two families claim a name or a family is empty."""
    table: dict[str, tuple[str, dict[str, int]]] = {}
    for abi, (arch, _) in ABIS.items():
        probe = Probe(abi, export_headers(source, arch, build))
        for family in families(FOLDER / "families.toml"):
            for name, value in values(family, probe, source).items():
                owner, by_abi = table.setdefault(name, (family.name, {}))
                if owner != family.name:
                    raise ValueError(f"families.toml: {name} belongs to {owner} and {family.name}; exclude it from one")
                by_abi[abi] = value
    empty = {family.name for family in families(FOLDER / "families.toml")} - {owner for owner, _ in table.values()}
    if empty:
        raise ValueError(f"families.toml: nothing found for {', '.join(sorted(empty))}; correct its headers or patterns")
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="a kernel tree")
    parser.add_argument("--build", type=Path, help="where to make and keep exported headers (default: temporary)")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as temporary:
            table = collect(options.source.resolve(), (options.build or Path(temporary)).resolve())
        (FOLDER / "constants.tsv").write_text(render(table, options.source))
    except (OSError, ValueError, ProbeError) as error:
        print(f"constants.py: {error}", file=sys.stderr)
        return 1
    print(f"{len(table)} constants", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
