"""LLRP 1.0.1 and 1.1: the world's fixed UHF readers, over TCP 5084 (TLS 5085).

    framer = new_framer()
    for piece in framer.feed(data):     # bytes are whole messages, Noise is the rest
        message = decode(piece)         # a frozen tree, or FrameError
        seen = tags(message)            # what the gateway acts on

`commands` is what the host says, `device` what a reader says, `fields` names everything in a
message for people. The encoding itself is llrpkit's, behind `wire`.
"""

from protocols.readers.llrp.fields import fields, message_fields
from protocols.readers.llrp.reports import (
    Capabilities,
    OpResult,
    Seen,
    Status,
    capabilities,
    event,
    status,
    tags,
    transmitter,
)
from protocols.readers.llrp.wire import Bits, Message, Param, decode, encode
from protocols.readers.llrp_envelope import (
    HEADER_BYTES,
    MESSAGE_BYTES_MAX,
    is_from_reader,
    new_framer,
)

__all__ = [
    "HEADER_BYTES",
    "MESSAGE_BYTES_MAX",
    "Bits",
    "Capabilities",
    "Message",
    "OpResult",
    "Param",
    "Seen",
    "Status",
    "capabilities",
    "decode",
    "encode",
    "event",
    "fields",
    "is_from_reader",
    "message_fields",
    "new_framer",
    "status",
    "tags",
    "transmitter",
]
