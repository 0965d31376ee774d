import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.framing import FrameError, Noise
from protocols.readers.llrp import (
    MESSAGE_BYTES_MAX,
    Bits,
    Message,
    Param,
    capabilities,
    commands,
    decode,
    device,
    encode,
    fields,
    new_framer,
    status,
    tags,
)
from protocols.readers.llrp.device import Sight

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"] == "llrp"]
VALID = [v for v in VECTORS if v["valid"]]
WHOLE = [v for v in VALID if not v["name"].endswith("_payload") and "_payload_" not in v["name"]]
ONE = [v for v in WHOLE if "stream" not in v["name"]]
EPC = bytes.fromhex("3005fb63ac1f3841ec880467")


def raw(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["hex"])


def name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def custom(payload: bytes, vendor: int = 25_882, subtype: int = 57) -> Param:
    return Param("Custom", {"vendor_id": vendor, "subtype": subtype, "payload": payload})


@pytest.mark.parametrize("vector", VALID, ids=name)
def test_every_golden_message_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    found = fields(raw(vector))
    assert found.get("direction", vector["direction"]) == vector["direction"]
    for key, value in vector["decoded"].items():
        if key != "note":
            assert found[key] == value, key


@pytest.mark.parametrize("vector", [v for v in VECTORS if not v["valid"]], ids=name)
def test_every_golden_negative_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(FrameError, match="header alone needs 10"):
        fields(raw(vector))


@pytest.mark.parametrize("vector", ONE, ids=name)
def test_every_golden_message_encodes_to_the_same_bytes(vector: dict[str, Any]) -> None:
    assert encode(decode(raw(vector))) == raw(vector)


@pytest.mark.parametrize("vector", ONE, ids=name)
def test_no_cut_and_no_longer_message_is_ever_accepted(vector: dict[str, Any]) -> None:
    frame = raw(vector)
    for size in range(len(frame)):
        with pytest.raises(FrameError):
            fields(frame[:size])
    with pytest.raises(FrameError):
        decode(frame + b"\x00")


@pytest.mark.parametrize("seed", range(6))
def test_all_golden_messages_come_out_of_one_stream_with_garbage_between(seed: int) -> None:
    rng = random.Random(seed)
    expected = [raw(v) for v in ONE]
    rng.shuffle(expected)
    framer = new_framer()
    stream = b"".join(
        bytes(rng.randrange(4) for _ in range(rng.randrange(9))) + one for one in expected
    )
    pieces = []
    while stream:
        size = rng.randrange(1, 30)
        pieces += framer.feed(stream[:size])
        stream = stream[size:]
    assert [p for p in pieces + framer.idle() if isinstance(p, bytes)] == expected


NO_START = st.sampled_from([byte for byte in range(256) if not 0x04 <= byte < 0x0C])


@given(st.lists(NO_START, max_size=40).map(bytes), st.data())
def test_a_message_after_any_garbage_comes_out(garbage: bytes, data: st.DataObject) -> None:
    good = device.report([Sight(EPC)])
    framer = new_framer()
    stream = garbage + good
    cut = data.draw(st.integers(0, len(stream)))
    pieces = framer.feed(stream[:cut]) + framer.feed(stream[cut:]) + framer.idle()
    whole = b"".join(p.raw if isinstance(p, Noise) else p for p in pieces)
    assert whole == stream
    assert [p for p in pieces if isinstance(p, bytes)] == [good]


def test_a_message_behind_a_false_start_comes_out_once_the_line_is_silent() -> None:
    framer = new_framer()
    good = device.report([Sight(EPC)])
    assert framer.feed(bytes.fromhex("07ff00000200") + good) == []
    assert framer.idle()[-1] == good


