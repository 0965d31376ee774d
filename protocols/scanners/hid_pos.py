"""USB HID POS scanners (usage page 0x8C): reports to codes, triggers to reports.

HID Usage Tables, bar code scanner page: symbology identifier 0xFB..0xFD, decoded data 0xFE,
continued 0xFF; a byte count is generic desktop 0x3B. The layout is read from the device's own
report descriptor. Honeywell's report (Voyager 1602g, captured) has a count before and a code id
and a zero byte behind the data; what its host says is report 0xFD, where the length byte was also
seen larger than what follows it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from protocols.framing import FrameError, Noise, noise, shown
from protocols.scanners.hid_descriptor import Descriptor, Placed, parse_descriptor
from protocols.scanners.text import TEXT_BYTES_MAX

PAGE = 0x8C
SYMBOLOGY = (0x8C00FB, 0x8C00FC, 0x8C00FD)
DECODED_DATA = 0x8C00FE
CONTINUED = 0x8C00FF
BYTE_COUNT = 0x01003B

AIM_BYTES = 3
NOT_A_SYMBOL = frozenset("XZ")
"""AIM code characters that name no symbology: a scanner's own answers come under `]X0`, `]Z6`."""

COMMAND_ID = 0xFD
COMMAND_BYTES_MAX = 62
"""Host to scanner, in one 64-byte report with its id and length."""
TRIGGER_ON = b"\x16T\r"
TRIGGER_OFF = b"\x16U\r"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a scan lies in its report; offsets in bytes from the report as read, id included.

    `symbology` are the places of the identifier bytes, if any; `count` is None where nothing tells
    how many data bytes count; `continued_bit` is None where a report is always a whole scan.
    `report_id` 0 means that reports are not numbered.
    """

    report_id: int
    report_bytes: int
    symbology: tuple[int, ...]
    data: int
    data_bytes: int
    count: int | None = None
    continued_bit: int | None = None
    code_id: int | None = None


PLAIN = Layout(2, 61, (1, 2, 3), data=4, data_bytes=56, continued_bit=480)
COUNTED = Layout(2, 62, (2, 3, 4), data=5, data_bytes=56, count=1, continued_bit=488)
HONEYWELL = Layout(2, 64, (2, 3, 4), data=5, data_bytes=56, count=1, continued_bit=504, code_id=61)
"""Layouts seen in the field, for reports pasted without their descriptor."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one report says. `aim` is empty when the scanner names no symbology."""

    aim: str
    data: bytes
    continued: bool


@dataclass(frozen=True, slots=True)
class Code:
    """A whole scan."""

    aim: str
    data: bytes


