"""NXP PN532 readers on a serial line (HSU) or serial server: `rfid.pn532`, ISO 14443A tags.

Facts: protocols/readers/pn532. Everything set in the chip is gone with its power.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pydantic import Field

from drivers.contract import Context, Driver, DriverType, Hello, MemoryArea
from drivers.dialog import gap_s
from drivers.links import open_stream
from drivers.liveness import LIVELY_S
from drivers.rfid.contents import BlockSettings, of_each
from drivers.rfid.field import Field as TagField
from drivers.rfid.pn532_line import Pn532Line
from drivers.rfid.rounds import ReaderLink115200, poll
from protocols.readers import pn532


class Settings(BlockSettings):
    """Settings of `rfid.pn532`."""

    link: ReaderLink115200
    poll_ms: int = Field(default=100, ge=20, le=10_000, description="start to start of a round")


class Pn532:
    """One configured reader."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Open, wake, then read until the link fails; raises DriverError."""
        async with self._open(context) as line:
            text = await self._wake(line)
            await poll(
                line.dialog,
                TagField(context, self.name),
                once=line.round,
                settle=line.settle,
                poll_ms=self._settings.poll_ms,
                up=lambda: context.up(f"{text}; reports no antenna, serves antenna 1"),
                access=of_each(context, line.read),
            )

    async def read_memory(self, context: Context, area: MemoryArea) -> bytes:
        """Pages of exactly one NTAG or Ultralight tag; raises DriverError."""
        async with self._open(context) as line:
            await self._wake(line)
            return await line.read(area)

    async def write_memory(self, context: Context, area: MemoryArea, data: bytes) -> None:
        """Write pages, read back and compare; raises DriverError."""
        async with self._open(context) as line:
            await self._wake(line)
            await line.write(area, data)

    @asynccontextmanager
    async def _open(self, context: Context) -> AsyncIterator[Pn532Line]:
        link = self._settings.link
        stream = await open_stream(link)
        try:
            yield Pn532Line(stream, context, gap_s=gap_s(link))
        finally:
            await stream.close()

    async def _wake(self, line: Pn532Line) -> str:
        await line.dialog.drain()
        text = await line.find()
        if text is None:
            raise line.dialog.lost("no PN532 answers")
        return text


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A tag reader has no register map.
    return Pn532(name, settings)


DRIVER = DriverType(
    name="rfid.pn532",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="PN532 readers over serial (HSU) or TCP: ISO 14443A, NTAG pages read and written",
    summary_zh="PN532 读写器（HSU 串口或 TCP）：ISO 14443A，可读写 NTAG 页",
    lively_s=LIVELY_S,
    models=("PN532 HSU boards", "Elechouse PN532 V3", "PN532Killer"),
    caveats=(
        (
            "不能读 ISO 15693 标签；拨码开关须设为 HSU",
            "it cannot read ISO 15693; set its switches to HSU",
        ),
        ("同时最多识别两个标签", "it tells at most two tags at once"),
        (
            "手机和银行卡的随机编号不作为标识，只提示",
            "the made-up UID of a phone or bank card is no identity, it is only told",
        ),
        (
            "只读写 NTAG 和 Ultralight；MIFARE Classic 需要密钥，不支持",
            "memory of NTAG and Ultralight only: MIFARE Classic needs keys",
        ),
        ("不报天线，按天线 1 处理", "it reports no antenna and serves antenna 1"),
    ),
    example="{driver: rfid.pn532, link: {serial: /dev/serial/by-id/usb-X}}",
    formats=("pn532",),
    hellos=(Hello(115_200, pn532.WAKE_UP + pn532.firmware(), "pn532"),),
    capabilities=frozenset({"identify", "read_memory", "write_memory"}),
)
