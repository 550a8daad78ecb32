# SPDX-License-Identifier: GPL-2.0-only
"""Who makes calls while the modules come and go, and did each call return what it should?

And who else looks at the same functions meanwhile?
"""

import os
import platform
import shutil
import struct
import subprocess
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from patience import PATIENCE

from pysct import abi, device, events

TRACING = Path("/sys/kernel/tracing")
GIVEN_UP = 60 * PATIENCE
"""Seconds after which something that should end does not."""

_present: list = []
"""Storms and ears that have not ended."""


def dismiss() -> None:
    """Ends whom a test that failed has left behind: no other test shall fail of it."""
    while _present:
        _present.pop().leave()


class Storm:
    """Threads that make one call as often as they can, from now on until end() tells how often each answer came."""

    def __init__(self, threads: int, *call: str, wrap: tuple[str, ...] = ()):
        # What the modules do comes first; the storm has all the time that is left.
        words = ["nice", *wrap, "call", "-t", str(threads), "-n", "0", *call]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        _present.append(self)
        said = self.process.stdout.readline()
        assert said == "under way\n", f"{words}: {said!r}"

    def leave(self) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self) -> Counter:
        os.kill(self.pid, 15)
        lines = self.process.communicate(timeout=GIVEN_UP)[0].splitlines()
        _present.remove(self)
        return Counter({answer: int(count) for count, answer in (line.split(" x ") for line in lines)})


