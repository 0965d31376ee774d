"""What a scanner that plays keyboard means by a key, in the layout that is set in the scanner.

Keys are HID usages of page 7 (HID Usage Tables, keyboard page). The layouts are the Windows ones
that scanner makers copy: US (also China), German T1, French AZERTY; written down from knowledge of
the layouts, not checked on a scanner. A key with no entry means nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

LayoutName: TypeAlias = Literal["us", "cn", "de", "fr"]
"""Chinese scanners type as US."""

ENTER, TAB, SPACE, CAPS_LOCK = 0x28, 0x2B, 0x2C, 0x39
BRACKET_RIGHT = 0x30
KEYPAD_ENTER = 0x58
LEFT_CTRL, LEFT_SHIFT, LEFT_ALT, LEFT_GUI = 0xE0, 0xE1, 0xE2, 0xE3
RIGHT_CTRL, RIGHT_SHIFT, RIGHT_ALT, RIGHT_GUI = 0xE4, 0xE5, 0xE6, 0xE7
MODIFIERS = range(LEFT_CTRL, RIGHT_GUI + 1)
SILENT = frozenset({0x47, 0x53}) | frozenset(MODIFIERS)
"""Keys that type nothing by themselves: Scroll Lock, Num Lock and the modifiers."""

KEYPAD_DIGITS: Mapping[int, str] = {0x59 + n: str((n + 1) % 10) for n in range(10)}
FUNCTION_KEYS: Mapping[str, int] = {f"f{n}": 0x39 + n for n in range(1, 13)}

_KEYPAD = {0x54: "/", 0x55: "*", 0x56: "-", 0x57: "+", KEYPAD_ENTER: "\n", **KEYPAD_DIGITS}
EVERYWHERE: Mapping[int, str] = {ENTER: "\n", TAB: "\t", SPACE: " ", **_KEYPAD}
"""Keys that type the same in every layout and with Caps Lock."""


@dataclass(frozen=True, slots=True)
class Keymap:
    """One layout: what a key types alone, with Shift, with AltGr.

    `dead` are (key, level) that wait for the next key: plain, shift or altgr. `caps` are the keys
    that Caps Lock turns; on other keys of a layout where `caps_is_sure` is False its effect differs
    between systems, so they mean nothing while it is on.
    """

    plain: Mapping[int, str]
    shift: Mapping[int, str]
    altgr: Mapping[int, str]
    dead: frozenset[tuple[int, str]]
    caps: frozenset[int]
    caps_is_sure: bool


def _rows(*rows: tuple[int, str]) -> dict[int, str]:
    """Consecutive keys from a first usage on; a blank is a key that types nothing."""
    return {first + n: char for first, text in rows for n, char in enumerate(text) if char != " "}


_A, _ONE, _MINUS = 0x04, 0x1E, 0x2D
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_GERMAN = "abcdefghijklmnopqrstuvwxzy"
_FRENCH = "qbcdefghijkl,noparstuvzxyw"

US = Keymap(
    plain=_rows((_A, _LETTERS), (_ONE, "1234567890"), (_MINUS, "-=[]\\\\;'`,./"))
    | dict(EVERYWHERE)
    | {0x63: "."},
    shift=_rows((_A, _LETTERS.upper()), (_ONE, "!@#$%^&*()"), (_MINUS, '_+{}||:"~<>?'))
    | dict(EVERYWHERE),
    altgr={},
    dead=frozenset(),
    caps=frozenset(range(_A, _A + 26)),
    caps_is_sure=True,
)
DE = Keymap(
    plain=_rows((_A, _GERMAN), (_ONE, "1234567890"), (_MINUS, "ß´ü+##öä^,.-"), (0x64, "<"))
    | dict(EVERYWHERE),
    shift=_rows((_A, _GERMAN.upper()), (_ONE, '!"§$%&/()='), (_MINUS, "?`Ü*''ÖÄ°;:_"), (0x64, ">"))
    | dict(EVERYWHERE),
    altgr={0x14: "@", 0x08: "€", 0x10: "µ", 0x1F: "²", 0x20: "³", 0x24: "{", 0x25: "["}
    | {0x26: "]", 0x27: "}", 0x2D: "\\", 0x30: "~", 0x64: "|"},
    dead=frozenset({(0x2E, "plain"), (0x2E, "shift"), (0x35, "plain")}),
    caps=frozenset({*range(_A, _A + 26), 0x2F, 0x33, 0x34}),
    caps_is_sure=False,
)
FR = Keymap(
    plain=_rows((_A, _FRENCH), (_ONE, "&é\"'(-è_çà"), (_MINUS, ")=^$**mù²;:!"), (0x64, "<"))
    | dict(EVERYWHERE),
    shift=_rows((_A, _FRENCH.upper().replace(",", "?")), (_ONE, "1234567890"))
    | _rows((_MINUS, "°+¨£µµM% ./§"), (0x64, ">"))
    | dict(EVERYWHERE),
    altgr=_rows((0x1F, "~#{[|`\\^@"), (_MINUS, "]}")) | {0x08: "€", 0x30: "¤"},
    dead=frozenset({(0x2F, "plain"), (0x2F, "shift"), (0x1F, "altgr"), (0x24, "altgr")}),
    caps=frozenset({*range(_A, _A + 26), 0x33} - {0x10}),
    caps_is_sure=False,
)
KEYMAPS: Mapping[LayoutName, Keymap] = {"us": US, "cn": US, "de": DE, "fr": FR}
