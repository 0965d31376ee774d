"""Scanners that play keyboard: boot reports to keys, keys to text, GS in all its disguises.

Device Class Definition for HID 1.11, appendix B (boot report: modifiers, reserved, six usages) and
§C (rollover). Checked on captured reports of keyboards and a remote control; no capture of a
scanner is public. Scanners turn the GS of GS1 codes into Ctrl+], a function key, Alt+0029 or
nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from construct import Array, Int8ub, Struct, Terminated

from protocols.framing import FrameError, parse
from protocols.scanners.hid_keymaps import (
    BRACKET_RIGHT,
    CAPS_LOCK,
    EVERYWHERE,
    KEYMAPS,
    KEYPAD_DIGITS,
    LEFT_ALT,
    LEFT_CTRL,
    LEFT_SHIFT,
    MODIFIERS,
    RIGHT_ALT,
    RIGHT_CTRL,
    RIGHT_SHIFT,
    SILENT,
    SPACE,
    LayoutName,
)

REPORT_BYTES = 8
KEYS_MAX = 6
BOOT_REPORT = Struct(
    "modifiers" / Int8ub, "reserved" / Int8ub, "usages" / Array(KEYS_MAX, Int8ub), Terminated
)
"""HID 1.11, appendix B.1; the reserved byte is the maker's own."""

ROLLOVER, ERROR_LAST = 0x01, 0x03
"""Usages 1..3 are no keys: too many pressed at once, self-test failed, undefined error."""

GS = "\x1d"
UNKNOWN = "\ufffd"
"""Stands for a key that means nothing in the layout; a code with it is no code."""

ALT_DIGITS_MAX = 5
ASCII_MAX = 127
"""Beyond it Alt and digits mean different characters by code page, so they mean nothing here."""


@dataclass(frozen=True, slots=True)
class BootReport:
    """One report: the modifier bits and the usages pressed now, without the empty places."""

    modifiers: int
    usages: tuple[int, ...]

    @property
    def is_phantom(self) -> bool:
        """The keyboard lost track: such a report presses and releases nothing."""
        return any(ROLLOVER <= usage <= ERROR_LAST for usage in self.usages)


def decode_report(data: bytes) -> BootReport:
    """One boot report; raises FrameError when it is not 8 bytes."""
    if len(data) != REPORT_BYTES:
        raise FrameError(f"a boot keyboard report has {REPORT_BYTES} bytes, not {len(data)}")
    found = parse(BOOT_REPORT, data, "keyboard report")
    return BootReport(found.modifiers, tuple(usage for usage in found.usages if usage))


def build_report(report: BootReport) -> bytes:
    """The 8 bytes a keyboard sends."""
    usages = report.usages + (0,) * (KEYS_MAX - len(report.usages))
    return bytes((report.modifiers, 0, *usages))


@dataclass
class Keys:
    """Which keys one keyboard holds down, from its reports."""

    _down: tuple[int, ...] = ()

    def feed(self, report: BootReport) -> list[tuple[int, bool]]:
        """What changed, as (usage, pressed): releases, then modifiers, then keys in their order."""
        if report.is_phantom:
            return []
        held = [usage for n, usage in enumerate(MODIFIERS) if report.modifiers >> n & 1]
        now = (*held, *report.usages)
        released = [(usage, False) for usage in self._down if usage not in now]
        pressed = [(usage, True) for usage in dict.fromkeys(now) if usage not in self._down]
        self._down = now
        return [*released, *pressed]


@dataclass
class Typist:
    """Turns key presses into text as the scanner's layout means them.

    `gs_key` is a usage that stands for GS. Caps Lock is off at the start and follows its own key.
    """

    layout: LayoutName = "us"
    gs_key: int | None = None
    _held: set[int] = field(default_factory=set)
    _caps: bool = False
    _dead: str = ""
    _alt_digits: str = ""

    def key(self, usage: int, *, pressed: bool) -> str:
        """What this press or release types: nothing, one character, or UNKNOWN."""
        if not pressed:
            self._held.discard(usage)
            return self._alt_ends() if usage == LEFT_ALT else ""
        if usage in self._held:
            return ""  # Auto-repeat.
        self._held.add(usage)
        if usage in SILENT:
            return ""
        if usage == CAPS_LOCK:
            self._caps = not self._caps
            return ""
        return self._types(usage)

    def type(self, changes: Iterable[tuple[int, bool]]) -> str:
        """What several changes type."""
        return "".join(self.key(usage, pressed=pressed) for usage, pressed in changes)

    def release_all(self) -> None:
        """Keys were lost on the way: nothing is held any more, nothing half typed."""
        self._held.clear()
        self._dead = self._alt_digits = ""

    def _types(self, usage: int) -> str:
        if usage == self.gs_key:
            return GS
        if LEFT_ALT in self._held and usage in KEYPAD_DIGITS:
            self._alt_digits = (self._alt_digits + KEYPAD_DIGITS[usage])[: ALT_DIGITS_MAX + 1]
            return ""
        level = self._level()
        if level == "ctrl":
            return self._control(usage)
        if level == "nothing":
            return UNKNOWN
        return self._character(usage, level)

    def _level(self) -> str:
        held = self._held
        altgr = RIGHT_ALT in held or {LEFT_CTRL, LEFT_ALT} <= held  # Windows takes both for AltGr.
        shift = bool(held & {LEFT_SHIFT, RIGHT_SHIFT})
        if altgr:
            return "nothing" if shift else "altgr"
        if held & {LEFT_CTRL, RIGHT_CTRL}:
            return "ctrl"
        if LEFT_ALT in held or held & {MODIFIERS[3], MODIFIERS[7]}:
            return "nothing"
        return "shift" if shift else "plain"

    def _control(self, usage: int) -> str:
        """Ctrl and a letter is a control character; Ctrl and the key or character ] is GS."""
        char = KEYMAPS[self.layout].plain.get(usage, "")
        if usage == BRACKET_RIGHT or char == "]":
            return GS
        if char.isascii() and char.isalpha():
            return chr(ord(char.upper()) - ord("@"))
        return UNKNOWN

    def _character(self, usage: int, level: str) -> str:
        keymap = KEYMAPS[self.layout]
        if self._caps and usage in keymap.caps and level != "altgr":
            level = "plain" if level == "shift" else "shift"
        elif self._caps and not keymap.caps_is_sure and usage not in EVERYWHERE:
            level = "nothing"
        levels = {"plain": keymap.plain, "shift": keymap.shift, "altgr": keymap.altgr}
        char = levels.get(level, {}).get(usage, UNKNOWN)
        if self._dead:
            dead, self._dead = self._dead, ""
            if usage == SPACE:
                return dead
            return UNKNOWN + char if usage in EVERYWHERE else UNKNOWN
        if (usage, level) in keymap.dead:
            self._dead = char
            return ""
        return char

    def _alt_ends(self) -> str:
        digits, self._alt_digits = self._alt_digits, ""
        if not digits:
            return ""
        number = int(digits)
        return chr(number) if 0 < number <= ASCII_MAX else UNKNOWN
