"""What replies of a ThingMagic module hold: the count of a search, buffered tags, the stream.

`search_reply` and `stream` tell the three things opcode 0x22 is used for apart, as the vendor's
public API does: by length, and in a stream by its response type. Temperature records are graded
lower: their layout follows from that API and the one length (10) that other code names.
"""

from dataclasses import dataclass

from protocols.framing import FrameError
from protocols.readers.thingmagic.codes import (
    EXTENDED,
    GET_BUFFER,
    MULTI_SELECT,
    NO_TAG,
    OK,
    READ_DATA,
    READ_MULTIPLE,
    READ_SINGLE,
    WITH_METADATA,
)
from protocols.readers.thingmagic.envelope import Reply, build_reply
from protocols.readers.thingmagic.records import (
    Tag,
    build_record,
    parse_bare,
    parse_records,
)
from protocols.readers.thingmagic.silion import AsyncTag, decode_extended_reply

TAG_FOLLOWS = 1
REPORT_FOLLOWS = 2
STREAM_ENDS = 0
TEMPERATURE_BYTES = 10
BUFFER_HEAD_BYTES = 4
"""Metadata flags (2), read options, count."""
_COUNT_BYTES = {1: 1, 4: 1, 5: 1, 7: 4, 8: 4}
"""Data length of a search reply -> bytes of its count, which stands last."""


@dataclass(frozen=True, slots=True)
class Searched:
    """The end of a search: how many tags lie in the buffer."""

    count: int


@dataclass(frozen=True, slots=True)
class Buffered:
    """Tags of the buffer, with the metadata flags they were asked for with."""

    flags: int
    options: int
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class Streamed:
    """One message of continuous reading; `tag` None is a report or the end of the stream."""

    option: int
    search_flags: int
    flags: int | None
    response_type: int
    tag: Tag | None = None
    report: bytes = b""
    temperature_c: int | None = None


@dataclass(frozen=True, slots=True)
class Cycle:
    """Continuous reading ended one search and begins the next: a sign of life."""

    status: int


def read_multiple(reply: Reply) -> Searched | Streamed | Cycle:
    """What a reply to (or a message of) opcode 0x22 is; raises FrameError."""
    assert reply.opcode == READ_MULTIPLE, reply
    data = reply.data
    if reply.status != OK or not data:
        return Cycle(reply.status)
    if len(data) in _COUNT_BYTES:
        return Searched(int.from_bytes(data[-_COUNT_BYTES[len(data)] :]))
    if data[0] & MULTI_SELECT == MULTI_SELECT:
        data = data[1:]  # M7e: one more option byte in front.
    return _streamed(data)


def buffered(reply: Reply) -> Buffered:
    """Tags of a reply to 0x29; raises FrameError."""
    assert reply.opcode == GET_BUFFER, reply
    data = reply.data
    if len(data) < BUFFER_HEAD_BYTES:
        raise FrameError(f"tag buffer reply of {len(data)} bytes")
    flags = int.from_bytes(data[:2])
    return Buffered(flags, data[2], parse_records(flags, data[BUFFER_HEAD_BYTES:], data[3]))


def single(data: bytes) -> Tag:
    """The tag of a reply to 0x21: bare, behind its option byte, or with metadata.

    The reply does not say which; the tag's CRC does. Where none fits, as with TransCore's tags,
    whole words are a bare tag. Raises FrameError.
    """
    tag = parse_bare(0, data[len(data) % 2 :])
    if tag.crc_ok or not data[0] & WITH_METADATA:
        return tag
    try:
        with_metadata = parse_bare(int.from_bytes(data[1:3]), data[3:])
    except FrameError:
        return tag
    return with_metadata if with_metadata.crc_ok else tag


def memory(reply: Reply) -> bytes:
    """The words of a reply to 0x28 with an option byte, and metadata flags when it has them."""
    assert reply.opcode == READ_DATA, reply
    data = reply.data
    if not data or (data[0] & WITH_METADATA and len(data) < 3):  # noqa: PLR2004 - the head
        raise FrameError(f"memory reply of {len(data)} bytes")
    return data[3:] if data[0] & WITH_METADATA else data[1:]


def tags_of(reply: Reply) -> tuple[Tag, ...]:
    """Every tag in any reply, in order; empty for replies that report none. Raises FrameError."""
    if reply.status != OK or not reply.data:
        return ()
    if reply.opcode == READ_MULTIPLE:
        found = read_multiple(reply)
        return (found.tag,) if isinstance(found, Streamed) and found.tag is not None else ()
    if reply.opcode == GET_BUFFER and len(reply.data) > BUFFER_HEAD_BYTES:
        return buffered(reply).tags
    if reply.opcode == READ_SINGLE:
        return (single(reply.data),)
    if reply.opcode == EXTENDED:
        extended = decode_extended_reply(reply.data)
        return (extended.tag,) if isinstance(extended, AsyncTag) else ()
    return ()


def build_searched(count: int, search_flags: int = 0) -> bytes:
    """What a module says after a search with an option byte."""
    if not count:
        return build_reply(READ_MULTIPLE, NO_TAG)
    return build_reply(READ_MULTIPLE, OK, b"\x00" + search_flags.to_bytes(2) + bytes((count,)))


def build_buffered(flags: int, tags: tuple[Tag, ...]) -> bytes:
    """What a module says to 0x29; the tags must fit into one reply."""
    records = b"".join(build_record(flags, tag) for tag in tags)
    return build_reply(GET_BUFFER, OK, flags.to_bytes(2) + bytes((0, len(tags))) + records)


def build_streamed(flags: int, tag: Tag, search_flags: int = 0x001B) -> bytes:
    """One tag of continuous reading."""
    head = bytes((WITH_METADATA,)) + search_flags.to_bytes(2) + flags.to_bytes(2)
    return build_reply(READ_MULTIPLE, OK, head + bytes((TAG_FOLLOWS,)) + build_record(flags, tag))


def build_cycle(status: int = NO_TAG) -> bytes:
    """The sign of life of continuous reading."""
    return build_reply(READ_MULTIPLE, status)


def _streamed(data: bytes) -> Streamed:
    flagged = bool(data[0] & WITH_METADATA)
    head = 6 if flagged else 4
    if len(data) < head:
        raise FrameError(f"stream message of {len(data)} bytes")
    option, search_flags, kind = data[0], int.from_bytes(data[1:3]), data[head - 1]
    flags = int.from_bytes(data[3:5]) if flagged else None
    if kind == TAG_FOLLOWS and flags is not None:
        tag = parse_records(flags, data[head:], 1)[0]
        return Streamed(option, search_flags, flags, kind, tag)
    if kind not in {REPORT_FOLLOWS, STREAM_ENDS}:
        raise FrameError(f"response type {kind} is unknown")
    hot = kind == REPORT_FOLLOWS and len(data) == TEMPERATURE_BYTES
    celsius = data[-1] - (data[-1] << 1 & 0x100) if hot else None
    return Streamed(option, search_flags, flags, kind, report=data[head:], temperature_c=celsius)