def layout_of(descriptor: Descriptor) -> Layout | None:
    """The layout of the first input report that carries decoded data; None when there is none."""
    for report_id, bits in descriptor.report_bits:
        placed = [each for each in descriptor.inputs if each.report_id == report_id]
        if found := _layout(report_id, -(-bits // 8), placed):
            return found
    return None


def layout_from(raw: bytes) -> Layout:
    """The layout in a report descriptor; raises FrameError when it is no HID POS scanner's."""
    found = layout_of(parse_descriptor(raw))
    if found is None:
        raise FrameError("no decoded data (usage 8C:FE) in the report descriptor: not HID POS")
    return found


def _layout(report_id: int, report_bytes: int, placed: Iterable[Placed]) -> Layout | None:
    by_usage: dict[int, Placed] = {}
    for each in placed:
        by_usage.setdefault(each.usage, each)
    data = by_usage.get(DECODED_DATA)
    if data is None or data.bits < 8 or data.bit % 8:  # noqa: PLR2004 - bits of a byte
        return None
    named = (by_usage[usage] for usage in SYMBOLOGY if usage in by_usage)
    # One usage may stand for all three identifier bytes.
    places = [at for each in named for at in range(each.bit // 8, (each.bit + each.bits) // 8)]
    count = by_usage.get(BYTE_COUNT)
    continued = by_usage.get(CONTINUED)
    return Layout(
        report_id,
        report_bytes,
        tuple(places[:AIM_BYTES]),
        data=data.bit // 8,
        data_bytes=data.bits // 8,
        count=count.bit // 8 if count else None,
        continued_bit=continued.bit if continued else None,
    )


def read_report(layout: Layout, report: bytes) -> Piece | None:
    """What the report says; None for a report that is not the scan's.

    Raises FrameError when it is shorter than its layout, longer by more than padding, or its count
    is larger than its data.
    """
    if layout.report_id and report[:1] != bytes((layout.report_id,)):
        return None
    if len(report) < layout.report_bytes or report[layout.report_bytes :].strip(b"\0"):
        raise FrameError(f"a report of {len(report)} bytes, expected {layout.report_bytes}")
    data = report[layout.data : layout.data + layout.data_bytes]
    if layout.count is None:
        data = data.rstrip(b"\0")
    elif report[layout.count] > layout.data_bytes:
        raise FrameError(f"the report counts {report[layout.count]} of {layout.data_bytes} bytes")
    else:
        data = data[: report[layout.count]]
    return Piece(_aim(layout, report), data, continued=_is_continued(layout, report))


def _aim(layout: Layout, report: bytes) -> str:
    """The three identifier bytes as text; empty when they are no AIM identifier."""
    text = bytes(report[at] for at in layout.symbology).decode("latin-1")
    whole = len(text) == AIM_BYTES and text.startswith("]") and text.isascii()
    return text if whole and text.isprintable() else ""


def _is_continued(layout: Layout, report: bytes) -> bool:
    if layout.continued_bit is None:
        return False
    at, bit = divmod(layout.continued_bit, 8)
    return bool(report[at] >> bit & 1)


class Joiner:
    """Joins the continued reports of one scan; a scan is whole or it is noise.

    Holds at most `code_bytes_max` bytes. The wall clock is the driver's: it calls `drop` after a
    gap while `is_inside`.
    """

    def __init__(self, code_bytes_max: int = TEXT_BYTES_MAX) -> None:
        self._limit = code_bytes_max
        self._held = b""
        self._aim = ""
        self._inside = False
        self._broken = ""

    @property
    def is_inside(self) -> bool:
        """Whether a scan has begun and not ended."""
        return self._inside

    def feed(self, piece: Piece) -> list[Code | Noise]:
        """Take what one report says; returns the scan it ended, or noise."""
        if self._inside and piece.aim and piece.aim != self._aim:
            self._broken = self._broken or f"symbology {self._aim or '?'} went on as {piece.aim}"
        self._aim = self._aim if self._inside else piece.aim
        self._held += piece.data
        self._inside = True
        if len(self._held) > self._limit:
            self._broken = self._broken or f"longer than {self._limit} bytes"
        found = list(self._let_go(self._broken)) if self._broken else []
        if piece.continued:
            return [*found]
        ended = [] if self._broken else [Code(self._aim, self._held)]
        self._reset()
        return [*found, *ended]

    def drop(self) -> list[Noise]:
        """The rest did not come in time."""
        lost = self._let_go(self._broken or "cut off by silence")
        self._reset()
        return lost

    def _let_go(self, reason: str) -> list[Noise]:
        held, self._held = self._held, b""
        return noise(reason, held)

    def _reset(self) -> None:
        self._held, self._aim, self._inside, self._broken = b"", "", False, ""


def build_report(layout: Layout, piece: Piece) -> bytes:
    """The report a scanner of this layout sends; for simulators."""
    assert len(piece.data) <= layout.data_bytes, piece
    report = bytearray(layout.report_bytes)
    report[0] = layout.report_id
    for at, byte in zip(layout.symbology, piece.aim.encode("ascii"), strict=False):
        report[at] = byte
    report[layout.data : layout.data + len(piece.data)] = piece.data
    if layout.count is not None:
        report[layout.count] = len(piece.data)
    if layout.continued_bit is not None and piece.continued:
        report[layout.continued_bit // 8] |= 1 << layout.continued_bit % 8
    return bytes(report)


def build_reports(layout: Layout, code: Code) -> list[bytes]:
    """A whole scan as its reports."""
    size = layout.data_bytes
    starts = range(0, max(len(code.data), 1), size)
    pieces = [
        Piece(code.aim, code.data[at : at + size], continued=at + size < len(code.data))
        for at in starts
    ]
    return [build_report(layout, piece) for piece in pieces]


def build_command(command: bytes) -> bytes:
    """Host to a Honeywell scanner: report 0xFD, length, command."""
    assert 0 < len(command) <= COMMAND_BYTES_MAX, command
    return bytes((COMMAND_ID, len(command))) + command


def decode_command(report: bytes) -> tuple[int, bytes]:
    """The length it tells and the command; raises FrameError when it is none.

    A length beyond the end is kept as told: published menu commands have it.
    """
    if len(report) < 3 or report[0] != COMMAND_ID or not report[1]:  # noqa: PLR2004 - id, length, one byte
        raise FrameError(f"not a command report FD, length, command: {shown(report)}")
    told, command = report[1], report[2:]
    if command[told:].strip(b"\0"):
        raise FrameError(f"the command is longer than its length {told}")
    return told, command[:told]
