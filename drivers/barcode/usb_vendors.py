"""USB vendors whose scanners were seen in the field, for finding them and for the udev rules."""

ANY_PRODUCT = 0
"""In place of a product: every product of this vendor."""

VENDORS = {
    0x0536: "Hand Held Products (Honeywell)",
    0x05E0: "Symbol, Motorola, Zebra",
    0x05F9: "PSC, Datalogic",
    0x067E: "Intermec",
    0x0C2E: "Metrologic, Honeywell",
    0x1EAB: "Newland",
    0x1FBB: "Cino",
    0x23D0: "Youjie (Honeywell)",
    0x27DD: "Mindeo",
    0x2DD6: "Mertech, Superlead",
}
"""Vendor number and whose it is, as public scanner software lists them; not checked on devices.

Makers that borrow the number of a USB chip (1a86, 0416, ...) are left out: a rule for them would
open other people's devices.
"""

USB_IDS = tuple((vendor, ANY_PRODUCT) for vendor in VENDORS)
