"""NXP PN532 on a serial line (HSU) or behind a serial server: ISO 14443A tags, one chip.

    framer = new_framer()
    for piece in framer.feed(data):
        message = decode(piece)          # Ack, Nack, Refused, Command or Reply

Source: PN532 User Manual UM0701-02 §6 (frames), §7 (commands); frames of public logs.
"""

from protocols.readers.pn532.commands import (
    WAKE_UP,
    build_command,
    build_reply,
    data_exchange,
    firmware,
    list_targets,
    max_retries,
    sam_normal,
)
from protocols.readers.pn532.envelope import (
    ACK,
    ERROR_FRAME,
    NACK,
    PAYLOAD_BYTES_MAX,
    new_framer,
    seal,
    unseal,
)
from protocols.readers.pn532.messages import (
    Ack,
    Command,
    Firmware,
    Message,
    Nack,
    Refused,
    Reply,
    Target,
    decode,
    exchanged,
    firmware_of,
    is_random,
    targets_of,
)

__all__ = [
    "ACK",
    "ERROR_FRAME",
    "NACK",
    "PAYLOAD_BYTES_MAX",
    "WAKE_UP",
    "Ack",
    "Command",
    "Firmware",
    "Message",
    "Nack",
    "Refused",
    "Reply",
    "Target",
    "build_command",
    "build_reply",
    "data_exchange",
    "decode",
    "exchanged",
    "firmware",
    "firmware_of",
    "is_random",
    "list_targets",
    "max_retries",
    "new_framer",
    "sam_normal",
    "seal",
    "targets_of",
    "unseal",
]
