"""RFID heads on Modbus RTU or TCP: any register map whose profile has a `head` section.

The wire, its turns and its rules are those of plc.modbus, so that several heads share one bus. A
head is polled; a tag at rest is read at every poll, unless the head itself tells each tag once.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import Field

from drivers.contract import Context, Driver, DriverError, DriverType, Strict
from drivers.links import Link, SerialLink
from drivers.liveness import LIVELY_S
from drivers.plc.turns import Rank
from drivers.plc.wire import MissedError, Wire
from drivers.rfid.field import Field as TagField
from drivers.rfid.field import Sighting
from drivers.rfid.rounds import MISSED_POLLS_MAX
from protocols.heads import HeadError, HeadFile, Touch, gaps, uid_of
from protocols.modbus import (
    READ_HOLDING,
    READ_INPUT,
    ExceptionReplyError,
    Request,
    read,
    rtu_frame,
    write_coil,
    write_one,
)
from protocols.registers import Profile, RegisterError


class Settings(Strict):
    """Settings of `rfid.modbus`."""

    link: Link
    unit: int = Field(default=1, ge=0, le=247)
    profile: str = Field(min_length=1, max_length=64, description="a register map with a head")
    poll_ms: int = Field(default=200, ge=20, le=10_000, description="pause between two looks")
    timeout_ms: int = Field(default=300, ge=20, le=5_000, description="longest wait for an answer")


class ModbusHead:
    """One configured head."""

    def __init__(self, name: str, settings: Settings, profile: Profile) -> None:
        self.name = name
        self._settings = settings
        self._profile = profile
        assert profile.head is not None, profile.id
        self._head: HeadFile = profile.head
        function = READ_INPUT if profile.reads.table == "input" else READ_HOLDING
        self._report = read(profile.reads.address, profile.reads.count, function=function)

    async def run(self, context: Context) -> None:
        """Look again and again until the link fails or the head is lost; raises DriverError."""
        async with Wire.join(self._settings.link) as wire:
            await self._poll(wire, context)

    async def _poll(self, wire: Wire, context: Context) -> NoReturn:
        """One missed answer is noise on the line; several in a row, or the first, are a lost head.

        What a head shows was seen after it was asked. One that holds a tag until it is acknowledged
        shows what it has seen since the look before.
        """
        at_once = self._head.ack is None
        field = TagField(context, self.name)
        missed, told_up = 0, False
        before_ns = 0
        while True:
            asked_ns = context.monotonic_ns()
            try:
                await self._look(wire, context, field, asked_ns if at_once else before_ns)
            except MissedError as exc:
                missed += 1
                if not told_up or missed >= MISSED_POLLS_MAX:
                    raise
                context.noise(str(exc), b"")
            else:
                missed, before_ns = 0, asked_ns
                if not told_up:
                    told_up = True
                    context.up(self._text())
            await asyncio.sleep(self._settings.poll_ms / 1000)

    def _text(self) -> str:
        text = f"{self._profile.id}, unit {self._settings.unit}"
        return f"{text}; reports no antenna, serves antenna 1"

    async def _look(self, wire: Wire, context: Context, field: TagField, said_ns: int) -> None:
        """Read what is there and pass it on; acknowledged after that, so that no tag is lost.

        One that was held when nobody had looked yet is no read: it may be of any cylinder.

        Between its requests only locks and commands of the neighbours go first.
        """
        head = self._head
        async with wire.turns.take(Rank.POLL) as turn:
            try:
                if head.trigger is not None:
                    await self._exchange(wire, context, _touch(head.trigger))
                    await turn.again(Rank.COMMAND)
                data = await self._exchange(wire, context, self._report)
            except DriverError as exc:
                if _says_no_tag(exc, head):
                    return
                raise
            uid = self._uid(data, context)
            if uid is None:
                return
            if not said_ns:
                context.noise(f"{self._profile.id}: a tag held from before", uid)
            field.emit([Sighting(uid)], said_ns)
            if head.ack is not None:
                await turn.again(Rank.COMMAND)
                await self._exchange(wire, context, _touch(head.ack))

    def _uid(self, data: bytes, context: Context) -> bytes | None:
        """The uid in the registers, None for no tag; what the map does not allow is noise."""
        try:
            return uid_of(self._head, self._profile.reads.decode(data))
        except (HeadError, RegisterError) as exc:
            context.noise(f"{self._profile.id}: {exc}", data)
            return None

    async def _exchange(self, wire: Wire, context: Context, request: Request) -> bytes:
        unit = self._settings.unit
        on_a_bus = isinstance(self._settings.link, SerialLink)
        if on_a_bus:
            context.frame("host>device", rtu_frame(unit, request.pdu))
        context.alive()
        within_s = self._settings.timeout_ms / 1000
        data = await wire.exchange(unit, request, within_s=within_s, noise=context.noise)
        if on_a_bus:
            context.frame("device>host", rtu_frame(unit, request.head + data))
        return data


def _touch(touch: Touch) -> Request:
    if touch.coil is not None:
        return write_coil(touch.coil, on=touch.value != 0)
    assert touch.register_ is not None, touch
    return write_one(touch.register_, touch.value)


def _says_no_tag(exc: DriverError, head: HeadFile) -> bool:
    """Whether the head refused because its field is empty."""
    cause = exc.__cause__
    return isinstance(cause, ExceptionReplyError) and cause.code in head.no_tag_exceptions


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    assert not _objections(settings, profiles), settings
    return ModbusHead(name, settings, profiles[settings.profile])


def _objections(settings: Settings, profiles: Mapping[str, Any]) -> tuple[str, ...]:
    profile: Profile = profiles[settings.profile]
    found = gaps(profile.head, profile.reads.names)
    return tuple(f"profile {profile.id!r} is no RFID head: {gap}" for gap in found)


DRIVER = DriverType(
    name="rfid.modbus",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="RFID heads on Modbus RTU or TCP, any register map with a head section",
    summary_zh="Modbus RTU / TCP 接口的 RFID 读头，寄存器表由带 head 部分的 profile 描述",
    capabilities=frozenset({"identify"}),
    shares_wire=True,
    wire_protocol="modbus",
    objections=_objections,
    models=("Technotrade VRD-485 (map shipped as an unverified example)",),
    caveats=(
        (
            "Modbus 读头没有统一的寄存器表：请按手册编写 profile，并用一张已知卡核对 uid",
            "no two heads share a map: write a profile from the manual, check it with a known card",
        ),
        (
            "可与其他 Modbus 设备（plc、scale、output）共用总线：link 相同，unit 各不相同",
            "may share a wire with other Modbus devices: the same link, a unit of its own each",
        ),
        (
            "需要应答 (ack) 的读头每张卡只报一次，静止的气瓶不会重复读到",
            "a head that needs an ack tells each tag once: a cylinder at rest is not read again",
        ),
        (
            "没有天线和信号强度；一次只报一张卡，读取范围内有两张卡时无法发现",
            "no antenna, no signal strength, one tag at a time: two in the field are not noticed",
        ),
    ),
    example=(
        "{driver: rfid.modbus, link: {serial: /dev/serial/by-id/usb-X, baud: 19200}, "
        "profile: technotrade-vrd-485}"
    ),
    formats=("modbus_rfid",),
    lively_s=LIVELY_S,
    tcp_ports=(502,),
)
