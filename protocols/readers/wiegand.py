"""Wiegand cards: 26 and 34 bits, and the many ways converters write the same card as text.

26 bits (H10301): even parity over the first 12 data bits, facility (8), card (16), odd parity over
the last 12; proven on published readings of real cards. 34 bits: the same with halves of 16, facility
(16) and card (16); widely used, the split is convention. A converter passes the bits on or a rendering
of the data bits between the parities; only the bits still carry the parity. So one card reads
differently behind every converter, and a rendering is configured, never guessed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from protocols.framing import UNDECIDED, FrameError, Framer

Width: TypeAlias = Literal[26, 34]
Rendering: TypeAlias = Literal[
    "bits",
    "hex",
    "hex_reversed",
    "hex_bits",
    "decimal",
    "decimal_reversed",
    "facility_card",
    "facility_card_joined",
]
"""How a converter writes a card; for 00100010010100010010011111 (26 bits):

`bits` as they came; `hex` 44A24F, the data bits; `hex_reversed` 4FA244, the same bytes backwards;
`hex_bits` 089449F, parity included; `decimal` 0004497999; `decimal_reversed` 0005218884;
`facility_card` 068,41551; `facility_card_joined` 06841551.
"""

WIDTHS: tuple[Width, ...] = (26, 34)
DECIMAL_DIGITS = 10
LINE_BYTES_MAX = 64
"""Longest line; a longer one is noise."""
FACILITY_BITS: Mapping[int, int] = {26: 8, 34: 16}
CARD_BITS = 16
CARD_DIGITS = 5
_ENDS = re.compile(rb"[\r\n\x03]")
_STX = b"\x02"
_BITS = re.compile(r"[01]+\Z")
_SEPARATED = re.compile(r"([0-9]{1,5})[,:; -]([0-9]{1,5})\Z")


@dataclass(frozen=True, slots=True)
class Card:
    """One card: `value` is its data bits, `width` counts the two parity bits too.

    `raw` is what the converter sent, for showing.
    """

    width: Width
    value: int
    raw: str = ""

    def __post_init__(self) -> None:
        """We never make a card that its width cannot hold."""
        assert 0 <= self.value < 1 << self.width - 2, self

    @property
    def facility(self) -> int:
        """The high part, also called site code."""
        return self.value >> CARD_BITS

    @property
    def card(self) -> int:
        """The low 16 bits, the number usually printed on the card."""
        return self.value & (1 << CARD_BITS) - 1

    @property
    def uid(self) -> bytes:
        """The canonical form: the data bits, most significant byte first (3 or 4 bytes)."""
        return self.value.to_bytes((self.width - 2) // 8)

    @property
    def bits(self) -> str:
        """The bits on the wire, with their parities."""
        data = f"{self.value:0{self.width - 2}b}"
        first, last = _halves(data)
        return f"{first.count('1') % 2}{data}{1 - last.count('1') % 2}"


def new_framer() -> Framer:
    """Lines of a converter: up to CR, LF or ETX, proven by nothing."""

    def measure(window: bytes) -> int:
        end = _ENDS.search(window)
        if end is not None:
            return end.end()
        if len(window) >= LINE_BYTES_MAX:
            raise FrameError(f"no line end in {LINE_BYTES_MAX} bytes")
        return UNDECIDED

    return Framer(measure, frame_bytes_max=LINE_BYTES_MAX)


def line_text(line: bytes) -> str:
    """The text of one framed line, empty for a bare line end; raises FrameError."""
    raw = line.rstrip(b"\r\n\x03").removeprefix(_STX).strip()
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError as exc:
        raise FrameError("not a card number: bytes that are no ASCII") from exc


def parse(text: str, rendering: Rendering, width: Width, *, padded: bool = True) -> Card:
    """The card that `text` renders; raises FrameError.

    `padded` False also takes decimals without their leading zeros: then the second half of a number
    that was cut in transit passes for a whole one.
    """
    value = _PARSERS[rendering](text, _Shape(width, padded=padded))
    if not value:
        raise FrameError(f"card number 0 in {text!r} is no card")
    if value >> width - 2:
        raise FrameError(f"{text!r} does not fit into {width} bits")
    return Card(width, value, text)


def render(card: Card, rendering: Rendering) -> str:
    """A card as a converter would write it."""
    digits = (card.width - 2) // 4
    facility_digits = 3 if card.width == WIDTHS[0] else 5
    renderings = {
        "bits": card.bits,
        "hex": f"{card.value:0{digits}X}",
        "hex_reversed": card.uid[::-1].hex().upper(),
        "hex_bits": f"{int(card.bits, 2):0{digits + 1}X}",
        "decimal": f"{card.value:0{DECIMAL_DIGITS}}",
        "decimal_reversed": f"{int.from_bytes(card.uid, 'little'):0{DECIMAL_DIGITS}}",
        "facility_card": f"{card.facility:0{facility_digits}},{card.card:0{CARD_DIGITS}}",
        "facility_card_joined": f"{card.facility:0{facility_digits}}{card.card:0{CARD_DIGITS}}",
    }
    return renderings[rendering]


def fits(text: str, *, padded: bool = True) -> tuple[tuple[Rendering, Width], ...]:
    """Every rendering and width that `text` could be: for a hint, never for an identity."""
    found: list[tuple[Rendering, Width]] = []
    for rendering in _PARSERS:
        for width in WIDTHS:
            try:
                parse(text, rendering, width, padded=padded)
            except FrameError:
                continue
            found.append((rendering, width))
    return tuple(found)


def fields(text: str) -> dict[str, Any]:
    """What bits, or `facility,card`, say; raises FrameError.

    Bits with a wrong parity are refused, and shown with `parity_ok` False. Other renderings do not
    say which they are.
    """
    text = text.strip()
    if separated := _SEPARATED.match(text):
        wide = int(separated[1]) >> FACILITY_BITS[26]
        return _fields(parse(text, "facility_card", 34 if wide else 26, padded=False))
    if not _BITS.match(text) or len(text) not in WIDTHS:
        raise FrameError(f"{text[:40]!r} is neither 26 or 34 bits nor facility,card")
    width: Width = 26 if len(text) == WIDTHS[0] else 34
    card = Card(width, int(text[1:-1], 2), text)
    if card.bits != text:
        raise FrameError(_wrong_parity(card), fields=_fields(card))
    return _fields(card)


def _fields(card: Card) -> dict[str, Any]:
    sent_bits = bool(_BITS.match(card.raw)) and len(card.raw) == card.width
    return {
        "bits": card.width,
        "facility": card.facility,
        "card": card.card,
        "parity_ok": card.raw == card.bits if sent_bits else None,
        "uid": card.uid.hex().upper(),
        "raw": card.raw,
        **{f"as_{rendering}": render(card, rendering) for rendering in _PARSERS},
    }


def _halves(data: str) -> tuple[str, str]:
    return data[: len(data) // 2], data[len(data) // 2 :]


def _wrong_parity(card: Card) -> str:
    return f"wrong parity: {card.raw} should be {card.bits}"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the settings say of a line."""

    width: int
    padded: bool


