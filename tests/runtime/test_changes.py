# SPDX-License-Identifier: GPL-2.0-only
"""Is every call judged by the old rules or by the new ones, while they change and all processors call?"""

import contextlib
import signal
import subprocess
import threading
import time
from pathlib import Path

import company
import kernel
import pytest
from patience import PATIENCE

from pysct import image
from pysct.control import Control

RULE = 'rule {{ syscall_name = unlinkat rule_name = r filter_expression {{ pathname == "./precious" }} action {{ type = FAIL error_code = {error} }} when = before }}\n'
OTHER = 'rule { syscall_name = "unlink*", getppid, read rule_name = o filter_expression { COMM == "other" } action { type = LOG } when = after }\n'
READ = 'rule {{ syscall_name = read rule_name = {name} filter_expression {{ COMM == "cat" }} action {{ type = LOG {format} }} when = after }}\n'
STOP = 'rule {{ syscall_name = unlinkat rule_name = {name} filter_expression {{ pathname == "./dummy" }} action {{ type = {action} }} continue = yes when = before }}\n'

pytestmark = pytest.mark.usefixtures("ready")


@contextlib.contextmanager
def hammer(*where):
    """Calls from four threads as long as the block runs; then the yielded table holds each result and how often it came."""
    results = {}
    storm = company.Storm(4, "unlinkat", "-100", *where, "0")
    yield results
    results.update(storm.end())


@pytest.mark.parametrize("where", ["s:./precious", "fresh:./precious"])
def test_never_by_neither(where):
    images = [kernel.compiled(RULE.format(error=error)) for error in ("EACCES", "EROFS")]
    images.append(kernel.compiled(OTHER + RULE.format(error="EBUSY")))
    with Control.open() as control:
        control.upload(images[0])
        with hammer(where) as results:
            for n in range(20):
                control.upload(images[n % len(images)])
    assert set(results) <= {"-1 EACCES", "-1 EROFS", "-1 EBUSY"}
    assert len(results) >= 2 and sum(results.values()) > 1000


def test_counters_survive_a_storm_of_uploads():
    """The rule stays, others come and go: not one match is forgotten."""
    rule = RULE.format(error="EACCES")
    images = [kernel.compiled(rule), kernel.compiled(OTHER + rule), kernel.compiled(rule + OTHER)]
    with Control.open() as control:
        control.upload(images[0])
        with hammer("s:./precious") as results:
            for n in range(20):
                control.upload(images[n % len(images)])
        control.upload(images[0])
        assert list(results) == ["-1 EACCES"]
        assert control.counters()[0][0].matched == results["-1 EACCES"]


def test_uploads_from_several_threads():
    images = [kernel.compiled(RULE.format(error=error)) for error in ("EACCES", "EROFS", "EBUSY")]
    generations, until = [], time.monotonic() + 10

    def upload(image):
        with Control.open() as control:
            while time.monotonic() < until:
                generations.append(control.upload(image))

    threads = [threading.Thread(target=upload, args=(image,)) for image in images]
    with hammer("s:./precious"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(generations)) == len(generations) and len(generations) > 10
    with Control.open() as control:
        assert control.version().generation == max(generations)


def test_rules_that_show_what_was_not_copied(tmp_path):
    """A call that waits inside is judged by the new rules, which show a directory that the old ones did not ask for."""
    old, new = READ.format(name="old", format=""), READ.format(name="new", format="log_format { %rule %retval %cwd }")
    kernel.upload(old)
    cats = [subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)]
    for cat in cats:
        kernel.wait_inside(cat.pid)
    kernel.upload(new)
    with kernel.Log() as log:
        for cat in cats:
            assert cat.communicate(b"hello\n")[0] == b"hello\n"
        lines = log.lines(enough=6)
    assert sorted(lines) == sorted(["new 6 ?", f'new 0 "{tmp_path}"'] * len(cats))


@contextlib.contextmanager
def stopped(rules):
    """A call that rules suspend; it has been made, once, when the block has let it go on."""
    Path("dummy").touch()
    kernel.upload(rules)
    process = subprocess.Popen(["call", "unlinkat", "-100", "s:./dummy", "0"], stdout=subprocess.PIPE, text=True)
    try:
        kernel.wait_stopped(process.pid)
        yield process
        assert process.communicate(timeout=30 * PATIENCE)[0] == "0\n"
    finally:
        process.kill()
        process.communicate()


def matches(rules) -> dict[str, int]:
    """How often each of the rules in force has matched."""
    with Control.open() as control:
        names = [rule.name.decode() for rule in image.decode(kernel.compiled(rules)).rules]
        return {name: counters.matched for name, counters in zip(names, control.counters()[0], strict=True)}


def test_a_rule_that_comes_while_a_call_is_suspended():
    """It has its turn; that of the one which suspended, now in another place, is over."""
    old = STOP.format(name="look", action="LOG") + STOP.format(name="old", action="SUSPEND")
    new = STOP.format(name="new", action="SUSPEND") + old
    with stopped(old) as process:
        kernel.upload(new)
        process.send_signal(signal.SIGCONT)
        kernel.eventually(lambda: matches(new)["new"] == 1)
        kernel.wait_stopped(process.pid)
        assert Path("dummy").exists()
        process.send_signal(signal.SIGCONT)
    assert matches(new) == {"new": 1, "look": 1, "old": 1}


def test_a_rule_that_goes_while_a_call_is_suspended():
    """Nobody suspends it any more: what was logged is not logged again."""
    rest = STOP.format(name="look", action="LOG")
    with stopped(rest + STOP.format(name="old", action="SUSPEND")) as process:
        kernel.upload(rest)
        process.send_signal(signal.SIGCONT)
    assert matches(rest) == {"look": 1}
