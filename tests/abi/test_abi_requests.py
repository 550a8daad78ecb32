# SPDX-License-Identifier: GPL-2.0-only
"""What does the control device answer to what nobody should ask?"""

import ctypes
import errno
import mmap
import os
import random
from pathlib import Path

import pytest
import raw

from pysct import abi

KNOWN = {value for name, value in vars(abi.Ioctl).items() if name.isupper()}
TAKING = {"UPLOAD": abi.UploadStruct, "DOWNLOAD": abi.DownloadStruct, "LIST": abi.ListStruct}
GIVING = {"VERSION": abi.VersionStruct, **TAKING}
LISTS = {
    abi.List.COUNTERS: abi.CountersStruct,
    abi.List.POINTS: abi.PointStruct,
    abi.List.CALLERS: abi.CallerStruct,
    abi.List.DROPS: abi.DropStruct,
}


def request_number(direction: int, kind: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | kind << 8 | number


def test_unknown_requests(held):
    """Every number of our type, every direction, many sizes; and chance."""
    kind, chance = abi.Ioctl.VERSION >> 8 & 0xFF, random.Random(1)
    sizes = {0, 1, 4, 8, 2**14 - 1, *(ctypes.sizeof(struct) + more for struct in GIVING.values() for more in (-8, 0, 8))}
    numbers = {request_number(way, kind, number, size) for way in range(4) for number in range(256) for size in sizes}
    numbers |= {chance.getrandbits(32) for _ in range(2000)}
    room = raw.Memory()
    for number in numbers - KNOWN:
        assert raw.ask(held.descriptor, number, room.start) == errno.ENOTTY, hex(number)


def test_the_upper_half_of_a_request_does_not_count(held):
    """The kernel takes 32 bits of a request: what stands above must not make another request of it."""
    answer = abi.VersionStruct()
    assert raw.ask(held.descriptor, abi.Ioctl.VERSION | 0xABCD << 32, answer) == 0
    assert answer.abi == abi.VERSION


@pytest.mark.parametrize("name", GIVING)
def test_arguments_that_are_nowhere(held, name):
    for address in raw.NOWHERE:
        assert raw.ask(held.descriptor, getattr(abi.Ioctl, name), address) == errno.EFAULT, hex(address)
    gone = raw.Memory().protect(raw.PROT_NONE)
    assert raw.ask(held.descriptor, getattr(abi.Ioctl, name), gone.start) == errno.EFAULT


@pytest.mark.parametrize("name", GIVING)
def test_arguments_that_are_half_there(held, name):
    size, memory = ctypes.sizeof(GIVING[name]), raw.Memory()
    for there in range(1, size):
        assert raw.ask(held.descriptor, getattr(abi.Ioctl, name), memory.end - there) == errno.EFAULT, there


def test_arguments_that_are_just_there(held):
    memory = raw.Memory()
    where = memory.put_last(bytes(abi.VersionStruct()))
    assert raw.ask(held.descriptor, abi.Ioctl.VERSION, where) == 0
    assert abi.VersionStruct.from_buffer_copy(memory.get(16, where)).generation == held.generation
    where = memory.put_last(bytes(abi.ListStruct(what=abi.List.DROPS)))
    assert raw.ask(held.descriptor, abi.Ioctl.LIST, where) == 0


def test_arguments_at_odd_addresses(held):
    memory = raw.Memory()
    for shift in range(1, 8):
        where = memory.put(bytes(abi.ListStruct(what=abi.List.COUNTERS)), memory.start + shift)
        assert raw.ask(held.descriptor, abi.Ioctl.LIST, where) == 0
        assert abi.ListStruct.from_buffer_copy(memory.get(32, where)).total == 1


def test_answers_that_cannot_be_written(held):
    """Where the request is read-only, nothing must have happened."""
    image = raw.refusing(raw.Held.PATH, errno.EXDEV).bytes()
    source = raw.Memory(2)
    source.put(image)
    requests = {
        "VERSION": abi.VersionStruct(),
        "DOWNLOAD": abi.DownloadStruct(),
        "LIST": abi.ListStruct(what=abi.List.COUNTERS),
        "UPLOAD": abi.UploadStruct(image=source.start, size=len(image), flags=abi.Upload.DRY_RUN),
    }
    for name, request in requests.items():
        memory = raw.Memory()
        where = memory.put(bytes(request))
        memory.protect()
        assert raw.ask(held.descriptor, getattr(abi.Ioctl, name), where) == errno.EFAULT, name
        assert memory.get(len(bytes(request))) == bytes(request)


def test_an_upload_whose_answer_cannot_be_written(held):
    """EFAULT must mean that nothing has happened."""
    image = raw.refusing(raw.Held.PATH, errno.EXDEV).bytes()
    source, memory = raw.Memory(2), raw.Memory()
    where = memory.put(bytes(abi.UploadStruct(image=source.put(image), size=len(image))))
    memory.protect()
    assert raw.ask(held.descriptor, abi.Ioctl.UPLOAD, where) == errno.EFAULT
    generation = raw.version(held.descriptor).generation
    expected, held.generation = held.generation, generation  # whoever is in force is held from now on
    if generation != expected:
        made = raw.Held()
        held.generation = made.generation
        held.recount()
        os.close(made.descriptor)
    assert generation == expected


def test_images_that_are_nowhere(held):
    image = raw.refusing(raw.Held.PATH, errno.EXDEV).bytes()
    memory = raw.Memory(2)
    places = [*raw.NOWHERE, memory.end, memory.end - 1, memory.end - len(image) + 1, 2**64 - len(image)]
    memory.put_last(image[:-1])
    for address in places:
        for flags in (0, abi.Upload.DRY_RUN):
            request = abi.UploadStruct(image=address, size=len(image), flags=flags)
            assert raw.ask(held.descriptor, abi.Ioctl.UPLOAD, request) == errno.EFAULT, hex(address)
            assert (request.error.code, request.generation) == (0, 0)
    request = abi.UploadStruct(image=memory.put_last(image), size=len(image), flags=abi.Upload.DRY_RUN)
    assert raw.ask(held.descriptor, abi.Ioctl.UPLOAD, request) == 0


def test_images_of_absurd_size(held):
    memory = raw.Memory(4)
    for size in (0, 1, 71, abi.Limit.IMAGE + 1, 2**31 - 1, 2**31, 2**32 - 1):
        request = abi.UploadStruct(image=memory.start, size=size)
        assert raw.ask(held.descriptor, abi.Ioctl.UPLOAD, request) == errno.EINVAL, size
        assert abi.ERRORS[request.error.code].name == ("SHORT" if size < 72 else "SIZE")
        assert request.error.value == size
    request = abi.UploadStruct(image=memory.start, size=abi.Limit.IMAGE)
    assert raw.ask(held.descriptor, abi.Ioctl.UPLOAD, request) in (errno.EFAULT, errno.ENOMEM)


def test_download(held):
    whole = raw.refusing(raw.Held.PATH, raw.Held.ERROR, digest=os.getpid()).bytes()
    memory, room = raw.Memory(2), len(whole)
    for size in (0, 1, room - 1):
        request = abi.DownloadStruct(buffer=memory.start, size=size)
        assert raw.ask(held.descriptor, abi.Ioctl.DOWNLOAD, request) == errno.ENOSPC
        assert (request.size, request.generation) == (room, held.generation)
        assert memory.get(room) == bytes(room)
    for size, address in ((room, memory.end - room), (room + 1, memory.start), (2**32 - 1, memory.start)):
        request = abi.DownloadStruct(buffer=address, size=size)
        assert raw.ask(held.descriptor, abi.Ioctl.DOWNLOAD, request) == 0
        assert (request.size, request.generation, memory.get(room, address)) == (room, held.generation, whole)
    for address in (*raw.NOWHERE, memory.end - room + 1, memory.end - 1, raw.Memory().protect().start):
        request = abi.DownloadStruct(buffer=address, size=room)
        assert raw.ask(held.descriptor, abi.Ioctl.DOWNLOAD, request) == errno.EFAULT, hex(address)


def test_download_with_what_must_be_zero(held):
    memory = raw.Memory()
    request = abi.DownloadStruct(buffer=memory.start, size=raw.PAGE, zero=1)
    assert raw.ask(held.descriptor, abi.Ioctl.DOWNLOAD, request) == errno.EINVAL


@pytest.mark.parametrize("what", LISTS, ids=lambda what: LISTS[what].__name__)
def test_lists(held, what):
    width, memory = ctypes.sizeof(LISTS[what]), raw.Memory(8)
    request = abi.ListStruct(what=what, count=4096, buffer=memory.start)
    room = memory.size // width
    request.count = room
    assert raw.ask(held.descriptor, abi.Ioctl.LIST, request) == 0
    total = request.total
    assert request.count == min(total, room) and request.generation == held.generation
    assert total >= 1 or what == abi.List.CALLERS
    for first in (0, 1, max(total, 1) - 1, total, total + 1, 2**31, 2**32 - 1):
        for count in (0, 1, total, room, 2**31, 2**32 - 1):
            memory.put(b"\xa5" * memory.size)
            request = abi.ListStruct(what=what, first=first, count=count, buffer=memory.start)
            assert raw.ask(held.descriptor, abi.Ioctl.LIST, request) == 0, (first, count)
            assert request.count == min(max(total - first, 0), count), (first, count)
            assert request.total == total
            assert set(memory.get(width, memory.start + request.count * width)) == {0xA5}, "more than was asked for"


@pytest.mark.parametrize("what", LISTS, ids=lambda what: LISTS[what].__name__)
def test_lists_that_have_nowhere_to_go(held, what):
    width = ctypes.sizeof(LISTS[what])
    read_only, memory = raw.Memory().protect(), raw.Memory()
    for address in (*raw.NOWHERE, read_only.start, memory.end - width + 1, memory.end):
        request = abi.ListStruct(what=what, first=0, count=1, buffer=address)
        result = raw.ask(held.descriptor, abi.Ioctl.LIST, request)
        assert result == (0 if what == abi.List.CALLERS else errno.EFAULT), hex(address)
        request = abi.ListStruct(what=what, first=0, count=0, buffer=address)
        assert raw.ask(held.descriptor, abi.Ioctl.LIST, request) == 0


@pytest.mark.parametrize("what", [0, 6, 7, 2**16 + 1, 2**31, 2**32 - 1])
def test_lists_that_there_are_not(held, what):
    request = abi.ListStruct(what=what)
    assert raw.ask(held.descriptor, abi.Ioctl.LIST, request) == errno.EINVAL


def point_address(held) -> int:
    room = (abi.PointStruct * 8)()
    request = abi.ListStruct(what=abi.List.POINTS, count=8, buffer=ctypes.addressof(room))
    assert raw.ask(held.descriptor, abi.Ioctl.LIST, request) == 0 and request.count == 1
    return room[0].address


def test_points_hide_addresses_from_who_may_not_see_them(held):
    assert point_address(held) > 2**63

    def child() -> int:
        raw.drop_rights()
        return point_address(held) != 0

    assert raw.in_child(child) == 0


def test_points_hide_addresses_where_the_kernel_does(held):
    """The specification: 0 where the kernel hides addresses."""
    knob = Path("/proc/sys/kernel/kptr_restrict")
    before = knob.read_text()
    try:
        knob.write_text("2")
        assert point_address(held) == 0
    finally:
        knob.write_text(before)


def test_what_is_no_ioctl(held):
    for call in (lambda: os.read(held.descriptor, 10), lambda: os.write(held.descriptor, b"x")):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.errno == errno.EINVAL
    with pytest.raises(OSError) as caught:
        os.lseek(held.descriptor, 0, os.SEEK_SET)
    assert caught.value.errno == errno.ESPIPE
    with pytest.raises(OSError) as caught:
        mmap.mmap(held.descriptor, raw.PAGE)
    assert caught.value.errno == errno.ENODEV


def test_descriptors_that_only_read_or_only_write(held):
    for flags in (os.O_RDONLY, os.O_WRONLY):
        descriptor = os.open("/dev/sct", flags)
        assert raw.version(descriptor).generation == held.generation
        os.close(descriptor)


def test_random_arguments(held):
    """Structures of random bytes for every request that only asks."""
    chance, memory = random.Random(5), raw.Memory(64)
    for _ in range(3000):
        name = chance.choice(["VERSION", "DOWNLOAD", "LIST", "UPLOAD"])
        struct = GIVING[name].from_buffer_copy(chance.randbytes(ctypes.sizeof(GIVING[name])))
        if name == "LIST" and chance.random() < 0.9:
            struct.what = chance.randrange(6)
            struct.buffer = chance.choice((memory.start, chance.getrandbits(64) | 1 << 63))
            struct.count %= 200
        if name in ("DOWNLOAD", "UPLOAD"):
            field = "buffer" if name == "DOWNLOAD" else "image"
            setattr(struct, field, chance.choice((memory.start, memory.end, chance.getrandbits(64) | 1 << 63)))
        if name == "UPLOAD":
            struct.size %= 2 * memory.size
            struct.flags %= 8
        result = raw.ask(held.descriptor, getattr(abi.Ioctl, name), struct)
        assert result in (0, errno.EFAULT, errno.EINVAL, errno.ENOSPC, errno.ESTALE) and not (name == "UPLOAD" and result == 0)
