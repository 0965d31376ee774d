"""Scanners that play keyboard: taken away from the console, read key by key, never a real keyboard.

Only a device whose vendor and product are written in its settings is grabbed. What the layout does
not know spoils a code instead of changing it. Better modes exist: HID POS or a serial port.
"""

from collections.abc import Mapping
from typing import Any, Literal, NoReturn, TypeAlias

from pydantic import Field, field_validator

from drivers.barcode.evdev_keys import USAGES
from drivers.barcode.hid_codes import HidCodes
from drivers.barcode.input_port import KeyLink, KeyPort, open_keys
from drivers.barcode.usb_vendors import USB_IDS
from drivers.contract import Context, Driver, DriverType, Strict
from drivers.links import LinkSilentError
from drivers.liveness import LIVELY_S, TURN_S
from protocols.scanners import NO_READ, TEXT_BYTES_MAX
from protocols.scanners.hid_keyboard import UNKNOWN, Typist
from protocols.scanners.hid_keymaps import FUNCTION_KEYS, LayoutName

NO_READS_MAX = 16
"""How many no-read texts one scanner may have."""
IDLE_ENDS_MS = 50
"""Silence that ends a code when no key does; keys of a scanner are 1 to 10 ms apart."""
IDLE_DROPS_MS = 500
"""Silence after which a code without its last key is given up."""

NOT_CODES = "Z"
"""AIM letter of what is no barcode (ISO/IEC 15424)."""
EV_SYN, EV_KEY, SYN_DROPPED = 0, 1, 3
RELEASED, PRESSED = 0, 1
"""A value of 2 is auto-repeat."""

Suffix: TypeAlias = Literal["auto", "enter", "tab", "none"]
_ENDS: Mapping[str, frozenset[str]] = {
    "auto": frozenset("\n\t"),
    "enter": frozenset("\n"),
    "tab": frozenset("\t"),
    "none": frozenset(),
}


class Settings(Strict):
    """Settings of `barcode.keyboard`."""

    link: KeyLink
    layout: LayoutName = Field(
        default="us", description="keyboard layout set in the scanner; cn is us"
    )
    suffix: Suffix = Field(
        default="auto", description="key that ends a code: auto (Enter or Tab), enter, tab, none"
    )
    gs_key: str | None = Field(
        default=None, description="function key the scanner sends for GS, f1..f12"
    )
    idle_ms: int | None = Field(
        default=None, ge=10, le=10_000, description="silence that ends or drops a code"
    )
    no_read: tuple[str, ...] = Field(
        default=NO_READ, max_length=NO_READS_MAX, description="texts that mean: saw no code"
    )

    @field_validator("gs_key")
    @classmethod
    def _function_key(cls, value: str | None) -> str | None:
        if value is not None and value not in FUNCTION_KEYS:
            raise ValueError("expected one of f1..f12")
        return value

    def idle_s(self) -> float:
        """Seconds of silence that end or drop a code."""
        usual_ms = IDLE_ENDS_MS if self.suffix == "none" else IDLE_DROPS_MS
        return (self.idle_ms or usual_ms) / 1000


class Keyboard:
    """One configured scanner."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Grab the scanner and take codes until it is unplugged; raises DriverError."""
        port = open_keys(self._settings.link)
        try:
            context.up(
                f"keyboard scanner {port.name} on {port.path}, layout {self._settings.layout}"
            )
            await Codes(self.name, self._settings, context).read(port)
        finally:
            await port.close()


class Codes:
    """Keys to codes for one open scanner."""

    def __init__(self, name: str, settings: Settings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._codes = HidCodes(name, context, settings.no_read, NOT_CODES)
        gs_key = FUNCTION_KEYS[settings.gs_key] if settings.gs_key else None
        self._typist = Typist(settings.layout, gs_key)
        self._ends = _ENDS[settings.suffix]
        self._held = ""
        self._broken = ""

    async def read(self, port: KeyPort) -> NoReturn:
        """Take keys until the scanner is gone; raises DriverError."""
        while True:
            waiting = bool(self._held or self._broken)
            self._context.alive()
            try:
                event = await port.read(self._settings.idle_s() if waiting else TURN_S)
            except LinkSilentError:
                if waiting:
                    self._silent()
            else:
                self._event(*event)

    def _event(self, kind: int, code: int, value: int) -> None:
        if kind == EV_SYN and code == SYN_DROPPED:
            self._broken = "keys were lost: the machine was too slow"
            self._typist.release_all()
        elif kind == EV_KEY and value in {RELEASED, PRESSED}:
            usage = USAGES.get(code)
            if usage is None:
                if value == PRESSED:
                    self._char(UNKNOWN)
                return
            for char in self._typist.key(usage, pressed=value == PRESSED):
                self._char(char)

    def _char(self, char: str) -> None:
        if char in self._ends:
            self._end()
        elif len(self._held) >= TEXT_BYTES_MAX:
            self._broken = self._broken or f"longer than {TEXT_BYTES_MAX} characters"
        else:
            self._held += char

    def _silent(self) -> None:
        if self._settings.suffix != "none":
            self._broken = self._broken or "cut off by silence"
        self._end()

    def _end(self) -> None:
        text, self._held = self._held, ""
        broken, self._broken = self._broken, ""
        raw = text.encode()
        if UNKNOWN in text:
            broken = broken or f"a key that layout {self._settings.layout} does not know"
        if broken:
            self._context.noise(broken, raw)
        elif text:
            self._codes.take(raw)


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A scanner has no register map.
    return Keyboard(name, settings)


DRIVER = DriverType(
    name="barcode.keyboard",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="USB scanners that play keyboard, grabbed from the console (extra: hid)",
    summary_zh="键盘模式的 USB 扫码枪，独占读取（需安装附加组件 hid）",
    capabilities=frozenset({"identify"}),
    models=("any scanner in USB keyboard mode",),
    caveats=(
        (
            "需要 pip install 'gatewayd[hid]'（编译 evdev）",
            "needs pip install 'gatewayd[hid]', which builds evdev",
        ),
        (
            "键盘模式会丢失或改写 GS；优先用 HID POS 或串口模式",
            "keyboard mode loses or changes GS; prefer HID POS or a serial mode",
        ),
        (
            "layout 须与扫码枪内设置的键盘布局一致，中国用 cn（即 us）",
            "layout must be the one set in the scanner; cn is us",
        ),
        (
            "只独占 usb 写明的设备；与普通键盘同型号的编号不要写",
            "only the device named by usb is grabbed; never name a real keyboard's number",
        ),
        (
            "布局表未经真实扫码枪验证，首次使用请逐字核对一个码",
            "the layouts are not checked on real scanners: compare one code letter by letter first",
        ),
    ),
    example="""\
driver: barcode.keyboard
link: {usb: "1eab:0010"}
layout: us
""",
    formats=("hid_keyboard",),
    lively_s=LIVELY_S,
    usb_ids=USB_IDS,
)
