# SPDX-License-Identifier: GPL-2.0-only
"""Runs one command in the guest for the host at the other end of the virtio port, then waits to be switched off."""

import json
import os
import sys
import time

sys.path[:0] = [here := os.path.dirname(os.path.abspath(__file__)), os.path.dirname(here)]
import detectors  # noqa: E402
import files  # noqa: E402
import pump  # noqa: E402
import wire  # noqa: E402

MODULES = "/run/sct/modules"
"""Where the modules under test lie: the command's SCT_MODULES."""


def open_port() -> int:
    """The virtio port, found by its name without help from udev."""
    ports = "/sys/class/virtio-ports"
    for port in os.listdir(ports):
        with open(f"{ports}/{port}/name") as file:
            if file.read().strip() == wire.PORT:
                return os.open(f"/dev/{port}", os.O_RDWR)
    sys.exit(f"sct agent: no virtio port {wire.PORT}")


def receive(link: pump.Link) -> dict:
    """Keeps the modules that the host sends, and returns the job that it sends after them.

    The job: argv, cwd and env of the command; the rows and columns of its terminal, if it gets one; directories to
    keep; where the host's files are, if not in their places; the directory of the kernel's own modules; the farewell
    for the kernel's log.
    """
    os.makedirs(MODULES)
    while True:
        link.receive()
        while link.frames:
            kind, payload = link.frames.popleft()
            if kind == wire.Kind.MODULE:
                name, _, contents = payload.partition(b"\0")
                with open(os.path.join(MODULES, name.decode()), "wb") as file:
                    file.write(contents)
            if kind == wire.Kind.JOB:
                return json.loads(payload)


def prepare(job: dict) -> None:
    """Makes the guest the place that the job expects."""
    files.bring(job["host"], job["keep"])
    files.empty("/tmp", "1777", job["keep"])
    files.usable_home(job["env"]["HOME"], job["keep"])
    files.kernel_modules(job["kernel_modules"])
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["env"], SCT_MODULES=MODULES)
    unmute_console()


def unmute_console() -> None:
    """Every message of the kernel reaches the console, where the host looks for reports."""
    files.write("/sys/module/printk/parameters/ignore_loglevel", "Y")


def main() -> None:
    link = pump.Link(open_port())
    link.send(wire.Kind.HELLO)
    job = receive(link)
    prepare(job)
    status = pump.run(link, job["argv"], job["terminal"])
    unmute_console()
    for finding in detectors.findings():
        files.write("/dev/kmsg", f"<4>{finding}\n")
    # All that the kernel said before this line is on the console once this line is.
    files.write("/dev/kmsg", f"<5>{job['farewell']}\n")
    link.send(wire.Kind.EXIT, str(status).encode())
    while True:
        time.sleep(60)


main()
