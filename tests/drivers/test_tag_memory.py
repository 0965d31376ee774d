"""What reading and writing the memory of a Gen2 tag has in common, whatever reader does it."""

import pytest

from drivers.contract import DriverError, MemoryArea
from drivers.rfid.memory import check, check_write, epc_after, the_one

TAG = bytes.fromhex("e280689400005005b2210861")
UID = TAG.hex().upper()


@pytest.mark.parametrize(
    ("start", "data", "after"),
    [
        (2, bytes.fromhex("112233445566778899aabbcc"), "112233445566778899aabbcc"),
        (4, b"\xab\xcd", "e2806894abcd5005b2210861"),
        (1, b"\x10\x00", "e2806894"),
        (1, b"\x20\x00\x01\x02\x03\x04", "0102030400005005"),
        (7, b"\x00\x01\x00\x02", "e280689400005005b2210001"),
        (8, b"\x12\x34", "e280689400005005b2210861"),
    ],
)
def test_a_write_to_the_epc_bank_says_the_name_of_the_tag_afterwards(
    start: int, data: bytes, after: str
) -> None:
    assert epc_after(TAG, MemoryArea("epc", start, len(data) // 2, UID), data).hex() == after


def test_a_write_to_any_other_bank_changes_no_name() -> None:
    assert epc_after(TAG, MemoryArea("user", 2, 1, UID), b"\x00\x00") == TAG


def test_the_one_tag_is_the_named_one_or_the_only_one() -> None:
    other = b"\x01\x02"
    assert the_one({TAG, other}, UID.lower()) == TAG
    assert the_one({TAG}, "") == TAG
    with pytest.raises(DriverError, match=f"not in the field; seen: {UID}"):
        the_one({TAG}, "0102")
    with pytest.raises(DriverError, match="several tags in the field: 0102, E28"):
        the_one({TAG, other}, "")
    with pytest.raises(DriverError, match="no tag"):
        the_one(set(), "")
    with pytest.raises(DriverError, match="not hex"):
        the_one({TAG}, "0x12")


@pytest.mark.parametrize(
    "area",
    [
        MemoryArea("user", 0, 0),
        MemoryArea("user", 0, 33),
        MemoryArea("user", -1, 1),
        MemoryArea("user", 256, 1),
        MemoryArea("user", 0, 1, password=1 << 32),
    ],
)
def test_an_area_that_no_command_can_name_is_refused(area: MemoryArea) -> None:
    with pytest.raises(DriverError):
        check(area, words_max=32)


def test_a_write_names_its_tag_and_fills_its_area() -> None:
    check_write(MemoryArea("user", 0, 1, UID), b"\x00\x00", words_max=32)
    for area, data in (
        (MemoryArea("user", 0, 1), b"\x00\x00"),
        (MemoryArea("user", 0, 1, UID), b"\x00"),
        (MemoryArea("tid", 0, 1, UID), b"\x00\x00"),
    ):
        with pytest.raises(DriverError):
            check_write(area, data, words_max=32)
