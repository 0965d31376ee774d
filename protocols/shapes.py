"""Data that is unmistakably of one format although no checksum of its own proves it.

Two kinds: formats without a checksum whose fixed bytes nothing else has, and frames whose head and
length are right, so that a wrong checksum is told as such instead of calling the bytes a tag. What
has the length of a tag id is never taken for the weaker shapes.
"""

import re
from collections.abc import Callable, Iterator

UID_BYTES = frozenset({4, 7, 8, 12})
"""Lengths tag ids really have: such hex is a tag even when its first byte could be a length."""

_BITS = re.compile(r"\s*(?:[01]{26}|[01]{34})\s*\Z")
_LINE = re.compile(rb"\x02?[\x20-\x7e\x80-\xff]+(?:\x03|\r\n?|\n)+\Z")
_ASCII_LINE = re.compile(rb"\x02?[0-9A-Za-z./_-]+(?:\x03|\r\n?|\n)+\Z")
_STORAGE_CARD_ATR = bytes.fromhex("3b8f8001804f0ca000000306")
_POS_DESCRIPTOR, _KEYBOARD_DESCRIPTOR = b"\x05\x8c", b"\x05\x01\x09\x06"
_POS_REPORT_BYTES, _POS_REPORT_ID = 64, 0x02
_POS_COMMAND, _SYN = 0xFD, 0x16
_KEY_REPORT_BYTES = 8
_KEYS = range(0x04, 0x39)
_VERSION_BYTES, _VERSION_END = 8, 0x03
_CC_MAGIC = 0xE1
_APDU_CLASS, _APDU_MIN = 0xFF, 5
_APDU_CODES = frozenset({0x00, 0x82, 0x86, 0xB0, 0xCA, 0xD6})
_CCID_HEAD = 10
_CCID_TYPES = frozenset({0x6F, 0x80})

_SICS_WEIGHT = re.compile(rb"(?:S [SD] +-?[0-9.]+ +[A-Za-z]+\r\n)+\Z")
_YAOHUA_SHOWN = re.compile(rb"(?:=[0-9 .+-]{8})+\Z")
_TOLEDO_SHOWN = re.compile(rb"(?:\x02[\x20-\x7e]{3}[ 0-9]{6}>?[ 0-9]{6}\r)+\Z")

Test = Callable[[bytes], bool]


def _atr(raw: bytes) -> bool:
    """A storage card in a PC/SC reader (PC/SC part 3, supplement)."""
    return raw.startswith(_STORAGE_CARD_ATR)


def _apdu(raw: bytes) -> bool:
    """A command of PC/SC part 3 to a storage card: class FF and one of its few instructions."""
    own = raw[0] == _APDU_CLASS and len(raw) >= _APDU_MIN and raw[1] in _APDU_CODES
    if not own or len(raw) in UID_BYTES:
        return False
    more = len(raw) - _APDU_MIN
    return more == 0 or (raw[4] > 0 and more - raw[4] in {0, 1})


def _ccid(raw: bytes) -> bool:
    """A CCID bulk message that announces exactly its length."""
    if len(raw) < _CCID_HEAD or raw[0] not in _CCID_TYPES or len(raw) in UID_BYTES:
        return False
    return int.from_bytes(raw[1:5], "little") == len(raw) - _CCID_HEAD


def _pos(raw: bytes) -> bool:
    """A descriptor, a whole report (longer than any EPC) or a Honeywell command of HID POS."""
    if raw.startswith(_POS_DESCRIPTOR):
        return True
    if raw[0] == _POS_COMMAND:
        return len(raw) == raw[1] + 2 and raw[2] == _SYN
    return raw[0] == _POS_REPORT_ID and len(raw) == _POS_REPORT_BYTES


def _key(raw: bytes) -> bool:
    """A keyboard's descriptor, or a boot report with one key and nothing else."""
    if raw.startswith(_KEYBOARD_DESCRIPTOR):
        return True
    return len(raw) == _KEY_REPORT_BYTES and raw[1] == 0 and raw[2] in _KEYS and not any(raw[3:])


def _nfc(raw: bytes) -> bool:
    """A version answer, or memory from the capability container on."""
    if len(raw) == _VERSION_BYTES:
        return raw[:2] == b"\x00\x04" and raw[-1] == _VERSION_END
    own = raw[0] == _CC_MAGIC and raw[1] >> 4 == 1 and raw[3] in {0x00, 0x0F}
    return own and len(raw) not in UID_BYTES


def _text_of(pattern: re.Pattern[bytes]) -> Test:
    """Lines or frames of text that have the fixed characters of one kind of scale."""
    return lambda raw: len(raw) not in UID_BYTES and pattern.match(raw) is not None


_SHAPES: tuple[tuple[str, Test], ...] = (
    ("pcsc", _atr),
    ("pcsc", _apdu),
    ("pcsc", _ccid),
    ("hid_pos_8c", _pos),
    ("hid_keyboard", _key),
    ("nfc_tag_memory", _nfc),
    ("mt_sics", _text_of(_SICS_WEIGHT)),
    ("yaohua", _text_of(_YAOHUA_SHOWN)),
    ("toledo_continuous", _text_of(_TOLEDO_SHOWN)),
)
_M100_MARKS = {0xBB: frozenset({0x7E}), 0xAA: frozenset({0xDD, 0x8E})}
_M100_AROUND, _M100_LENGTH_AT = 7, 3


def _m100(raw: bytes) -> bool:
    ends = _M100_MARKS.get(raw[0], frozenset())
    size = int.from_bytes(raw[_M100_LENGTH_AT : _M100_LENGTH_AT + 2], "big") + _M100_AROUND
    return raw[-1] in ends and len(raw) == size


def _sized(start: int, at: int, around: int) -> Test:
    """A start byte, and a length byte at a place that announces exactly what is there."""

    def holds(raw: bytes) -> bool:
        own = raw[0] == start and len(raw) > at and raw[at] + around == len(raw)
        return own and len(raw) not in UID_BYTES

    return holds


_BROKEN: tuple[tuple[str, Test], ...] = (
    ("m100_bb", _m100),
    ("r2000_a0", _sized(0xA0, 1, 2)),
    ("chafon_cf", _sized(0xCF, 4, 7)),
    ("thingmagic_serial", _sized(0xFF, 1, 5)),
    ("thingmagic_serial", _sized(0xFF, 1, 7)),
    ("uhfreader288", lambda raw: raw[0] + 1 == len(raw) and len(raw) not in UID_BYTES),
)


def is_bits(data: str) -> bool:
    """Whether this is the 26 or 34 bits of a Wiegand card: no label and no uid looks like that."""
    return _BITS.match(data) is not None


def unmistakable(raw: bytes) -> Iterator[str]:
    """Names of formats without a checksum that these bytes have the fixed bytes of."""
    yield from (name for name, holds in _SHAPES if holds(raw))


def is_line(raw: bytes) -> bool:
    """Whether these bytes are a line of text: of a uid's length only when no uid looks like that."""
    if len(raw) in UID_BYTES:
        return len(raw) > min(UID_BYTES) and _ASCII_LINE.match(raw) is not None
    return _LINE.match(raw) is not None


def broken(raw: bytes) -> Iterator[str]:
    """Names of protocols whose head and length these bytes have; their checksum does not hold."""
    yield from (name for name, holds in _BROKEN if holds(raw))
