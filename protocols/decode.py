"""Name what a piece of hex or text is: a device frame, a tag's memory or a printed code.

The formats are those of contract §2; told a name, only that is tried. Untold, the order is: a code
with an AIM identifier, a frame that proves itself by its checksum (the longest first), a label's
digits or URL, data with the fixed bytes of one format (`shapes`), a scanner's message, a frame whose
checksum is wrong, a tag id, any other text. Digits of a whole label are only taken for a frame with a
16-bit proof: one in 65,536 of those that begin with 04.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from protocols import shapes
from protocols.formats import Fields, Format, Kind, Part, unhex
from protocols.framing import FrameError
from protocols.tags import cylinder_code, epc
from protocols.tags.cylinder_code import CodeError

DATA_CHARS_MAX = 65_536
"""More than any frame, tag or code; longer input is refused unread."""

PROOF_BITS_MIN = 8
"""A frame proven by fewer checksum bits is only found when its name is told."""

_TABLE: Mapping[str, str] = {
    "uhfreader18": "protocols.readers.uhfreader.formats:UHFREADER18",
    "uhfreader288": "protocols.readers.uhfreader.formats:UHFREADER288",
    "m100_bb": "protocols.readers.m100.formats:M100_BB",
    "chafon_cf": "protocols.readers.chafon_cf.formats:CHAFON_CF",
    "r2000_a0": "protocols.readers.r2000.formats:R2000_A0",
    "thingmagic_serial": "protocols.readers.thingmagic.formats:THINGMAGIC_SERIAL",
    "llrp": "protocols.readers.llrp_format:LLRP",
    "iso15693_serial": "protocols.readers.hf.formats:ISO15693_SERIAL",
    "wiegand26": "protocols.readers.wiegand_format:WIEGAND26",
    "modbus_rfid": "protocols.readers.modbus_rtu:MODBUS_RFID",
    "chainway_a55a": "protocols.readers.chainway:CHAINWAY_A55A",
    "pn532": "protocols.readers.pn532.formats:PN532",
    "pcsc": "protocols.readers.pcsc_formats:PCSC",
    "scanner_serial": "protocols.scanners.formats:SCANNER_SERIAL",
    "hid_pos_8c": "protocols.scanners.hid_formats:HID_POS",
    "hid_keyboard": "protocols.scanners.hid_formats:HID_KEYBOARD",
    "yaohua": "protocols.scales.yaohua.formats:YAOHUA",
    "toledo_continuous": "protocols.scales.toledo_format:TOLEDO_CONTINUOUS",
    "mt_sics": "protocols.scales.mt_sics_format:MT_SICS",
    "yusheng": "protocols.scales.yusheng.formats:YUSHENG",
    "nfc_tag_memory": "protocols.tags.nfc_memory:NFC_TAG_MEMORY",
    "epc_tds": "protocols.tags.formats:EPC_TDS",
    "epc_hex": "protocols.tags.formats:EPC_HEX",
    "cylinder_barcode": "protocols.tags.formats:CYLINDER_BARCODE",
    "cylinder_qr": "protocols.tags.formats:CYLINDER_QR",
    "aim_gs1": "protocols.tags.formats:AIM_GS1",
    "gs1_digital_link": "protocols.tags.formats:GS1_DIGITAL_LINK",
    "text": "protocols.tags.formats:TEXT",
}
"""Format name -> `module:Format`; a codec is imported when its name is asked for."""

LATER = frozenset(
    {"r2000_a0", "m100_bb", "chafon_cf", "llrp", "iso15693_serial", "pcsc", "pn532"}
    | {"hid_pos_8c", "hid_keyboard", "wiegand26", "thingmagic_serial", "aim_gs1"}
    | {"nfc_tag_memory", "gs1_digital_link"}
    | {"yaohua", "toledo_continuous", "mt_sics", "yusheng"}
) - set(_TABLE)
"""Formats the contract names and this version does not decode yet."""

_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_URL = re.compile(r"https?://", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9\s]+\Z")
_EPC_DIGITS = 24
_NEARLY_DIGITS = (15, 17)


class FormatError(Exception):
    """A format nobody knows, or one this version does not decode; the text says which are known."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the data is. `error` is None exactly when `valid`; a code's error is its reason word."""

    kind: Kind
    format: str
    valid: bool
    fields: Fields
    error: str | None = None

    def __post_init__(self) -> None:
        """Valid data has no error, anything else has one."""
        assert self.valid == (self.error is None), self

    def as_dict(self) -> dict[str, Any]:
        """The object `gatewayd decode --json` prints."""
        return {
            "kind": self.kind,
            "format": self.format,
            "valid": self.valid,
            "fields": dict(self.fields),
            "error": self.error,
        }


