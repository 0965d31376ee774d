"""Whether a unit and its timeout can be kept on a serial line; said before anything runs."""

import math

from drivers.links import Link, SerialLink

UNITS_SERIAL = range(1, 248)
"""MODBUS over Serial Line 1.02, 2.2; over TCP some devices want 0 or 255."""


def unit_gap(link: Link, unit: int) -> str:
    """Why this unit cannot be on this link; empty when it can."""
    if isinstance(link, SerialLink) and unit not in UNITS_SERIAL:
        return f"unit {unit} is not on a serial line; expected 1..247"
    return ""


def reply_gap(link: Link, reply_bytes: int, timeout_ms: int) -> str:
    """Why an RTU reply of so many bytes, CRC included, cannot be in time; empty when it can."""
    if not isinstance(link, SerialLink):
        return ""
    reply_ms = math.ceil(reply_bytes * link.char_s() * 1000)
    if timeout_ms >= reply_ms:
        return ""
    return f"timeout_ms {timeout_ms} is shorter than one reply at {link.baud} baud, {reply_ms} ms"
