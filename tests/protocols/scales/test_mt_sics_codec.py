import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import decode
from protocols.framing import FrameError
from protocols.scales.mt_sics import (
    LINE_BYTES_MAX,
    STATUSES,
    Line,
    build,
    build_command,
    new_framer,
)
from protocols.scales.mt_sics import decode as decode_line
from tests.protocols.scales.streams import among_garbage, frames_of

GARBAGE = b"\x00\x0a\x20xz09\xff"


@given(st.integers(-999_999, 999_999), st.integers(0, 5), st.sampled_from(["g", "kg", "t", "lb"]))
def test_a_weight_survives_the_wire(number: int, places: int, unit: str) -> None:
    value = Decimal(number).scaleb(-places)
    for status in ("S", "D"):
        line = Line("answer", "S", status, value, unit)
        assert decode_line(build(line)) == line
        assert decode(build(line).hex()).format == "mt_sics"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("S D      -3.210 kg", {"status": "dynamic", "value": "-3.210", "unit": "kg"}),
        ("S I", {"command": "S", "status": "not executable"}),
        ("S +", {"status": "overload"}),
        ("S -", {"status": "underload"}),
        ("T S     12.00 kg", {"command": "T", "status": "stable", "value": "12.00"}),
        ("TA A     12.00 kg", {"command": "TA", "status": "executed", "value": "12.00"}),
        ("TA I", {"command": "TA", "status": "not executable"}),
        ("TAC A", {"command": "TAC", "status": "executed"}),
        ("Z A", {"command": "Z", "status": "executed"}),
        ("Z +", {"command": "Z", "status": "overload"}),
        ("ES", {"command": "ES", "status": "not understood"}),
        ("ET", {"command": "ET", "status": "transmission error"}),
        ("EL", {"command": "EL", "status": "cannot be executed"}),
        ('I4 A "B021002593"', {"command": "I4", "text": '"B021002593"'}),
        ("S", {"command": "S", "meaning": "read stable weight"}),
        ("SI", {"command": "SI", "meaning": "read weight immediately"}),
        ("SIR", {"command": "SIR"}),
        ("@", {"command": "@", "meaning": "reset"}),
        ("TA 12.00 kg", {"command": "TA", "parameters": "12.00 kg"}),
        ("S S Error 10b", {"status": "stable", "text": "Error 10b"}),
    ],
)
def test_lines_are_in_plain_words(text: str, expected: dict[str, str]) -> None:
    found = decode(f"{text}\r\n".encode().hex(), frame="mt_sics")
    assert found.valid, found.error
    assert expected.items() <= found.fields.items()
    if "value" not in expected:
        assert "value" not in found.fields


@pytest.mark.parametrize(
    "text",
    [
        *("S S     100.00", "S S     1.2.3 g", "S D", "S S kg", "s s 1.0 g", "", "S + 12.0 kg"),
        *("ES A", "S S 1O0.0 g", "12.00 kg"),
    ],
)
def test_a_line_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(FrameError):
        decode_line(f"{text}\r\n".encode())


def test_lines_among_garbage_all_come_out() -> None:
    for seed in range(40):
        rng = random.Random(seed)
        lines = [
            build(Line("answer", "S", rng.choice("SD"), Decimal(rng.randrange(10**6)) / 100, "kg"))
            for _ in range(6)
        ]
        stream = among_garbage(lines, rng, GARBAGE)
        assert frames_of(new_framer(), stream, rng) == lines


def test_half_a_line_glued_to_the_next_is_only_the_next() -> None:
    whole = b"S S     100.00 kg\r\n"
    for end in range(1, len(whole) - 2):
        found = frames_of(new_framer(), whole[:end] + whole, random.Random(1))
        weights = [raw for raw in found if decode_line(raw).name == "S"]
        assert weights == [whole] or (end in {1, 3} and not weights), whole[:end]


def test_a_line_without_an_end_is_let_go() -> None:
    framer = new_framer()
    framer.feed(b"S" * 1000)
    assert framer.held_bytes < LINE_BYTES_MAX


def test_every_sign_is_a_word() -> None:
    assert len(set(STATUSES.values())) == len(STATUSES)
    assert build_command("SI") == b"SI\r\n"


def test_where_answers_are_expected_the_text_of_a_scanner_is_none() -> None:
    framer = new_framer(answers_only=True)
    lines = b"AB12\r\nQR 370100\r\nS\r\n"
    assert not any(isinstance(piece, bytes) for piece in framer.feed(lines))
    assert framer.feed(b"S D      1.00 kg\r\n") == [b"S D      1.00 kg\r\n"]