def decode(
    data: str,
    *,
    format: str | None = None,  # noqa: A002 - the contract's word for it
    frame: str | None = None,
) -> Decoded:
    """Decode hex or text, as `format` or device `frame` if told; both name the same table.

    Data that is not what it should be comes back with `valid` False. Raises FormatError for an
    unknown or unsupported name, or two different ones.
    """
    if format and frame and format != frame:
        raise FormatError(f"told both {format!r} and {frame!r}; expected one")
    name = format or frame
    if name and name not in FORMATS:
        raise FormatError(_unknown(name))
    if len(data) > DATA_CHARS_MAX:
        error = f"{len(data)} characters; at most {DATA_CHARS_MAX} are decoded"
        kind = FORMATS[name].kind if name else "barcode"
        return Decoded(kind, name or "text", valid=False, fields={}, error=error)
    return _decode_as(name, data) if name else _guess(data)


def anatomy(data: str, decoded: Decoded) -> tuple[Part, ...]:
    """The parts of valid data in order; empty for data that did not decode."""
    if not decoded.valid:
        return ()
    return tuple(FORMATS[decoded.format].parts(data, decoded.fields))


class _Formats(Mapping[str, Format]):
    """The table as a mapping of names to formats."""

    def __getitem__(self, name: str) -> Format:
        return _ADDED[name] if name in _ADDED else _load(name)

    def __iter__(self) -> Iterator[str]:
        return iter((*_TABLE, *_ADDED))

    def __len__(self) -> int:
        return len(_TABLE) + len(_ADDED)


@cache
def _load(name: str) -> Format:
    module, _, attribute = _TABLE[name].partition(":")
    found = getattr(import_module(module), attribute)
    assert isinstance(found, Format), found
    assert found.name == name, found
    return found


_ADDED: dict[str, Format] = {}

FORMATS: Mapping[str, Format] = _Formats()
"""Every format this version decodes, by the name `--format` and `--frame` take."""


def add_format(row: Format) -> None:
    """Learn a format that a driver of somebody else brings; safe to repeat.

    Raises ValueError when another format has its name.
    """
    if row.name in _TABLE or row.name in LATER or _ADDED.get(row.name, row) != row:
        raise ValueError(f"format {row.name!r} is taken")
    if row.name not in _ADDED:
        _ADDED[row.name] = row
        proving.cache_clear()


def _importable() -> Iterator[Format]:
    """Every format but those whose library is broken here: they must not cost the others."""
    for name in FORMATS:
        try:
            yield FORMATS[name]
        except ImportError:
            continue


@cache
def proving() -> tuple[Format, ...]:
    """The formats whose data proves itself, the longest checksum first."""
    rows = (row for row in _importable() if row.proof_bits >= PROOF_BITS_MIN)
    return tuple(sorted(rows, key=lambda row: (-row.proof_bits, row.name != "uhfreader288")))