def _bits(text: str, shape: _Shape) -> int:
    if not _BITS.match(text) or len(text) not in WIDTHS:
        raise FrameError(f"{text[:40]!r} is not {shape.width} bits")
    if len(text) != shape.width:
        raise FrameError(f"{len(text)} bits came; set bits: {len(text)}")
    card = Card(26 if shape.width == WIDTHS[0] else 34, int(text[1:-1], 2), text)
    if card.bits != text:
        raise FrameError(_wrong_parity(card))
    return card.value


def _hex(text: str, shape: _Shape) -> int:
    digits = (shape.width - 2) // 4
    if not re.fullmatch(f"[0-9A-Fa-f]{{{digits}}}", text):
        raise FrameError(f"{text[:40]!r} is not {digits} hex digits")
    return int(text, 16)


def _hex_reversed(text: str, shape: _Shape) -> int:
    return _backwards(_hex(text, shape), shape.width)


def _hex_bits(text: str, shape: _Shape) -> int:
    digits = (shape.width - 2) // 4 + 1
    if not re.fullmatch(f"[0-9A-Fa-f]{{{digits}}}", text) or int(text, 16) >> shape.width:
        raise FrameError(f"{text[:40]!r} is not {shape.width} bits in {digits} hex digits")
    return _bits(f"{int(text, 16):0{shape.width}b}", shape)


def _decimal(text: str, shape: _Shape) -> int:
    if not re.fullmatch(f"[0-9]{{{DECIMAL_DIGITS if shape.padded else 1},{DECIMAL_DIGITS}}}", text):
        raise FrameError(f"{text[:40]!r} is not {DECIMAL_DIGITS} decimal digits")
    return int(text)


def _decimal_reversed(text: str, shape: _Shape) -> int:
    value = _decimal(text, shape)
    if value >> shape.width - 2:
        raise FrameError(f"{text!r} does not fit into {shape.width} bits")
    return _backwards(value, shape.width)


def _facility_card(text: str, shape: _Shape) -> int:
    found = _SEPARATED.match(text)
    facility_digits = 3 if shape.width == WIDTHS[0] else 5
    if found is None:
        raise FrameError(f"{text[:40]!r} is not facility,card")
    if shape.padded and (len(found[1]), len(found[2])) != (facility_digits, CARD_DIGITS):
        raise FrameError(f"{text!r} is not {facility_digits} and {CARD_DIGITS} digits")
    return _joined(int(found[1]), int(found[2]), shape)


def _facility_card_joined(text: str, shape: _Shape) -> int:
    digits = CARD_DIGITS + (3 if shape.width == WIDTHS[0] else 5)
    if not re.fullmatch(f"[0-9]{{{digits}}}", text):
        raise FrameError(f"{text[:40]!r} is not {digits} decimal digits")
    return _joined(int(text[:-CARD_DIGITS]), int(text[-CARD_DIGITS:]), shape)


def _joined(facility: int, card: int, shape: _Shape) -> int:
    if facility >> FACILITY_BITS[shape.width] or card >> CARD_BITS:
        raise FrameError(f"facility {facility}, card {card} do not fit into {shape.width} bits")
    return facility << CARD_BITS | card


def _backwards(value: int, width: int) -> int:
    return int.from_bytes(value.to_bytes((width - 2) // 8), "little")


_PARSERS: Mapping[Rendering, Callable[[str, _Shape], int]] = {
    "bits": _bits,
    "hex": _hex,
    "hex_reversed": _hex_reversed,
    "hex_bits": _hex_bits,
    "decimal": _decimal,
    "decimal_reversed": _decimal_reversed,
    "facility_card": _facility_card,
    "facility_card_joined": _facility_card_joined,
}
