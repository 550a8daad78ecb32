# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config check do?"""

import argparse
import json

from pysct import abi, calls, release, values
from pysct.cli import report
from pysct.failures import Failure

_MATCH = abi.OPCODES["MATCH"].number


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "check",
        help="say what is wrong with rules, without a kernel",
        description="Compiles the files as one rule set and shows errors and warnings. Needs no modules and no rights.",
    )
    command.add_argument("files", nargs="+", metavar="FILE", help="a file of rules")
    shown = command.add_mutually_exclusive_group()
    shown.add_argument(
        "--json", action="store_true", help="print one JSON object a line for each error, warning and note"
    )
    shown.add_argument("-v", "--verbose", action="store_true", help="show what the rules cost each call at most")
    release.add_option(command)
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Status 1 if there is an error; warnings do not count."""
    from pysct.cli import ruleset

    if args.json:
        return _for_editors(args.files, args.kernel)
    result = ruleset.compile_all(ruleset.read(args.files), kernel=args.kernel)
    if result.image is None:
        return report.WRONG
    report.out(f"{', '.join(map(ruleset.shown, args.files))}: {count(result.rules)}, no errors")
    if args.verbose:
        _costs(result.image)
    return report.DONE


def count(rules: list) -> str:
    """How many rules these are, one that holds in both phases counted once."""
    names = len({rule.name for rule in rules})
    return "1 rule" if names == 1 else f"{names} rules"


def _for_editors(files: list[str], kernel: release.Kernel | None) -> int:
    """A JSON object a line for everything that is to be said, also of a file that cannot be read."""
    from pysct.cli import ruleset
    from pysct.compiler import compile_sources

    sources, status = [], report.DONE
    for name in files:
        try:
            sources += ruleset.read([name])
        except Failure as failure:
            status = report.WRONG
            told = {
                "severity": "error",
                "message": failure.text,
                "hint": failure.hint or None,
                "file": ruleset.shown(name),
            }
            report.out(json.dumps(told))
    result = compile_sources(sources, kernel=kernel or release.running())
    for diagnostic in result.diagnostics:
        report.out(json.dumps(diagnostic.to_json()))
    return report.WRONG if result.image is None else status


def _costs(data: bytes) -> None:
    """A table of the programs; ABIs in which a call's are alike share a line."""
    from pysct import image, judged

    rows: dict[tuple, list[str]] = {}
    found = image.decode(data)
    for prog in found.progs:
        rules = len({insn[4] for insn in prog.insns if insn[0] == _MATCH})
        row = calls.call_name(prog.abi, prog.nr), values.phase_name(prog.phase), rules, prog.cost, judged.where(found, prog)
        rows.setdefault(row, []).append(calls.abi_name(prog.abi))
    heads = ["CALL", "WHEN", "RULES", "STEPS", "JUDGED", "ABI"]
    report.table(heads, [(*row, ", ".join(abis)) for row, abis in sorted(rows.items())], frozenset({"RULES", "STEPS"}))
