"""M100 / QM100 / R200: the UHF modules inside Chinese scales, handhelds and boxes.

    framer = new_framer()
    for piece in framer.feed(data):    # bytes are proven frames, Noise is the rest
        reply = decode_reply(piece)    # TagSeen, Access, Failure or Answer, or FrameError

`build_command` with the `*_param` builders is what the host says, `build_reply` what a reader
answers, `fields` names everything in a frame for people. Facts: protocols/README.md.
"""

from protocols.readers.m100.commands import (
    EPC_POINTER_BITS,
    MULTI_POLL_MAX,
    SELECT_ALWAYS,
    SELECT_FOR_ACCESS,
    SELECT_NEVER,
    Command,
    Memory,
    Select,
    build_command,
    decode_command,
    decode_memory,
    decode_select,
    epc_select,
    memory_param,
    multi_poll_param,
    select_param,
)
from protocols.readers.m100.envelope import (
    AA_8E,
    AA_DD,
    BB_7E,
    FRAME_BYTES_MAX,
    FROM_HOST,
    FROM_READER,
    PARAM_BYTES_MAX,
    STYLES,
    TYPES,
    Style,
    new_framer,
    unseal,
)
from protocols.readers.m100.fields import fields
from protocols.readers.m100.replies import (
    Access,
    Answer,
    Failure,
    Reply,
    TagSeen,
    build_reply,
    decode_reply,
    pc_of,
    tag_crc,
)
from protocols.readers.m100.settings import (
    Info,
    decode_info,
    decode_power,
    info_param,
    power_param,
    region_code,
)

__all__ = [
    "AA_8E",
    "AA_DD",
    "BB_7E",
    "EPC_POINTER_BITS",
    "FRAME_BYTES_MAX",
    "FROM_HOST",
    "FROM_READER",
    "MULTI_POLL_MAX",
    "PARAM_BYTES_MAX",
    "SELECT_ALWAYS",
    "SELECT_FOR_ACCESS",
    "SELECT_NEVER",
    "STYLES",
    "TYPES",
    "Access",
    "Answer",
    "Command",
    "Failure",
    "Info",
    "Memory",
    "Reply",
    "Select",
    "Style",
    "TagSeen",
    "build_command",
    "build_reply",
    "decode_command",
    "decode_info",
    "decode_memory",
    "decode_power",
    "decode_reply",
    "decode_select",
    "epc_select",
    "fields",
    "info_param",
    "memory_param",
    "multi_poll_param",
    "new_framer",
    "pc_of",
    "power_param",
    "region_code",
    "select_param",
    "tag_crc",
    "unseal",
]
