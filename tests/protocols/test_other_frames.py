"""Frames beyond the published vectors, computed here by hand from the protocols' descriptions."""

from functools import reduce
from typing import Any

import pytest

from protocols.decode import anatomy, decode

EPC = "e200001d7315016521408fc6"
PC_EPC_CRC = f"3000{EPC}b83e"
"""A captured tag; its CRC covers PC and EPC."""


def a0(body: str) -> str:
    """An R2000 frame around address, command and data."""
    raw = bytes.fromhex(body)
    framed = bytes((0xA0, len(raw) + 1)) + raw
    return (framed + bytes((-sum(framed) & 0xFF,))).hex()


def bb(type_: int, code: int, param: str) -> str:
    """An M100 frame."""
    raw = bytes.fromhex(param)
    body = bytes((type_, code)) + len(raw).to_bytes(2) + raw
    return f"bb{body.hex()}{sum(body) & 0xFF:02x}7e"


def crc16(data: bytes) -> int:
    """CRC-16/MCRF4XX, bit by bit."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc


def cf(address: int, code: int, data: str) -> str:
    """A Chafon CF frame."""
    raw = bytes.fromhex(data)
    body = bytes((0xCF, address)) + code.to_bytes(2) + bytes((len(raw),)) + raw
    return (body + crc16(body).to_bytes(2)).hex()


def uhf(body: str) -> str:
    """A UHFReader frame around address, command and data."""
    raw = bytes.fromhex(body)
    framed = bytes((len(raw) + 2,)) + raw
    return (framed + crc16(framed).to_bytes(2, "little")).hex()


def ti(code: int, data: str) -> str:
    """A TI S6350 frame."""
    raw = bytes.fromhex(data)
    body = b"\x01" + (9 + len(raw)).to_bytes(2, "little") + b"\0\0\0" + bytes((code,)) + raw
    xor = reduce(int.__xor__, body)
    return (body + bytes((xor, xor ^ 0xFF))).hex()


ROUND = uhf(f"000103050 10c{EPC}40".replace(" ", ""))
DONE = uhf("0001010100")
HONEYWELL = "020d" + b"]E0".hex() + b"6901234567892".hex().ljust(112, "0") + "640000"
TI_TAG = "00008014c012000007e0"
COMMAND_OF_A_ROUND = {
    "adr": 0,
    "cmd": "0x01",
    "cmd_name": "inventory",
    "q": 4,
    "session": 0,
}

TELLS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "r2000_a0",
        a0(f"0190000210{PC_EPC_CRC}450403"),
        {"tag_count": 2, "pc": "3000", "epc": EPC, "gen2_crc": "b83e", "gen2_crc_ok": True}
        | {"rssi_raw": 0x45, "rssi_dbm": -60, "antenna": 1, "freq_mhz": 865.5, "count": 3},
    ),
    (
        "r2000_a0",
        a0(f"0181000114{PC_EPC_CRC}11223344040101"),
        {"epc": EPC, "gen2_crc_ok": True, "data": "11223344", "read_len": 4, "antenna": 2},
    ),
    ("r2000_a0", a0(f"0182000110{PC_EPC_CRC[:-4]}0000100001"), {"gen2_crc_ok": False}),
    (
        "m100_bb",
        bb(0, 0x39, "000000000300020004"),
        {"bank": "User", "word_addr": 2, "word_count": 4},
    ),
    ("chafon_cf", cf(0xFF, 0x0063, "011e1e1e1e"), {"cmd": "0x0063", "data": "011e1e1e1e"}),
    ("chafon_cf", cf(0, 0x0063, "001e1e1e1e"), {"status": 0, "data": "1e1e1e1e"}),
    (
        "uhfreader288",
        ROUND,
        {"antennas": [1, 3], "antenna_mask": 5, "tags": [{"epc": EPC, "rssi_raw": 0x40}]},
    ),
    ("uhfreader288", f"560000000000{ROUND}{DONE}", {"frames": 2, "tags": [EPC], "end_status": 1}),
    (
        "uhfreader288",
        uhf("00010400") + ROUND,
        {"frames": 2, "tags": [EPC], "commands": [COMMAND_OF_A_ROUND]},
    ),
    ("uhfreader18", uhf(f"000506{EPC}12345678"), {"epc": EPC, "password": "12345678"}),
    (
        "uhfreader18",
        uhf(f"000606{EPC}040200000000"),
        {"epc": EPC, "area": "user", "protection": "with password", "password": "00000000"},
    ),
    (
        "uhfreader18",
        uhf(f"000706{EPC}03000400000000"),
        {"epc": EPC, "bank": "user", "word_addr": 0, "word_count": 4},
    ),
    ("llrp", "043d0000000a00000007", {"type": "RO_ACCESS_REPORT", "tags": []}),
    ("hid_pos_8c", HONEYWELL, {"count": 13, "data": "6901234567892", "continued": False}),
    ("pn532", "00000000000000ff02fed4022a00", {"cmd": "GetFirmwareVersion"}),
    ("iso15693_serial", ti(0x60, f"01000000{TI_TAG}"), {"uid": "e007000012c01480"}),
]
LIES: list[tuple[str, str, str]] = [
    ("r2000_a0", a0(f"0190000110{PC_EPC_CRC[:-2]}450403"), "tag of the buffer"),
    ("r2000_a0", a0(f"0190000110{PC_EPC_CRC.replace('3000', '1800', 1)}450403"), "announces"),
    ("m100_bb", bb(1, 0x39, f"0e1000{EPC}1234"), "the PC tells an EPC of 4 bytes, UL one of 12"),
    ("m100_bb", bb(2, 0x22, "c9000000"), "tag"),
    ("iso15693_serial", "500003a1060000f5", "wrong checksum f5, expected f4"),
    ("iso15693_serial", "260100f60b", "wrong checksum f60b, expected f60a of an ISO 15693 air"),
    ("iso15693_serial", "500004a1060000f4", "8 bytes, more are announced"),
    ("iso15693_serial", ti(0x60, f"03000000{TI_TAG}"), "2 valid slots, 1 tags"),
    ("hid_pos_8c", HONEYWELL[:-4], "no HID POS report"),
    ("hid_pos_8c", HONEYWELL[:-2], "no HID POS report"),
    ("aim_gs1", "", "empty"),
]


@pytest.mark.parametrize(("protocol", "frame", "expected"), TELLS)
def test_a_proven_frame_tells_its_fields(
    protocol: str, frame: str, expected: dict[str, Any]
) -> None:
    found = decode(frame, frame=protocol)
    assert found.error is None
    assert {name: found.fields.get(name) for name in expected} == expected


def test_a_reply_that_begins_like_a_whole_command_is_one_frame() -> None:
    both = "ff0197024bbfccbd"
    found = decode(both, frame="thingmagic_serial")
    assert (found.valid, found.fields["direction"]) == (True, "device>host")
    assert "".join(part.raw for part in anatomy(both, found)).replace(" ", "") == both


@pytest.mark.parametrize(("protocol", "frame", "reason"), LIES)
def test_what_contradicts_itself_is_refused_with_the_true_reason(
    protocol: str, frame: str, reason: str
) -> None:
    found = decode(frame, frame=protocol)
    assert not found.valid
    assert reason in (found.error or "")
