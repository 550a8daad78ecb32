# SPDX-License-Identifier: GPL-2.0-only
"""What are the number, entry and arguments of every system call of every ABI? Writes grammar/syscalls/<abi>.tsv.

    python3 grammar/extract/syscalls.py --source LINUX_TREE [--older LINUX_TREE …]

Calls that the first tree no longer implements are completed from the older trees, in the order given; where an older
tree's table names another entry for a call, the last column says so. The report on standard error lists what has no
arguments and why. Exit status: 0 written, 1 a tree cannot be read as expected.
"""
import argparse
import re
import sys
from functools import cache
from pathlib import Path

from definitions import Definition, aliases, definitions, prototypes
from tables import ABIS, NOT_IMPLEMENTED, Row, table

OUTPUT = Path(__file__).resolve().parent.parent / "syscalls"
# The file that includes the ABI's table and may rename entries on the way.
_TABLE_FILE = {"aarch64": "kernel/sys.c", "aarch32": "kernel/sys32.c"}


def release(root: Path) -> str:
    """The tree's kernel release, e.g. 6.12.1, from its Makefile."""
    text = (root / "Makefile").read_text()
    parts = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL) *= *(\d+)$", text, re.M))
    return f"{parts['VERSION']}.{parts['PATCHLEVEL']}.{parts['SUBLEVEL']}"


class Tree:
    """One kernel tree, read lazily and once."""

    def __init__(self, root: Path):
        self.root = root
        self.release = release(root)
        self.definitions = cache(lambda arch: definitions(root, arch))
        self.prototypes = cache(lambda: prototypes(root))

    def defined(self, entry: str, arch: str) -> tuple[Definition | None, str]:
        """The definition of an entry by a macro, or None; and a remark for the report ("" for none)."""
        found = self.definitions(arch).get(entry)
        if not found:
            return None, f"no definition of {entry}"
        conflict = len({definition.args for definition in found}) > 1
        return found[0], "conflicting definitions: " + ", ".join(d.place for d in found) if conflict else ""

    def declared(self, entry: str) -> tuple[Definition | None, str]:
        """The prototype of an entry, or None; and a remark for the report."""
        found = self.prototypes().get(entry)
        return found, f"prototype only ({found.place})" if found else f"no definition of {entry}"

    def rows(self, abi: str) -> list[Row]:
        """The ABI's table with renamed entries."""
        renamed = aliases(self.root, ABIS[abi], _TABLE_FILE[abi]) if abi in _TABLE_FILE else {}
        return [Row(row.nr, row.name, renamed.get(row.entry, row.entry)) for row in table(self.root, abi)]


def complete(abi: str, trees: list[Tree]) -> tuple[list[tuple[Row, Definition | None, list[str]]], list[str]]:
    """Rows of `abi` with their definitions and their entries in older trees, and remarks on those that are not plainly
    resolved. The newest tree that defines a call's entry decides; a number or name that a newer tree uses for another
    call is not taken from older ones."""
    rows: dict[int, list[tuple[Tree, Row]]] = {}
    names: dict[str, int] = {}
    for tree in trees:
        for row in tree.rows(abi):
            if names.setdefault(row.name, row.nr) == row.nr and rows.get(row.nr, [(tree, row)])[0][1].name == row.name:
                rows.setdefault(row.nr, []).append((tree, row))
    resolved, remarks = [], []
    for _, candidates in sorted(rows.items()):
        row, definition, remark = _choose(candidates, ABIS[abi])
        if candidates[0][0] is not trees[0] and definition is None:
            continue  # neither known to the newest tree nor ever implemented
        if remark:
            remarks.append(f"{abi} {row.nr} {row.name}: {remark}")
        entries = dict.fromkeys(candidate.entry for _, candidate in candidates if definition)
        resolved.append((row, definition, [entry for entry in entries if entry not in (row.entry, NOT_IMPLEMENTED)]))
    return resolved, remarks


def _choose(candidates: list[tuple[Tree, Row]], arch: str) -> tuple[Row, Definition | None, str]:
    """The row of the first tree that defines its entry, else of the first that declares it, with definition and remark.
    Without any, the first row as one that is not implemented."""
    missing = "not implemented"
    implemented = [(tree, row) for tree, row in candidates if row.entry != NOT_IMPLEMENTED]
    for find in (lambda tree, row: tree.defined(row.entry, arch), lambda tree, row: tree.declared(row.entry)):
        for tree, row in implemented:
            definition, remark = find(tree, row)
            if definition:
                source = f"taken from {tree.release}" if tree is not candidates[0][0] else ""
                return row, definition, "; ".join(filter(None, (source, remark)))
            missing = remark
    return Row(candidates[0][1].nr, candidates[0][1].name, NOT_IMPLEMENTED), None, missing


def render(abi: str, resolved: list, trees: list[Tree]) -> str:
    """The text of <abi>.tsv."""
    releases = ", ".join(tree.release for tree in trees)
    lines = [f"# Generated from Linux {releases} by: python3 grammar/extract/syscalls.py --source TREE"
             + " --older TREE" * (len(trees) - 1), "# nr\tname\tentry\targs\tentries in older kernels"]
    for row, definition, older in resolved:
        args = "; ".join(f"{ctype} {name}" for ctype, name in definition.args) if definition else ""
        lines.append(f"{row.nr}\t{row.name}\t{row.entry}\t{args}\t{'; '.join(older)}".rstrip("\t"))
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="the newest kernel tree")
    parser.add_argument("--older", type=Path, action="append", default=[], help="trees for calls that are gone by now")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="directory to write to")
    options = parser.parse_args()
    try:
        trees = [Tree(root) for root in [options.source, *options.older]]
        for abi in ABIS:
            resolved, remarks = complete(abi, trees)
            (options.output / f"{abi}.tsv").write_text(render(abi, resolved, trees))
            print(f"{abi}: {len(resolved)} calls, {len(remarks)} remarks", *remarks, sep="\n  ", file=sys.stderr)
    except (OSError, ValueError, KeyError) as error:
        print(f"syscalls.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
