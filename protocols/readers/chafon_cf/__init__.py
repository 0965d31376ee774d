"""Chafon CF: the protocol of Chafon's 2022 and later UHF readers (CF6xx, H103, "UHF Prime").

    framer = new_framer()
    for piece in framer.feed(data):    # bytes are proven frames, Noise is the rest
        reply = decode_reply(piece)    # TagSeen, Barcode, ... or Answer, or FrameError

`build_command` with the `*_data` builders is what the host says, `build_reply` what a reader
answers, `fields` names everything in a frame for people. Facts: protocols/README.md.
"""

from protocols.readers.chafon_cf.commands import (
    BY_ROUNDS,
    BY_TIME,
    FOR_EVER,
    Command,
    Inventory,
    Memory,
    build_command,
    decode_command,
    decode_inventory,
    decode_memory,
    inventory_data,
    memory_data,
    power_data,
)
from protocols.readers.chafon_cf.direction import Direction, direction
from protocols.readers.chafon_cf.envelope import (
    BROADCAST,
    DATA_BYTES_MAX,
    FRAME_BYTES_MAX,
    GREETING,
    REPLY_LEN_MIN,
    new_framer,
    seal,
    unseal,
)
from protocols.readers.chafon_cf.fields import fields
from protocols.readers.chafon_cf.params import Info, Params, decode_params, params_data
from protocols.readers.chafon_cf.replies import (
    Answer,
    Barcode,
    InfoReply,
    ParamsReply,
    Reply,
    TagAccess,
    TagSeen,
    build_reply,
    code_of,
    decode_reply,
)

__all__ = [
    "BROADCAST",
    "BY_ROUNDS",
    "BY_TIME",
    "DATA_BYTES_MAX",
    "FOR_EVER",
    "FRAME_BYTES_MAX",
    "GREETING",
    "REPLY_LEN_MIN",
    "Answer",
    "Barcode",
    "Command",
    "Direction",
    "Info",
    "InfoReply",
    "Inventory",
    "Memory",
    "Params",
    "ParamsReply",
    "Reply",
    "TagAccess",
    "TagSeen",
    "build_command",
    "build_reply",
    "code_of",
    "decode_command",
    "decode_inventory",
    "decode_memory",
    "decode_params",
    "decode_reply",
    "direction",
    "fields",
    "inventory_data",
    "memory_data",
    "new_framer",
    "params_data",
    "power_data",
    "seal",
    "unseal",
]
