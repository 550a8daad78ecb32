# SPDX-License-Identifier: GPL-2.0-only
"""Does a case happen as it says?"""

import subprocess
from pathlib import Path

import expect
import kernel
from case import TREE, Case, filled_in
from patience import PATIENCE

from pysct import image
from pysct.control import Control

LIMIT = 60 * PATIENCE
"""Seconds that a case's command may take."""


def play(case: Case, directory: Path, environment: dict[str, str]) -> list[str]:
    """Plays a case in a directory of its own; returns what was not as expected."""
    directory.chmod(0o777)
    for name in case.files:
        (directory / name).touch()
        (directory / name).chmod(0o666)
    for member in ("rules", "setup", "run", "after", "stdout", "stderr", "log", "log_any", "log_has", "log_not"):
        setattr(case, member, filled_in(getattr(case, member), directory))
    if case.setup:
        _must(case.setup, directory, environment)
    compiled = kernel.compiled((TREE / "examples" / case.example).read_text() if case.example else case.rules, case.name)
    with kernel.Log() as log, Control.open() as control:
        control.upload(compiled)
        wrong = _run(case, directory, environment)
        wrong += _log(case, log)
        wrong += _counters(case, control, compiled)
        if case.after:
            wrong += _after(case.after, directory, environment)
    return [text for text in wrong if text]


def _shell(words: str, directory: Path, environment: dict[str, str], user: str = "") -> subprocess.CompletedProcess:
    prefix = []
    if user:
        uid, gid = user.split(":")
        prefix = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    return subprocess.run(
        [*prefix, "sh", "-c", words], cwd=directory, env=environment, timeout=LIMIT,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="backslashreplace",
    )  # fmt: skip


def _must(words: str, directory: Path, environment: dict[str, str]) -> None:
    done = _shell(words, directory, environment)
    assert done.returncode == 0, f"setup failed: {words}\n{done.stdout}{done.stderr}"


def _run(case: Case, directory: Path, environment: dict[str, str]) -> list[str]:
    done = _shell(case.run, directory, environment, case.as_)
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    wrong = []
    if status != case.status:
        wrong.append(f"status: {status}, expected {case.status}\n{done.stdout}{done.stderr}".rstrip())
    for what, expected, text in (("stdout", case.stdout, done.stdout), ("stderr", case.stderr, done.stderr)):
        if expected is not None:
            wrong.append(expect.in_order(what, expected, text.splitlines()))
    return wrong


def _log(case: Case, log: kernel.Log) -> list[str]:
    exact = case.log if case.log is not None else case.log_any
    quiet = exact == [] and not case.log_has
    wanted = len(case.log_has) if exact is None else len(exact)
    lines = log.lines(wanted, 0.3 if quiet else 3)
    if wanted:
        lines = log.lines()  # and no more than that
    wrong = [expect.none_there("log", case.log_not, lines)]
    if case.log_has:
        wrong.append(expect.all_there("log", case.log_has, lines))
    if exact is not None:
        compare = expect.in_order if case.log is not None else expect.in_any_order
        wrong.append(compare("log", exact, lines))
    return wrong


def _counters(case: Case, control: Control, compiled: bytes) -> list[str]:
    if not case.counters:
        return []
    names = [rule.name for rule in image.decode(compiled).rules]
    rows = dict(zip(names, control.counters()[0], strict=True))
    wrong = []
    for name, expected in case.counters.items():
        row = rows[name.encode()]
        found = {counter: getattr(row, counter) for counter in expected}
        if found != expected:
            wrong.append(f"counters of {name}: {found}, expected {expected}")
    return wrong


def _after(words: str, directory: Path, environment: dict[str, str]) -> list[str]:
    done = _shell(words, directory, environment)
    return [] if done.returncode == 0 else [f"after: {words}: status {done.returncode}\n{done.stdout}{done.stderr}"]
