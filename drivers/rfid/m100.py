"""M100 / QM100 / R200 modules over serial or TCP: `rfid.m100`.

Facts: protocols/README.md. Nothing is written to the module's settings unless it differs from what
the configuration asks for, and nothing at all unless it asks.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Literal

from pydantic import Field

from drivers import troubles
from drivers.contract import Context, Driver, DriverType, Hello, MemoryArea
from drivers.dialog import gap_s
from drivers.links import SerialLink, TcpLink, open_stream
from drivers.liveness import LIVELY_S
from drivers.rfid import m100_memory
from drivers.rfid.contents import MemorySettings, of_each
from drivers.rfid.field import Field as TagField
from drivers.rfid.m100_line import TAG_PAUSE_S, M100Line, sightings
from drivers.rfid.pushes import listen
from drivers.rfid.rounds import ReaderLink115200, poll
from protocols.readers import m100
from protocols.readers.m100 import codes

STREAM_SILENT_S = 1.0
"""A running multi poll says something every round; so much silence means that it has ended."""
BRIDGE_PAUSE_S = 0.1
"""A serial server cuts what a module sends into pieces; the pause between tags is longer there."""

Marks = Literal["auto", "bb_7e", "aa_dd", "aa_8e"]
Region = Literal["CN900", "US", "EU", "CN800", "KR"]
_STYLES: Mapping[str, tuple[m100.Style, ...]] = {
    "auto": m100.STYLES,
    "bb_7e": (m100.BB_7E,),
    "aa_dd": (m100.AA_DD,),
    "aa_8e": (m100.AA_8E,),
}
_REGIONS = {name: number for number, name in codes.REGIONS.items()}


class Settings(MemorySettings):
    """Settings of `rfid.m100`."""

    link: ReaderLink115200
    marks: Marks = Field(default="auto", description="first and last byte of a frame")
    mode: Literal["poll", "push"] = Field(
        default="poll", description="push runs the module's own multi poll: faster, same tags"
    )
    poll_ms: int = Field(default=50, ge=10, le=10_000, description="start to start of a round")
    power_dbm: int | None = Field(
        default=None, ge=0, le=33, description="empty leaves it; many units take only 20 or 26"
    )
    region: Region | None = Field(default=None, description="empty leaves it")


class M100:
    """One configured module."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Open, identify, then read until the link fails; raises DriverError."""
        async with self._open(context) as line:
            field = TagField(context, self.name)
            text = await line.find()
            if text is None:
                await self._endure(line, field, context)
            await self._set_up(line)
            await line.learn()
            up = f"{text}, {line.style.name}, {await self._power_text(line)}"
            await self._serve(line, field, context, up)

    async def read_memory(self, context: Context, area: MemoryArea) -> bytes:
        """The memory of exactly one tag; raises DriverError."""
        async with self._ready(context) as line:
            return await m100_memory.read(line, area)

    async def write_memory(self, context: Context, area: MemoryArea, data: bytes) -> None:
        """Write, read back and compare; raises DriverError."""
        async with self._ready(context) as line:
            await m100_memory.write(line, area, data)

    @asynccontextmanager
    async def _open(self, context: Context) -> AsyncIterator[M100Line]:
        link = self._settings.link
        stream = await open_stream(link)
        try:
            yield M100Line(
                stream,
                context,
                styles=_STYLES[self._settings.marks],
                gap_s=gap_s(link),
                pause_s=TAG_PAUSE_S if isinstance(link, SerialLink) else BRIDGE_PAUSE_S,
                far=isinstance(link, TcpLink),
            )
        finally:
            await stream.close()

    @asynccontextmanager
    async def _ready(self, context: Context) -> AsyncIterator[M100Line]:
        """A module that answers, set up as configured."""
        async with self._open(context) as line:
            if await line.find() is None:
                raise line.dialog.lost("no M100 module answers")
            await self._set_up(line)
            yield line

    async def _endure(self, line: M100Line, field: TagField, context: Context) -> None:
        """Listen to a module that only sends tags; raises DriverError, also when nobody is there."""
        if not line.streams:
            raise line.dialog.lost("no M100 module answers")
        context.trouble(troubles.left_pushing())
        context.up(f"M100 that does not stop its multi poll, {line.style.name}{_ANTENNA}")
        await listen(line.dialog, field, take=sightings, alive=None)

    async def _set_up(self, line: M100Line) -> None:
        if self._settings.region is not None:
            await line.set_region(_REGIONS[self._settings.region])
        if self._settings.power_dbm is not None:
            await line.set_power(self._settings.power_dbm)

    async def _power_text(self, line: M100Line) -> str:
        power_cdbm = await line.power_cdbm()
        return "power unknown" if power_cdbm is None else f"{power_cdbm / 100:g} dBm"

    async def _serve(self, line: M100Line, field: TagField, context: Context, up: str) -> None:
        def pass_on(replies: list[m100.Reply], said_ns: int) -> None:
            field.emit(sightings(replies), said_ns)

        line.late = pass_on
        mode = self._settings.mode
        text = f"{up}, {mode}{_ANTENNA}"
        if mode == "push" and await line.start(field):
            context.up(text)
            await listen(
                line.dialog,
                field,
                take=sightings,
                alive=lambda: line.start(field),
                prove=line.prove if line.far else None,
                silent_s=STREAM_SILENT_S,
            )
        await poll(
            line.dialog,
            field,
            once=lambda: line.round(pass_on),
            settle=line.settle,
            poll_ms=self._settings.poll_ms,
            up=lambda: context.up(text),
            take=sightings,
            access=of_each(context, partial(m100_memory.read_in_field, line)),
        )


_ANTENNA = "; reports no antenna, serves antenna 1"


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A tag reader has no register map.
    return M100(name, settings)


DRIVER = DriverType(
    name="rfid.m100",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="M100 / QM100 / R200 UHF modules over serial or TCP, BB..7E and AA..DD",
    summary_zh="M100 / QM100 / R200 超高频模块（串口或 TCP），BB..7E 和 AA..DD",
    models=("M100", "QM100", "R200", "JRD-4035", "YRM100", "KLM900", "M5 Unit UHF-RFID", "E710"),
    caveats=(
        ("不报天线，按天线 1 处理", "it reports no antenna and serves antenna 1"),
        (
            "很多模块只接受 20 或 26 dBm；不接受时报错并说明当前值",
            "many units take only 20 or 26 dBm; a refusal is an error that says what it is at",
        ),
        (
            "休眠后丢失选择条件，第一条命令也会丢失：每条命令会重复发送",
            "a module that slept loses its select and the first command: commands are repeated",
        ),
        (
            "AA..8E 变体只来自公开抄本，未见实机数据",
            "AA..8E is known from a public transcription, not from a device",
        ),
    ),
    example="{driver: rfid.m100, link: {serial: /dev/serial/by-id/usb-X, baud: 115200}}",
    formats=("m100_bb",),
    hellos=(Hello(115_200, m100.build_command(codes.INFO, b"\x00"), "m100_bb"),),
    lively_s=LIVELY_S,
    capabilities=frozenset({"identify", "read_memory", "write_memory", "power", "push"}),
)
