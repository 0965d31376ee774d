"""HID POS: descriptors, reports, joined scans, commands; golden bytes with their provenance."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import anatomy, decode
from protocols.framing import FrameError, Noise
from protocols.scanners.hid_descriptor import (
    DESCRIPTOR_BYTES_MAX,
    PUSHED_MAX,
    USAGES_MAX,
    parse_descriptor,
)
from protocols.scanners.hid_pos import (
    COMMAND_BYTES_MAX,
    COUNTED,
    HONEYWELL,
    PLAIN,
    TRIGGER_OFF,
    TRIGGER_ON,
    Code,
    Joiner,
    Layout,
    Piece,
    build_command,
    build_report,
    build_reports,
    decode_command,
    layout_from,
    read_report,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = {v["name"]: v for v in GOLDEN if v["protocol"] == "hid_pos_8c"}
REPORTS = [v for v in VECTORS.values() if "continued" in v["decoded"]]
PLAIN_DESCRIPTOR = bytes.fromhex(VECTORS["descriptor_plain"]["hex"])
COUNTED_DESCRIPTOR = bytes.fromhex(
    "058c0902a101850209 12a102150026ff0075089501 0501093b8102 9503058c09fb09fc09fd8102"
    "953809fe820201 250175019501 09ff8102 75078103 c0c0"
)
"""A byte count before, the identifier as one field of three usages, a nested collection."""
UNNUMBERED_DESCRIPTOR = bytes.fromhex(
    "058c0902a101150026ff007508 a4 9503 1bfb008c00 2bfd008c00 8102 b4 953f09fe8102 c0"
)
"""No report id, no flag, no count; usages with their page, a range, push and pop."""
KEYBOARD = bytes.fromhex(next(v["hex"] for v in GOLDEN if v["name"] == "boot_keyboard_descriptor"))
LAYOUTS = [PLAIN, COUNTED, HONEYWELL, Layout(0, 64, (0, 1, 2), data=3, data_bytes=61)]


@pytest.mark.parametrize("vector", VECTORS.values(), ids=lambda v: v["name"])
def test_every_golden_message_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    found = decode(vector["hex"], frame="hid_pos_8c")
    assert found.valid, found.error
    assert found.fields == vector["decoded"]
    parts = anatomy(vector["hex"], found)
    assert "".join(part.raw for part in parts).replace(" ", "") == vector["hex"]


def test_the_trigger_is_built_byte_for_byte() -> None:
    assert build_command(TRIGGER_ON).hex() == VECTORS["trigger_on_cmd"]["hex"]
    assert decode_command(build_command(TRIGGER_OFF)) == (3, TRIGGER_OFF)


def test_a_published_command_whose_length_is_wrong_is_shown_as_it_is() -> None:
    found = decode("fd0f164d0d524556494e462e", frame="hid_pos_8c").fields
    assert (found["len"], found["cmd"]) == (15, "SYN M CR REVINF.")
    assert "beyond" in found["meaning"]
    assert decode("fd0316540d" + "00" * 59, frame="hid_pos_8c").valid
    assert not decode("fd0316540d31", frame="hid_pos_8c").valid


@given(st.binary(min_size=1, max_size=COMMAND_BYTES_MAX))
def test_commands_go_both_ways(command: bytes) -> None:
    assert decode_command(build_command(command)) == (len(command), command)


def test_the_layout_is_read_from_the_descriptor() -> None:
    assert layout_from(PLAIN_DESCRIPTOR) == PLAIN
    assert layout_from(COUNTED_DESCRIPTOR) == COUNTED
    assert layout_from(UNNUMBERED_DESCRIPTOR) == Layout(0, 66, (0, 1, 2), data=3, data_bytes=63)
    found = decode(COUNTED_DESCRIPTOR.hex(), frame="hid_pos_8c").fields
    assert (found["count_offset_bytes"], found["data_offset_bytes"]) == (1, 5)


def test_a_keyboard_is_no_pos_scanner() -> None:
    with pytest.raises(FrameError, match="not HID POS"):
        layout_from(KEYBOARD)


def test_a_descriptor_cut_anywhere_is_refused_or_says_less_but_never_other() -> None:
    for cut in range(len(PLAIN_DESCRIPTOR)):
        with pytest.raises(FrameError):
            parse_descriptor(PLAIN_DESCRIPTOR[:cut])


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "0 bytes"),
        (bytes(DESCRIPTOR_BYTES_MAX + 1), "bytes"),
        (b"\xc0", "never began"),
        (b"\xb4", "without a push"),
        (b"\xa4" * (PUSHED_MAX + 1), "pushes"),
        (b"\x85\x00", "report id 0"),
        (b"\x19\x00\x2a\xff\xff", f"more than {USAGES_MAX}"),
        (b"\x77\xff\xff\xff\x7f\x95\x01\x81\x02", "more than 32768 bits"),
        (b"\xfe\x05\x00", "cut off"),
    ],
)
def test_a_descriptor_that_lies_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(FrameError, match=said):
        parse_descriptor(raw)


def test_a_long_item_is_passed_over() -> None:
    assert layout_from(b"\xfe\x02\xf0\x01\x02" + PLAIN_DESCRIPTOR) == PLAIN


@given(st.binary(max_size=80))
def test_any_bytes_are_a_descriptor_or_refused(raw: bytes) -> None:
    try:
        parse_descriptor(raw)
    except FrameError:
        return


@given(
    st.sampled_from(LAYOUTS),
    st.sampled_from(["]C1", "]d2", "]Q3", "]E0"]),
    st.binary(min_size=1, max_size=400).filter(lambda b: not b.endswith(b"\0")),
)
def test_a_scan_of_any_length_comes_back_whole(layout: Layout, aim: str, data: bytes) -> None:
    if layout.continued_bit is None:
        data = data[: layout.data_bytes].rstrip(b"\0") or b"1"
    if layout.count is None:
        data = data.replace(b"\0", b"0")
    joiner = Joiner()
    found = []
    for report in build_reports(layout, Code(aim, data)):
        piece = read_report(layout, report)
        assert piece is not None
        found += joiner.feed(piece)
    assert found == [Code(aim, data)]
    assert not joiner.is_inside


def test_a_count_keeps_nuls_and_without_one_trailing_nuls_are_padding() -> None:
    piece = Piece("]Q1", b"a\0b\0", continued=True)
    assert read_report(COUNTED, build_report(COUNTED, piece)) == piece
    assert read_report(PLAIN, build_report(PLAIN, piece)) == Piece("]Q1", b"a\0b", continued=True)


def test_what_is_no_aim_identifier_is_left_out() -> None:
    for raw in (b"\0\0\0", b"abc", b"]\xff1", b"]\x001"):
        report = bytearray(build_report(PLAIN, Piece("]Q1", b"12", continued=False)))
        report[1:4] = raw
        assert read_report(PLAIN, bytes(report)) == Piece("", b"12", continued=False)


@pytest.mark.parametrize("vector", REPORTS, ids=lambda v: v["name"])
def test_a_truncated_report_and_a_lying_count_are_refused(vector: dict[str, Any]) -> None:
    whole = bytes.fromhex(vector["hex"])
    for cut in range(1, len(whole)):
        with pytest.raises(FrameError, match=f"of {cut} bytes"):
            read_report(HONEYWELL, whole[:cut])
    for cut in range(COUNTED.report_bytes):
        assert not decode(whole[:cut].hex(), frame="hid_pos_8c").valid
    with pytest.raises(FrameError, match="counts 57"):
        read_report(HONEYWELL, whole[:1] + b"\x39" + whole[2:])


def test_padding_is_let_pass_and_two_reports_in_one_are_not() -> None:
    report = build_report(PLAIN, Piece("]Q1", b"12", continued=False))
    assert read_report(PLAIN, report + bytes(3)) == Piece("]Q1", b"12", continued=False)
    with pytest.raises(FrameError, match="of 122 bytes"):
        read_report(PLAIN, report + report)


def test_another_report_is_passed_over() -> None:
    assert read_report(PLAIN, b"\x03" + bytes(60)) is None
    assert not decode("03" + "00" * 60, frame="hid_pos_8c").valid


def test_the_captured_answer_joins() -> None:
    joiner = Joiner()
    names = ("honeywell_report_2", "honeywell_report_last_data")
    reports = [bytes.fromhex(VECTORS[name]["hex"]) for name in names]
    pieces = [read_report(HONEYWELL, report) for report in reports]
    found = [each for piece in pieces if piece for each in joiner.feed(piece)]
    assert len(found) == 1
    assert isinstance(found[0], Code)
    assert found[0].data.endswith(b"$Projeum: N/A\r\n")
    both = decode("".join(report.hex() for report in reports), frame="hid_pos_8c").fields
    assert [each["count"] for each in both["frames"]] == [56, 9]


def test_a_scan_that_ends_in_silence_is_noise_and_the_next_is_whole() -> None:
    joiner = Joiner()
    assert joiner.feed(Piece("]Q1", b"12", continued=True)) == []
    assert joiner.is_inside
    assert joiner.drop() == [Noise("cut off by silence", b"12")]
    assert joiner.drop() == []
    assert joiner.feed(Piece("]C1", b"34", continued=False)) == [Code("]C1", b"34")]


def test_a_scan_that_changes_its_symbology_is_noise_to_its_end() -> None:
    joiner = Joiner()
    joiner.feed(Piece("]Q1", b"12", continued=True))
    found = joiner.feed(Piece("]C1", b"34", continued=True))
    assert found == [Noise("symbology ]Q1 went on as ]C1", b"1234")]
    found = joiner.feed(Piece("]C1", b"56", continued=False))
    assert [type(each) for each in found] == [Noise]
    assert joiner.feed(Piece("]C1", b"78", continued=False)) == [Code("]C1", b"78")]


def test_a_scan_at_the_limit_is_whole_and_one_byte_more_is_noise() -> None:
    joiner = Joiner(code_bytes_max=4)
    joiner.feed(Piece("", b"12", continued=True))
    assert joiner.feed(Piece("", b"34", continued=False)) == [Code("", b"1234")]
    joiner.feed(Piece("", b"1234", continued=True))
    found = joiner.feed(Piece("", b"5", continued=True))
    assert found == [Noise("longer than 4 bytes", b"12345")]
    assert joiner.feed(Piece("", b"6" * 900, continued=True))
    assert joiner.drop() == []
    assert joiner.feed(Piece("", b"1234", continued=False)) == [Code("", b"1234")]
