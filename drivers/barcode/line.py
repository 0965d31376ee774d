"""Scanners that send codes as text, over serial or TCP: printed labels, QR, ceramic barcodes.

A quiet scanner is healthy. What is not a whole readable code is noise, and so is what a head says
when it saw nothing (NG, NOREAD, ERROR). `head_line` has the line, `codes` what becomes a read.
"""

from collections.abc import Mapping
from typing import Any, NoReturn

from drivers.barcode.head_line import HeadLine
from drivers.barcode.listener import Listener
from drivers.barcode.settings import ListenLink, SerialSettings, TcpSettings
from drivers.contract import Context, Driver, DriverError, DriverType
from drivers.links import Stream, open_stream
from drivers.liveness import LIVELY_S


class Scanner:
    """One configured scanner."""

    def __init__(self, name: str, settings: SerialSettings | TcpSettings) -> None:
        self.name = name
        self._settings = settings
        self._line: HeadLine | None = None

    async def run(self, context: Context) -> None:
        """Take codes until the link fails; raises DriverError."""
        link = self._settings.link
        if isinstance(link, ListenLink):
            await Listener(self._serve, link, context).run()
            return
        stream = await open_stream(link)
        try:
            await self._serve(stream, context, f"scanner on {stream.wire}")
        finally:
            await stream.close()

    async def trigger_on(self) -> None:
        """Tell the head to look; raises DriverError when it cannot be told."""
        await self._connected().trigger_on()

    async def trigger_off(self) -> None:
        """Tell the head to look no longer; raises DriverError when it cannot be told."""
        await self._connected().trigger_off()

    def _connected(self) -> HeadLine:
        if self._line is None:
            raise DriverError(f"{self.name}: not connected")
        return self._line

    async def _serve(self, stream: Stream, context: Context, what: str) -> NoReturn:
        """Take codes from one open stream; raises DriverError when it ends."""
        line = HeadLine(self.name, self._settings, stream, context)
        await line.open()
        self._line = line
        try:
            context.up(what)
            await line.serve()
        finally:
            if self._line is line:
                self._line = None


def _make(name: str, settings: SerialSettings | TcpSettings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A scanner has no register map.
    return Scanner(name, settings)


_CAVEATS = (
    (
        "没有 AIM 标识（如 ]C1）的数字永远不会当作 GS1 解析；请在扫码枪上开启 AIM，或设 symbology",
        "without an AIM identifier (]C1) digits are never read as GS1; send it, or set symbology",
    ),
    (
        "trigger 为 honeywell 时扫码头不应答指令，断电的扫码头与空闲的无法区分",
        "a Honeywell head does not answer its trigger: one without power looks like an idle one",
    ),
    (
        "trigger: gm65 只改运行模式，不写入闪存；模块断电后由驱动重新设置",
        "trigger: gm65 sets the mode until the module is switched off, never its flash",
    ),
)
_MODELS = (
    "any serial or TCP text scanner",
    "Honeywell Voyager, Xenon, Vuquest, HF500, N86 (serial trigger)",
    "Zebra SE9xx, SE4xxx, DS, LI, MP in SSI host mode",
    "Grow GM65, GM67, GM812, GM861; Waveshare barcode module",
)

SERIAL = DriverType(
    name="barcode.serial",
    settings=SerialSettings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="Text scanners on a serial or USB CDC port",
    capabilities=frozenset({"identify", "trigger"}),
    summary_zh="串口或 USB 虚拟串口（CDC）的文本扫码枪",
    models=_MODELS,
    caveats=_CAVEATS,
    example="{driver: barcode.serial, link: {serial: /dev/serial/by-id/usb-Y, baud: 9600}}",
    formats=("scanner_serial", "aim_gs1"),
    lively_s=LIVELY_S,
)
TCP = DriverType(
    name="barcode.tcp",
    settings=TcpSettings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="Text scanners on TCP, connecting to them or letting them connect",
    capabilities=frozenset({"identify", "trigger"}),
    summary_zh="网口文本扫码枪：主动连接，或等待其连接",
    models=("any TCP text scanner", *_MODELS[1:]),
    caveats=_CAVEATS,
    example='{driver: barcode.tcp, link: {tcp: "192.168.1.50:9000"}}',
    formats=("scanner_serial", "aim_gs1"),
    lively_s=LIVELY_S,
)
