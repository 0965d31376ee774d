import contextlib
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import anatomy, decode
from protocols.framing import FrameError
from protocols.readers.wiegand import (
    LINE_BYTES_MAX,
    WIDTHS,
    Card,
    Rendering,
    Width,
    fields,
    fits,
    line_text,
    new_framer,
    parse,
    render,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"] == "wiegand26"]
RENDERINGS: tuple[Rendering, ...] = get_args(Rendering)
CARD = "00100010010100010010011111"

cards = st.sampled_from(WIDTHS).flatmap(
    lambda width: st.builds(Card, st.just(width), st.integers(1, (1 << width - 2) - 1))
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: str(v["name"]))
def test_every_golden_card_decodes_to_its_published_numbers(vector: dict[str, Any]) -> None:
    decoded = decode(vector["text"], frame="wiegand26")
    assert decoded.valid
    for key, value in vector["decoded"].items():
        assert decoded.fields[key] == value, key
    assert decoded.fields["raw"] == vector["text"]
    assert "".join(part.raw for part in anatomy(vector["text"], decoded)) == vector["text"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: str(v["name"]))
def test_no_flipped_bit_is_ever_accepted(vector: dict[str, Any]) -> None:
    bits = vector["text"]
    for at, bit in enumerate(bits):
        broken = bits[:at] + "10"[int(bit)] + bits[at + 1 :]
        decoded = decode(broken, frame="wiegand26")
        assert not decoded.valid
        assert "wrong parity" in str(decoded.error)
        assert decoded.fields["parity_ok"] is False
        with pytest.raises(FrameError, match="wrong parity"):
            parse(broken, "bits", 26)


@given(cards, st.sampled_from(RENDERINGS))
def test_a_card_is_the_same_behind_every_converter(card: Card, rendering: Rendering) -> None:
    text = render(card, rendering)
    found = parse(text, rendering, card.width)
    assert (found.uid, found.facility, found.card) == (card.uid, card.facility, card.card)
    assert found.raw == text
    assert (rendering, card.width) in fits(text)


def test_one_card_reads_differently_behind_every_converter() -> None:
    card = parse(CARD, "bits", 26)
    assert [render(card, rendering) for rendering in RENDERINGS] == [
        CARD,
        "44A24F",
        "4FA244",
        "089449F",
        "0004497999",
        "0005218884",
        "068,41551",
        "06841551",
    ]
    assert card.uid.hex().upper() == "44A24F"


def test_34_bits_have_halves_of_16() -> None:
    card = Card(34, 0x1234_5678)
    assert (card.facility, card.card, card.uid.hex()) == (0x1234, 0x5678, "12345678")
    assert fields(card.bits)["bits"] == 34
    assert parse("305419896", "decimal", 34, padded=False).uid == card.uid
    assert fields("4660,22136")["uid"] == "12345678"


@pytest.mark.parametrize(
    ("text", "rendering", "width", "reason"),
    [
        (CARD, "bits", 34, "set bits: 26"),
        ("0102", "bits", 26, "is not 26 bits"),
        ("44A24", "hex", 26, "not 6 hex digits"),
        ("44A24F00", "hex", 26, "not 6 hex digits"),
        ("FFFFFFF", "hex_bits", 26, "not 26 bits in 7 hex digits"),
        ("4497999", "decimal", 26, "not 10 decimal digits"),
        ("0016777216", "decimal", 26, "does not fit into 26 bits"),
        ("9999999999", "decimal", 34, "does not fit into 34 bits"),
        ("9999999999", "decimal_reversed", 34, "does not fit"),
        ("68,41551", "facility_card", 26, "not 3 and 5 digits"),
        ("256,00001", "facility_card", 26, "do not fit into 26 bits"),
        ("06865536", "facility_card_joined", 26, "do not fit"),
        ("0684155", "facility_card_joined", 26, "not 8 decimal digits"),
        ("000000", "hex", 26, "card number 0"),
        ("٠٠٠٤٤٩٧٩٩٩", "decimal", 26, "not 10 decimal digits"),
    ],
)
def test_what_is_not_exactly_that_rendering_is_refused(
    text: str, rendering: Rendering, width: Width, reason: str
) -> None:
    with pytest.raises(FrameError, match=reason):
        parse(text, rendering, width)


def test_numbers_without_leading_zeros_are_taken_only_when_told() -> None:
    assert parse("4497999", "decimal", 26, padded=False).uid.hex() == "44a24f"
    assert parse("68,41551", "facility_card", 26, padded=False).uid.hex() == "44a24f"


@pytest.mark.parametrize("text", ["", "01", "0123", "44A24F", CARD[:-1], CARD + "0", "1" * 90])
def test_a_rendering_that_does_not_say_what_it_is_is_not_guessed(text: str) -> None:
    assert not decode(text, frame="wiegand26").valid


@given(st.text(max_size=40), st.sampled_from(RENDERINGS), st.sampled_from(WIDTHS))
def test_any_text_is_a_card_or_refused(text: str, rendering: Rendering, width: Width) -> None:
    with contextlib.suppress(FrameError):
        assert parse(text, rendering, width).value > 0


def test_lines_end_with_whatever_converters_send() -> None:
    framer = new_framer()
    lines = [p for p in framer.feed(b"44A24F\r\n\x0244A24F\x03 44A24F \n") if isinstance(p, bytes)]
    assert [line_text(line) for line in lines] == ["44A24F", "", "44A24F", "44A24F"]
    with pytest.raises(FrameError, match="no ASCII"):
        line_text(b"44\xff\r")


def test_a_line_that_never_ends_is_noise_and_holds_little() -> None:
    framer = new_framer()
    pieces = framer.feed(b"0" * 1_000_000)
    assert framer.held_bytes < LINE_BYTES_MAX
    assert not [piece for piece in pieces if isinstance(piece, bytes)]
