"""Chafon's newer UHF readers, the CF protocol, over TCP or serial: `rfid.chafon`.

Facts: protocols/README.md. Work mode, antennas and power live in the reader's flash: they are
read first and written only when they differ.
"""

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from drivers import troubles
from drivers.contract import Context, Driver, DriverType, Hello, MemoryArea
from drivers.dialog import gap_s
from drivers.links import TcpLink, open_stream
from drivers.liveness import LIVELY_S
from drivers.rfid import chafon_memory
from drivers.rfid.chafon_line import ChafonLine
from drivers.rfid.contents import MemorySettings, of_each
from drivers.rfid.pushes import listen
from drivers.rfid.rounds import ReaderLink115200, earliest_ns, poll
from protocols.readers import chafon_cf
from protocols.readers.chafon_cf import codes
from protocols.scanners import NO_READ

Antenna: TypeAlias = Annotated[int, Field(ge=1, le=8)]


class Settings(MemorySettings):
    """Settings of `rfid.chafon`."""

    link: ReaderLink115200
    mode: Literal["poll", "push"] = Field(
        default="poll", description="push: one inventory that does not end"
    )
    poll_ms: int = Field(default=50, ge=10, le=10_000, description="start to start of a round")
    antennas: tuple[Antenna, ...] = Field(
        default=(), max_length=8, description="empty: as the reader is set"
    )
    power_dbm: int | None = Field(default=None, ge=0, le=33, description="empty leaves it")
    no_read: tuple[str, ...] = Field(
        default=tuple(NO_READ), description="what its barcode head says when it saw nothing"
    )

    @model_validator(mode="after")
    def _antennas(self) -> Self:
        if len(set(self.antennas)) != len(self.antennas):
            raise ValueError("an antenna is named twice")
        return self


class Chafon:
    """One configured reader."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Open, identify, then read until the link fails; raises DriverError."""
        async with self._open(context) as line:
            text = await line.find()
            if text is None and not line.streams:
                raise line.dialog.lost("no CF reader answers")
            if text is None:
                context.trouble(troubles.left_pushing())
                context.up("CF reader that only sends and answers nothing")
                await listen(line.dialog, line.field, take=line.take, alive=None)
            params = await self._set_up(line)
            await self._serve(line, context, _describe(text, params), params)

    async def read_memory(self, context: Context, area: MemoryArea) -> bytes:
        """The memory of exactly one tag; raises DriverError."""
        async with self._ready(context) as line:
            return await chafon_memory.read(line, area)

    async def write_memory(self, context: Context, area: MemoryArea, data: bytes) -> None:
        """Write, read back and compare; raises DriverError, also while several tags are there."""
        async with self._ready(context) as line:
            await chafon_memory.write(line, area, data)

    @asynccontextmanager
    async def _open(self, context: Context) -> AsyncIterator[ChafonLine]:
        settings = self._settings
        stream = await open_stream(settings.link)
        try:
            yield ChafonLine(
                stream,
                context,
                device=self.name,
                gap_s=gap_s(settings.link),
                no_read=frozenset(settings.no_read),
            )
        finally:
            await stream.close()

    @asynccontextmanager
    async def _ready(self, context: Context) -> AsyncIterator[ChafonLine]:
        """A reader that answers, set up as configured; it must not report by itself."""
        async with self._open(context) as line:
            if await line.find() is None:
                raise line.dialog.lost("no CF reader answers")
            params = await self._set_up(line)
            if params is not None and params.work_mode != codes.ANSWER_MODE:
                mode = codes.WORK_MODES.get(params.work_mode, params.work_mode)
                raise line.dialog.lost(f"work mode {mode}; set mode: poll to reach a tag's memory")
            yield line

    async def _set_up(self, line: ChafonLine) -> chafon_cf.Params | None:
        """Bring the reader's parameters to what is configured; raises DriverError if refused."""
        params = await line.params()
        if params is None:  # A clone that does not tell is used as it is.
            return None
        wanted = self._wanted(params)
        if wanted != params:
            await line.ask(codes.SET_PARAMS, chafon_cf.params_data(wanted))
            params = await line.params() or params
        if params.antenna_mask != wanted.antenna_mask:
            raise line.dialog.lost(f"antennas {list(self._settings.antennas)} refused")
        return await self._set_power(line, params)

    def _wanted(self, params: chafon_cf.Params) -> chafon_cf.Params:
        """The parameters as configured; `mode: push` takes a reader that pushes as it is."""
        if self._settings.mode == "poll":
            params = dataclasses.replace(params, work_mode=codes.ANSWER_MODE)
        if self._settings.antennas:
            mask = sum(1 << antenna - 1 for antenna in self._settings.antennas)
            params = dataclasses.replace(params, antenna_mask=mask)
        return params

    async def _set_power(self, line: ChafonLine, params: chafon_cf.Params) -> chafon_cf.Params:
        power_dbm = self._settings.power_dbm
        if power_dbm is None or power_dbm == params.power_dbm:
            return params
        await line.ask(codes.SET_POWER, chafon_cf.power_data(power_dbm))
        params = await line.params() or params
        if params.power_dbm != power_dbm:
            refused = troubles.power_refused(power_dbm, str(params.power_dbm), "0-30, 0-33")
            raise line.dialog.lost(f"power {power_dbm} dBm refused", refused)
        return params

    async def _serve(
        self, line: ChafonLine, context: Context, text: str, params: chafon_cf.Params | None
    ) -> None:
        """By itself, without an end, or round by round: as configured and as the reader can."""
        far = isinstance(self._settings.link, TcpLink)
        if params is not None and params.work_mode != codes.ANSWER_MODE:
            if self._settings.mode == "poll":
                context.trouble(troubles.left_pushing())
            mode = codes.WORK_MODES.get(params.work_mode, params.work_mode)
            context.up(f"{text}, work mode {mode}")
            prove = line.settle if far else None
            await listen(line.dialog, line.field, take=line.take, alive=line.lives, prove=prove)
        if self._settings.mode == "push" or not await self._has_rounds(line):
            await line.start()
            context.up(f"{text}, push")
            prove = line.prove if far else None
            await listen(line.dialog, line.field, take=line.take, alive=line.restart, prove=prove)
        await poll(
            line.dialog,
            line.field,
            once=line.polled,
            settle=line.settle,
            poll_ms=self._settings.poll_ms,
            up=lambda: context.up(f"{text}, poll"),
            take=line.take,
            access=of_each(context, partial(chafon_memory.read_in_field, line)),
        )

    async def _has_rounds(self, line: ChafonLine) -> bool:
        """Some models only know an inventory by time: they are left to run."""
        asked_ns = earliest_ns(line.dialog)
        first = await line.polled()
        line.field.emit(first.seen, asked_ns)
        return first.heard and not first.refused


