"""PC/SC: what a host says to a contactless reader (APDU), what a card is (ATR), and CCID messages.

Source: PC/SC part 3 rev. 2.01 §3 (storage cards, their ATR and pseudo APDUs), ISO/IEC 7816-3 §8
(ATR) and 7816-4 (status words), USB CCID 1.1 §6; ACR122U pseudo APDUs from its API manual.
"""

from dataclasses import dataclass

from construct import Bytes, Const, Int8ub, Int16ub, Struct, Terminated

from protocols.checksums import xor8
from protocols.framing import FrameError, parse, shown

TS = frozenset({0x3B, 0x3F})
"""First byte of an ATR: direct or inverse convention."""
ATR_BYTES_MAX = 33
STORAGE_RID = bytes.fromhex("a000000306")
"""The PC/SC workgroup: its historical bytes describe a storage card."""
STANDARDS = {
    0x00: "no information",
    0x01: "ISO 14443A-1",
    0x02: "ISO 14443A-2",
    0x03: "ISO 14443A-3",
    0x05: "ISO 14443B-1",
    0x06: "ISO 14443B-2",
    0x07: "ISO 14443B-3",
    0x09: "ISO 15693-1",
    0x0A: "ISO 15693-2",
    0x0B: "ISO 15693-3",
    0x0C: "ISO 15693-4",
}
ISO15693_STANDARDS = frozenset({0x09, 0x0A, 0x0B, 0x0C})
CARDS = {
    0x0001: "Mifare 1K",
    0x0002: "Mifare 4K",
    0x0003: "Mifare Ultralight / NTAG",
    0x0014: "ICODE SLI",
    0x0026: "Mifare Mini",
    0x003A: "Mifare Ultralight C",
}
"""Card names (PC/SC part 3 supplement); an unknown number stays one."""
ULTRALIGHT, ULTRALIGHT_C = 0x0003, 0x003A

OK = 0x9000
STATUS_WORDS = {
    OK: "ok",
    0x6300: "failed",
    0x6581: "memory failure",
    0x6700: "wrong length",
    0x6800: "class not supported",
    0x6981: "command incompatible",
    0x6982: "not authenticated",
    0x6986: "command not allowed",
    0x6A81: "not supported",
    0x6A82: "block not found",
    0x6B00: "wrong parameter",
    0x6D00: "unknown command",
    0x6E00: "unknown class",
}
WRONG_LE = 0x6C
"""`6C xx`: wrong length, xx would be right."""

GET_UID = bytes.fromhex("ffca000000")
NO_BEEP = bytes.fromhex("ff00520000")
"""ACR122U: no beep when a card comes; stays until power goes."""

STORAGE = Struct(
    "category" / Const(b"\x80"),
    "tag" / Const(b"\x4f"),
    "size" / Int8ub,
    "rid" / Const(STORAGE_RID),
    "standard" / Int8ub,
    "card" / Int16ub,
    "rfu" / Bytes(4),
    Terminated,
)
_T0 = 0
_INDICATED = (0x10, 0x20, 0x40, 0x80)
_TD = 0x80


@dataclass(frozen=True, slots=True)
class Atr:
    """An ATR taken apart; `standard` and `card` are told by storage cards only."""

    historical: bytes
    protocols: tuple[int, ...]
    standard: int | None = None
    card: int | None = None

    @property
    def is_type2(self) -> bool:
        """A tag with 4-byte pages that reads and writes without a key."""
        return self.card in {ULTRALIGHT, ULTRALIGHT_C}


@dataclass(frozen=True, slots=True)
class Answer:
    """Response APDU: data and status word."""

    data: bytes
    sw: int

    @property
    def ok(self) -> bool:
        """Whether the command was done."""
        return self.sw == OK


def decode_atr(raw: bytes) -> Atr:
    """An ATR with its check byte proven where it has one; raises FrameError."""
    if not 2 <= len(raw) <= ATR_BYTES_MAX or raw[0] not in TS:  # noqa: PLR2004 - TS and T0
        raise FrameError(f"no ATR: {shown(raw)}")
    at, protocols = _interface_bytes(raw)
    historical_size = raw[1] & 0x0F
    has_tck = any(protocol != _T0 for protocol in protocols)
    expected = at + historical_size + has_tck
    if len(raw) != expected:
        raise FrameError(f"ATR of {len(raw)} bytes, {expected} announced")
    if has_tck and xor8(raw[1:]):
        good = xor8(raw[1:-1])
        raise FrameError(f"wrong check byte TCK {raw[-1]:02x}, expected {good:02x}")
    historical = raw[at : at + historical_size]
    if STORAGE_RID not in historical:
        return Atr(historical, protocols)
    found = parse(STORAGE, historical, "storage card ATR")
    return Atr(historical, protocols, found.standard, found.card)


def build_storage_atr(standard: int, card: int) -> bytes:
    """The ATR a reader makes up for a storage card (PC/SC part 3 §3.1.3.2.3)."""
    told = {"size": 0x0C, "standard": standard, "card": card, "rfu": bytes(4)}
    body = bytes.fromhex("8f8001") + bytes(STORAGE.build(told))
    return b"\x3b" + body + bytes((xor8(body),))


def decode_answer(raw: bytes) -> Answer:
    """A response APDU; raises FrameError when it has no status word."""
    if len(raw) < len(("sw1", "sw2")):
        raise FrameError(f"response of {len(raw)} bytes has no status word")
    return Answer(raw[:-2], int.from_bytes(raw[-2:]))


def read_binary(block: int, le: int) -> bytes:
    """Read `le` bytes from a block or page on."""
    return bytes((0xFF, 0xB0, block >> 8, block & 0xFF, le))


def update_binary(block: int, data: bytes) -> bytes:
    """Write a block or page."""
    return bytes((0xFF, 0xD6, block >> 8, block & 0xFF, len(data))) + data


def status_text(sw: int) -> str:
    """A status word in words: `6a81 not supported`."""
    if sw >> 8 == WRONG_LE:
        return f"{sw:04x} wrong length, {sw & 0xFF} would be right"
    return f"{sw:04x} {STATUS_WORDS[sw]}" if sw in STATUS_WORDS else f"{sw:04x}"


def _interface_bytes(raw: bytes) -> tuple[int, tuple[int, ...]]:
    """Where the historical bytes start, and the protocols that TD bytes name."""
    at, indicator = 2, raw[1]
    protocols: list[int] = []
    while True:
        at += sum(bool(indicator & bit) for bit in _INDICATED)
        if at > len(raw):
            raise FrameError(f"ATR cut off: {shown(raw)}")
        if not indicator & _TD:
            return at, tuple(protocols)
        indicator = raw[at - 1]
        protocols.append(indicator & 0x0F)
