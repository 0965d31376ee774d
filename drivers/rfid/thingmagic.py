"""ThingMagic / JADAK M5e, M6e, M7e and Silion UHF modules: every tag in the field, all the time.

Facts: protocols/README.md. A module wakes up in its boot loader; the driver starts it, sets what is
configured and differs, and then searches again and again, or lets it stream.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, NoReturn, Self, TypeAlias

from pydantic import Field, model_validator

from drivers import troubles
from drivers.contract import Context, Driver, DriverType, Hello, MemoryArea, Strict
from drivers.dialog import gap_s
from drivers.links import TcpLink, open_stream
from drivers.liveness import LIVELY_S
from drivers.rfid.field import Field as TagField
from drivers.rfid.field import Sighting
from drivers.rfid.pushes import PUSH_SILENT_S_MAX, listen
from drivers.rfid.rounds import ReaderLink115200, poll
from drivers.rfid.thingmagic_line import Heard, ModuleLine, complain
from drivers.rfid.thingmagic_memory import read_words, write_words
from drivers.rfid.thingmagic_search import METADATA, Search, describe_refusal
from drivers.rfid.thingmagic_setup import Dialect, Wanted, identify, let_tags_repeat, prepare, stop
from protocols.readers import thingmagic
from protocols.readers.thingmagic import codes, commands, silion

MEMORY_SEARCH_MS = 200
SEARCH_MS_MAX = 2_000
"""What one search of all antennas may take: its tags come out of the buffer at its end, and a read
must not outlive the cylinder that it names."""
HEARTBEATS_MISSED_S = 20.0
"""A streaming Silion module says every 15 s that it lives; ThingMagic modules every second."""
_REGIONS = {name: code for code, name in codes.REGION_NAMES.items() if name.isalnum()}
Antenna: TypeAlias = Annotated[int, Field(ge=1, le=16)]
Region: TypeAlias = Literal[
    "NA", "EU", "KR", "IN", "JP", "PRC", "EU2", "EU3", "KR2", "AU", "NZ", "NA2", "NA3",
    "IS", "MY", "ID", "PH", "TW", "MO", "RU", "SG", "VN", "TH", "open",
]  # fmt: skip


class Settings(Strict):
    """Settings of `rfid.thingmagic`."""

    link: ReaderLink115200
    dialect: Literal["auto", "thingmagic", "silion"] = Field(
        default="auto", description="auto: by the hardware version; silion: SIM7xxx, SLR, SLD"
    )
    mode: Literal["poll", "push"] = Field(
        default="poll", description="push streams every sighting at once"
    )
    search_ms: int = Field(default=100, ge=20, le=5000, description="one search of one antenna")
    poll_ms: int = Field(default=150, ge=10, le=10_000, description="start to start of a search")
    antennas: tuple[Antenna, ...] = Field(
        default=(), max_length=16, description="searched in turn; empty: the one that is set"
    )
    region: Region | None = Field(
        default=None, description="by law of the country; empty: as it is, none is an error"
    )
    power_dbm: int | None = Field(
        default=None, ge=0, le=33, description="read and write power; empty: as it is"
    )

    @model_validator(mode="after")
    def _antennas(self) -> Self:
        if len(set(self.antennas)) != len(self.antennas):
            raise ValueError("an antenna is named twice")
        if self.search_ms * max(1, len(self.antennas)) > SEARCH_MS_MAX:
            raise ValueError(
                f"search_ms {self.search_ms} is for each antenna; all together at most {SEARCH_MS_MAX}"
            )
        return self

    def wanted(self, found: Dialect) -> Wanted:
        """What to set up in a module that seems to be of this dialect."""
        region = None if self.region is None else _REGIONS[self.region]
        dialect = found if self.dialect == "auto" else self.dialect
        return Wanted(dialect, region, self.antennas, self.power_dbm)


class ThingMagic:
    """One configured module."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Open, start, set up, then read until the link fails; raises DriverError."""
        settings = self._settings
        stream = await open_stream(settings.link)
        try:
            line = ModuleLine(stream, context, gap_s=gap_s(settings.link))
            wanted, text = await self._ready(line)
            field = TagField(context, self.name)
            if settings.mode == "push":
                await self._stream(line, field, text, wanted.dialect)
            await self._poll(line, field, text)
        finally:
            await stream.close()

    async def read_memory(self, context: Context, area: MemoryArea) -> bytes:
        """The memory of exactly one tag, over a link of its own; raises DriverError."""
        stream = await open_stream(self._settings.link)
        try:
            line = ModuleLine(stream, context, gap_s=gap_s(self._settings.link))
            wanted, _ = await self._ready(line)
            search = self._search(line, MEMORY_SEARCH_MS)
            return await read_words(line, search, area, wanted.dialect)
        finally:
            await stream.close()

    async def write_memory(self, context: Context, area: MemoryArea, data: bytes) -> None:
        """Write, read back and compare, over a link of its own; raises DriverError."""
        stream = await open_stream(self._settings.link)
        try:
            line = ModuleLine(stream, context, gap_s=gap_s(self._settings.link))
            wanted, _ = await self._ready(line)
            search = self._search(line, MEMORY_SEARCH_MS)
            await write_words(line, search, area, data, wanted.dialect)
        finally:
            await stream.close()

    async def _ready(self, line: ModuleLine) -> tuple[Wanted, str]:
        """Identify and set up; what it was set to, and that in words."""
        found = await identify(line)
        wanted = self._settings.wanted(found.dialect)
        return wanted, f"{found.text}, {await prepare(line, wanted)}"

    def _search(self, line: ModuleLine, search_ms: int) -> Search:
        antennas = self._settings.antennas
        return Search(line, search_ms * max(1, len(antennas)), antenna_list=bool(antennas))

    async def _poll(self, line: ModuleLine, field: TagField, text: str) -> NoReturn:
        search = self._search(line, self._settings.search_ms)
        await poll(
            line.dialog,
            field,
            once=search.once,
            settle=line.settle,
            poll_ms=self._settings.poll_ms,
            up=lambda: line.context.up(f"{text}, poll"),
        )

    async def _stream(
        self, line: ModuleLine, field: TagField, text: str, dialect: Dialect
    ) -> NoReturn:
        """Start streaming, take what comes, and start again when it fell silent."""

        def take(heard: list[Heard]) -> Iterable[Sighting]:
            for each in heard:
                complain(line, each.reply)
            return line.sightings(heard)

        far = isinstance(self._settings.link, TcpLink)
        owed, clock = line.dialog.owed, line.context.monotonic_ns
        line.aside = lambda heard: field.emit(take(heard), owed.since_ns if far else clock())

        async def prove() -> bool:
            await stop(line)
            await line.settle()
            return await self._start(
                line, dialect
            )  # Whatever was lost, nothing is seen until then.

        if dialect == "thingmagic":
            await let_tags_repeat(line)
        await self._start(line, dialect)
        line.context.up(f"{text}, push")
        await listen(
            line.dialog,
            field,
            take=take,
            alive=lambda: self._start(line, dialect),
            prove=prove if far else None,
            silent_s=HEARTBEATS_MISSED_S if dialect == "silion" else PUSH_SILENT_S_MAX,
        )

    async def _start(self, line: ModuleLine, dialect: Dialect) -> bool:
        """Start the stream; False when nobody answers, raises DriverError when refused."""
        listed = bool(self._settings.antennas)
        if dialect == "silion":
            flags = commands.CONFIGURED_LIST if listed else commands.CONFIGURED_ANTENNA
            frame = silion.build_start_async(METADATA, flags | silion.WITH_HEARTBEAT)
        else:
            frame = commands.build_start_stream(METADATA, antenna_list=listed)
        heard = await line.send(frame)
        if heard is not None and heard.reply.status != codes.OK:
            other = "silion" if dialect == "thingmagic" else "thingmagic"
            unknown = heard.reply.status == codes.INVALID_OPCODE
            trouble = troubles.wrong_dialect(dialect, other) if unknown else None
            raise line.dialog.lost(describe_refusal(heard.reply), trouble)
        return heard is not None


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A tag reader has no register map.
    return ThingMagic(name, settings)


