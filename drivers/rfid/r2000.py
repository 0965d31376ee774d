"""R2000 serial UHF readers (YR89xx, IND903, FONKAN): every tag in the field, all the time.

Facts: protocols/README.md. A reader of this family has no stored push mode: it is polled antenna by
antenna, or streams a fast-switch inventory that is started again whenever it ends. Nothing is ever
written to its flash: antenna, power and selection are the ones that a restart forgets.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NoReturn, Self, TypeAlias

from pydantic import Field, model_validator

from drivers import troubles
from drivers.contract import Context, Driver, DriverType, Hello, MemoryArea
from drivers.dialog import gap_s, now
from drivers.links import open_stream
from drivers.liveness import LIVELY_S
from drivers.rfid.antennas import Antennas
from drivers.rfid.contents import MemorySettings
from drivers.rfid.field import Field as TagField
from drivers.rfid.r2000_inventory import Inventory
from drivers.rfid.r2000_line import ReaderLine, sightings, why
from drivers.rfid.r2000_memory import access_of, read_words, write_words
from drivers.rfid.rounds import ReaderLink115200, poll
from protocols.readers import r2000
from protocols.readers.r2000 import codes

LEFT_OVER_S_MAX = 60.0
"""How long an inventory that somebody else started may go on before ours."""
Antenna: TypeAlias = Annotated[int, Field(ge=1, le=8)]


class Settings(MemorySettings):
    """Settings of `rfid.r2000`."""

    link: ReaderLink115200
    address: int = Field(default=1, ge=0, le=255, description="255 is whichever answers")
    mode: Literal["poll", "push"] = Field(
        default="poll", description="push streams a fast-switch inventory of all antennas"
    )
    poll_ms: int = Field(default=50, ge=10, le=10_000, description="start to start of a round")
    antennas: tuple[Antenna, ...] = Field(
        default=(), max_length=8, description="empty: the one the reader is set to"
    )
    session: Literal[0, 1, 2, 3] | None = Field(
        default=None, description="Gen2 session; empty: the reader's own. 2 helps weak tags"
    )
    power_dbm: int | None = Field(
        default=None, ge=20, le=33, description="until the next restart; empty: as it is"
    )

    @model_validator(mode="after")
    def _antennas(self) -> Self:
        if len(set(self.antennas)) != len(self.antennas):
            raise ValueError("an antenna is named twice")
        return self


class R2000:
    """One configured reader; `left_over_s` is how long it waits for an inventory not its own."""

    def __init__(
        self, name: str, settings: Settings, *, left_over_s: float = LEFT_OVER_S_MAX
    ) -> None:
        self.name = name
        self._settings = settings
        self._left_over_s = left_over_s

    async def run(self, context: Context) -> None:
        """Open, identify, then read until the link fails; raises DriverError."""
        stream = await open_stream(self._settings.link)
        try:
            line = self._line(stream, context)
            await self._serve(line, context)
        finally:
            await stream.close()

    async def read_memory(self, context: Context, area: MemoryArea) -> bytes:
        """The memory of exactly one tag, over a link of its own; raises DriverError."""
        stream = await open_stream(self._settings.link)
        try:
            line = self._line(stream, context)
            await self._identify(line)
            return await read_words(line, area, await self._numbers(line))
        finally:
            await stream.close()

    async def write_memory(self, context: Context, area: MemoryArea, data: bytes) -> None:
        """Write, read back and compare, over a link of its own; raises DriverError."""
        stream = await open_stream(self._settings.link)
        try:
            line = self._line(stream, context)
            await self._identify(line)
            await write_words(line, area, data, await self._numbers(line))
        finally:
            await stream.close()

    def _line(self, stream: Any, context: Context) -> ReaderLine:
        link = self._settings.link
        return ReaderLine(stream, context, address=self._settings.address, gap_s=gap_s(link))

    async def _serve(self, line: ReaderLine, context: Context) -> NoReturn:
        """Find out who is there, put it in order, then poll it or let it stream."""
        field = TagField(context, self.name)
        version = await self._identify(line)
        power = await self._set_power(line)
        antennas = Antennas(await self._numbers(line))
        text = self._describe(line, version, antennas, power)
        inventory = Inventory(line, field, antennas, session=self._settings.session)
        pushes = self._settings.mode == "push"
        await poll(
            line.dialog,
            field,
            once=inventory.streamed if pushes else inventory.polled,
            settle=line.settle,
            poll_ms=self._settings.poll_ms,
            up=lambda: context.up(text),
            take=sightings,
            access=access_of(line, context.memory),
        )

    async def _identify(self, line: ReaderLine) -> r2000.Version:
        """Ask for the version, letting an inventory that is under way come to its end.

        Nobody knows how old the tags of that are, so they are no reads.
        """
        await line.dialog.drain()
        heard: list[r2000.Reply] = []
        until = now() + self._left_over_s
        while True:
            heard.clear()
            version = await line.ask(codes.VERSION, aside=heard.extend)
            if isinstance(version, r2000.Version):
                line.address = version.address
                return version
            if not heard:
                raise line.dialog.lost(f"no R2000 reader answers at address {line.address}")
            if now() > until:
                raise line.dialog.lost(
                    "the reader never ends the inventory it is in; switch it off and on",
                    troubles.left_pushing(),
                )

    async def _numbers(self, line: ReaderLine) -> tuple[int, ...]:
        """The antennas to serve: as configured, else the one that the reader works on."""
        if self._settings.antennas:
            return self._settings.antennas
        told = await line.ask(codes.GET_ANTENNA)
        return (told.data[0] + 1,) if isinstance(told, r2000.Answer) else (1,)

    async def _set_power(self, line: ReaderLine) -> tuple[int, ...]:
        """The output power of each antenna in dBm; changed, until a restart, only if it differs."""
        told = await line.ask(codes.GET_POWER, times=2)
        found = tuple(told.data) if isinstance(told, r2000.Answer) else ()
        wanted = self._settings.power_dbm
        if wanted is None or set(found) == {wanted}:
            return found
        answer = await line.ask(codes.SET_TEMPORARY_POWER, bytes((wanted,)))
        if not isinstance(answer, r2000.Result) or answer.result != codes.SUCCESS:
            reason = f"the reader does not take power_dbm {wanted}: {why(answer)}"
            raise line.dialog.lost(reason)
        return (wanted,)

    def _describe(
        self,
        line: ReaderLine,
        version: r2000.Version,
        antennas: Antennas,
        power: tuple[int, ...],
    ) -> str:
        numbers = ", ".join(str(number) for number in antennas.numbers)
        text = f"R2000 reader version {version.major}.{version.minor}, address {version.address}"
        text += f", antennas {numbers}"
        if power:
            text += f", {'/'.join(str(dbm) for dbm in dict.fromkeys(power))} dBm"
        if line.miscount:
            text += f"; its length bytes are {line.miscount} too low"
        return f"{text}, {self._settings.mode}"


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A tag reader has no register map.
    return R2000(name, settings)


_HELLO = r2000.build_command(r2000.BROADCAST, codes.VERSION)

DRIVER = DriverType(
    name="rfid.r2000",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="R2000 serial UHF readers with 1 to 8 antennas (YR89xx, IND903, FONKAN), A0 frames",
    summary_zh="R2000 串口超高频读写器，1 至 8 天线（YR89xx、IND903、FONKAN），A0 协议",
    lively_s=LIVELY_S,
    capabilities=frozenset(
        {"identify", "read_memory", "write_memory", "power", "antennas", "push"}
    ),
    models=("YR8900", "YR9010", "IND903", "FONKAN FM-503", "R2000 modules of 1, 4 and 8 ports"),
    caveats=(
        (
            "未接馈线的天线口每轮报 0x22；请只在 antennas 中列出已接的天线",
            "an antenna port without a load reports 0x22 every round; list only connected antennas",
        ),
        (
            "push 模式的 session 需要支持扩展 0x8A 的新固件",
            "session with mode push needs newer firmware that knows the extended 0x8A",
        ),
        (
            "power_dbm 只改临时功率（20 至 33 dBm），重启后恢复；更低的功率请用厂家软件设置",
            "power_dbm is temporary (20 to 33 dBm), a restart forgets it; less is the vendor tool's",
        ),
        (
            "个别固件的长度字节少计 1 或 3；仅在校验和与结构都吻合时接受",
            "some firmware counts the length byte 1 or 3 too low: taken only when sum and layout fit",
        ),
        (
            "校验仅为 8 位和，长线缆请降低波特率并接好屏蔽",
            "the checksum is a sum of 8 bits only: keep the cable short and shielded",
        ),
    ),
    example="{driver: rfid.r2000, link: {tcp: '192.168.1.31:4001'}, antennas: [1, 2]}",
    formats=("r2000_a0",),
    hellos=(Hello(115_200, _HELLO, "r2000_a0"), Hello(38_400, _HELLO, "r2000_a0")),
    tcp_ports=(4001,),
)
