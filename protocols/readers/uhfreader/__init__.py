"""UHFReader18 / 86 / 288: the commonest cheap fixed UHF readers, one envelope, two dialects.

    framer = new_framer()
    for piece in framer.feed(data):          # bytes are proven frames, Noise is the rest
        reply = decode_reply(piece, "288")   # a frozen value, or FrameError

`build_command` and `build_inventory` are what the host says, `builders` what a reader answers,
`fields` names everything in a frame for people. Facts: UHFReader18 manual V2.0, UHFReader288
manual, and captures; protocols/README.md lists them.
"""

from protocols.readers.uhfreader.access import (
    EPC_WORDS_MAX,
    START_8_MAX,
    WORDS_MAX,
    Access,
    build_read,
    build_write,
    decode_access,
)
from protocols.readers.uhfreader.antennas import ONLY_ANTENNA, Encoding, antennas
from protocols.readers.uhfreader.builders import (
    build_answer,
    build_antenna_heartbeat,
    build_info_reply,
    build_inventory_reply,
    build_push,
)
from protocols.readers.uhfreader.commands import (
    ANTENNA_SELECTOR,
    SESSION_AUTO,
    Aim,
    Command,
    InventoryParams,
    Mask,
    TidArea,
    build_command,
    build_inventory,
    decode_command,
    decode_params,
    encode_params,
)
from protocols.readers.uhfreader.direction import Direction, direction
from protocols.readers.uhfreader.envelope import (
    BRIDGE_HEARTBEAT,
    BROADCAST,
    FRAME_BYTES_MAX,
    LEN_MIN,
    REPLY_LEN_MIN,
    Dialect,
    new_framer,
)
from protocols.readers.uhfreader.fields import fields, tags_of
from protocols.readers.uhfreader.layouts import TAG_BYTES_MAX, TID_BYTES
from protocols.readers.uhfreader.replies import (
    Answer,
    AntennaHeartbeat,
    Info,
    Inventory,
    Push,
    Reply,
    Statistics,
    Tag,
    WorkMode,
    decode_reply,
)

__all__ = [
    "ANTENNA_SELECTOR",
    "BRIDGE_HEARTBEAT",
    "BROADCAST",
    "EPC_WORDS_MAX",
    "FRAME_BYTES_MAX",
    "LEN_MIN",
    "ONLY_ANTENNA",
    "REPLY_LEN_MIN",
    "SESSION_AUTO",
    "START_8_MAX",
    "TAG_BYTES_MAX",
    "TID_BYTES",
    "WORDS_MAX",
    "Access",
    "Aim",
    "Answer",
    "AntennaHeartbeat",
    "Command",
    "Dialect",
    "Direction",
    "Encoding",
    "Info",
    "Inventory",
    "InventoryParams",
    "Mask",
    "Push",
    "Reply",
    "Statistics",
    "Tag",
    "TidArea",
    "WorkMode",
    "antennas",
    "build_answer",
    "build_antenna_heartbeat",
    "build_command",
    "build_info_reply",
    "build_inventory",
    "build_inventory_reply",
    "build_push",
    "build_read",
    "build_write",
    "decode_access",
    "decode_command",
    "decode_params",
    "decode_reply",
    "direction",
    "encode_params",
    "fields",
    "new_framer",
    "tags_of",
]
