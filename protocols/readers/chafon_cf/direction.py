"""Which way a CF frame goes: the frame does not say, its address, command and length do."""

from typing import Literal, TypeAlias

from protocols.readers.chafon_cf import codes
from protocols.readers.chafon_cf.envelope import BROADCAST, Envelope

Direction: TypeAlias = Literal["device>host", "host>device"]

INVENTORY_BYTES = 5
READ_BYTES = 9
PARAMS_BYTES = 25
_COUNT_AT = 8
"""Where a write command has its word count; its data follows."""


def direction(envelope: Envelope) -> Direction:
    """Who said it. What could be either, e.g. a single byte, is taken for the reader's status."""
    return "host>device" if _is_command(envelope) else "device>host"


def _is_command(envelope: Envelope) -> bool:
    if envelope.address == BROADCAST or not envelope.data:
        return True
    data = envelope.data
    match envelope.code:
        case codes.INVENTORY:
            return len(data) == INVENTORY_BYTES
        case codes.READ:
            return len(data) == READ_BYTES
        case codes.WRITE:  # A tag's EPC has whole words, so no reply to a write fits this.
            return len(data) > READ_BYTES and len(data) == READ_BYTES + 2 * data[_COUNT_AT]
        case codes.SET_PARAMS:
            return len(data) == PARAMS_BYTES
        case codes.SET_POWER:
            return len(data) > 1
        case codes.SELECT_MASK:
            return len(data) > 1
    return False