class Sleeper:
    """A process that waits in a call again and again, and ends with 1 if that returns what it should not."""

    def __init__(self, way: str):
        self.way = way
        self.process = subprocess.Popen(["sleepers", way], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid

    def ask(self) -> None:
        """Lets what it waits for happen; answer() hears of it."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def answer(self) -> int:
        """How often its call has failed with EINTR, once it has returned."""
        line = self.process.stdout.readline()
        assert line and line.split()[-1].isdigit(), f"{self.way}: {line!r}"
        return int(line.split()[1])

    def end(self) -> None:
        self.process.stdin.close()
        assert (self.way, self.process.wait(GIVEN_UP)) == (self.way, 0)


def wake(sleepers: list[Sleeper]) -> dict[str, int]:
    """Lets what they wait for happen; by way, how often the calls have failed with EINTR so far."""
    for sleeper in sleepers:
        sleeper.ask()
    return {sleeper.way: sleeper.answer() for sleeper in sleepers}


@contextmanager
def sleeping(*ways: str):
    """Sleepers, which all end well."""
    sleepers = [Sleeper(way) for way in ways]
    try:
        yield sleepers
        for sleeper in sleepers:
            sleeper.end()
    finally:
        for sleeper in sleepers:
            sleeper.process.kill()


class Ear:
    """The log, of which only is counted how many events came and how many are said to be lost."""

    _HEAD = struct.Struct("<HH")  # of a record: its size and type
    _CPU = struct.Struct("<I")

    def __init__(self):
        self._descriptor = device.open_log(blocking=False)
        self.heard = self.lost = 0
        self.by_processor = Counter()
        _present.append(self)

    def leave(self) -> None:
        os.close(self._descriptor)

    def listen(self) -> None:
        """Takes what there is, if that is not too much: in a storm there is always more."""
        for _ in range(4):
            if not self._hear():
                break

    def end(self) -> None:
        """Takes all that is left, when no more comes."""
        self.listen_out()
        _present.remove(self)
        self.leave()

    def listen_out(self) -> None:
        """Takes all that there is, which has an end only when no more comes."""
        while self._hear():
            pass

    def _hear(self) -> bool:
        try:
            data = os.read(self._descriptor, events.BUFFER)
        except BlockingIOError:
            return False
        at = 0
        while at < len(data):
            size, kind = self._HEAD.unpack_from(data, at)
            if kind == abi.Record.EVENT:
                self.heard += 1
                self.by_processor[self._CPU.unpack_from(data, at + abi.EventStruct.cpu.offset)[0]] += 1
            elif kind == abi.Record.LOST:
                self.lost += events.decode(data[at : at + size]).count
            at += size
        return True


class Graph:
    """Function graph tracing of functions."""

    def __init__(self, symbols: list[str]):
        self._symbols = symbols

    def start(self) -> None:
        (TRACING / "set_ftrace_filter").write_text("\n".join(self._symbols))
        (TRACING / "current_tracer").write_text("function_graph")

    def stop(self) -> None:
        (TRACING / "current_tracer").write_text("nop")
        (TRACING / "set_ftrace_filter").write_text("")

    def end(self) -> None:
        self.stop()


class Probes:
    """A kprobe and a kretprobe on each of some functions."""

    def __init__(self, symbols: list[str]):
        self._lines = [f"{kind}:sct/{kind}_{symbol} {symbol}" for symbol in symbols for kind in "pr"]
        self.hits = 0

    def start(self) -> None:
        (TRACING / "kprobe_events").write_text("\n".join(self._lines) + "\n")
        (TRACING / "events/sct/enable").write_text("1")

    def stop(self) -> None:
        rows = [line.split() for line in (TRACING / "kprobe_profile").read_text().splitlines()]
        self.hits += sum(int(row[1]) for row in rows)
        (TRACING / "events/sct/enable").write_text("0")
        (TRACING / "kprobe_events").write_text("")

    def end(self) -> None:
        with suppress(OSError):
            self.stop()
        assert self.hits > 0


class SystemCalls:
    """The tracepoints at the beginning and end of every system call, for everybody."""

    def __init__(self, _symbols: list[str]):
        self._switch = TRACING / "events/raw_syscalls/enable"

    def start(self) -> None:
        self._switch.write_text("1")

    def stop(self) -> None:
        self._switch.write_text("0")

    def end(self) -> None:
        self.stop()


class Nobody:
    """No other tracer."""

    def __init__(self, _symbols: list[str]):
        pass

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def end(self) -> None:
        pass


TRACERS = {"nobody": Nobody, "function_graph": Graph, "kprobe": Probes, "raw_syscalls": SystemCalls}


def tracer(name: str, symbols: list[str]):
    """One of TRACERS for these functions; skips the test where the kernel has none."""
    if not (TRACING / "current_tracer").exists():
        subprocess.run(["mount", "-t", "tracefs", "nodev", TRACING], check=True)
    if name == "function_graph" and name not in (TRACING / "available_tracers").read_text():
        pytest.skip(f"this kernel has no {name} tracer")
    if name == "kprobe" and not (TRACING / "kprobe_events").exists():
        pytest.skip("this kernel has no kprobe events")
    return TRACERS[name](symbols)


class PerfTrace:
    """`perf trace` of a caller that takes its time; end() tells how often each answer came, by perf and by the caller.

    `odd` are then the first and the last line, and those without an answer.
    """

    def __init__(self, directory: Path, name: str, *call: str):
        if not shutil.which("perf"):
            pytest.skip("the user space of this guest has no perf")
        if platform.release().startswith("5."):
            pytest.skip("perf of Debian 12 takes minutes to start on this kernel; the tracepoints that it uses are tried alone")
        self._output = directory / "perf"
        # Before all others: where perf had to wait for a processor, it left out one call in 1,500, without a word.
        perf = ("chrt", "-f", "1", "perf", "trace", "-o", str(self._output), "-e", name)
        self._storm = Storm(1, "-p", "20000", *call, wrap=perf)
        # It is the caller that shall end; perf ends with it.
        pid = self._storm.pid
        self._storm.pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text())

    def end(self) -> tuple[Counter, Counter]:
        told = self._storm.end()
        lines = self._output.read_text().splitlines()
        seen = Counter(line.rpartition(" = ")[2].partition(" (")[0] for line in lines if " = " in line)
        assert not any("LOST" in line for line in lines)
        self.odd = [lines[0], *(line for line in lines if " = " not in line), lines[-1]]
        return seen, told
