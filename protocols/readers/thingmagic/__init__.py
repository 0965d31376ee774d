"""ThingMagic / JADAK M5e, M6e, M7e, TransCore and Silion UHF modules: one envelope, two dialects.

    framer = new_framer()
    for piece in framer.feed(data):         # bytes are proven frames, Noise is the rest
        for tag in tags_of(decode_reply(piece)): ...

`commands` and `silion` build what the host says, `replies` what a module answers, `fields` names
everything in a frame for people. Facts and their sources: protocols/README.md.
"""

from protocols.readers.thingmagic import codes, commands, replies, silion
from protocols.readers.thingmagic.codes import Metadata
from protocols.readers.thingmagic.commands import Access
from protocols.readers.thingmagic.envelope import (
    FRAME_BYTES_MAX,
    Command,
    Reply,
    build_command,
    build_reply,
    decode_command,
    decode_reply,
    new_command_framer,
    new_framer,
    new_tap_framer,
)
from protocols.readers.thingmagic.fields import fields
from protocols.readers.thingmagic.records import Tag
from protocols.readers.thingmagic.replies import tags_of

__all__ = [
    "FRAME_BYTES_MAX",
    "Access",
    "Command",
    "Metadata",
    "Reply",
    "Tag",
    "build_command",
    "build_reply",
    "codes",
    "commands",
    "decode_command",
    "decode_reply",
    "fields",
    "new_command_framer",
    "new_framer",
    "new_tap_framer",
    "replies",
    "silion",
    "tags_of",
]
