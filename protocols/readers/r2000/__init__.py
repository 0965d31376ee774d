"""R2000 serial readers (YR89xx, IND903, FONKAN and other modules with an Impinj R2000): `A0` frames.

    framer = new_framer(is_known_reply)
    for piece in framer.feed(data):   # bytes are frames that add up, Noise is the rest
        reply = decode_reply(piece)   # a frozen value, or FrameError

`commands` are what the host says, `build_reply` what a reader answers, `fields` names everything in
a frame for people. Facts: UHF RFID Reader Serial Interface V3.7 and captures; protocols/README.md.
"""

from protocols.readers.r2000 import codes
from protocols.readers.r2000.builders import build_reply, pc_of
from protocols.readers.r2000.commands import (
    Command,
    Extension,
    FastSwitch,
    build_command,
    build_fast_switch,
    build_inventory,
    build_match,
    build_read,
    build_session_inventory,
    build_write,
    decode_command,
    decode_fast_switch,
)
from protocols.readers.r2000.direction import Direction, direction
from protocols.readers.r2000.envelope import (
    BROADCAST,
    DATA_BYTES_MAX,
    FRAME_BYTES_MAX,
    MISCOUNTS,
    Envelope,
    new_framer,
    seal,
    unseal,
)
from protocols.readers.r2000.fields import fields
from protocols.readers.r2000.replies import (
    Access,
    Answer,
    AntennaError,
    Reply,
    Result,
    RoundEnd,
    Seen,
    SwitchEnd,
    Version,
    decode_reply,
    freq_khz,
    is_known_reply,
)

__all__ = [
    "BROADCAST",
    "DATA_BYTES_MAX",
    "FRAME_BYTES_MAX",
    "MISCOUNTS",
    "Access",
    "Answer",
    "AntennaError",
    "Command",
    "Direction",
    "Envelope",
    "Extension",
    "FastSwitch",
    "Reply",
    "Result",
    "RoundEnd",
    "Seen",
    "SwitchEnd",
    "Version",
    "build_command",
    "build_fast_switch",
    "build_inventory",
    "build_match",
    "build_read",
    "build_reply",
    "build_session_inventory",
    "build_write",
    "codes",
    "decode_command",
    "decode_fast_switch",
    "decode_reply",
    "direction",
    "fields",
    "freq_khz",
    "is_known_reply",
    "new_framer",
    "pc_of",
    "seal",
    "unseal",
]
