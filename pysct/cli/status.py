# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_config status do?"""

import argparse
import json

from pysct import abi, calls, processes, proof, values
from pysct.cli import report
from pysct.control import Caller, Control, Drop, Point

_CAUSES = {value: name.lower() for name, value in vars(abi.Cause).items() if name.isupper()}


def add(commands) -> None:
    """Adds the command to sct_config."""
    command = commands.add_parser(
        "status",
        help="show where and how calls are judged",
        description="Shows the modules' version, whether the rules are locked, the points where calls are judged with "
        "the mechanism of each, which mechanisms work here, which threads are inside a call now, and what was dropped.",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Prints the state of the modules."""
    with Control.open() as control:
        version = control.version()
        rules = len(control.counters()[0])
        points, callers, drops = control.points(), control.callers(), control.drops()
        proofs = proof.known(control)
    drops = [drop for drop in drops if drop.count]
    head = {"abi": version.abi, "generation": version.generation, "locked": version.locked, "rules": rules}
    if args.json:
        report.out(
            json.dumps(
                head
                | {"mechanisms": list(map(_proof, proofs)), "points": list(map(_point, points))}
                | {"callers": list(map(_caller, callers)), "drops": list(map(_drop, drops))}
            )
        )
        return report.DONE
    report.out(f"ABI version  {version.abi}")
    report.out(f"generation   {version.generation}" + ("" if version.generation else " (nothing was uploaded yet)"))
    report.out(f"locked       {'until reboot' if version.locked else 'no'}")
    report.out(f"rules        {rules}")
    _section("mechanisms", proofs, _proof, frozenset())
    _section("points", points, _point, frozenset({"hits"}))
    report.out("\ncallers" + "".join(f"\n  {processes.inside(caller)}" for caller in callers) if callers else "\nno callers")
    _section("drops", drops, _drop, frozenset({"cpu", "count"}))
    return report.DONE


def _section(title: str, elements: list, members, right: frozenset[str]) -> None:
    """A table of the elements, its columns named as their members."""
    if not elements:
        report.out(f"\nno {title}")
        return
    rows = [members(element) for element in elements]
    report.out(f"\n{title}")
    report.table([name.upper() for name in rows[0]], [row.values() for row in rows], frozenset(map(str.upper, right)))


def _proof(known: proof.Proof) -> dict:
    return {
        "abi": known.abi,
        "mechanism": values.mechanism_name(known.mechanism),
        "state": values.proof_state(known.state),
    }


def _point(point: Point) -> dict:
    return {
        "abi": calls.abi_name(point.abi),
        "call": calls.call_name(point.abi, point.nr),
        "mechanism": values.mechanism_name(point.mechanism),
        "state": values.point_state(point.state),
        "symbol": point.symbol,
        "address": hex(point.address) if point.address else "hidden",
        "hits": point.hits,
    }


def _caller(caller: Caller) -> dict:
    return {
        "pid": caller.pid,
        "tid": caller.tid,
        "comm": values.escape(caller.comm),
        "abi": calls.abi_name(caller.abi),
        "call": calls.call_name(caller.abi, caller.nr),
        "age_ns": caller.age,
    }


def _drop(drop: Drop) -> dict:
    return {"cpu": drop.cpu, "cause": _CAUSES.get(drop.cause, f"cause_{drop.cause}"), "count": drop.count}
