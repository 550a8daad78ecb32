# SPDX-License-Identifier: GPL-2.0-only
"""Where are the two devices, and how are they opened?"""

import errno
import os
from pathlib import Path

from pysct import abi
from pysct.failures import Failure, NotLoaded, NotPermitted

SYSFS = Path("/sys/module")
LOAD_FIRST = "run sct_load"
BE_ROOT = "become root (sudo): the devices ask for CAP_SYS_ADMIN in the initial user namespace"


def node(name: str) -> str:
    """Path of the device file of misc device `name`.

    Raises NotLoaded if there is no such device, or if it has no file.
    """
    path, number = _find(name)
    if path is None and not (SYSFS / "sct_rules").is_dir():
        raise NotLoaded("the modules are not loaded", LOAD_FIRST)
    path = path or f"/dev/{name}"
    if not os.path.exists(path):
        place = f"mknod -m 600 {path} c {os.major(number)} {os.minor(number)}" if number else "mount devtmpfs on /dev"
        raise NotLoaded(f"the modules are loaded, but {path} is missing: nothing made the device file", place)
    return path


def _find(name: str) -> tuple[str | None, int]:
    """Path and number of the device as sysfs has them; works without a running udevd."""
    try:
        import pyudev

        context = pyudev.Context()
    except ImportError:  # pyudev finds no libudev: the usual place is a good guess
        path = f"/dev/{name}"
        return (path if os.path.exists(path) else None), 0
    try:
        device = pyudev.Devices.from_name(context, "misc", name)
    except pyudev.DeviceNotFoundError:
        return None, 0
    return device.device_node, device.device_number


def open_control() -> int:
    """A descriptor of the control device; raises NotLoaded or NotPermitted."""
    return _open(abi.CONTROL, os.O_RDWR)


def open_log(blocking: bool = True) -> int:
    """A descriptor of the log device; raises NotLoaded, NotPermitted, or Failure if there are too many readers."""
    return _open(abi.LOG, os.O_RDONLY | (0 if blocking else os.O_NONBLOCK))


def _open(name: str, flags: int) -> int:
    path = node(name)
    try:
        return os.open(path, flags | os.O_CLOEXEC)
    except OSError as error:
        raise cannot_open(path, error) from error


def cannot_open(path: str, error: OSError) -> Failure:
    """Why `path` did not open, in words."""
    if error.errno in (errno.EPERM, errno.EACCES):
        return NotPermitted(f"{path}: not permitted", BE_ROOT)
    if error.errno in (errno.ENODEV, errno.ENXIO, errno.ENOENT):
        return NotLoaded("the modules are not loaded", LOAD_FIRST)
    if error.errno in (errno.EBUSY, errno.EMFILE, errno.EUSERS) and path.endswith(abi.LOG):
        return Failure(f"{path}: {abi.Limit.READERS} readers have the log open, more are not allowed", "end one of them")
    return Failure(f"{path}: {os.strerror(error.errno)}")
