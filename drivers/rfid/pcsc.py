"""Contactless PC/SC readers (ACR122U, ACR1252U, Omnikey, SCM, ...): `rfid.pcsc`, through pcscd.

One thread a device waits for cards and hands them over; nothing on the loop ever blocks. pyscard
and pcscd are optional: without them the device says `unavailable` and what to install.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import Field

from drivers.contract import (
    Context,
    Direction,
    Driver,
    DriverError,
    DriverType,
    MemoryArea,
)
from drivers.liveness import LIVELY_S, TURN_S
from drivers.rfid import hf_troubles, pcsc_api, pcsc_memory
from drivers.rfid.contents import BlockSettings
from drivers.rfid.field import Field as TagField
from drivers.rfid.field import Sighting
from drivers.rfid.pcsc_watch import Card, Told, Watch
from protocols.framing import FrameError
from protocols.readers import pcsc
from protocols.readers.hf import is_reversed
from protocols.readers.pn532 import is_random

STOP_WITHIN_S = 1.0
"""A stopped device waits so long for its thread; a hung one is left to end with the program."""
MEMORY_WITHIN_S = 15.0


class Settings(BlockSettings):
    """Settings of `rfid.pcsc`."""

    reader: str = Field(
        default="", max_length=128, description="part of the reader's name; empty is the only one"
    )
    repeat_ms: int = Field(
        default=200, ge=50, le=5_000, description="how often a tag that stays is told again"
    )
    uid_order: Literal["as_told", "reversed"] = Field(
        default="as_told", description="of ISO 15693; reversed: when the state says uid_reversed"
    )
    quiet: bool = Field(default=False, description="an ACR122U does not beep")


class Pcsc:
    """One configured reader."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Watch the reader until it is gone; raises DriverError."""
        settings, field = self._settings, TagField(context, self.name)
        watch = Watch(
            pcsc_api.load,
            settings.reader,
            repeat_ms=settings.repeat_ms,
            told=Told(
                up=lambda reader: context.up(f"{reader}; one antenna, serves antenna 1"),
                card=lambda uid, atr, held, asked_ns: self._seen(
                    context, field, uid, atr, held=held, asked_ns=asked_ns
                ),
                noise=context.noise,
                frame=context.frame,
                monotonic_ns=context.monotonic_ns,
            ),
            read=_reader_of(context.memory),
        )
        watch.quiet = settings.quiet
        watch.start()
        try:
            while not watch.ended.done():
                await asyncio.wait({watch.ended}, timeout=TURN_S)
                watch.look()
                context.alive()
            raise watch.ended.result()
        finally:
            await watch.stop(STOP_WITHIN_S)

    async def read_memory(self, context: Context, area: MemoryArea) -> bytes:
        """Blocks of the one tag on the reader; raises DriverError."""
        return await self._access(context, area, None)

    async def write_memory(self, context: Context, area: MemoryArea, data: bytes) -> None:
        """Write blocks, read back and compare; raises DriverError."""
        await self._access(context, area, data)

    async def _access(self, context: Context, area: MemoryArea, data: bytes | None) -> bytes:
        api, loop = pcsc_api.load(), asyncio.get_running_loop()

        def frame(direction: Direction, raw: bytes) -> None:
            loop.call_soon_threadsafe(context.frame, direction, raw)

        try:
            async with asyncio.timeout(MEMORY_WITHIN_S):
                return await asyncio.to_thread(
                    pcsc_memory.access,
                    api,
                    self._settings.reader,
                    area,
                    data,
                    frame=frame,
                    turn=self._turn,
                )
        except TimeoutError as exc:
            raise DriverError(f"PC/SC: no end within {MEMORY_WITHIN_S} s") from exc

    def _turn(self, uid: bytes) -> bytes:
        return uid[::-1] if self._settings.uid_order == "reversed" else uid

    def _seen(
        self,
        context: Context,
        field: TagField,
        told: bytes,
        atr: bytes,
        *,
        held: bytes | str | None,
        asked_ns: int,
    ) -> None:
        """A card on the reader; a made-up UID is no identity and one backwards is told."""
        if _is_iso15693(atr):
            told = self._turn(told)
            if is_reversed(told):
                other = "as_told" if self._settings.uid_order == "reversed" else "reversed"
                context.trouble(hf_troubles.uid_backwards(told.hex().upper(), other))
        elif is_random(told):
            context.trouble(hf_troubles.random_uid(told.hex().upper()))
            return
        now_ns = context.monotonic_ns()
        if field.contents is not None and held is not None:
            field.contents.seen(told, 1, now_ns)
            if isinstance(held, bytes):
                field.contents.learned(told, held, now_ns)
            else:
                field.contents.failed(told, held, now_ns)
        field.emit((Sighting(told),), asked_ns)


def _reader_of(area: MemoryArea | None) -> Callable[[Card, bytes], bytes] | None:
    """Reads the area of a connected card; None where nobody asks for it."""
    if area is None:
        return None
    wanted = area

    def read(card: Card, atr: bytes) -> bytes:
        return pcsc_memory.read_blocks(card, pcsc.decode_atr(atr), wanted)

    return read


def _is_iso15693(atr: bytes) -> bool:
    try:
        return pcsc.decode_atr(atr).standard in pcsc.ISO15693_STANDARDS
    except FrameError:
        return False


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A tag reader has no register map.
    return Pcsc(name, settings)


DRIVER = DriverType(
    name="rfid.pcsc",
    settings=Settings,
    make=_make,
    wire=lambda settings: f"pcsc:{settings.reader.casefold()}",
    summary="PC/SC contactless readers through pcscd: NFC and ISO 15693 tags",
    summary_zh="PC/SC 非接触读写器（经 pcscd）：NFC 和 ISO 15693 标签",
    models=("ACR122U", "ACR1252U", "Omnikey 5x2x", "SCM SCL3711", "Identiv uTrust"),
    caveats=(
        (
            "需要 pcscd 和 pyscard（可选组件 gatewayd[pcsc]）；缺少时设备显示 unavailable",
            "needs pcscd and pyscard (the extra gatewayd[pcsc]); without them it is unavailable",
        ),
        (
            "读写器一次只报一个标签；两个标签叠放时可能一个也读不到",
            "such a reader tells one tag at a time; two on each other may hide both",
        ),
        (
            "手机和银行卡的随机编号不作为标识，只提示",
            "the made-up UID of a phone or bank card is no identity, it is only told",
        ),
        (
            "ACR122U 每次放卡都会响；设 quiet: true 关闭",
            "an ACR122U beeps at every card; quiet: true silences it",
        ),
        (
            "内核模块 pn533_usb、nfc 会占用 ACR122U；请加入黑名单",
            "the kernel modules pn533_usb and nfc take an ACR122U away; blacklist them",
        ),
    ),
    example="{driver: rfid.pcsc, reader: ACR122U, quiet: true}",
    formats=("pcsc",),
    lively_s=LIVELY_S,
    usb_ids=((0x072F, 0x2200), (0x072F, 0x223B), (0x04E6, 0x5591)),
    capabilities=frozenset({"identify", "read_memory", "write_memory"}),
)
