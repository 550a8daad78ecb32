# SPDX-License-Identifier: GPL-2.0-only
"""Does the kernel refuse every image that is not whole, and keep the rules it has?"""

import ctypes
import os
import random
import zlib

import kernel
import pytest

from pysct import abi
from pysct.control import Control, Refused
from pysct.failures import Failure
from pysct.image import BEHIND_CRC

RULES = """
rule { syscall_name = unlinkat rule_name = one filter_expression { pathname == "/etc/x" && UID in { 1, 5..9 } || COMM =~ "a*[b-d]?" }
       action { type = LOG log_format { %comm %cwd } } continue = yes when = before }
rule { syscall_name = unlinkat, renameat2 rule_name = two filter_expression { EUID * 3 % 7 > 2 && PARAMS[2] contains "z" }
       action { type = FAIL error_code = EACCES } when = before }
rule { syscall_name = unlinkat rule_name = three filter_expression { RETVAL < 0 } action { type = LOG } when = after }
"""
HELD = 'rule { syscall_name = mkdirat rule_name = held action { type = LOG } filter_expression { COMM == "nobody" } when = before }'

UNLINKAT = -1
"""A directory, which lets Python remove a file by unlinkat() everywhere; the kernel ignores it where a path is absolute."""


@pytest.fixture
def held(loaded):
    """The control device, with a rule set in force that must stay."""
    with Control.open() as control:
        control.upload(kernel.compiled(HELD))
        yield control


def refused(control, data):
    generation = control.version().generation
    with pytest.raises(Refused) as caught:
        control.upload(data)
    assert caught.value.name and control.version().generation == generation
    return caught.value.name


def with_crc(data):
    return data[: BEHIND_CRC - 4] + zlib.crc32(data[BEHIND_CRC:]).to_bytes(4, "little") + data[BEHIND_CRC:]


def test_cut_short_anywhere(held):
    image = kernel.compiled(RULES)
    for size in range(len(image)):
        refused(held, image[:size])


def test_any_bit_flipped(held):
    image = kernel.compiled(RULES)
    for at in range(len(image)):
        flipped = bytearray(image)
        flipped[at] ^= 1 << (at % 8)
        refused(held, bytes(flipped))


def test_any_bit_flipped_and_the_checksum_made_to_fit(held):
    """Refused, or a rule set that means something else: never a fault.  Held rules stay unless it was taken."""
    image, chance, taken, reasons = kernel.compiled(RULES), random.Random(2), 0, set()
    source = abi.ImageStruct.from_buffer_copy(image).source.offset
    for at in range(BEHIND_CRC, source):
        flipped = bytearray(image)
        flipped[at] ^= 1 << chance.randrange(8)
        try:
            held.upload(with_crc(bytes(flipped)), dry_run=True)
            taken += 1
        except Refused as error:
            reasons.add(error.name)
        except Failure:
            pytest.fail(f"byte {at}: refused without a reason")
    assert len(reasons) >= 8, reasons
    assert held.counters()[0] and taken > 0


def test_taken_images_run(held):
    """Those that the verifier takes are put in force and met by calls."""
    image, chance = kernel.compiled(RULES.replace("continue = yes", "")), random.Random(3)
    insns = abi.ImageStruct.from_buffer_copy(image).insns
    for _ in range(60):
        flipped = bytearray(image)
        flipped[insns.offset + chance.randrange(insns.count * 8)] ^= 1 << chance.randrange(8)
        try:
            held.upload(with_crc(bytes(flipped)))
        except Refused:
            continue
        for path in ("/etc/x", "/nothing", "z"):
            try:
                os.unlink("/nonexistent/" + path, dir_fd=UNLINKAT)
            except OSError:
                pass


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"SCT1", bytes(72), bytes(1 << 20), b"\xff" * 4096, b"SCT1" + b"\xff" * 4092], ids=len
)
def test_what_is_no_image(held, data):
    refused(held, data)


def test_sizes_that_cannot_be(held):
    image = kernel.compiled(RULES)
    buffer = (ctypes.c_uint8 * len(image)).from_buffer_copy(image)
    for size in (0, 1, 71, 72, len(image) - 1, len(image) + 1, abi.Limit.IMAGE + 1, 2**32 - 1):
        request = abi.UploadStruct(image=ctypes.addressof(buffer), size=size)
        with pytest.raises(Failure):
            held._ask(abi.Ioctl.UPLOAD, request)


@pytest.mark.parametrize("address", [0, 8, 2**47, 2**64 - 4096, 0xFFFFFFFF81000000])
def test_addresses_that_cannot_be(held, address):
    for request, argument in (
        (abi.Ioctl.UPLOAD, abi.UploadStruct(image=address, size=4096)),
        (abi.Ioctl.DOWNLOAD, abi.DownloadStruct(buffer=address, size=1 << 20)),
        (abi.Ioctl.LIST, abi.ListStruct(what=abi.List.COUNTERS, count=16, buffer=address)),
    ):
        with pytest.raises(Failure, match="Bad address"):
            held._ask(request, argument)


@pytest.mark.parametrize("what", [0, 6, 255, 2**32 - 1])
def test_lists_that_there_are_not(held, what):
    with pytest.raises(Failure, match="Invalid argument"):
        held._ask(abi.Ioctl.LIST, abi.ListStruct(what=what, count=0))


def test_flags_that_there_are_not(held):
    with pytest.raises(Failure, match="Invalid argument"):
        held._ask(abi.Ioctl.UPLOAD, abi.UploadStruct(flags=4))


def test_lists_of_absurd_length(held):
    room = (ctypes.c_uint8 * (64 * 4096))()
    for what in (1, 2, 3, 4):
        request = abi.ListStruct(what=what, first=2**32 - 1, count=2**32 - 1, buffer=ctypes.addressof(room))
        held._ask(abi.Ioctl.LIST, request)
        assert request.count == 0


def test_many_rules(held):
    """Two thousand rules of one call, of which the last one matches."""
    text = "".join(
        f'rule {{ syscall_name = unlinkat rule_name = r{n} filter_expression {{ pathname == "/nowhere/{n}" }}'
        " action { type = FAIL error_code = EROFS } when = before }\n"
        for n in range(2000)
    )
    held.upload(kernel.compiled(text))
    with pytest.raises(OSError, match="Read-only"):
        os.unlink("/nowhere/1999", dir_fd=UNLINKAT)
    assert held.counters()[0][1999].failed == 1
