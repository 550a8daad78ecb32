"""What do vm/run and vm/build do with the words they are given?"""

import argparse
import os
import signal
import sys

from . import image, kernels, machine, modules, session
from .error import VmError
from .places import TREE
from .terminal import Terminal

BOOT_LIMIT = 300.0
"""Seconds; without KVM on a busy machine a boot may well take a minute."""


def run_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vm/run",
        usage="vm/run [options] [--] COMMAND…",
        description="Builds the modules for a kernel, boots it, and runs COMMAND in it as root. The guest has this "
        "machine's files; what it writes is gone with it. $SCT_MODULES names the directory of the modules.",
        epilog="Exit status: the command's; 124 out of time; 125 the guest died or its kernel reported a fault; "
        "126, 127 the command could not be run.",
    )
    _kernel_options(parser)
    parser.add_argument("--append", metavar="WORDS", action="append", default=[], help="kernel command line")
    parser.add_argument("--icount", action="store_true", help="one CPU whose clock counts instructions")
    parser.add_argument("--gdb", action="store_true", help="let gdb attach to port 1234")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=1800.0, help="default: %(default).0f")
    parser.add_argument("--memory", metavar="MIB", type=int, default=2048, help="default: %(default)s")
    parser.add_argument("--no-modules", action="store_true", help="build no modules")
    parser.add_argument("--list", action="store_true", help="show the supported kernels")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help=argparse.SUPPRESS)
    return parser


def _kernel_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kernel", metavar="NAME", help="one of --list; default: the one marked there")


def run() -> int:
    """vm/run."""
    parser = run_parser()
    args = parser.parse_args()
    if args.command[:1] == ["--"]:
        del args.command[0]
    if not args.list and not args.command:
        parser.error("COMMAND is missing")
    return _guarded(lambda: _list() if args.list else _run(args))


def build() -> int:
    """vm/build."""
    parser = argparse.ArgumentParser(
        prog="vm/build", description="Builds the modules for a kernel and prints the directory they are in."
    )
    _kernel_options(parser)
    args = parser.parse_args()

    def work() -> int:
        target = image.obtain(kernels.pick(args.kernel))
        modules.build(target)
        print(modules.directory(target))
        return 0

    return _guarded(work)


def _guarded(work) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(128 + signal.SIGHUP))
    try:
        return work()
    except VmError as error:
        print(f"vm: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _list() -> int:
    for kernel in kernels.load().values():
        print(f"{kernel.name:16} {kernel.about}{' (default)' if kernel.default else ''}")
    return 0


def _run(args: argparse.Namespace) -> int:
    target = image.obtain(kernels.pick(args.kernel))
    files = {} if args.no_modules else modules.build(target)
    settings = machine.Settings(
        append=tuple(word for words in args.append for word in words.split()),
        icount=args.icount,
        gdb=args.gdb,
        memory=args.memory,
    )
    terminal = Terminal()
    limits = session.Limits(boot=BOOT_LIMIT, command=args.timeout)
    if args.gdb:
        print(f"vm/run: gdb -ex 'target remote 127.0.0.1:1234'; modules: {modules.directory(target)}", file=sys.stderr)
    started = machine.start(target, settings)
    try:
        terminal.enter()
        return session.Session(started, _job(args.command, target, terminal), files, limits, terminal).run()
    finally:
        session.end(started)
        terminal.restore()


def _job(command: list[str], target: image.Image, terminal: Terminal) -> dict:
    """What the agent is told (guest/agent.py)."""
    cwd = os.getcwd()
    path = f"{TREE / '.venv' / 'bin'}:{os.environ.get('PATH', os.defpath)}"
    env = {"PATH": path, "HOME": "/root", "USER": "root", "TERM": os.environ.get("TERM", "dumb")}
    env |= {name: os.environ[name] for name in ("LANG", "LC_ALL", "CI") if name in os.environ}
    return {
        "argv": command,
        "cwd": cwd,
        "env": env,
        "keep": [str(TREE), cwd, str(target.modules)],
        "kernel_modules": str(target.modules),
        "terminal": terminal.size,
    }
