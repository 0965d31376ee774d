"""Printed-code scanners: text on a line, and the commands of the common heads."""

from protocols.scanners.serial import serial_fields
from protocols.scanners.text import (
    NO_READ,
    TEXT_BYTES_MAX,
    Suffix,
    TextFramer,
    decode_text,
    is_no_read,
)

__all__ = [
    "NO_READ",
    "TEXT_BYTES_MAX",
    "Suffix",
    "TextFramer",
    "decode_text",
    "is_no_read",
    "serial_fields",
]