def test_a_length_that_lies_is_noise_and_costs_nothing_behind_it() -> None:
    lying = bytes.fromhex("043d7fffffff00000001")
    good = device.keepalive(3)
    framer = new_framer()
    pieces = framer.feed(lying + good)
    assert pieces[-1] == good
    assert isinstance(pieces[0], Noise)
    assert pieces[0].reason == f"message length 2147483647; expected 10..{MESSAGE_BYTES_MAX}"


@pytest.mark.parametrize("lie", ["0000fff0", "00000100", "00000037", "0000001f", "00000021"])
def test_a_length_that_lies_costs_one_message_even_when_the_line_is_never_silent(lie: str) -> None:
    good = [device.report([Sight(EPC)], number) for number in range(20)]
    lying = good[0][:2] + bytes.fromhex(lie) + good[0][6:]
    pieces = new_framer().feed(lying + b"".join(good))
    assert [p for p in pieces if isinstance(p, bytes)] == good
    assert isinstance(pieces[0], Noise)
    assert pieces[0].reason.startswith("parameters do not fi")


def test_a_message_without_content_has_exactly_its_header() -> None:
    pieces = new_framer().feed(bytes.fromhex("043e0000000b0000000500") + device.keepalive(1))
    assert isinstance(pieces[0], Noise)
    assert pieces[0].reason == "message length 11; KEEPALIVE has 10"
    assert pieces[-1] == device.keepalive(1)


def test_the_longest_message_is_taken_and_a_longer_one_refused() -> None:
    room = MESSAGE_BYTES_MAX - len(device.keepalive()) - 5
    body = Param("", {"vendor_id": 1, "subtype": 2, "payload": bytes(room)})
    frame = encode(Message("CUSTOM_MESSAGE", 1, body))
    assert len(frame) == MESSAGE_BYTES_MAX
    assert new_framer().feed(frame) == [frame]
    longer = encode(dataclasses.replace(decode(frame), body=_one_longer(body)))
    assert not [p for p in new_framer().feed(longer) if isinstance(p, bytes)]


def _one_longer(body: Param) -> Param:
    payload = body.values["payload"]
    assert isinstance(payload, bytes)
    return Param("", {**body.values, "payload": payload + b"\0"})


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("043e0000000b00000005", "message length 11, 10 bytes present"),
        ("003e0000000a00000005", "LLRP version 0"),
        ("0c3e0000000a00000005", "LLRP version 3"),
        ("243e0000000a00000005", "reserved bits"),
        ("043d0000000f0000000100f00005ff", "unknown TV parameter type 127"),
        ("04140000000a00000001", "ro_spec"),
        ("04640000001400000001011f000a00000002ffff", "UTF-8"),
        ("043d0000000e0000000100f00002", "below the 4-byte minimum"),
        ("043d0000000e0000000100f000ff", "overruns"),
        ("07ff0000000c000000010000", "too short"),
        ("00f6000400", "missing required"),
        ("011f0003", "below the 4-byte minimum"),
    ],
)
def test_broken_messages_are_refused_with_their_reason(frame: str, reason: str) -> None:
    with pytest.raises(FrameError, match=reason):
        fields(bytes.fromhex(frame))


def test_nesting_without_end_is_refused() -> None:
    body = b""
    for _ in range(3000):
        body = b"\x00\xf0" + (4 + len(body)).to_bytes(2, "big") + body
    frame = b"\x04\x3d" + (10 + len(body)).to_bytes(4, "big") + bytes(4) + body
    with pytest.raises(FrameError, match="nested"):
        decode(frame)
    inner = Param("TagReportData", params=(Param("EPC_96", {"epc": bytes(12)}),))
    for _ in range(20):
        inner = Param("TagReportData", params=(Param("EPC_96", {"epc": bytes(12)}), inner))
    with pytest.raises(FrameError, match="nested more than"):
        decode(commands.build("RO_ACCESS_REPORT", 1, Param("", params=(inner,))))


