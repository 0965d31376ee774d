"""HF readers for ISO 15693 and ISO 14443A tags over serial or TCP: `rfid.hf`, five families.

Facts and how sure they are: protocols/readers/hf. The reader is only asked, nothing is stored in it.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

from pydantic import Field, model_validator

from drivers.contract import Context, Driver, DriverType, Hello, MemoryArea
from drivers.dialog import gap_s
from drivers.links import TcpLink, open_stream
from drivers.liveness import LIVELY_S
from drivers.rfid.contents import BlockSettings, of_each
from drivers.rfid.field import Field as TagField
from drivers.rfid.hf_line import HfLine, UidOrder
from drivers.rfid.rounds import ReaderLink9600, poll
from protocols.readers.hf import FAMILIES, Air, FamilyName


class Settings(BlockSettings):
    """Settings of `rfid.hf`."""

    link: ReaderLink9600 = Field(description="baud and parity default to those of the family")
    family: FamilyName
    air: Air = Field(default="iso15693", description="the kind of tags")
    address: int | None = Field(
        default=None, ge=0, le=255, description="empty is whichever answers"
    )
    poll_ms: int = Field(default=100, ge=20, le=10_000, description="start to start of a round")
    uid_order: UidOrder = Field(
        default="as_told", description="reversed: when the device state says uid_reversed"
    )

    @model_validator(mode="before")
    @classmethod
    def _usual_speed(cls, told: Any) -> Any:
        """A serial link without a speed has the one the family leaves the factory with."""
        if not isinstance(told, dict) or not isinstance(told.get("link"), dict):
            return told
        family = FAMILIES.get(told.get("family", ""))
        if family is None or "serial" not in told["link"]:
            return told
        usual = {"baud": family.baud, "parity": family.parity}
        return {**told, "link": {**usual, **told["link"]}}

    @model_validator(mode="after")
    def _tags(self) -> Self:
        if self.memory is not None and FAMILIES[self.family].block is None:
            raise ValueError(f"family {self.family} reads no blocks; remove memory")
        known = FAMILIES[self.family].inventories
        if self.air not in known:
            raise ValueError(f"family {self.family} reads {', '.join(known)}, not {self.air}")
        return self


class Hf:
    """One configured reader."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Open, identify, then read until the link fails; raises DriverError."""
        async with self._open(context) as line:
            text = await self._identify(line)
            air = self._settings.air.upper().replace("ISO", "ISO ")
            await poll(
                line.dialog,
                TagField(context, self.name),
                once=line.round,
                settle=line.settles,
                poll_ms=self._settings.poll_ms,
                up=lambda: context.up(f"{text}, {air}; reports no antenna, serves antenna 1"),
                take=line.late,
                access=of_each(context, line.read_in_field),
            )

    async def read_memory(self, context: Context, area: MemoryArea) -> bytes:
        """Blocks of exactly one tag; raises DriverError."""
        async with self._open(context) as line:
            await self._identify(line)
            return await line.read(area)

    async def write_memory(self, context: Context, area: MemoryArea, data: bytes) -> None:
        """Write blocks, read back and compare; raises DriverError."""
        async with self._open(context) as line:
            await self._identify(line)
            await line.write(area, data)

    @asynccontextmanager
    async def _open(self, context: Context) -> AsyncIterator[HfLine]:
        settings = self._settings
        stream = await open_stream(settings.link)
        try:
            yield HfLine(
                stream,
                context,
                family=FAMILIES[settings.family],
                air=settings.air,
                address=settings.address,
                uid_order=settings.uid_order,
                gap_s=gap_s(settings.link),
                far=isinstance(settings.link, TcpLink),
            )
        finally:
            await stream.close()

    async def _identify(self, line: HfLine) -> str:
        await line.dialog.drain()
        text = await line.find()
        if text is None:
            title = FAMILIES[self._settings.family].title
            raise line.dialog.lost(f"no {title} reader answers")
        return text


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A tag reader has no register map.
    return Hf(name, settings)


DRIVER = DriverType(
    name="rfid.hf",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="HF readers over serial or TCP: iDTRONIC, FEIG OBID, TI S6350, AA..BB, RR9",
    summary_zh="高频读写器（串口或 TCP）：iDTRONIC、FEIG OBID、TI S6350、AA..BB、RR9",
    lively_s=LIVELY_S,
    models=(
        "iDTRONIC NEO2",
        "FEIG ID ISC.MR/PR/PRH/LR",
        "FEIG ID CPR",
        "TI S6350",
        "MR7xx",
        "RR9001",
        "RR9036",
        "RR9201",
    ),
    caveats=(
        (
            "FEIG：按手册实现 [S+M]，无公开抓包；首次使用请核对标签号",
            "FEIG: built from its manuals [S+M], no capture is public; check the first UID",
        ),
        (
            "RR9：按手册片段和厂家示例实现 [M]，无公开抓包",
            "RR9: built from manual fragments and host programs [M], no capture is public",
        ),
        (
            "AA..BB：ISO 14443A 有实测报文；ISO 15693 仅据参数表，未见报文",
            "AA..BB: ISO 14443A is proven by captures, ISO 15693 rests on a parameter list",
        ),
        (
            "iDTRONIC 和 AA..BB 只读标签号，没有块读写资料",
            "iDTRONIC and AA..BB give UIDs only: their block commands are not documented to us",
        ),
        (
            "标签同时应答（冲突）的一轮不报任何标签，只提示有多个标签",
            "a round in which tags collided names no tag, it tells that there are several",
        ),
        (
            "标签号以 E0 结尾时设 uid_order: reversed；FEIG 串口出厂多为偶校验（默认即是）",
            "a UID that ends with E0 wants uid_order: reversed; FEIG serial ports default to even parity",
        ),
        ("不报天线，按天线 1 处理", "it reports no antenna and serves antenna 1"),
    ),
    example="{driver: rfid.hf, family: ti_s6350, link: {serial: /dev/serial/by-id/usb-X}}",
    formats=("iso15693_serial",),
    hellos=tuple(
        Hello(family.baud, family.command(family.identify, family.anyone), "iso15693_serial")
        for family in FAMILIES.values()
        # A hello knows no parity, and an RR9 answers in UHFReader's envelope.
        if family.parity == "none" and family.name != "uhfreader_hf"
    ),
    tcp_ports=tuple(port for family in FAMILIES.values() for port in family.tcp_ports),
    capabilities=frozenset({"identify", "read_memory", "write_memory"}),
)
