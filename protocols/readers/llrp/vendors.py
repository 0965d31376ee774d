"""Custom messages by their vendor: LLRP carries an IANA enterprise number and the vendor's subtype."""

from typing import Any

from protocols.readers.llrp.commands import IMPINJ_PEN
from protocols.readers.llrp.wire import Message

VENDORS = {IMPINJ_PEN: "Impinj", 161: "Motorola", 10_642: "Zebra", 17_996: "Alien"}
"""Impinj's number is in captures; the others are from memory of the IANA list."""
IMPINJ_SUBTYPES = {
    "IMPINJ_ENABLE_EXTENSIONS": 21,
    "IMPINJ_ENABLE_EXTENSIONS_RESPONSE": 22,
    "IMPINJ_SAVE_SETTINGS": 23,
    "IMPINJ_SAVE_SETTINGS_RESPONSE": 24,
}


def custom(message: Message) -> dict[str, Any]:
    """Vendor and subtype of a custom message, and the vendor's own name of it if that is known."""
    if message.name in IMPINJ_SUBTYPES:
        return {
            "type": "CUSTOM_MESSAGE",
            "name": message.name,
            "vendor_id": IMPINJ_PEN,
            "vendor": VENDORS[IMPINJ_PEN],
            "subtype": IMPINJ_SUBTYPES[message.name],
        }
    vendor = message.body.number("vendor_id")
    return {"vendor": VENDORS[vendor]} if vendor in VENDORS else {}
