import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.checksums import genibus, lrc8, mcrf4xx, sum8, sum16c, tm_shift, x25, xmodem, xor8

CHECK = b"123456789"


def test_the_published_check_values_come_out() -> None:
    assert mcrf4xx(CHECK) == 0x6F91
    assert xmodem(CHECK) == 0x31C3
    assert x25(CHECK) == 0x906E
    assert xor8(CHECK) == 0x31
    assert lrc8(CHECK) == 0x23
    assert tm_shift(CHECK) == 0xA69D
    assert genibus(CHECK) == 0xD64E
    assert sum8(CHECK) == 0xDD


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff" * 300])
def test_the_fast_crc_equals_the_textbook_loop(data: bytes) -> None:
    assert mcrf4xx(data) == _by_the_book(data)


@given(st.binary(max_size=64))
def test_a_frame_with_its_crc_behind_it_has_crc_zero(data: bytes) -> None:
    assert mcrf4xx(data) == _by_the_book(data)
    assert mcrf4xx(data + mcrf4xx(data).to_bytes(2, "little")) == 0


@given(st.binary(max_size=64))
def test_data_and_its_complement_sum_up_to_zero(data: bytes) -> None:
    assert (sum(data) + sum16c(data)) & 0xFFFF == 0
    assert (sum(data) + lrc8(data)) & 0xFF == 0


@given(st.binary(max_size=64))
def test_the_fast_thingmagic_crc_equals_the_vendors_loop(data: bytes) -> None:
    crc = 0xFFFF
    for bit in "".join(f"{byte:08b}" for byte in data):
        crc = (crc << 1 | int(bit)) ^ (0x11021 if crc & 0x8000 else 0)
    assert tm_shift(data) == crc & 0xFFFF


def _by_the_book(data: bytes) -> int:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc
