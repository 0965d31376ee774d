"""Scanners in USB HID POS mode: whole codes with their symbology, no driver to install, no layout.

The place of a code in a report is read from the scanner's own report descriptor. A quiet scanner is
healthy. A code is whole or it is noise, and what a scanner says about itself is never a code.
"""

import contextlib
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NoReturn, TypeAlias

from pydantic import Field

from drivers.barcode.hid_codes import HidCodes
from drivers.barcode.hid_link import HidLink, HidPort, HidrawLink, UsbLink
from drivers.barcode.hidraw import open_hidraw
from drivers.barcode.settings import Scan
from drivers.barcode.usb_port import open_usb
from drivers.barcode.usb_vendors import USB_IDS
from drivers.contract import Context, Driver, DriverError, DriverType, Strict
from drivers.dialog import now
from drivers.links import LinkSilentError
from drivers.liveness import LIVELY_S, TURN_S
from protocols.framing import FrameError, Noise
from protocols.scanners import NO_READ
from protocols.scanners.hid_pos import (
    NOT_A_SYMBOL,
    TRIGGER_OFF,
    TRIGGER_ON,
    Code,
    Joiner,
    Layout,
    build_command,
    layout_from,
    read_report,
)

NO_READS_MAX = 16
"""How many no-read texts one scanner may have."""
GAP_MS = 500
"""Reports of one scan are 1 to 10 ms apart; a hub that is busy delays them, never this long."""
TRIGGER_EVERY_S = 5.0
"""A Honeywell gives up looking by itself; it is told again after this long without a code."""
CODE_ENDS = b"\r\n\t"
"""What scanners put behind a code as if they were keyboards."""

Opener: TypeAlias = Callable[[HidrawLink | UsbLink], Awaitable[HidPort]]


class Settings(Strict):
    """Settings of `barcode.hid_pos`."""

    link: HidLink
    gap_ms: int = Field(
        default=GAP_MS, ge=20, le=10_000, description="silence inside a code that drops it"
    )
    no_read: tuple[str, ...] = Field(
        default=NO_READ, max_length=NO_READS_MAX, description="texts that mean: saw no code"
    )
    trigger: Literal["none", "honeywell"] = Field(
        default="none",
        description="how the scanner is told to look: none (it looks by itself), honeywell",
    )
    scan: Scan = Field(
        default="always",
        description="with a trigger: always keeps the scanner looking, on_trigger waits to be told",
    )


async def open_port(link: HidrawLink | UsbLink) -> HidPort:
    """Open the scanner either way; raises DriverError."""
    return await open_usb(link) if isinstance(link, UsbLink) else open_hidraw(link)


class HidPos:
    """One configured scanner."""

    def __init__(self, name: str, settings: Settings, opener: Opener = open_port) -> None:
        self.name = name
        self._settings = settings
        self._open = opener
        self._line: _Line | None = None

    async def run(self, context: Context) -> None:
        """Take codes until the scanner is unplugged; raises DriverError."""
        port = await self._open(self._settings.link)
        try:
            layout = _layout(port)
            context.up(f"HID POS scanner on {port.wire}, {layout.data_bytes} bytes a report")
            self._line = _Line(self.name, self._settings, port, layout, context)
            await self._line.read()
        finally:
            self._line = None
            await self._let_go(port)

    async def trigger_on(self) -> None:
        """Begin to look; raises DriverError when the scanner cannot be told."""
        await self._connected().tell(TRIGGER_ON)

    async def trigger_off(self) -> None:
        """Look no longer; raises DriverError when the scanner cannot be told."""
        await self._connected().tell(TRIGGER_OFF)

    def _connected(self) -> "_Line":
        if self._settings.trigger == "none":
            raise DriverError(f"{self.name}: no trigger is set; it looks by itself")
        if self._line is None:
            raise DriverError(f"{self.name}: not connected")
        return self._line

    async def _let_go(self, port: HidPort) -> None:
        try:
            if self._settings.trigger != "none":
                with contextlib.suppress(DriverError):  # It may be gone; then it looks no more.
                    await port.write(build_command(TRIGGER_OFF))
        finally:
            await port.close()


def _layout(port: HidPort) -> Layout:
    try:
        return layout_from(port.descriptor)
    except FrameError as exc:
        raise DriverError(
            f"{port.wire}: {exc}; scan the code 'USB HID POS' of the scanner's manual"
        ) from exc


class _Line:
    """One open scanner."""

    def __init__(
        self, name: str, settings: Settings, port: HidPort, layout: Layout, context: Context
    ) -> None:
        self._settings = settings
        self._port = port
        self._layout = layout
        self._context = context
        self._joiner = Joiner()
        self._codes = HidCodes(name, context, settings.no_read, NOT_A_SYMBOL)
        self._keeps_looking = settings.trigger != "none" and settings.scan == "always"
        self._look_at_s = math.inf

    async def read(self) -> NoReturn:
        """Take reports until the scanner is gone; raises DriverError."""
        await self._look()
        while True:
            self._context.alive()
            try:
                report = await self._port.read(self._patience_s())
            except LinkSilentError:
                cut_off = self._joiner.drop()
                self._take(cut_off)
                if cut_off or now() >= self._look_at_s:
                    await self._look()
            else:
                if self._report(report):
                    await self._look()

    def _patience_s(self) -> float:
        if self._joiner.is_inside:
            return self._settings.gap_ms / 1000
        return max(0.0, min(self._look_at_s - now(), TURN_S))

    async def _look(self) -> None:
        if self._keeps_looking:
            self._look_at_s = now() + TRIGGER_EVERY_S
            await self.tell(TRIGGER_ON)

    async def tell(self, command: bytes) -> None:
        """Send one of the scanner's own commands; raises DriverError."""
        report = build_command(command)
        self._context.frame("host>device", report)
        await self._port.write(report)

    def _report(self, report: bytes) -> bool:
        """Take one report; True when it ended a scan."""
        try:
            piece = read_report(self._layout, report)
        except FrameError as exc:
            self._context.noise(str(exc), report)
            return False
        if piece is None:
            return False  # Another report of the scanner: a button, an answer to settings.
        self._context.frame("device>host", report)
        self._take(self._joiner.feed(piece))
        return not self._joiner.is_inside

    def _take(self, found: list[Code | Noise] | list[Noise]) -> None:
        for each in found:
            if isinstance(each, Noise):
                self._context.noise(each.reason, each.raw)
            else:
                self._codes.take(each.data.rstrip(CODE_ENDS), each.aim)


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A scanner has no register map.
    return HidPos(name, settings)


DRIVER = DriverType(
    name="barcode.hid_pos",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="USB scanners in HID POS mode, through hidraw or libusb",
    summary_zh="HID POS 模式的 USB 扫码枪（hidraw 或 libusb）",
    capabilities=frozenset({"identify", "trigger"}),
    models=("Honeywell Voyager 1602g", "Honeywell, Zebra, Datalogic in HID POS mode"),
    caveats=(
        (
            "需要 systemd/70-gatewayd.rules 的权限；扫码枪须先设为 USB HID POS 模式",
            "needs the permissions of systemd/70-gatewayd.rules; set the scanner to USB HID POS first",
        ),
        (
            "/dev/hidrawN 的编号会变，请用规则建立的 /dev/gatewayd/ 下的名称",
            "/dev/hidrawN changes its number; use the names the rules make under /dev/gatewayd/",
        ),
        (
            "同型号多支扫码枪须写 serial 或 path",
            "several scanners of one kind are told apart by serial or path",
        ),
        (
            "trigger: honeywell 默认使扫码枪一直寻码；命令格式取自公开抓包，未见厂商文档",
            "trigger: honeywell keeps the scanner looking; its format is from captures, not a manual",
        ),
        (
            "标为 ]X、]Z 的内容不是条码，不作为读数",
            "what comes under ]X or ]Z is no symbology and never a read",
        ),
    ),
    example="""\
driver: barcode.hid_pos
link: {usb: "0c2e:0b01"}
""",
    formats=("hid_pos_8c",),
    lively_s=LIVELY_S,
    usb_ids=USB_IDS,
)
