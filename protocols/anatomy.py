"""Lay decoded data beside its meaning, piece by piece, for a person who looks at raw bytes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from protocols.decode import Decoded, unhex
from protocols.tags import cylinder_code, epc

_HEAD_BITS = 14
"""Header, filter and partition of a 96-bit EPC."""
_CRC_BYTES = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the data as it came, and what it is."""

    raw: str
    meaning: str


_Cut: TypeAlias = Callable[[str, Decoded], Iterator[Part]]


def anatomy(data: str, decoded: Decoded) -> tuple[Part, ...]:
    """The parts of valid data in order; empty for data that did not decode."""
    if not decoded.valid:
        return ()
    return tuple(_CUTS[decoded.format](data, decoded))


def _uhf(data: str, decoded: Decoded) -> Iterator[Part]:
    if "meaning" in decoded.fields and "recmd" not in decoded.fields:
        yield Part(unhex(data).hex(" "), str(decoded.fields["meaning"]))
        return
    raw = unhex(data)
    while raw:
        frame, raw = raw[: 1 + raw[0]], raw[1 + raw[0] :]
        yield from _uhf_frame(frame, is_command=decoded.fields.get("direction") == "host>device")


def _uhf_frame(frame: bytes, *, is_command: bool) -> Iterator[Part]:
    body, crc = frame[:-_CRC_BYTES], frame[-_CRC_BYTES:]
    names = ["length of what follows", "reader address", "command"]
    if not is_command:
        names = [*names[:2], "command answered", "status"]
    for name, byte in zip(names, body, strict=False):
        yield Part(f"{byte:02x}", f"{name}: {byte}")
    if data := body[len(names) :]:
        yield Part(data.hex(" "), "data")
    yield Part(crc.hex(" "), "CRC-16/MCRF4XX, low byte first: correct")


def _scanner(data: str, decoded: Decoded) -> Iterator[Part]:
    raw = unhex(data)
    text = str(decoded.fields.get("text", ""))
    encoded = [text.encode(name) for name in ("utf-8", "gb18030")] if text else []
    code = next((each for each in encoded if each in raw), None)
    if code is None:
        yield Part(raw.hex(" "), str(decoded.fields.get("proto", "message")))
        return
    before, _, after = raw.partition(code)
    named = ((before, "before the code"), (code, f"code: {text}"), (after, "after the code"))
    yield from (Part(piece.hex(" "), meaning) for piece, meaning in named if piece)


def _epc(data: str, decoded: Decoded) -> Iterator[Part]:
    uid = epc.uid(data)
    if decoded.fields["scheme"] == "opaque":
        yield Part(uid, str(decoded.fields["note"]))
        return
    bits = f"{int(uid, 16):096b}"
    header, partition = int(uid[:2], 16), int(bits[11:_HEAD_BITS], 2)
    for name, width in epc.layout_bits(header, partition):
        piece, bits = bits[:width], bits[width:]
        yield Part(piece, f"{name}: {decoded.fields[name]}")


def _code(data: str, decoded: Decoded) -> Iterator[Part]:
    del data
    found = decoded.fields
    if "url_host" in found:
        yield Part(str(found["url_host"]), "the site that cylinder labels lead to")
    if "region6" in found:
        yield Part(str(found["region6"]), "region (GB/T 2260)")
    if "code10" in found:
        yield Part(str(found["code10"]), "the ten digits under the barcode")
    if found["kind"] == "text":
        limit = cylinder_code.CODE_CHARS_MAX
        yield Part(str(found["text"]), f"looked up as it is, up to {limit} characters")
    if found["kind"] == "qpsafe":
        head, _, suffix = str(found["text"]).rpartition("]")
        yield Part(f"{head}]", "use certificate, registration, maker, cylinder, made, scrap")
        yield Part(suffix, "platform")


_CUTS: Mapping[str, _Cut] = {
    "uhfreader18": _uhf,
    "uhfreader288": _uhf,
    "scanner_serial": _scanner,
    "epc_tds": _epc,
    "epc_hex": _epc,
    "cylinder_barcode": _code,
    "cylinder_qr": _code,
    "text": _code,
}
"""How each format of `protocols.decode.FORMATS` is taken apart."""
