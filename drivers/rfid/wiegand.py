"""Wiegand card readers behind a converter that writes each card as a line, on serial or TCP.

One card reads differently behind every converter, so its rendering is a setting and never guessed.
Every read carries the canonical uid: the data bits between the parities, most significant byte
first, as upper-case hex. Facts: protocols/README.md.
"""

from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import Field

from drivers.contract import Context, Driver, DriverType, Strict, Trouble
from drivers.dialog import Dialog, gap_s, now
from drivers.links import open_stream
from drivers.liveness import LIVELY_S, TURN_S
from drivers.rfid.field import Field as TagField
from drivers.rfid.field import Sighting
from drivers.rfid.rounds import ReaderLink9600
from protocols.framing import FrameError
from protocols.readers.wiegand import (
    Card,
    Rendering,
    Width,
    fits,
    line_text,
    new_framer,
    parse,
)

SHOWN_CHARS_MAX = 40
FITS_SHOWN_MAX = 3


class Settings(Strict):
    """Settings of `rfid.wiegand`."""

    link: ReaderLink9600
    rendering: Rendering = Field(
        description="how the converter writes the card numbered facility 68, card 41551: bits "
        "00100010010100010010011111, hex 44A24F, hex_reversed 4FA244, hex_bits 089449F, decimal "
        "0004497999, decimal_reversed 0005218884, facility_card 068,41551, "
        "facility_card_joined 06841551"
    )
    bits: Width = Field(default=26, description="Wiegand 26 or 34, as the reader is wired and set")
    padded: bool = Field(
        default=True,
        description="false also takes numbers without leading zeros; then half a number that was "
        "cut in transit can pass for another card",
    )


class WiegandConverter:
    """One configured converter with one reader."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Take cards until the link fails; raises DriverError."""
        settings = self._settings
        stream = await open_stream(settings.link)
        try:
            dialog: Dialog[Card] = Dialog(
                stream,
                context,
                framer=new_framer(),
                decode=lambda line: self._card(line, context),
                format="wiegand26",
                gap_s=gap_s(settings.link),
            )
            context.up(
                f"Wiegand {settings.bits} converter, {settings.rendering}; "
                "reports no antenna, serves antenna 1"
            )
            await _listen(dialog, TagField(context, self.name))
        finally:
            await stream.close()

    def _card(self, line: bytes, context: Context) -> Card | None:
        """The card of one line, None for a bare line end; raises FrameError."""
        settings = self._settings
        text = line_text(line)
        if not text:
            return None
        try:
            return parse(text, settings.rendering, settings.bits, padded=settings.padded)
        except FrameError:
            context.trouble(wrong_rendering(text, settings.rendering, settings.bits))
            raise


def wrong_rendering(text: str, rendering: str, bits: int) -> Trouble:
    """A line that is no card as configured, with what it could be."""
    could = [f"rendering: {name}, bits: {width}" for name, width in fits(text)][:FITS_SHOWN_MAX]
    zh = f"；可能是 {' 或 '.join(could)}，请用已知卡号核对" if could else ""
    en = f"; it could be {' or '.join(could)}: compare with a known card" if could else ""
    shown = text[:SHOWN_CHARS_MAX]
    return Trouble(
        "wrong_rendering",
        zh=f"转换器发送 {shown!r}，不符合 rendering: {rendering}、bits: {bits}{zh}",
        en=f"the converter sent {shown!r}, not rendering: {rendering} with bits: {bits}{en}",
    )


async def _listen(dialog: Dialog[Card], field: TagField) -> NoReturn:
    """A quiet converter is healthy, so that each wait for the next card is a turn of its own."""
    while True:
        dialog.context.alive()
        _, cards = await dialog.receive(now() + TURN_S)
        heard_ns = dialog.context.monotonic_ns()  # It answers nothing by which it could be proven.
        field.emit((Sighting(card.uid) for card in cards), heard_ns)


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A card reader has no register map.
    return WiegandConverter(name, settings)


DRIVER = DriverType(
    name="rfid.wiegand",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="Wiegand 26/34 card readers behind a serial or TCP converter that sends lines",
    summary_zh="韦根 26/34 读卡器，经串口或 TCP 转换器按行发送卡号",
    capabilities=frozenset({"identify", "push"}),
    models=("Wiegand to RS-232/485/TCP converters", "125 kHz and 13.56 MHz Wiegand readers"),
    caveats=(
        (
            "同一张卡经不同转换器显示不同：必须设置 rendering，并用一张已知卡核对",
            "one card reads differently behind every converter: set rendering, check a known card",
        ),
        (
            "只有 bits 和 hex_bits 带校验位；其他格式传输出错无法发现",
            "only bits and hex_bits carry a parity; an error in other renderings is not seen",
        ),
        (
            "26 位只有 1677 万个号码，不同厂家的卡可能重号；只发送 16 位卡号的转换器不能使用",
            "26 bits repeat between makers; a converter that sends only the 16-bit card is of no use",
        ),
        (
            "无法查询读数的时间：网络延迟几秒时，旧卡号可能算到新气瓶上；请接本机串口",
            "how old a card is nobody can ask: use a serial port here, no network that may hold it back",
        ),
        (
            "没有天线和信号强度；一个转换器只接一个读卡器",
            "no antenna, no signal strength; one reader to a converter",
        ),
    ),
    example="{driver: rfid.wiegand, link: {serial: /dev/serial/by-id/usb-X}, rendering: hex}",
    formats=("wiegand26",),
    lively_s=LIVELY_S,
)
