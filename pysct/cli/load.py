# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_load do?"""

import argparse

from pysct import modules
from pysct.cli import report

PROGRAM = "sct_load"


def main(argv: list[str] | None = None) -> int:
    """Loads both modules, building them first if there are none for this kernel."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Loads the kernel modules sct_hijack and sct_rules; builds them first where that is needed. "
        "Does nothing if they are loaded.",
        epilog="$SCT_MODULES names the directory of the modules, if they are to come from a certain place. "
        "Exit status: 0 loaded, 2 wrong usage, 3 there are no modules for this kernel or they do not load, 4 not permitted.",
    )
    parser.parse_args(argv)
    return report.run(PROGRAM, _load)


def _load() -> int:
    names = " and ".join(modules.FILES)
    if all(modules.is_loaded(module) for module in modules.FILES):
        report.out(f"{PROGRAM}: {names} are already loaded")
        return report.DONE
    files = modules.find()
    if files is None:
        report.note(f"{PROGRAM}: building the modules for {modules.running()}")
        files = modules.build()
    loaded = [module for module, path in files.items() if modules.load(module, path)]
    report.out(f"{PROGRAM}: loaded {' and '.join(loaded) or 'nothing'} for {modules.running()}")
    return report.DONE
