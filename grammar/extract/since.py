# SPDX-License-Identifier: GPL-2.0-only
"""Which named constants came after the oldest supported kernel, and with which? Writes grammar/constants/since.tsv.

    python3 grammar/extract/since.py --source TREE [--source TREE …]

Each TREE is a kernel's source, or the headers that modules are built with (what vm/build unpacks: amd64's and arm64's
have different architectures in them, so that both are needed). A name is there if a header of one of the trees of its
series has it outside of comments, wherever: names move between headers. Exit status: 0 written, 1 a tree is unreadable.
"""
import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

from conditions import blank_comments
from syscalls import release

FOLDER = Path(__file__).resolve().parent.parent / "constants"
_WORD = re.compile(r"\b[A-Z][A-Za-z0-9_]+\b")


def series(tree: Path) -> tuple[int, int]:
    """The first two numbers of a tree's release."""
    major, minor, *_ = release(tree).split(".")
    return int(major), int(minor)


def words(tree: Path) -> set[str]:
    """All words in the headers of a tree that can be names of constants."""
    folders = [tree / "include", *tree.glob("arch/*/include")]
    texts = (file.read_text(errors="replace") for folder in folders for file in sorted(folder.rglob("*.h")))
    return {word for text in texts for word in _WORD.findall(blank_comments(text))}


def constants() -> list[str]:
    """The names in constants.tsv, in its order."""
    lines = (FOLDER / "constants.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t")[0] for line in lines if not line.startswith("#")]


def newcomers(names: list[str], known: dict[tuple[int, int], set[str]]) -> dict[str, tuple[int, int]]:
    """The first series that has a name, for the names that the oldest lacks; those that none has are no newcomers."""
    first = {name: next((at for at in sorted(known) if name in known[at]), None) for name in names}
    return {name: at for name, at in first.items() if at not in (None, min(known))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    about = "a kernel tree, or the headers of one"
    parser.add_argument("--source", type=Path, action="append", required=True, help=about)
    options = parser.parse_args()
    known = defaultdict(set)
    try:
        for tree in options.source:
            known[series(tree)] |= words(tree)
        found = newcomers(constants(), known)
        oldest, *later = ["{}.{}".format(*at) for at in sorted(known)]
        lines = [f"# Generated from Linux {', '.join([oldest, *later])} by: python3 grammar/extract/since.py"
                 " --source TREE …", f"# name\tfirst of these that has it, where {oldest} has not"]
        lines += ["{}\t{}.{}".format(name, *at) for name, at in found.items()]
        (FOLDER / "since.tsv").write_text("\n".join(lines) + "\n")
    except (OSError, ValueError, KeyError) as error:
        print(f"since.py: {error}", file=sys.stderr)
        return 1
    print(f"{len(found)} constants", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
