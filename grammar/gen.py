#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which files follow from the specification, and are they what it says?

`gen.py` renders every file in OUTPUTS from spec.toml, the system call tables
and the constants; `gen.py --check` writes nothing and exits 1 if a file
differs from what it would have written.
"""

import argparse
import ast
import json
import re
import sys
import tomllib
from itertools import groupby
from pathlib import Path

import jinja2

HERE = Path(__file__).resolve().parent
TREE = HERE.parent
sys.path.insert(0, str(HERE / "extract"))

OUTPUTS = {  # file: template
    "kmod/sct_abi.h": "sct_abi.h.j2",
    "kmod/rules/opcodes.h": "opcodes.h.j2",
    "kmod/hijack/x86/entries.h": "entries.h.j2",
    "pysct/abi.py": "abi.py.j2",
    "pysct/tables.py": "tables.py.j2",
    "pysct/layouts.py": "layouts.py.j2",
    "pysct/constants.py": "constants.py.j2",
    "pysct/shown.py": "shown.py.j2",
    "pysct/syntax.py": "syntax.py.j2",
    "pysct/event_syntax.py": "syntax.py.j2",
    "docs/reference.md": "reference.md.j2",
    "docs/coverage.md": "coverage.md.j2",
}

GRAMMARS = {  # file: its grammar, and of what that is
    "pysct/syntax.py": ("rules.lark", "rule files"),
    "pysct/event_syntax.py": ("events.lark", "calls that `sct_config test` judges"),
}

WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "s32": 4, "s64": 8, "char": 1}


class SpecError(Exception):
    """The specification contradicts itself; the text says where."""


def split_type(ctype):
    """'u64[6]' -> ('u64', 6); 'u32' -> ('u32', None)."""
    base, count = re.fullmatch(r"(\w+)(?:\[(\d+)\])?", ctype).groups()
    return base, int(count) if count else None


def lay_out(structs):
    """Give every structure its size, and every member offset, base and count.

    Raises SpecError for a hole: padding has to be a member, so that it can be
    required to be zero.
    """
    sizes = {name: (width, width) for name, width in WIDTHS.items()}
    for struct in structs:
        offset, align = 0, 1
        members = []
        for ctype, name, doc in struct["members"]:
            base, count = split_type(ctype)
            size, wants = sizes[base]
            if offset % wants:
                raise SpecError(f"struct {struct['name']}: {name} at {offset} needs alignment {wants}")
            members.append({"base": base, "count": count, "name": name, "doc": doc, "offset": offset})
            offset += size * (count or 1)
            align = max(align, wants)
        if offset % align:
            raise SpecError(f"struct {struct['name']}: {offset} bytes end in a hole, alignment {align}")
        sizes[struct["name"]] = (offset, align)
        struct.update(members=members, size=offset)


def check_unique(spec, table, keys):
    for key in keys:
        seen = [entry[key] for entry in spec[table]]
        doubles = {value for value in seen if seen.count(value) > 1}
        if doubles:
            raise SpecError(f"[[{table}]]: {key} twice: {doubles}")


def load_spec():
    """Read spec.toml, check it and add what can be computed from it."""
    spec = tomllib.loads((HERE / "spec.toml").read_text())
    for table in ("opcode", "field", "kind", "abis", "phase", "error", "mechanism", "ioctl"):
        check_unique(spec, table, ("name", "number"))
    lay_out(spec["struct"])
    for field in spec["field"]:
        field.setdefault("context", "any")
        field.setdefault("phase", "any")
        field.setdefault("set", "")
        field.setdefault("low", -(1 << 63))
        field.setdefault("high", (1 << 63) - 1)
        field.setdefault("longest", 0)
        field.setdefault("subject", "")
    spec["own"] = list(spec["field"])
    spec["field"] += [of_subject(field, subject) for subject in spec["subject"] for field in spec["own"] if "others" in field]
    check_unique(spec, "field", ("name", "number"))
    check_subjects(spec)
    for macro in spec["macro"]:
        macro.setdefault("phase", "any")
    levels = list(dict.fromkeys(operator["level"] for operator in spec["operator"]))
    for operator in spec["operator"]:
        operator["depth"] = 1 + levels.index(operator["level"])
    for opcode in spec["opcode"]:
        opcode.setdefault("scales", False)
    return spec


def of_subject(field, subject):
    """A field as it is known of a process beside the caller."""
    return field | {
        "name": f"{subject['name']}.{field['name']}",
        "number": field["number"] + subject["offset"],
        "context": field["others"],
        "subject": subject["name"],
        "doc": f"{field['name']} of {subject['doc'].split(':')[0].split(', or')[0]}",
    }


def check_subjects(spec):
    """The fields of each subject lie together, so that a number tells whose it is, and none where sources begin."""
    fields = sorted(spec["field"], key=lambda field: field["number"])
    found = [subject for subject, _ in groupby(fields, key=lambda field: field["subject"])]
    wanted = ["", *(subject["name"] for subject in spec["subject"])]
    if found not in (wanted, [*wanted, ""]):
        raise SpecError(f"[[field]]: by their numbers, they are of {found}, in this order")
    if max(field["number"] for field in spec["field"]) >= spec["abi"]["source_operand"]:
        raise SpecError("[[field]]: a number that says a source where it is a string operand")


def load_calls(spec):
    """{ABI name: [Syscall]} from the tables below grammar/syscalls/."""
    import kinds

    return {abi["name"]: kinds.load(abi["table"]) for abi in spec["abis"]}


def load_classes():
    return tomllib.loads((HERE / "syscalls" / "classes.toml").read_text())


def load_families():
    import families

    return families.load()


def load_checkpoints():
    import checkpoints

    return checkpoints.load()


def load_shown():
    import shown

    return shown.load()


def load_structures(spec, constants):
    """What the template of layouts takes in."""
    import structures

    policy = structures.policy()
    data = {abi["name"]: structures.data(abi["table"]) for abi in spec["abis"]}
    numbers = {name: values[0] for name, _, values in constants}
    found = {abi["name"]: structures.load(abi["table"]) for abi in spec["abis"]}
    return {"layouts": structures.layouts(),
            "structures": found,
            "arrays": structures.arrays(found.values()),
            "data": data,
            "lists": {abi["name"]: structures.lists(abi["table"]) for abi in spec["abis"]},
            "data_of_calls": {call: found for calls in data.values() for call, found in calls.items()},
            "families_of_addresses": tuple((name, numbers[family]) for family, name in policy["sockaddr"].items()),
            "pointers": {name: (entry["to"], entry.get("size", ""), entry.get("count", "")) for name, entry in policy["pointers"].items()},
            "compat": policy["compat"],
            "sizes": structures.sizes(),
            "answers": structures.answers(),
            "brief": structures.brief(),
            "addresses": structures.addresses()}


def load_constants():
    """The columns (names of ABIs) and [(name, family, [value or None for each column])]."""
    lines = (HERE / "constants" / "constants.tsv").read_text().splitlines()
    head = next(line for line in lines if line.startswith("# name\t")).split("\t")
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    width = len(head)
    return head[2:], [(r[0], r[1], [int(v) if v else None for v in (r + [""] * width)[2:width]]) for r in rows]


def load_coverage():
    """What `make coverage` found on each supported kernel, in their order."""
    kernels = tomllib.loads((TREE / "vm" / "kernels.toml").read_text())
    files = {name: TREE / "docs" / "coverage" / f"{name}.json" for name in kernels}
    return {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}


def series(release):
    """(5, 10) of 5.10.0-46-amd64."""
    return tuple(map(int, re.match(r"(\d+)\.(\d+)", release).groups()))


def load_since():
    """{constant: the first supported series that has it}, of those that the oldest lacks."""
    lines = (HERE / "constants" / "since.tsv").read_text().splitlines()
    return {name: series(at) for name, at in (line.split("\t") for line in lines if not line.startswith("#"))}


def load_lacking(spec, coverage):
    """{ABI: the series it was measured on}, and {ABI: {call: those of them that lack it}}."""
    absent = next(error["text"] for error in spec["error"] if error["name"] == "ABSENT").removeprefix("{abi} {syscall}: ")
    runs = {}
    for run in coverage.values():
        for row in run["abis"]:
            if row["hooked"]:
                runs.setdefault(row["abi"], {}).setdefault(series(run["release"]), []).append(set(row["refused"].get(absent, ())))
    lacking = {abi: {at: set.intersection(*found) for at, found in sorted(by.items())} for abi, by in runs.items()}
    return {"measured": {abi: tuple(by) for abi, by in lacking.items()},
            "lacking": {abi: {call: tuple(at for at in by if call in by[at]) for call in sorted(set().union(*by.values()))}
                        for abi, by in lacking.items()}}


def render_all():
    """The texts of all output files, by name."""
    spec, (columns, constants) = load_spec(), load_constants()
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE / "templates"), trim_blocks=True,
                             lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    env.filters["repr"] = repr
    env.filters["hex"] = lambda number: f"{number:#04x}"
    coverage = load_coverage()
    words = {"spec": spec, "calls": load_calls(spec), "classes": load_classes(), "families": load_families(),
             **load_checkpoints(), "shown": load_shown(), "columns": columns, "constants": constants, "since": load_since(),
             "coverage": coverage, **load_lacking(spec, coverage), **load_structures(spec, constants)}
    return {name: env.get_template(template).render(words | grammar_words(name)) for name, template in OUTPUTS.items()}


def grammar_words(name):
    """What the template of a syntax takes in."""
    grammar, language = GRAMMARS.get(name, ("rules.lark", "rule files"))
    return {"grammar": (HERE / grammar).read_text(), "grammar_name": grammar, "language": language}


def stale_files():
    """The files that are not what they would be now, and what that is."""
    texts = render_all()
    return {name: text for name, text in texts.items() if not (TREE / name).exists() or (TREE / name).read_text() != text}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    options = parser.parse_args()
    stale = stale_files()
    if options.check and stale:
        sys.exit(f"gen: stale: {', '.join(stale)}: run `make gen`")
    for name, text in stale.items():
        path = TREE / name
        if name.endswith(".py"):
            ast.parse(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"gen: {name}")


if __name__ == "__main__":
    main()
