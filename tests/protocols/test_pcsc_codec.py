import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import anatomy, decode
from protocols.framing import FrameError
from protocols.readers import pcsc
from protocols.readers.pcsc_formats import fields

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"] == "pcsc"]
TOLD = {v["name"]: bytes.fromhex(v["hex"]) for v in VECTORS}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_golden_message_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    found = fields(bytes.fromhex(vector["hex"]))
    assert found["direction"] == vector["direction"]
    assert {key: found.get(key) for key in vector["decoded"]} == vector["decoded"]
    named = decode(vector["hex"], frame="pcsc")
    assert named.valid
    assert anatomy(vector["hex"], named)


def test_the_golden_messages_build_to_the_same_bytes() -> None:
    assert pcsc.build_storage_atr(0x03, 0x0003) == TOLD["atr_ultralight"]
    assert TOLD["apdu_get_uid"] == pcsc.GET_UID
    assert pcsc.read_binary(4, 16) == TOLD["apdu_read_16_from_4"]


def test_no_flipped_bit_of_an_atr_is_accepted_and_no_cut_is() -> None:
    atr = TOLD["atr_ultralight"]
    for bit in range(8, len(atr) * 8):
        broken = bytearray(atr)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            pcsc.decode_atr(bytes(broken))
    for size in range(len(atr)):
        with pytest.raises(FrameError):
            pcsc.decode_atr(atr[:size])
    with pytest.raises(FrameError, match="announced"):
        pcsc.decode_atr(atr + b"\x00")


def test_a_wrong_tck_says_what_it_should_be() -> None:
    with pytest.raises(FrameError, match="TCK 69, expected 68"):
        fields(TOLD["atr_ultralight"][:-1] + b"\x69")


@pytest.mark.parametrize(
    ("standard", "card", "told"),
    [
        (0x03, 0x0001, ("0x03 ISO 14443A-3", "0x0001 Mifare 1K")),
        (0x03, 0x0002, ("0x03 ISO 14443A-3", "0x0002 Mifare 4K")),
        (0x0B, 0x0014, ("0x0B ISO 15693-3", "0x0014 ICODE SLI")),
        (0x7F, 0x7777, ("0x7F", "0x7777")),
    ],
)
def test_storage_cards_are_named_and_unknown_numbers_stay(
    standard: int, card: int, told: tuple[str, str]
) -> None:
    found = fields(pcsc.build_storage_atr(standard, card))
    assert (found["standard"], found["card"]) == told


def test_an_atr_without_check_byte_is_one_of_protocol_0_only() -> None:
    found = fields(bytes.fromhex("3b021450"))
    assert found["historical"] == "1450"
    assert "tck" not in found


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("ffca010000", {"apdu": "GET DATA ATS"}),
        ("ffd6000404deadbeef", {"apdu": "UPDATE BINARY", "block": 4, "data": "deadbeef"}),
        ("ff860000050100076000", {"apdu": "AUTHENTICATE", "block": 7, "key": "A"}),
        ("ff00520000", {"apdu": "ACR122 no beep"}),
        ("ff00000004d44a0100", {"apdu": "DIRECT TRANSMIT", "data": "04d44a0100"}),
        ("00a4040000", {"apdu": "SELECT"}),
        ("9000", {"sw": "9000", "meaning": "9000 ok"}),
        ("042233449000", {"data": "04223344"}),
        ("6300", {"meaning": "6300 failed"}),
        ("6a81", {"meaning": "6a81 not supported"}),
        ("6700", {"meaning": "6700 wrong length"}),
        ("6c10", {"meaning": "6c10 wrong length, 16 would be right"}),
        ("6f050000000005000000ffca000000", {"apdu": "ffca000000 GET DATA UID", "seq": 5}),
        ("80020000000005000000" + "9000", {"data": "9000", "icc": "active"}),
        ("81000000000002000000", {"ccid": "RDR_to_PC_SlotStatus", "icc": "active"}),
    ],
)
def test_messages_are_told_in_words(raw: str, told: dict[str, Any]) -> None:
    assert told.items() <= fields(bytes.fromhex(raw)).items()


@pytest.mark.parametrize("raw", ["", "ff", "ffb000", "ffb0000410ff", "6f05000000", "1234", "3b"])
def test_what_is_none_of_them_is_refused(raw: str) -> None:
    with pytest.raises(FrameError):
        fields(bytes.fromhex(raw))


def test_a_ccid_length_that_lies_is_refused() -> None:
    with pytest.raises(FrameError, match="CCID"):
        fields(bytes.fromhex("6fff0000000000000000ff00480000"))


def test_a_key_is_never_told() -> None:
    found = decode("ff82000006a1a2a3a4a5a6", frame="pcsc")
    assert "a1a2" not in json.dumps(dict(found.fields))


@given(st.integers(0, 255), st.integers(0, 0xFFFF))
def test_storage_atrs_survive_a_round_trip(standard: int, card: int) -> None:
    atr = pcsc.decode_atr(pcsc.build_storage_atr(standard, card))
    assert (atr.standard, atr.card) == (standard, card)


@given(st.binary(max_size=80))
def test_anything_decodes_or_is_refused(raw: bytes) -> None:
    try:
        found = fields(raw)
    except FrameError:
        return
    json.dumps(found)
