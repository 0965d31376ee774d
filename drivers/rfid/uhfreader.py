"""UHFReader18 / 86 / 288 fixed UHF readers over TCP or serial: every tag in the field, all the time.

Facts: protocols/README.md. The driver polls by default; a reader left in (or set to) a pushing work
mode yields its tags all the same. Work mode and power live in the reader's flash: they are written
only when they differ.
"""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NoReturn

from drivers import troubles
from drivers.contract import Context, Driver, DriverType, Hello, MemoryArea
from drivers.dialog import gap_s, now
from drivers.links import TcpLink, open_stream
from drivers.liveness import LIVELY_S
from drivers.rfid.antennas import Antennas
from drivers.rfid.contents import of_each
from drivers.rfid.field import Field as TagField
from drivers.rfid.field import Sighting
from drivers.rfid.pushes import listen
from drivers.rfid.rounds import MISSED_POLLS_MAX, REFUSED_POLLS_MAX, Round, poll
from drivers.rfid.uhfreader_line import ReaderLine, answers
from drivers.rfid.uhfreader_memory import read_in_field, read_words, write_words
from drivers.rfid.uhfreader_settings import Settings
from drivers.rfid.uhfreader_setup import (
    POLL_Q,
    POLL_SESSION,
    REFUSED,
    Reader,
    asides,
    describe,
    identify,
)
from protocols.readers import uhfreader
from protocols.readers.uhfreader import codes

__all__ = ["DRIVER", "MISSED_POLLS_MAX", "Settings", "UhfReader"]

TELL_EVERY_S = 1.0
"""How often a trouble that lasts is repeated."""


class UhfReader:
    """One configured reader."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Open, identify, then read until the link fails; raises DriverError."""
        field = TagField(context, self.name)
        async with self._open(context, field) as (line, reader):
            if reader.pushes:
                context.up(describe(line, self._settings, reader))
                await self._listen(line, field, reader)
            await self._poll(line, field, reader)

    async def read_memory(self, context: Context, area: MemoryArea) -> bytes:
        """The memory of exactly one tag, over a link of its own; raises DriverError."""
        async with self._open(context, TagField(context, self.name)) as (line, reader):
            _must_answer(line, reader)
            return await read_words(line, area, self._params(line.dialect, tid=False))

    async def write_memory(self, context: Context, area: MemoryArea, data: bytes) -> None:
        """Write, read back and compare, over a link of its own; raises DriverError."""
        async with self._open(context, TagField(context, self.name)) as (line, reader):
            _must_answer(line, reader)
            await write_words(line, area, data, self._params(line.dialect, tid=False))

    @asynccontextmanager
    async def _open(
        self, context: Context, field: TagField
    ) -> AsyncIterator[tuple[ReaderLine, Reader]]:
        """Open the link, find out who is there and put it in order."""
        settings = self._settings
        stream = await open_stream(settings.link)
        try:
            line = ReaderLine(
                stream,
                context,
                address=settings.address,
                gap_s=gap_s(settings.link),
                encoding=settings.antenna_encoding,
                several=len(settings.antennas) > 1,
                pushed=field.emit,
            )
            yield line, await identify(line, settings)
        finally:
            await stream.close()

    async def _poll(self, line: ReaderLine, field: TagField, reader: Reader) -> NoReturn:
        """Ask for every tag in the field, again and again."""
        rounds = self._params(line.dialect, tid=self._settings.tid)
        antennas = Antennas(self._settings.antennas or (uhfreader.ONLY_ANTENNA,))
        refused = before_ns = 0

        def pass_on(replies: list[uhfreader.Reply], said_ns: int) -> None:
            field.emit(line.pushes(replies), before_ns)  # They answer nothing.
            asked = (reply for reply in replies if not isinstance(reply, uhfreader.Push))
            field.emit(line.sightings(asked), said_ns)

        async def once() -> Round:
            nonlocal refused, before_ns
            before_ns = line.dialog.owed.since_ns
            antennas.tell(line.dialog.context)
            valid = refuses = False
            for number, data in zip(antennas.numbers, rounds, strict=True):
                found = await line.inventory(data, early=pass_on)
                valid, refuses = valid or found.heard, refuses or _refused(found.left)
                missing = any(reply.status == codes.ANTENNA_ERROR for reply in found.left)
                antennas.heard(number, missing=missing)
                pass_on(found.left, found.said_ns)  # It does not wait for the other antennas.
            refused = refused + 1 if refuses else 0
            other = "288" if line.dialect == "18" else "18"
            text = f"inventory of dialect {line.dialect} refused; is it {other}?"
            if refused >= REFUSED_POLLS_MAX:
                raise line.dialog.lost(text, troubles.wrong_dialect(line.dialect, other))
            return Round((), heard=valid, refused=text if refused else "")

        await poll(
            line.dialog,
            field,
            once=once,
            settle=_settling(line, reader),
            poll_ms=self._settings.poll_ms,
            up=lambda: line.dialog.context.up(describe(line, self._settings, reader)),
            take=line.sightings,
            access=of_each(line.dialog.context, partial(read_in_field, line)),
        )

    def _params(self, dialect: uhfreader.Dialect, *, tid: bool) -> list[bytes]:
        """Inventory parameters of a round, one set for each antenna polled."""
        if dialect == "18":
            return [b""]
        aims: list[uhfreader.Aim | None] = [
            uhfreader.Aim(0, uhfreader.ANTENNA_SELECTOR + number - 1, 0)
            for number in self._settings.antennas
        ]
        return [
            uhfreader.encode_params(
                uhfreader.InventoryParams(POLL_Q, POLL_SESSION, fast_id=tid, aim=aim)
            )
            for aim in aims or [None]
        ]

    async def _listen(self, line: ReaderLine, field: TagField, reader: Reader) -> NoReturn:
        """Take what a pushing reader sends.

        One that does not say who it is never answers: only its link can tell that it is gone.
        """
        told_s = now() - TELL_EVERY_S

        def take(replies: list[uhfreader.Reply]) -> Iterable[Sighting]:
            nonlocal told_s
            if self._settings.mode != "push" and now() - told_s >= TELL_EVERY_S:
                told_s = now()
                line.dialog.context.trouble(troubles.left_pushing())
            return line.sightings(replies)

        async def alive() -> bool:
            return await line.ask(codes.INFO) is not None

        far = isinstance(self._settings.link, TcpLink)
        await listen(
            line.dialog,
            field,
            take=take,
            alive=alive if reader.info else None,
            prove=_settling(line, reader) if reader.info and far else None,
        )


