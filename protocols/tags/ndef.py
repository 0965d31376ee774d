"""NDEF: the records in an NFC tag's message (NFC Forum NDEF 1.0 §3, RTD Text 1.0, RTD URI 1.0)."""

from dataclasses import dataclass

from construct import (
    BitsInteger,
    BitStruct,
    Bytes,
    Flag,
    GreedyBytes,
    If,
    Int8ub,
    Int32ub,
    Struct,
    Terminated,
    this,
)

from protocols.framing import FrameError, parse

RECORDS_MAX = 32
"""More records than any cylinder tag has; a longer message is refused."""
WELL_KNOWN = 1
_ASCII_TNFS = frozenset({1, 2, 3, 4})

URI_PREFIXES = (
    "",
    "http://www.",
    "https://www.",
    "http://",
    "https://",
    "tel:",
    "mailto:",
    "ftp://anonymous:anonymous@",
    "ftp://ftp.",
    "ftps://",
    "sftp://",
    "smb://",
    "nfs://",
    "ftp://",
    "dav://",
    "news:",
    "telnet://",
    "imap:",
    "rtsp://",
    "urn:",
    "pop:",
    "sip:",
    "sips:",
    "tftp:",
    "btspp://",
    "btl2cap://",
    "btgoep://",
    "tcpobex://",
    "irdaobex://",
    "file://",
    "urn:epc:id:",
    "urn:epc:tag:",
    "urn:epc:pat:",
    "urn:epc:raw:",
    "urn:epc:",
    "urn:nfc:",
)
"""What the first byte of an address stands for; 0 is nothing."""

HEAD = Struct(
    "flags"
    / BitStruct(
        "begin" / Flag,
        "end" / Flag,
        "chunked" / Flag,
        "short" / Flag,
        "with_id" / Flag,
        "tnf" / BitsInteger(3),
    ),
    "type_size" / Int8ub,
    "short_size" / If(this.flags.short, Int8ub),
    "long_size" / If(lambda ctx: not ctx.flags.short, Int32ub),
    "id_size" / If(this.flags.with_id, Int8ub),
    "type" / Bytes(this.type_size),
    "id" / Bytes(lambda ctx: ctx.id_size or 0),
    "rest" / GreedyBytes,
    Terminated,
)
TEXT = Struct(
    "status" / BitStruct("utf16" / Flag, "rfu" / Flag, "size" / BitsInteger(6)),
    "lang" / Bytes(this.status.size),
    "text" / GreedyBytes,
    Terminated,
)


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `payload` is shorter than `payload_len` when the dump ends inside it."""

    tnf: int
    type: str
    payload_len: int
    payload: bytes
    last: bool

    @property
    def is_whole(self) -> bool:
        """Whether the payload is all there."""
        return len(self.payload) == self.payload_len


def records(message: bytes) -> tuple[Record, ...]:
    """The records of a message, the last one perhaps cut short; raises FrameError."""
    found: list[Record] = []
    while message and len(found) < RECORDS_MAX:
        head = parse(HEAD, message, "NDEF record")
        size = head.short_size if head.flags.short else head.long_size
        payload, message = head.rest[:size], head.rest[size:]
        record = Record(head.flags.tnf, _type(head), size, payload, head.flags.end)
        found.append(record)
        if record.last:
            return tuple(found)
    if message:
        raise FrameError(f"NDEF message of more than {RECORDS_MAX} records")
    return tuple(found)


def text(record: Record) -> tuple[str, str]:
    """Language and text of a well-known T record, as far as it is there; raises FrameError."""
    found = parse(TEXT, record.payload, "NDEF text")
    encoding = "utf-16" if found.status.utf16 else "utf-8"
    lang = found.lang.decode("ascii", errors="replace")
    return lang, found.text.decode(encoding, errors="replace")


def uri(record: Record) -> str:
    """The address of a well-known U record; raises FrameError."""
    if not record.payload:
        raise FrameError("NDEF address without a prefix")
    code = record.payload[0]
    prefix = URI_PREFIXES[code] if code < len(URI_PREFIXES) else ""
    return prefix + record.payload[1:].decode("utf-8", errors="replace")


def _type(head: object) -> str:
    """The type as text where it is one, else as hex."""
    raw = bytes(getattr(head, "type", b""))
    flags = getattr(head, "flags", None)
    if flags is not None and flags.tnf in _ASCII_TNFS and raw.isascii():
        return raw.decode("ascii")
    return raw.hex()
