"""What serial scanners send and are told, as a format of `gatewayd decode`."""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part, unhex
from protocols.scanners.serial import serial_fields


def _read(data: str) -> Fields:
    return serial_fields(unhex(data))


def _parts(data: str, found: Fields) -> Iterator[Part]:
    raw = unhex(data)
    text = str(found.get("text", ""))
    encoded = [text.encode(name) for name in ("utf-8", "gb18030")] if text else []
    code = next((each for each in encoded if each in raw), None)
    if code is None:
        yield Part(raw.hex(" "), str(found.get("proto", "message")))
        return
    before, _, after = raw.partition(code)
    named = ((before, "before the code"), (code, f"code: {text}"), (after, "after the code"))
    yield from (Part(piece.hex(" "), meaning) for piece, meaning in named if piece)


SCANNER_SERIAL = Format(
    name="scanner_serial",
    kind="frame",
    read=_read,
    summary="what a serial scanner sends, in hex",
    summary_zh="串口扫码枪发送的内容（十六进制）",
    parts=_parts,
)