@given(
    st.integers(0, 4 * 496).flatmap(
        lambda bits: st.tuples(
            st.just(bits), st.binary(min_size=(bits + 7) // 8, max_size=(bits + 7) // 8)
        )
    )
)
def test_an_epc_of_any_length_in_bits_survives(epc: tuple[int, bytes]) -> None:
    bits, packed = epc
    frame = device.report([Sight(packed, epc_bits=bits)])
    (seen,) = tags(decode(frame))
    assert (seen.epc_bits, seen.epc) == (bits, packed)
    (tag,) = fields(frame)["tags"]
    assert tag["epc"] == packed.hex()
    assert ("epc_bits" in tag) == (bits != 96)


@given(st.lists(st.integers(-128, 127), max_size=5), st.integers(0, 65_535))
def test_signed_rssi_and_antennas_survive_a_round_trip(rssi: list[int], antenna: int) -> None:
    frame = device.report([Sight(EPC, antenna, one) for one in rssi])
    assert [(seen.antenna, seen.rssi_cdbm) for seen in tags(decode(frame))] == [
        (antenna, 100 * one) for one in rssi
    ]


def test_the_makers_finer_rssi_wins_and_a_firmware_that_adds_to_it_is_tolerated() -> None:
    fine = Param("ImpinjPeakRSSI", {"rssi": -4250})
    frame = device.report([Sight(EPC, extra=(fine,))])
    assert tags(decode(frame))[0].rssi_cdbm == -4250
    assert fields(frame)["tags"][0]["impinj_peak_rssi_cdbm"] == -4250
    longer = device.report([Sight(EPC, extra=(custom(b"\xef\x66\x01\x02\x03"),))])
    assert tags(decode(longer))[0].rssi_cdbm == -5000
    assert "ef66010203" in json.dumps(fields(longer))


def test_vendor_and_unknown_parameters_are_kept_and_shown() -> None:
    unknown = Param("Unknown", {"param_type": 500, "payload": b"\xaa\xbb"})
    sight = Sight(EPC, extra=(custom(b"\xde\xad", vendor=666, subtype=42), unknown))
    frame = device.report([sight])
    assert encode(decode(frame)) == frame
    shown = fields(frame)["tags"][0]["parameters"]
    assert {"parameter": "Custom", "vendor_id": 666, "subtype": 42, "payload": "dead"} in shown
    assert {"parameter": "Unknown", "param_type": 500, "payload": "aabb"} in shown


def test_custom_messages_and_messages_of_later_standards_are_shown() -> None:
    found = fields(bytes.fromhex("07ff00000011000000010000029a2adead"))
    assert found["type"] == "CUSTOM_MESSAGE"
    assert (found["vendor_id"], found["subtype"], found["payload"]) == (666, 42, "dead")
    impinj = fields(bytes.fromhex("07ff00000013000000020000651a1500000000"))
    assert (impinj["type"], impinj["vendor_id"], impinj["subtype"]) == ("CUSTOM_MESSAGE", 25882, 21)
    later = bytes.fromhex("052c0000000d00000009010203")
    assert fields(later)["type"] == "TYPE_300"
    assert encode(decode(later)) == later


def test_version_1_1_and_its_xpc_words_are_read() -> None:
    frame = bytes.fromhex("083e0000000a00000001")
    assert fields(frame)["version"] == 2
    assert encode(decode(frame)) == frame
    extra = (Param("C1G2_PC", {"pc_bits": 0x3400}), Param("C1G2XPCW1", {"xpc": 0x0123}))
    (tag,) = fields(device.report([Sight(EPC, extra=extra)]))["tags"]
    assert (tag["pc"], tag["xpc_w1"]) == ("0x3400", "0x0123")


def test_results_of_access_are_told_by_name_and_unknown_codes_stay_numbers() -> None:
    read = device.op_result("C1G2Read", 7, 0, b"\x12\x34\x56\x78")
    failed = device.op_result("C1G2Write", 8, 2)
    odd = device.op_result("C1G2Write", 9, 77)
    frame = device.report([Sight(EPC, extra=(read, failed, odd))])
    results = tags(decode(frame))[0].results
    assert [(r.op_id, r.code, r.text, r.data) for r in results] == [
        (7, 0, "Success", b"\x12\x34\x56\x78"),
        (8, 2, "Tag_Memory_Locked_Error", b""),
        (9, 77, "77", b""),
    ]
    shown = fields(frame)["tags"][0]["results"]
    assert shown[0] == {
        "operation": "C1G2Read",
        "opspec_id": 7,
        "result": "Success",
        "data": "12345678",
    }


def test_capabilities_tell_the_power_table_of_a_captured_reader() -> None:
    (vector,) = [v for v in VALID if v["name"].startswith("impinj_get_reader_capabilities")]
    payload = raw(vector)
    frame = b"\x04\x0b" + (10 + len(payload)).to_bytes(4, "big") + bytes(4) + payload
    found = capabilities(decode(frame))
    assert (found.maker, found.antennas, found.firmware) == (25_882, 4, "5.14.0.240")
    assert (found.powers_cdbm[1], found.powers_cdbm[81], len(found.powers_cdbm)) == (1000, 3000, 81)
    assert found.hop_table == 1


def test_a_refusal_says_its_reason() -> None:
    answer = decode(device.response("ADD_ROSPEC_RESPONSE", 9, code=104, text="exists"))
    found = status(answer)
    assert found is not None
    assert (found.code, found.text, answer.message_id) == (104, "exists", 9)
    assert status(decode(device.keepalive())) is None


HOST = [
    commands.get_capabilities(1),
    commands.enable_impinj(2),
    commands.set_config(3, keepalive_ms=2000),
    commands.of_rospec("DELETE_ROSPEC", 4, commands.ALL_SPECS),
    commands.of_accessspec("DELETE_ACCESSSPEC", 5, commands.ALL_SPECS),
    commands.add_rospec(6, commands.Inventory((1, 3), 81, 1, 0, 2, each_tag=False, impinj=True)),
    commands.add_access(7, commands.Access(1, EPC, 3, 0, 2, 0x01020304)),
    commands.add_access(8, commands.Access(2, EPC, 3, 0, 1, data=b"\x12\x34")),
    commands.plain("GET_REPORT", 9),
]


@pytest.mark.parametrize("frame", HOST)
def test_what_we_say_decodes_and_encodes_to_the_same_bytes(frame: bytes) -> None:
    assert encode(decode(frame)) == frame
    assert fields(frame)["direction"] == "host>device"
    json.dumps(fields(frame))


def test_several_kinds_of_messages_back_to_back_are_laid_out_each() -> None:
    found = fields(device.keepalive(1) + device.report([Sight(EPC)] * 2) + device.keepalive(2))
    assert (found["messages"], found["tags"]) == (3, 2)
    assert found["lengths"] == "2 of 10 bytes and one of 54"
    assert [one["type"] for one in found["frames"]] == [
        "KEEPALIVE",
        "RO_ACCESS_REPORT",
        "KEEPALIVE",
    ]
    with pytest.raises(FrameError):
        fields(device.keepalive(1) + b"\x00" + device.keepalive(2))


@settings(max_examples=150)
@given(st.sampled_from(ONE), st.integers(0, 10_000), st.integers(0, 255))
def test_any_changed_byte_decodes_or_is_refused(vector: dict[str, Any], at: int, to: int) -> None:
    frame = bytearray(raw(vector))
    frame[at % len(frame)] = to
    try:
        json.dumps(fields(bytes(frame)))
    except FrameError:
        return


def test_values_are_frozen() -> None:
    message = decode(device.report([Sight(EPC)]))
    with pytest.raises(dataclasses.FrozenInstanceError):
        message.name = "x"  # type: ignore[misc]  # the point of the test
    assert Bits(1, b"\x80") == Bits(1, b"\x80")