def _describe(text: str | None, params: chafon_cf.Params | None) -> str:
    if params is None:
        return f"{text}, settings unknown"
    antennas = [bit + 1 for bit in range(8) if params.antenna_mask >> bit & 1]
    text = f"{text}, {params.power_dbm} dBm, antennas {antennas}"
    if params.area == codes.EPC_AREA:
        return text
    known = params.area < len(codes.BANK_NAMES)
    return f"{text}, reports {codes.BANK_NAMES[params.area] if known else params.area}, not the EPC"


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A tag reader has no register map.
    return Chafon(name, settings)


DRIVER = DriverType(
    name="rfid.chafon",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="Chafon UHF readers of 2022 and later (CF protocol) over TCP or serial",
    summary_zh="Chafon 2022 年以后的超高频读写器（CF 协议，TCP 或串口）",
    models=(
        "CF591",
        "CF661",
        "CF69x",
        "H103",
        "UHF Prime Reader",
        "UHF Access Reader",
        "EL-UHF-RC",
    ),
    caveats=(
        (
            "工作模式、天线、功率保存在读写器闪存中，只在不同时写入",
            "work mode, antennas and power are in the reader's flash, written only when different",
        ),
        (
            "读写标签存储区依据公开客户端，未见实机数据；UHF Prime 型号可能不支持",
            "memory access follows a public client, not a capture; UHF Prime models may lack it",
        ),
        (
            "写标签会写入读到的所有标签：天线前有多个标签时拒绝写入",
            "the reader writes every tag it sees: a write is refused while there are several",
        ),
        (
            "主动模式可能输出 TID 或用户区而不是 EPC，取决于读写器的 area 设置",
            "it may report TID or user memory instead of the EPC, by its own area setting",
        ),
    ),
    example='{driver: rfid.chafon, link: {tcp: "192.168.1.200:2022"}}',
    formats=("chafon_cf",),
    hellos=(Hello(115_200, chafon_cf.build_command(codes.INFO), "chafon_cf"),),
    tcp_ports=(2022,),
    lively_s=LIVELY_S,
    capabilities=frozenset(
        {"identify", "read_memory", "write_memory", "power", "antennas", "push"}
    ),
)
