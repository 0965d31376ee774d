"""A tag as the ThingMagic family reports it: metadata driven by flags, then PC, EPC and tag CRC.

The fields come in ascending order of their flag bits, whatever the firmware (M5e guide, vendor API
and the captured M6e stream), so the flags drive the parser, never an offset. The Gen2 CRC of the
tag travels along and is checked: it also catches what the frame's own CRC cannot see, a tag heard
badly. Not construct: one record decides the layout of the next byte, a thousand times a second.
"""

from dataclasses import dataclass
from typing import Any

from protocols.checksums import genibus
from protocols.framing import FrameError
from protocols.readers.thingmagic.codes import GEN2, METADATA_KNOWN, Metadata

CRC_BYTES = 2
PC_BYTES = 2
XPC_PRESENT = 0x0200
"""PC bit that says XPC_W1 follows (GS1 EPC Gen2 v2, 6.3.2.1.2.2)."""
XPC_W2_PRESENT = 0x8000
PC_WORDS_SHIFT = 11
DATA_FAILED = 0x8000
"""Set in the data length: the embedded operation failed, two bytes of error follow (vendor API)."""
ANTENNA_WHEN_0 = 16
"""A nibble of 0 is port 16 (vendor API)."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One sighting. What the flags did not ask for is None.

    `pc` holds the PC and XPC words as sent, empty where the module sends none. `crc` is the tag's
    own. `antenna_raw` is TX << 4 | RX; `data` what an embedded read brought. `rssi_dbm` is signed,
    `freq_khz` kilohertz, `timestamp_ms` since the read command: the module's clock, not ours.
    """

    epc: bytes
    pc: bytes = b""
    crc: bytes = b""
    read_count: int | None = None
    rssi_dbm: int | None = None
    antenna_raw: int | None = None
    freq_khz: int | None = None
    timestamp_ms: int | None = None
    phase: int | None = None
    protocol: int | None = None
    data_bits: int | None = None
    data: bytes = b""
    gpio: int | None = None

    @property
    def crc_ok(self) -> bool:
        """Whether the tag's CRC proves PC and EPC; without a PC the plainest one is assumed."""
        pc = self.pc or plain_pc(self.epc)
        return genibus(pc + self.epc).to_bytes(2) == self.crc

    @property
    def antenna(self) -> int | None:
        """The port that heard the tag, from 1; None when the module did not tell."""
        if self.antenna_raw is None:
            return None
        return self.antenna_raw & 0x0F or ANTENNA_WHEN_0


def plain_pc(epc: bytes) -> bytes:
    """The PC word of an EPC without user memory, extension or numbering system."""
    return ((len(epc) // 2) << PC_WORDS_SHIFT & 0xFFFF).to_bytes(2)


def parse_records(flags: int, data: bytes, count: int) -> tuple[Tag, ...]:
    """Exactly `count` records of metadata, bit length, PC, EPC and CRC; raises FrameError."""
    reader = _Reader(data)
    tags = tuple(_record(flags, reader) for _ in range(count))
    reader.ends()
    return tags


def parse_bare(flags: int, data: bytes) -> Tag:
    """The one tag of a single read: metadata, EPC and CRC, no lengths and no PC."""
    reader = _Reader(data)
    metadata = _metadata(flags, reader)
    rest = reader.take(reader.left)
    if len(rest) < CRC_BYTES:
        raise FrameError(f"{len(rest)} bytes are too few for a tag")
    return Tag(rest[:-CRC_BYTES], crc=rest[-CRC_BYTES:], **metadata)


def build_record(flags: int, tag: Tag) -> bytes:
    """One record as a module writes it; fields that the tag lacks are 0."""
    epc = (tag.pc or plain_pc(tag.epc)) + tag.epc
    crc = tag.crc or genibus(epc).to_bytes(2)
    bits = 8 * len(epc + crc)
    return _build_metadata(flags, tag) + bits.to_bytes(2) + epc + crc


def build_bare(flags: int, tag: Tag) -> bytes:
    """A single read's tag as a module writes it."""
    crc = tag.crc or genibus(plain_pc(tag.epc) + tag.epc).to_bytes(2)
    return _build_metadata(flags, tag) + tag.epc + crc


class _Reader:
    """Bytes taken from the front; FrameError when they run out."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise FrameError(f"tag record cut off: {size} bytes announced, {self.left} left")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def ends(self) -> None:
        if self.left:
            raise FrameError(f"{self.left} bytes too many behind the tags")


_WIDTHS = (
    (Metadata.READ_COUNT, "read_count", 1),
    (Metadata.RSSI, "rssi_dbm", 1),
    (Metadata.ANTENNA, "antenna_raw", 1),
    (Metadata.FREQUENCY, "freq_khz", 3),
    (Metadata.TIMESTAMP, "timestamp_ms", 4),
    (Metadata.PHASE, "phase", 2),
    (Metadata.PROTOCOL, "protocol", 1),
    (Metadata.DATA, "data_bits", 2),
    (Metadata.GPIO, "gpio", 1),
)
"""Flag, field and its bytes, in the order they come."""
_PLAIN = tuple((int(flag), name, width) for flag, name, width in _WIDTHS)


def _metadata(flags: int, reader: _Reader) -> dict[str, Any]:
    if flags & ~METADATA_KNOWN:
        raise FrameError(f"metadata flags 0x{flags:04X} have bits of unknown layout")
    found: dict[str, Any] = {}
    for flag, name, width in _PLAIN:
        if not flags & flag:
            continue
        value = reader.number(width)
        if name == "rssi_dbm":
            value -= value << 1 & 0x100
        found[name] = value
        if name == "data_bits":
            found["data"] = reader.take(2 if value & DATA_FAILED else (value + 7) // 8)
    return found


def _record(flags: int, reader: _Reader) -> Tag:
    metadata = _metadata(flags, reader)
    bits = reader.number(2)
    rest = reader.take(bits // 8)
    gen2 = metadata.get("protocol", GEN2) == GEN2
    if bits % 8 or len(rest) < CRC_BYTES + PC_BYTES * gen2:
        raise FrameError(f"a tag of {bits} bits cannot be")
    pc = _pc_bytes(rest[:-CRC_BYTES]) if gen2 else 0
    return Tag(rest[pc:-CRC_BYTES], rest[:pc], rest[-CRC_BYTES:], **metadata)


def _pc_bytes(rest: bytes) -> int:
    """How many bytes of PC and extended PC stand before the EPC."""
    words = [int.from_bytes(rest[at : at + 2]) for at in (0, 2)]
    if not words[0] & XPC_PRESENT:
        return PC_BYTES
    size = 3 * PC_BYTES if words[1] & XPC_W2_PRESENT else 2 * PC_BYTES
    if len(rest) < size:
        raise FrameError("extended PC announced and missing")
    return size


def _build_metadata(flags: int, tag: Tag) -> bytes:
    assert not flags & ~METADATA_KNOWN, flags
    parts = []
    for flag, name, width in _PLAIN:
        if not flags & flag:
            continue
        value = getattr(tag, name) or 0
        if name == "data_bits":
            value = tag.data_bits if tag.data_bits is not None else 8 * len(tag.data)
        parts.append((value & (1 << 8 * width) - 1).to_bytes(width))
        if name == "data_bits":
            parts.append(tag.data)
    return b"".join(parts)
