"""What ISO/IEC 15693 itself says, whatever reader tells it: UIDs, makers, error codes, flags.

A UID has eight bytes, goes over the air low byte first and reads E0, maker, serial number when it
is written as people print it (ISO/IEC 15693-3 §4.1; makers after ISO/IEC 7816-6).
"""

from typing import Literal, TypeAlias

from protocols.framing import FrameError

Air: TypeAlias = Literal["iso15693", "iso14443a"]
"""Kinds of tags that these readers see."""

UID_BYTES = 8
UID_HEAD = 0xE0
"""First printed byte of every ISO 15693 UID."""
NFCA_UID_BYTES = frozenset({4, 7, 10})
"""Lengths of an ISO 14443A UID; it is sent in the order in which it is printed."""

MAKERS = {
    0x02: "STMicroelectronics",
    0x04: "NXP",
    0x05: "Infineon",
    0x07: "Texas Instruments",
    0x16: "EM Microelectronic",
}
"""Maker bytes seen on HF tags; an unknown maker stays a number."""

ERRORS = {
    0x01: "command not supported",
    0x02: "command not recognised",
    0x03: "option not supported",
    0x0F: "unknown error",
    0x10: "block not available",
    0x11: "block already locked",
    0x12: "block locked",
    0x13: "block not written",
    0x14: "block not locked",
}
"""Error codes of a tag (ISO/IEC 15693-3 §7.4.2); A0..DF are the maker's own."""


def printed(wire: bytes) -> bytes:
    """A UID as printed from its bytes on the air; the same call turns it back."""
    return wire[::-1]


def is_uid(uid: bytes) -> bool:
    """Whether these bytes, most significant first, can be an ISO 15693 UID."""
    return len(uid) == UID_BYTES and uid[0] == UID_HEAD


def is_reversed(uid: bytes) -> bool:
    """Whether they would be one in the opposite order, and are none in this."""
    return not is_uid(uid) and is_uid(uid[::-1])


def maker(uid: bytes) -> str:
    """The maker of a tag: `0x04 NXP`, or the number alone."""
    return named(uid[1], MAKERS)


def named(code: int, names: dict[int, str]) -> str:
    """A code with its name when it has one: `0x12 block locked`."""
    return f"0x{code:02X} {names[code]}" if code in names else f"0x{code:02X}"


def slots(flags: int) -> str:
    """How many slots an inventory with these flags has: `0x06 16 slots`."""
    return f"0x{flags:02X} {'1 slot' if flags & 0x20 else '16 slots'}"


def split(data: bytes, size: int, *, before: int = 0, what: str = "inventory") -> tuple[bytes, ...]:
    """Equal pieces of `size` bytes without their first `before`; FrameError when they do not fit."""
    if len(data) % size:
        raise FrameError(f"{what}: {len(data)} bytes are no list of {size}-byte entries")
    return tuple(data[at + before : at + size] for at in range(0, len(data), size))
