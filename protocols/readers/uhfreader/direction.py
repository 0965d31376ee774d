"""Tell a command from a reply by its bytes alone: the envelope does not say which it is.

Tools need this; a driver knows who spoke. Where both readings fit, the text says which is told.
"""

from typing import Literal, TypeAlias

from protocols.framing import FrameError
from protocols.readers.uhfreader.access import READS
from protocols.readers.uhfreader.codes import (
    EXTENDED_WRITE,
    GET_WORK_MODE_18,
    GET_WORK_MODE_288,
    INFO,
    INVENTORY,
    OK,
    PUSH,
    SET_REGION,
    SET_WORK_MODE_18,
    SINGLE_INVENTORY,
    WRITE,
    WRITE_EPC,
)
from protocols.readers.uhfreader.commands import decode_params
from protocols.readers.uhfreader.envelope import Dialect, Envelope
from protocols.readers.uhfreader.replies import Answer, Inventory, decode_envelope

Direction: TypeAlias = Literal["host>device", "device>host"]

FAILED_FROM = 0xF8
"""One byte 0x00 or from here on is a status: no setting is that high, and `set to 0` is rarer
than `done`."""
TAG_ERROR_BYTES = 2
"""0xFC and the tag's own error code."""
_REPLIES_WITH_DATA = frozenset({INFO, GET_WORK_MODE_18, GET_WORK_MODE_288, PUSH, 0x47, 0x72})
_SETTING_BYTES = {SET_REGION: 2, 0x33: 3, 0x34: 4, SET_WORK_MODE_18: 6}
_ON_A_TAG = frozenset({WRITE, WRITE_EPC, 0x05, 0x06, 0x07, 0x10, EXTENDED_WRITE})


def direction(envelope: Envelope, dialect: Dialect) -> Direction:
    """Who sent this frame, as far as its bytes can tell."""
    return "host>device" if _is_command(envelope, dialect) else "device>host"


def _is_command(envelope: Envelope, dialect: Dialect) -> bool:
    code, size = envelope.code, len(envelope.payload)
    if size == 0:
        return True
    if code in {INVENTORY, SINGLE_INVENTORY}:
        return not _is_round(envelope, dialect) and _fits_inventory(envelope.payload, dialect)
    if code in READS:  # Words follow the status OK and make an odd number of bytes with it.
        return size > TAG_ERROR_BYTES and (envelope.payload[0] != OK or size % 2 == 0)
    if code in _ON_A_TAG:
        return size > TAG_ERROR_BYTES
    if code in _REPLIES_WITH_DATA or size > 1:
        return size == _SETTING_BYTES.get(code)
    return 0 < envelope.payload[0] < FAILED_FROM


def _is_round(envelope: Envelope, dialect: Dialect) -> bool:
    try:
        reply = decode_envelope(envelope, dialect)
    except FrameError:
        return False
    if isinstance(reply, Inventory):
        return all(tag.epc for tag in reply.tags)
    if isinstance(reply, Answer):
        return len(envelope.payload) == 1 or reply.status >= FAILED_FROM
    return True


def _fits_inventory(data: bytes, dialect: Dialect) -> bool:
    if dialect == "18":
        return len(data) == len(("word address", "words"))
    try:
        decode_params(data)
    except FrameError:
        return False
    return True
