# SPDX-License-Identifier: GPL-2.0-only
"""Does Control ask the modules rightly, and say what went wrong?"""

import errno
import os

import pytest
from fake_modules import FakeModules

from pysct import abi, device
from pysct.control import Control, Refused
from pysct.failures import AbiMismatch, Failure, NotLoaded, NotPermitted


@pytest.fixture
def fake():
    return FakeModules()


@pytest.fixture
def control(fake):
    return Control(-1, fake.ioctl)


def test_version(fake, control):
    fake.generation, fake.locked = 5, True
    assert control.version() == (abi.VERSION, True, 5)


def test_other_abi(fake, control):
    fake.abi = 99
    with pytest.raises(AbiMismatch) as caught:
        control.version()
    assert "99" in caught.value.text and str(abi.VERSION) in caught.value.text
    assert "sct_unload" in caught.value.hint and caught.value.status == 3


@pytest.mark.parametrize(
    ("number", "failure", "status"),
    [
        (errno.ENOTTY, AbiMismatch, 3),
        (errno.EPERM, NotPermitted, 4),
        (errno.ENODEV, NotLoaded, 3),
        (errno.ENOMEM, Failure, 1),
    ],
)
@pytest.mark.parametrize("request_name", ["VERSION", "UPLOAD", "DOWNLOAD", "LIST", "LOCK"])
def test_errno_becomes_words(fake, control, number, failure, status, request_name):
    fake.fail[getattr(abi.Ioctl, request_name)] = number
    ask = {
        "VERSION": control.version,
        "UPLOAD": lambda: control.upload(b"x"),
        "DOWNLOAD": control.download,
        "LIST": control.points,
        "LOCK": control.lock,
    }
    with pytest.raises(failure) as caught:
        ask[request_name]()
    assert caught.value.status == status
    assert "Errno" not in caught.value.text


def test_upload(fake, control):
    assert control.upload(b"image") == 1
    assert fake.image == b"image"
    assert control.upload(b"other", expect=1) == 2


def test_upload_of_nothing_reaches_the_kernel(fake, control):
    control.upload(b"")
    assert fake.uploads == [b""]


def test_dry_run_changes_nothing(fake, control):
    control.upload(b"image", dry_run=True)
    assert fake.image == b"" and fake.generation == 0


def test_stale(fake, control):
    fake.generation = 4
    with pytest.raises(Refused) as caught:
        control.upload(b"image", expect=3)
    assert caught.value.name == "STALE" and caught.value.status == 1


def test_locked_is_not_permitted(control):
    control.lock()
    with pytest.raises(Refused) as caught:
        control.upload(b"image")
    assert caught.value.name == "LOCKED" and caught.value.status == 4


@pytest.mark.parametrize("error", abi.ERRORS.values(), ids=lambda error: error.name)
def test_every_refusal_has_its_text(fake, control, error):
    fake.refuse = getattr(errno, error.errno), {"code": error.number, "index": 17, "abi": 0, "nr": 263, "value": -22}
    with pytest.raises(Refused) as caught:
        control.upload(b"image")
    text = caught.value.text + caught.value.hint
    assert "{" not in text and caught.value.code == error.number
    assert "{index}" not in error.text or "17" in text
    assert "{syscall}" not in error.text or "x86_64 unlinkat" in text
    assert "{value}" not in error.text or "-22" in text


def test_refusal_of_a_later_release(fake, control):
    fake.refuse = errno.EINVAL, {"code": 4000}
    with pytest.raises(Refused) as caught:
        control.upload(b"image")
    assert "4000" in caught.value.text and caught.value.hint


def test_download(fake, control):
    assert control.download() == (b"", 0)
    control.upload(bytes(range(256)) * 1000)
    assert control.download() == (bytes(range(256)) * 1000, 1)


def test_download_of_an_image_that_grows_meanwhile(fake, control):
    control.upload(b"small")
    plain, sizes = fake.download, [100, 200_000]

    def growing(argument):
        if sizes:
            fake.image = b"x" * sizes.pop(0)
        return plain(argument)

    fake.download = growing
    assert control.download()[0] == b"x" * 200_000


def test_lists_are_asked_for_until_all_is_there(fake, control):
    fake.lists[abi.List.COUNTERS] = [abi.CountersStruct(matched=n, lost=2 * n) for n in range(1000)]
    rows, _ = control.counters()
    assert [row.matched for row in rows] == list(range(1000)) and rows[999].lost == 1998


def test_a_list_starts_again_when_the_rules_change(fake, control):
    fake.lists[abi.List.COUNTERS] = [abi.CountersStruct(matched=1) for _ in range(1000)]

    def change_once():
        fake.generation += 1
        fake.lists[abi.List.COUNTERS] = [abi.CountersStruct(matched=2) for _ in range(600)]
        fake.at_list = lambda: None

    fake.at_list = change_once
    rows, generation = control.counters()
    assert [row.matched for row in rows] == [2] * 600 and generation == 1


def test_points_callers_drops(fake, control):
    fake.lists[abi.List.POINTS] = [abi.PointStruct(0, 87, 2, abi.Point.LOST, 0xFFFF, 12, b"__x64_sys_unlink")]
    fake.lists[abi.List.CALLERS] = [abi.CallerStruct(5, 6, 0, 0, 0, 10**9, b"cat")]
    fake.lists[abi.List.DROPS] = [abi.DropStruct(1, abi.Cause.BUFFER, 3)]
    (point,), (caller,), (drop,) = control.points(), control.callers(), control.drops()
    assert (point.nr, point.state, point.hits, point.symbol) == (87, abi.Point.LOST, 12, "__x64_sys_unlink")
    assert (caller.pid, caller.tid, caller.age, caller.comm) == (5, 6, 10**9, b"cat")
    assert (drop.cpu, drop.cause, drop.count) == (1, abi.Cause.BUFFER, 3)


@pytest.mark.parametrize(
    ("number", "failure"),
    [(errno.EACCES, NotPermitted), (errno.EPERM, NotPermitted), (errno.ENXIO, NotLoaded), (errno.EIO, Failure)],
)
def test_open_says_why(monkeypatch, number, failure):
    def refuse(*_):
        raise OSError(number, "fake")

    monkeypatch.setattr(device, "node", lambda name: f"/dev/{name}")
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(failure):
        device.open_control()


def test_too_many_readers(monkeypatch):
    assert "32 readers" in device.cannot_open("/dev/sctlog", OSError(errno.EBUSY, "fake")).text


def test_not_loaded(monkeypatch, tmp_path):
    monkeypatch.setattr(device, "SYSFS", tmp_path)
    monkeypatch.setattr(device, "_find", lambda name: (None, 0))
    with pytest.raises(NotLoaded) as caught:
        device.open_control()
    assert caught.value.status == 3 and "sct_load" in caught.value.hint


def test_loaded_without_a_node(monkeypatch, tmp_path):
    monkeypatch.setattr(device, "_find", lambda name: (str(tmp_path / name), os.makedev(10, 125)))
    with pytest.raises(NotLoaded) as caught:
        device.node("sct")
    assert "mknod" in caught.value.hint and "10 125" in caught.value.hint


def test_finding_works_where_sysfs_has_the_device():
    """/dev/full is no misc device, but /dev/fuse, /dev/rfkill or the like may be: whatever is there must be found."""
    misc = next((name for name in os.listdir("/sys/class/misc") if os.path.exists(f"/dev/{name}")), None)
    if misc is None:
        pytest.skip("no misc device here")
    assert device._find(misc)[0] == f"/dev/{misc}"