def _unknown(name: str) -> str:
    known = f"known: {', '.join(FORMATS)}"
    if name in LATER:
        return f"format {name!r} is not supported in this version; {known}"
    close = difflib.get_close_matches(name, [*FORMATS, *LATER], n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"unknown format {name!r}; {known}{hint}"


def _decode_as(name: str, data: str) -> Decoded:
    """Decode as told; every refusal becomes a value."""
    row = FORMATS[name]
    try:
        found = row.read(data)
    except FrameError as exc:
        return Decoded(row.kind, name, valid=False, fields=exc.fields, error=str(exc))
    except epc.TagError as exc:
        return Decoded(row.kind, name, valid=False, fields=_uid_of(data), error=str(exc))
    except CodeError as exc:
        return Decoded(row.kind, name, valid=False, fields=_reasons(exc), error=exc.reason)
    return Decoded(row.kind, name, valid=True, fields=found)


def _uid_of(data: str) -> Fields:
    """A tag that breaks its scheme still has a uid to look the cylinder up by."""
    try:
        return {"uid": epc.uid(data)}
    except epc.TagError:
        return {}


def _reasons(exc: CodeError) -> Fields:
    found: dict[str, Any] = {"error": exc.reason, "detail": str(exc)}
    if exc.got_digits is not None:
        found["got_digits"] = exc.got_digits
    return found


def _guess(data: str) -> Decoded:
    if _AIM.match(data):
        return _decode_as("aim_gs1", data)
    if shapes.is_bits(data):
        return _decode_as("wiegand26", data)
    raw = _maybe_bytes(data)
    code = _decode_as(_label_name(data), data)
    is_label = code.valid and code.format != "text"
    if raw is not None and (frame := _proven(data, weak=not is_label)) is not None:
        return frame
    if _URL.match(data) and (link := _decode_as("gs1_digital_link", data)).valid:
        return link
    if is_label:
        return code
    for name in shapes.unmistakable(raw) if raw is not None else ():
        if (found := _decode_as(name, data)).valid:
            return found
    if code.valid:
        return code
    return _unproven(data, raw, code) if raw is not None else _label_or_text(data, code)


def _proven(data: str, *, weak: bool) -> Decoded | None:
    """The frame with the longest proof; an 8-bit sum does not stand against a whole label."""
    for row in proving():
        if row.proof_bits > PROOF_BITS_MIN or weak:
            frame = _decode_as(row.name, data)
            if frame.valid:
                return frame
    return None


def _unproven(data: str, raw: bytes, code: Decoded) -> Decoded:
    """Hex that nothing proves: a scanner's message, a frame that is broken, else a tag's memory."""
    message = _decode_as("scanner_serial", data)
    if message.valid and ("text" not in message.fields or shapes.is_line(raw)):
        return message
    if (name := next(shapes.broken(raw), None)) is not None:
        return _decode_as(name, data)
    if not _DIGITS.match(data) or 2 * len(raw) == _EPC_DIGITS:
        return _decode_as("epc_tds", data)
    return _label_or_text(data, code)


def _label_or_text(data: str, code: Decoded) -> Decoded:
    return code if _is_label(code) else _decode_as("text", data)


def _label_name(data: str) -> str:
    """Digits are a barcode, an address is a QR."""
    try:
        kind = cylinder_code.parse(data).kind
    except CodeError:
        return "cylinder_qr" if "teshe" in data.casefold() else "text"
    return "cylinder_qr" if kind in {"qr", "qpsafe", "url"} else "cylinder_barcode"


def _is_label(code: Decoded) -> bool:
    """Whether a refused code is nearer to a label than to a plain text."""
    nearly = code.fields.get("got_digits") in _NEARLY_DIGITS
    return nearly or code.format == "cylinder_qr" or code.error == "bad_region"


def _maybe_bytes(data: str) -> bytes | None:
    """The bytes when the data is hex of at least a tag id's length."""
    try:
        raw = unhex(data)
    except FrameError:
        return None
    return raw if len(raw) >= min(shapes.UID_BYTES) else None
