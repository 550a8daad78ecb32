#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which members have the structures that arguments point to, and where? Writes grammar/structures/layouts.tsv.

    python3 grammar/extract/structures.py --release VERSION x86_64=VMLINUX aarch64=VMLINUX

VMLINUX is a file with a kernel's type information (BTF): vmlinux of Debian's linux-headers from 6.12 on, or
/sys/kernel/btf/vmlinux. The kernel of a machine knows the structures of all its ABIs, those of 32-bit programs by names of
their own. Which structures these are stands in grammar/structures/structures.toml. Exit status: 0 written, 1 failed.

`load()` joins what it wrote with the calls' arguments, for grammar/gen.py.
"""
import argparse
import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import kinds
from btf import Btf, BtfError

DATA = Path(__file__).resolve().parent.parent / "structures"
LAYOUTS = DATA / "layouts.tsv"
ADDRESSES = frozenset({"in_addr", "in6_addr"})
HIDDEN = re.compile(r"_|.*\b_|.*pad\d*$|.*spare")  # padding, and what is none of the caller's business
NEXT = "."  # in place of a member: the structure behind
FAMILY = re.compile(r"\w+_family")  # is sa_family
MACHINES = {"x86_64": "x86_64", "i386": "x86_64", "x32": "x86_64", "aarch64": "aarch64", "aarch32": "aarch64"}
NARROW = frozenset({"i386", "x32", "aarch32"})  # pointers of 32 bits


@dataclass(frozen=True)
class Argument:
    """An argument that points to a structure, or to several in a row; `size` is the name of the argument that says how large it
    is, `count` of that which says how many there are, or how many there always are."""
    struct: str
    filled: bool
    size: str
    extends: bool
    count: str | int = ""


@cache
def policy() -> dict:
    """structures.toml."""
    return tomllib.loads((DATA / "structures.toml").read_text(encoding="utf-8"))


def wanted() -> list[str]:
    """The structures whose layouts are needed."""
    said = policy()
    named = [name for group in said["structure"] for name in group["types"] if name != "sockaddr"]
    return [*named, *said["sockaddr"].values(), *said["compat"].values()]


def form_of(member) -> str:
    """The kind of a member, or chars:LENGTH, or the name of the structure that an address is."""
    if member.form == "int":
        return f"{'s' if member.signed else 'u'}{8 * member.size}" + ("be" if member.big else "")
    return f"chars:{member.size}" if member.form == "chars" else member.form


def extract(files: dict[str, Path], release: str) -> str:
    """The text of layouts.tsv. Raises BtfError, OSError, or LookupError for a structure that no kernel knows."""
    lines = [f"# Generated from Linux {release} by: python3 grammar/extract/structures.py --release VERSION MACHINE=VMLINUX",
             "# machine\tstructure\tmember\toffset\tform; `.` is the next one in a row"]
    found = set()
    for machine, path in files.items():
        btf = Btf(path)
        for struct in wanted():
            try:
                members = btf.members(struct, ADDRESSES)
                size = btf.size(struct)
            except LookupError:
                continue  # x86's kernel has structures that arm64's has not; what is used is checked by load()
            found.add(struct)
            lines += [f"{machine}\t{struct}\t{m.name}\t{m.offset}\t{form_of(m)}" for m in members
                      if not HIDDEN.match(m.name) and not FAMILY.fullmatch(m.name)]
            lines.append(f"{machine}\t{struct}\t{NEXT}\t{size}\t{struct}")
    if missing := set(wanted()) - found:
        raise LookupError(f"no kernel knows {', '.join(sorted(missing))}")
    return "\n".join(lines) + "\n"


@cache
def rows() -> list[list[str]]:
    """What stands in layouts.tsv."""
    return [line.split("\t") for line in LAYOUTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


@cache
def layouts() -> dict[str, dict[str, dict[str, tuple[int, str]]]]:
    """machine -> structure -> member -> (offset, form)."""
    out: dict = {}
    for machine, struct, member, offset, form in rows():
        if member != NEXT:
            out.setdefault(machine, {}).setdefault(struct, {})[member] = int(offset), form
    return out


def sizes() -> dict[str, dict[str, int]]:
    """machine -> structure -> bytes from one to the next in a row, of those that stand in rows."""
    said = policy()
    rowed = {struct for group in said["structure"] if "counts" in group for struct in group["types"]}
    rowed |= {entry["to"] for entry in said["pointers"].values() if "count" in entry}
    rowed |= {said["compat"][struct] for struct in rowed if struct in said["compat"]}
    out: dict = {}
    for machine, struct, member, offset, _ in rows():
        if member == NEXT and struct in rowed:
            out.setdefault(machine, {})[struct] = int(offset)
    return out


def arrays(abis: Iterable[dict[str, dict[str, Argument]]]) -> dict[str, dict[str, str | int]]:
    """call -> argument that is several structures in a row -> what says how many, in whichever ABI."""
    out: dict = {}
    for calls in abis:
        for call, arguments in calls.items():
            out |= {call: {name: of.count for name, of in arguments.items() if of.count}} if any(a.count for a in arguments.values()) else {}
    return out


def answers() -> dict[str, tuple[str, ...]]:
    """structure -> its members that a call fills in, of those that it otherwise reads."""
    return {struct: tuple(group["answers"]) for group in policy()["structure"] if "answers" in group for struct in group["types"]}


def load(abi: str) -> dict[str, dict[str, Argument]]:
    """call -> argument -> what it points to, for one ABI. Raises kinds.KindError for a structure without a layout."""
    out: dict[str, dict[str, Argument]] = {}
    for call in kinds.load(abi):
        for arg in call.args:
            if found := of_argument(abi, call.name, arg):
                out.setdefault(call.name, {})[arg.name] = found
    return out


def of_argument(abi: str, call: str, arg: kinds.Arg) -> Argument | None:
    match = re.fullmatch(r"(const )?struct (\w+) __user \*( const)?", arg.ctype)
    if not match:
        return None
    const, struct = bool(match[1]), match[2]
    group = next((group for group in policy()["structure"] if struct in group["types"]), None)
    if group is None:
        return None
    if abi in NARROW:
        struct = policy()["compat"].get(struct, struct)
    if struct != "sockaddr" and struct not in layouts()[MACHINES[abi]]:
        raise kinds.KindError(f"{LAYOUTS}: no struct {struct} of {MACHINES[abi]}, which {call} of {abi} takes: extract it")
    filled, place = group.get("filled", ()), f"{call}.{arg.name}"
    size = group.get("sizes", {}).get(place, "")
    count = group.get("counts", {}).get(place, "")
    return Argument(struct, not const and (filled == "always" or place in filled), size, bool(size) and group.get("extends", False), count)


@cache
def calls() -> frozenset[str]:
    return frozenset(call.name for abi in kinds.ABIS for call in kinds.load(abi))


def parts(place: str) -> tuple[str, str]:
    """Call and argument of a place. Raises kinds.KindError for a call that no ABI has."""
    call, argument = place.split(".")
    if call not in calls():
        raise kinds.KindError(f"structures.toml: {place}: a call of no ABI; correct or remove it")
    return call, argument


def data(abi: str) -> dict[str, dict[str, tuple[str, bool]]]:
    """call -> argument that is data -> the argument that says its size, and whether the call fills it in.

    Raises kinds.KindError for one that no ABI has.
    """
    out: dict[str, dict[str, tuple[str, bool]]] = {}
    for key, is_filled in (("sizes", False), ("filled", True)):
        for place, size in policy()["data"][key].items():
            name, argument = parts(place)
            call = next((call for call in kinds.load(abi) if call.name == name), None)
            if call and not {argument, size} <= {arg.name for arg in call.args}:
                raise kinds.KindError(f"structures.toml: {name} of {abi} has no {argument} or no {size}")
            if call:
                out.setdefault(name, {})[argument] = size, is_filled
    return out


def lists(abi: str) -> dict[str, tuple[str, ...]]:
    """call -> its arguments that are lists of strings. Raises kinds.KindError for one that it does not have."""
    out: dict[str, tuple[str, ...]] = {}
    for place in policy()["lists"]["arguments"]:
        name, argument = parts(place)
        for call in (call for call in kinds.load(abi) if call.name == name):
            if argument not in {arg.name for arg in call.args}:
                raise kinds.KindError(f"structures.toml: {name} of {abi} has no {argument}")
            out[name] = *out.get(name, ()), argument
    return out


def brief() -> dict[str, tuple[str, ...]]:
    """structure -> the members that are shown of it. Raises kinds.KindError for one that it has nowhere."""
    for struct, shown in policy()["brief"].items():
        known = {name for structures in layouts().values() for name in structures.get(struct, ())}
        if missing := sorted(set(shown) - known) or not known and [struct]:
            raise kinds.KindError(f"structures.toml: brief: {struct} has no {', '.join(missing)}")
    return {struct: tuple(shown) for struct, shown in policy()["brief"].items()}


def addresses() -> tuple[tuple[str, str], ...]:
    """(call, argument) of those that are shown as addresses. Raises kinds.KindError for one that is neither structure nor list."""
    found = tuple(parts(place) for place in policy()["addresses"]["arguments"])
    for call, argument in found:
        if not any(argument in (*load(abi).get(call, ()), *lists(abi).get(call, ())) for abi in kinds.ABIS):
            raise kinds.KindError(f"structures.toml: addresses: {call}.{argument} points to nothing that is known")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", required=True, help="which Linux the files are of")
    parser.add_argument("files", nargs="+", metavar="MACHINE=VMLINUX")
    options = parser.parse_args()
    try:
        files = dict((machine, Path(path)) for machine, path in (word.split("=", 1) for word in options.files))
        if set(files) != set(MACHINES.values()):
            raise LookupError(f"a file for each of {', '.join(sorted(set(MACHINES.values())))} is needed: MACHINE=VMLINUX")
        LAYOUTS.write_text(extract(files, options.release))
    except (OSError, ValueError, LookupError, BtfError) as error:
        print(f"structures.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
