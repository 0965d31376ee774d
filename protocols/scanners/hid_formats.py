"""USB HID scanners as formats of `gatewayd decode`: descriptors, reports, commands."""

from collections.abc import Iterator

from protocols.formats import Fields, Format, Part, unhex
from protocols.framing import FrameError, shown
from protocols.scanners.hid_descriptor import Descriptor, parse_descriptor
from protocols.scanners.hid_keyboard import REPORT_BYTES, BootReport, Keys, Typist, decode_report
from protocols.scanners.hid_pos import (
    COMMAND_ID,
    CONTINUED,
    COUNTED,
    HONEYWELL,
    PAGE,
    PLAIN,
    Layout,
    decode_command,
    layout_from,
    read_report,
)

FIRST_ITEMS = frozenset({0x05, 0x06})
"""A report descriptor begins with its usage page, of one byte or two."""
USAGES = {
    0x010002: "mouse",
    0x010006: "keyboard",
    0x010007: "keypad",
    0x8C0001: "bar code badge reader",
    0x8C0002: "bar code scanner",
}
"""What an application collection may be; an unknown one stays a number."""
CONTROLS = {0x05: "ENQ", 0x06: "ACK", 0x07: "BEL", 0x0D: "CR", 0x15: "NAK", 0x16: "SYN"}
"""Control characters of Honeywell commands; an unknown one stays a number."""
HONEYWELL_BYTES = HONEYWELL.report_bytes
_LETTERS = frozenset(range(ord(" "), 0x7F))


def pos_fields(data: bytes) -> Fields:
    """A HID POS report, command or report descriptor; raises FrameError when it is none."""
    if not data:
        raise FrameError("no bytes")
    if data[0] == COMMAND_ID:
        told, command = decode_command(data)
        fields = {"report_id": f"0x{COMMAND_ID:02X}", "len": told, "cmd": _command(command)}
        short = len(command) < told
        return fields | ({"meaning": f"length {told} is beyond the end"} if short else {})
    if data[0] in FIRST_ITEMS:
        return _layout_fields(layout_from(data))
    if len(data) > HONEYWELL_BYTES and len(data) % HONEYWELL_BYTES == 0:
        reports = [data[at : at + HONEYWELL_BYTES] for at in range(0, len(data), HONEYWELL_BYTES)]
        return {"frames": [_report_fields(report) for report in reports]}
    return _report_fields(data)


def _report_fields(data: bytes) -> Fields:
    layout = _guess_layout(data)
    piece = read_report(layout, data)
    if piece is None:
        raise FrameError(f"report {data[0]} is not a scan's, expected {layout.report_id}")
    fields: dict[str, object] = {"report_id": layout.report_id}
    if layout.count is not None:
        fields["count"] = len(piece.data)
    fields |= {"aim": piece.aim, "data": _text(piece.data)}
    if layout.code_id is not None:
        fields["code_id_byte"] = data[layout.code_id]
    return {**fields, "continued": piece.continued}


