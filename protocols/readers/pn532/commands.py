"""What a host says to a PN532, and what a simulated chip answers."""

from collections.abc import Sequence

from protocols.readers.pn532.envelope import FROM_CHIP, TO_CHIP, seal
from protocols.readers.pn532.messages import (
    DATA_EXCHANGE,
    GET_FIRMWARE,
    LIST_TARGETS,
    RF_CONFIGURATION,
    SAM,
    TARGETS,
    Firmware,
    Target,
)

WAKE_UP = b"\x55\x55" + bytes(14)
"""Before the first frame on HSU: the chip wakes at 55 and needs the time of the zeros (§7.2.11)."""
TARGETS_MAX = 2
"""The chip handles two tags at once."""
TYPE_A_106 = 0x00
_MAX_RETRIES = 0x05


def build_command(code: int, data: bytes = b"") -> bytes:
    """Any command of a host."""
    return seal(bytes((TO_CHIP, code)) + data)


def build_reply(code: int, data: bytes = b"") -> bytes:
    """Any reply of a chip to the command `code`."""
    return seal(bytes((FROM_CHIP, code + 1)) + data)


def sam_normal() -> bytes:
    """Use no secure module; until then the chip does nothing (§7.2.10)."""
    return build_command(SAM, b"\x01")


def firmware() -> bytes:
    """Ask who the chip is."""
    return build_command(GET_FIRMWARE)


def max_retries(passive: int) -> bytes:
    """How often the field is searched again before an empty answer; 255 never ends (§7.3.1)."""
    return build_command(RF_CONFIGURATION, bytes((_MAX_RETRIES, 0xFF, 0x01, passive)))


def list_targets(most: int = TARGETS_MAX) -> bytes:
    """Which ISO 14443A tags are in the field."""
    return build_command(LIST_TARGETS, bytes((most, TYPE_A_106)))


def data_exchange(tg: int, data: bytes) -> bytes:
    """Say something to a listed tag."""
    return build_command(DATA_EXCHANGE, bytes((tg,)) + data)


def build_firmware_reply(info: Firmware) -> bytes:
    """Who a simulated chip is."""
    return build_reply(GET_FIRMWARE, bytes((info.ic, info.ver, info.rev, info.support)))


def build_targets_reply(targets: Sequence[Target]) -> bytes:
    """The tags a simulated chip sees, at most TARGETS_MAX."""
    tags = [
        {
            "tg": tag.tg,
            "sens_res": tag.sens_res,
            "sel_res": tag.sel_res,
            "uid": tag.uid,
            "ats": {"data": tag.ats} if tag.ats else None,
        }
        for tag in targets
    ]
    return build_reply(LIST_TARGETS, TARGETS.build({"targets": tags}))
