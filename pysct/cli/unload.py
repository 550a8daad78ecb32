# SPDX-License-Identifier: GPL-2.0-only
"""What does sct_unload do?"""

import argparse
import time
from collections.abc import Callable

from pysct import abi, calls, interruption, modules, processes
from pysct.cli import report
from pysct.control import Control
from pysct.failures import AbiMismatch, Failure, NotLoaded, NotPermitted

PROGRAM = "sct_unload"
PATIENCE = 2.0
"""Seconds that callers get to leave before they are named, or interrupted."""

CALLERS_HINT = (
    "sct_unload --wait goes on when they are done; sct_unload --interrupt has them make their calls anew, without the modules; "
    "or leave the modules: without rules they divert nothing, and cost some memory until reboot"
)
IN_USE_HINT = "end these processes, unload that module, or let sct_unload --wait go on when they are gone"


def main(argv: list[str] | None = None) -> int:
    """Deletes the rules, lets callers leave, and unloads both modules."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Deletes all rules and takes the modules sct_rules and sct_hijack out of the kernel. "
        "If a process is in the way, it is named and the modules stay: without rules they divert no call.",
        epilog="Exit status: 0 unloaded or not loaded, 1 a process is in the way, 2 wrong usage, 4 not permitted.",
    )
    parser.add_argument(
        "--wait",
        nargs="?",
        type=float,
        const=float("inf"),
        default=PATIENCE,
        metavar="SECONDS",
        help="wait that long for processes in the way to end (without a number: for ever; default: %(default).0f)",
    )
    parser.add_argument(
        "--interrupt",
        action="store_true",
        help="then have processes make anew the calls in which they are still waiting, without the modules; "
        "docs/leaving.md says which calls fail with EINTR instead",
    )
    args = parser.parse_args(argv)
    return report.run(PROGRAM, lambda: _unload(args.wait, args.interrupt))


def _unload(wait: float, interrupt: bool) -> int:
    if not any(modules.is_loaded(module) for module in modules.FILES):
        report.out(f"{PROGRAM}: nothing to do: the modules are not loaded")
        return report.DONE
    deadline = time.monotonic() + wait
    _until_none(lambda: [str(holder) for holder in processes.holders()], deadline, "the rules stay as they are")
    try:
        _empty(deadline, interrupt)
    except (NotLoaded, AbiMismatch):
        pass  # half loaded, or of another release: rmmod will say what is in the way
    gone = [module for module in reversed(modules.FILES) if modules.is_loaded(module)]
    # A call that was diverted just before the rules went has left the list of callers, or is not yet on it.
    deadline = max(deadline, time.monotonic() + PATIENCE)
    for module in gone:
        _until_none(lambda: _in_the_way_of(module), deadline, "all rules have been deleted")
    report.out(f"{PROGRAM}: unloaded {' and '.join(gone) or 'nothing'}")
    return report.DONE


def _in_the_way_of(module: str) -> list[str]:
    """Unloads a module; what hinders it, if something does."""
    try:
        modules.unload(module)
    except NotPermitted:
        raise
    except Failure as failure:
        return [str(failure)]
    return []


def _empty(deadline: float, interrupt: bool) -> None:
    """No rule in force, and nobody inside a diverted call."""
    from pysct.cli.ruleset import empty_image

    with Control.open() as control:
        if control.version().generation:
            control.upload(empty_image())
        if interrupt and _after(control.callers, deadline):
            interruption.interrupt(lambda: [caller.tid for caller in control.callers()])
            deadline = max(deadline, time.monotonic() + PATIENCE)
        _until_none(lambda: _inside(control), deadline, "all rules have been deleted", CALLERS_HINT)
        _until_none(lambda: _stuck(control), max(deadline, time.monotonic() + PATIENCE), "all rules have been deleted")


def _stuck(control: Control) -> list[str]:
    """The points that cannot be given back, in words."""
    return [
        f"{calls.abi_name(point.abi)} {calls.call_name(point.abi, point.nr)}: another module has put its hook over ours"
        for point in control.points()
        if point.state == abi.Point.STUCK
    ]


def _inside(control: Control) -> list[str]:
    """Who is inside a call, and what keeps him there if he cannot be interrupted, in words."""
    obstacles = ((caller, interruption.obstacle(caller.pid, caller.tid)) for caller in control.callers())
    return [processes.inside(caller) + (f": {obstacle}" if obstacle else "") for caller, obstacle in obstacles]


def _until_none(look: Callable[[], list[str]], deadline: float, state: str, hint: str = IN_USE_HINT) -> None:
    """Waits until `look` finds nothing; a Failure names what it still finds at the deadline."""
    if found := _after(look, deadline):
        raise Failure("the modules are in use:\n" + "\n".join(f"  {one}" for one in found) + f"\n({state})", hint)


def _after(look: Callable[[], list], deadline: float) -> list:
    """What `look` still finds at the deadline; returns early when it finds nothing."""
    pause = 0.01
    while (found := look()) and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 2, 0.5)
    return found
