"""Tell a command from a reply by its bytes alone: the envelope does not say which it is.

Tools need this; a driver knows who spoke. Of `set x to 0x10` and `success`, which are the same bytes,
it tells the reply.
"""

from typing import Literal, TypeAlias

from protocols.framing import FrameError
from protocols.readers.r2000 import codes
from protocols.readers.r2000.commands import FAST_SWITCH_SIZES, PASSWORD_BYTES, READ_BYTES
from protocols.readers.r2000.envelope import Envelope
from protocols.readers.r2000.replies import decode_envelope

Direction: TypeAlias = Literal["host>device", "device>host"]

_SETTINGS = {
    codes.SET_ANTENNA_DETECTOR: range(0x22),
    codes.SET_TEMPORARY_POWER: range(0x22),
    codes.SET_LINK_PROFILE: range(0xD0, 0xD4),
    codes.SET_BAUD: range(0x10),
    codes.SET_ADDRESS: range(0x10),
    codes.SET_ANTENNA: range(0x10),
    codes.SET_POWER: range(0x22),
    codes.SET_BEEPER: range(3),
    codes.SET_MATCH: range(2),
}
"""Values a host may set with one byte; the bytes of SUCCESS and FAIL are results all the same."""
_SIZES = {
    codes.WRITE_GPIO: {2},
    codes.SET_IDENTIFIER: {12},
    codes.SET_POWER: {4, 8},
    codes.SET_REGION: {3, 6},
    codes.READ: {READ_BYTES, READ_BYTES + PASSWORD_BYTES},
    codes.LOCK: {6},
    codes.KILL: {PASSWORD_BYTES},
    codes.SESSION_INVENTORY: {3, 5},
}
"""How many bytes of data a command has; none of its replies has as many."""
_ROUNDS = frozenset({codes.INVENTORY, codes.BUFFERED_INVENTORY})
_WRITES = frozenset({codes.WRITE, codes.BLOCK_WRITE})
_WRITE_HEAD_BYTES = 7


def direction(envelope: Envelope) -> Direction:
    """Who sent this frame, as far as its bytes can tell."""
    if envelope.miscount:
        return "device>host"
    return "host>device" if _is_command(envelope) else "device>host"


def _is_command(envelope: Envelope) -> bool:
    code, data = envelope.code, envelope.data
    if not data:
        return True
    if len(data) in _SIZES.get(code, ()):
        return True
    if len(data) == 1:
        return _sets(code, data[0])
    if code == codes.FAST_SWITCH:
        return len(data) in FAST_SWITCH_SIZES and not _is_reply(envelope)
    if code in _WRITES:
        whole = len(data) >= _WRITE_HEAD_BYTES and len(data) == _WRITE_HEAD_BYTES + 2 * data[6]
        return whole and data[4] in codes.BANKS
    return code == codes.SET_MATCH


def _sets(code: int, value: int) -> bool:
    if value in {codes.SUCCESS, codes.FAIL}:
        return False
    if code in _ROUNDS or code == codes.SET_ADDRESS:
        return value not in codes.RESULT_NAMES
    return value in _SETTINGS.get(code, ())


def _is_reply(envelope: Envelope) -> bool:
    try:
        decode_envelope(envelope)
    except FrameError:
        return False
    return True