def _settling(line: ReaderLine, reader: Reader) -> Callable[[], Awaitable[bool]] | None:
    """Asks something else than tags, each time another thing, so that a lost answer is found out.

    None for a reader that answers nothing else.
    """
    known = asides(line, reader)
    if not known:
        return None
    questions = itertools.cycle(known)

    async def settle() -> bool:
        return await line.ask(next(questions), times=1) is not None

    return settle


def _must_answer(line: ReaderLine, reader: Reader) -> None:
    if reader.pushes:
        raise line.dialog.lost("a pushing reader accesses no memory; set mode: poll")


def _refused(replies: list[uhfreader.Reply]) -> bool:
    return any(answers(r, codes.INVENTORY) and r.status in REFUSED for r in replies)


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A tag reader has no register map.
    return UhfReader(name, settings)


_HELLO = uhfreader.build_command(uhfreader.BROADCAST, codes.INFO)

DRIVER = DriverType(
    name="rfid.uhfreader",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="UHFReader18 / 86 / 288 UHF readers (Chafon, RRU, VI, WYUAN) over TCP or serial",
    summary_zh="UHFReader18 / 86 / 288 超高频读写器（Chafon、RRU、VI、WYUAN），TCP 或串口",
    lively_s=LIVELY_S,
    capabilities=frozenset(
        {"identify", "read_memory", "write_memory", "power", "antennas", "push"}
    ),
    models=("Chafon CF-RU5xxx", "CF815", "RRU98xx", "VI-88", "WYUAN", "HW-VX bridges"),
    caveats=(
        (
            "RSSI 未经校准，只能比较大小，不是 dBm",
            "the RSSI is uncalibrated: compare it, never call it dBm",
        ),
        (
            "18 型不报告天线和 RSSI，按天线 1 处理",
            "dialect 18 reports neither antenna nor RSSI and serves antenna 1",
        ),
        (
            "暂不支持同一 RS-485 总线上接多台读写器：一条线一台",
            "several readers on one RS-485 bus are not supported yet: one reader, one wire",
        ),
        (
            "power_dbm 和工作模式写入读写器闪存，仅在不同时写入",
            "power_dbm and the work mode go to the reader's flash, only when they differ",
        ),
        (
            "tid 需要 288 型和支持 FastID 的标签（Monza），其他标签只报 EPC",
            "tid needs dialect 288 and tags with FastID (Monza); other tags report their EPC only",
        ),
        (
            "读写存储区的格式来自手册，尚无真机抓包；不提供 0x04 写 EPC（会改写场内任意标签）",
            "memory access is the manual's word, no capture; write EPC (0x04) is not offered",
        ),
    ),
    example="{driver: rfid.uhfreader, link: {tcp: '192.168.1.30:6000'}, address: 0}",
    formats=("uhfreader288", "uhfreader18"),
    hellos=(Hello(57_600, _HELLO, "uhfreader288"), Hello(115_200, _HELLO, "uhfreader288")),
    tcp_ports=(6000, 27_011),
)