def _guess_layout(data: bytes) -> Layout:
    """Which of the layouts of the field these bytes fit: by length, then by the place of `]`."""
    for layout in (PLAIN, HONEYWELL, COUNTED):
        rest = data[layout.report_bytes :]
        if len(data) < layout.report_bytes or rest.strip(b"\0"):
            continue
        if layout.code_id is not None and data[layout.code_id] <= 1:
            continue  # No letter: the flag of a padded report without a code id.
        if layout.continued_bit is not None and data[layout.continued_bit // 8] > 1:
            continue  # No flag: a longer report that was cut off there.
        named = bytes(data[at] for at in layout.symbology)
        if named.startswith(b"]") or (not any(named) and not rest):
            return layout
    raise FrameError(f"no HID POS report of a known layout: {shown(data)}")


def _layout_fields(layout: Layout) -> Fields:
    fields: dict[str, object] = {"usage_page": f"0x{PAGE:02X}", "report_id": layout.report_id}
    if layout.symbology:
        fields["symbology_offset_bytes"] = layout.symbology[0]
        fields["symbology_bytes"] = len(layout.symbology)
    fields |= {"data_offset_bytes": layout.data, "data_bytes": layout.data_bytes}
    if layout.count is not None:
        fields["count_offset_bytes"] = layout.count
    if layout.continued_bit is not None:
        fields["continued_bit_offset"] = layout.continued_bit
    return fields


def _text(raw: bytes) -> str:
    """A report's data for a person; a report may end inside a character."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _command(command: bytes) -> str:
    """`SYN T CR`: controls by name, the characters between them as they are."""
    words: list[str] = []
    inside = False
    for byte in command:
        letter = byte in _LETTERS
        if letter and inside:
            words[-1] += chr(byte)
        else:
            words.append(chr(byte) if letter else CONTROLS.get(byte, f"0x{byte:02X}"))
        inside = letter
    return " ".join(words)


def keyboard_fields(data: bytes) -> Fields:
    """Boot reports or a report descriptor; raises FrameError when it is none.

    `char` is what newly pressed keys type on a US layout, None when nothing.
    """
    if data[:1] and data[0] in FIRST_ITEMS and len(data) != REPORT_BYTES:
        return _device_fields(parse_descriptor(data))
    if len(data) <= REPORT_BYTES:
        return _keys_fields(decode_report(data), Keys(), Typist())
    if len(data) % REPORT_BYTES:
        raise FrameError(f"{len(data)} bytes are no whole number of keyboard reports")
    keys, typist = Keys(), Typist()
    starts = range(0, len(data), REPORT_BYTES)
    reports = [decode_report(data[at : at + REPORT_BYTES]) for at in starts]
    frames = [_keys_fields(report, keys, typist) for report in reports]
    return {"frames": frames, "text": "".join(str(each["char"] or "") for each in frames)}


def _keys_fields(report: BootReport, keys: Keys, typist: Typist) -> Fields:
    typed = typist.type(keys.feed(report))
    fields = {"modifiers": report.modifiers, "usages": list(report.usages), "char": typed or None}
    return fields | ({"meaning": "too many keys: ignored"} if report.is_phantom else {})


def _device_fields(descriptor: Descriptor) -> Fields:
    usage = descriptor.applications[0]
    is_pos = any(each >> 16 == PAGE for each in descriptor.applications)
    return {"usage": USAGES.get(usage, f"0x{usage:06X}"), "is_pos_scanner": is_pos}


def _pos_parts(data: str, found: Fields) -> Iterator[Part]:
    raw = unhex(data)
    if "cmd" in found:
        yield Part(raw[:1].hex(), "report FD: a command")
        yield Part(raw[1:2].hex(), f"length: {raw[1]}")
        yield Part(raw[2:].hex(" "), str(found["cmd"]))
    elif "continued" in found:
        yield from _report_parts(raw, _guess_layout(raw))
    else:
        yield Part(raw.hex(" "), "report descriptor" if "usage_page" in found else "reports")


def _report_parts(raw: bytes, layout: Layout) -> Iterator[Part]:
    yield Part(raw[:1].hex(), f"report id: {raw[0]}")
    if layout.count is not None:
        yield Part(raw[1:2].hex(), f"data bytes that count: {raw[1]}")
    at = layout.symbology[0]
    yield Part(raw[at : layout.data].hex(" "), "AIM identifier")
    end = layout.data + layout.data_bytes
    yield Part(raw[layout.data : end].hex(" "), "data")
    yield Part(raw[end:].hex(" "), f"bit {CONTINUED & 0xFF:02X}h tells that more follows")


def _keyboard_parts(data: str, found: Fields) -> Iterator[Part]:
    raw = unhex(data)
    if "is_pos_scanner" in found:
        yield Part(raw.hex(" "), "report descriptor")
        return
    for at in range(0, len(raw), REPORT_BYTES):
        report = raw[at : at + REPORT_BYTES]
        yield Part(report[:1].hex(), "modifier keys held")
        yield Part(report[1:2].hex(), "reserved")
        yield Part(report[2:].hex(" "), "keys held")


HID_POS = Format(
    name="hid_pos_8c",
    kind="frame",
    read=lambda data: pos_fields(unhex(data)),
    summary="report, command or report descriptor of a USB HID POS scanner",
    summary_zh="USB HID POS 扫码枪的报告、命令或报告描述符",
    parts=_pos_parts,
    caveats=("nothing in a report proves it; without its descriptor the layout is a guess",),
)
HID_KEYBOARD = Format(
    name="hid_keyboard",
    kind="frame",
    read=lambda data: keyboard_fields(unhex(data)),
    summary="boot report or report descriptor of a scanner that plays keyboard, US layout",
    summary_zh="键盘模式扫码枪的 8 字节报告或报告描述符（按美式键盘）",
    parts=_keyboard_parts,
    caveats=("nothing in a report proves it; characters depend on the scanner's layout",),
)
