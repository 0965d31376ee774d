"""Linux key codes to HID usages (linux/input-event-codes.h, drivers/hid/hid-input.c).

The kernel turns the usages of a keyboard into key codes; text is made from usages, so they are
turned back. Keys a scanner cannot mean are left out.
"""

from collections.abc import Mapping


def _row(first_code: int, usages: str) -> dict[int, int]:
    return {first_code + n: int(usage, 16) for n, usage in enumerate(usages.split())}


USAGES: Mapping[int, int] = {
    **_row(1, "29 1e 1f 20 21 22 23 24 25 26 27 2d 2e 2a 2b"),  # Esc, 1..0, - = BackSpace Tab
    **_row(16, "14 1a 08 15 17 1c 18 0c 12 13 2f 30 28 e0"),  # Q..P [ ] Enter left Ctrl
    **_row(30, "04 16 07 09 0a 0b 0d 0e 0f 33 34 35 e1 31"),  # A..L ; ' ` left Shift backslash
    **_row(
        44, "1d 1b 06 19 05 11 10 36 37 38 e5 55 e2 2c 39"
    ),  # Z..M , . / Shift KP* Alt Space Caps
    **_row(59, "3a 3b 3c 3d 3e 3f 40 41 42 43 53 47"),  # F1..F10 Num Lock, Scroll Lock
    **_row(71, "5f 60 61 56 5c 5d 5e 57 59 5a 5b 62 63"),  # KP7 8 9 - 4 5 6 + 1 2 3 0 .
    **_row(86, "64 44 45"),  # the key beside left Shift, F11, F12
    96: 0x58,
    97: 0xE4,
    98: 0x54,
    100: 0xE6,
    125: 0xE3,
    126: 0xE7,
}
"""Key code to usage; 96 is KPENTER, 97 RIGHTCTRL, 98 KPSLASH, 100 RIGHTALT, 125 and 126 META."""
