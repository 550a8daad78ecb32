# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_load do?"""

import argparse

from pysct import abi, modules, proof
from pysct.cli import report
from pysct.control import Control
from pysct.failures import Failure, NotLoaded

PROGRAM = "sct_load"


def main(argv: list[str] | None = None) -> int:
    """Loads both modules, building them first if there are none for this kernel."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Loads the kernel modules sct_hijack and sct_rules; builds them first where that is needed, and tries "
        "how calls of each ABI can be diverted on this kernel.",
        epilog="$SCT_MODULES names the directory of the modules, if they are to come from a certain place. "
        "Exit status: 0 loaded, 2 wrong usage, 3 there are no modules for this kernel or they do not load, 4 not permitted.",
    )
    parser.add_argument(
        "--mechanism",
        choices=[mechanism.name for mechanism in abi.MECHANISMS.values()],
        help="divert calls in this way and no other (default: for each ABI the first that works)",
    )
    forced = parser.parse_args(argv).mechanism
    return report.run(PROGRAM, lambda: _load(forced))


def _load(forced: str | None) -> int:
    names = " and ".join(modules.FILES)
    if all(modules.is_loaded(module) for module in modules.FILES):
        if forced:
            raise Failure(f"{names} are already loaded", f"sct_unload, then sct_load --mechanism {forced}")
        report.out(f"{PROGRAM}: {names} are already loaded")
        _prove(None)
        return report.DONE
    files = modules.find()
    if files is None:
        report.note(f"{PROGRAM}: building the modules for {modules.running()}")
        files = modules.build()
    words = {modules.HIJACK: [f"mechanism={forced}"]} if forced else {}
    loaded = [module for module, path in files.items() if modules.load(module, path, *words.get(module, []))]
    report.out(f"{PROGRAM}: loaded {' and '.join(loaded) or 'nothing'} for {modules.running()}")
    try:
        _prove(forced)
    except Failure:
        for module in reversed(loaded):
            modules.unload(module)
        raise
    return report.DONE


def _prove(forced: str | None) -> None:
    """Tries how calls can be diverted; raises NotLoaded if those of no ABI can, Failure if that cannot be told."""
    with Control.open() as control:
        tried = proof.prove(control)
        proofs = [known for known in proof.known(control) if forced in (None, abi.MECHANISMS[known.mechanism].name)]
    works = [known for known in proofs if known.state == abi.Proof.WORKS]
    if not works:
        raise NotLoaded(f"calls cannot be diverted on this kernel: {_reason(proofs)}", "let it choose: sct_load" if forced else "")
    for name in dict.fromkeys(known.abi for known in proofs if tried):
        chosen = next((known for known in works if known.abi == name), None)
        if chosen:
            report.out(f"{PROGRAM}: calls of {name} are diverted by {abi.MECHANISMS[chosen.mechanism].name}")
        else:
            report.out(f"{PROGRAM}: calls of {name}: {_reason([known for known in proofs if known.abi == name])}")


def _reason(proofs: list[proof.Proof]) -> str:
    """Why none of these works."""
    unserved = {known.abi for known in proofs if known.state == abi.Proof.UNSERVED}
    served = [known for known in proofs if known.abi not in unserved]
    return "; ".join(_reasons(served)) if served else "this kernel does not serve them"


def _reasons(proofs: list[proof.Proof]) -> list[str]:
    said = {}
    for known in proofs:
        mechanism = abi.MECHANISMS[known.mechanism]
        text = mechanism.fails if known.state == abi.Proof.FAILS else "not to be had on this kernel"
        said.setdefault(mechanism.name, f"{mechanism.name}: {text}")
    return list(said.values())