DRIVER = DriverType(
    name="rfid.thingmagic",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="ThingMagic / JADAK M5e, M6e, M7e and Silion UHF modules, FF frames",
    summary_zh="ThingMagic / JADAK M5e、M6e、M7e 与芯联 (Silion) 超高频模块，FF 协议",
    lively_s=LIVELY_S,
    capabilities=frozenset(
        {"identify", "read_memory", "write_memory", "power", "antennas", "push"}
    ),
    models=("M5e", "M6e", "M6e Nano", "M7e Hecto", "Silion SIM7100/7200/7500, SLD1090"),
    caveats=(
        (
            "模块上电后没有区域设置：必须配置 region（按当地法规），否则不发射",
            "a module wakes up without a region: set region by the law of the country",
        ),
        (
            "没有流控：push 模式下断线期间的读数会丢失；poll 模式缓存约 52 个标签",
            "no flow control: a stream is lost while the cable is out; a buffer holds about 52 tags",
        ),
        (
            "状态 0x0505 表示天线缺失、损坏或频段不符",
            "status 0x0505 means an antenna that is missing, damaged or made for another band",
        ),
        (
            "芯联 push 模式的标签格式来自文档，未经实物验证",
            "the layout of tags that Silion pushes is the document's word, unverified",
        ),
        (
            "仅支持 Gen2 标签；TransCore 的 ATA、SeGo 标签只能解析帧",
            "Gen2 tags only; TransCore's ATA and SeGo frames can be decoded, not used",
        ),
    ),
    example="{driver: rfid.thingmagic, link: {serial: /dev/serial/by-id/usb-X}, region: PRC}",
    formats=("thingmagic_serial",),
    hellos=(
        Hello(115_200, thingmagic.build_command(codes.VERSION), "thingmagic_serial"),
        Hello(9600, thingmagic.build_command(codes.VERSION), "thingmagic_serial"),
    ),
    tcp_ports=(8080,),
)
