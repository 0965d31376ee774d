"""LLRP readers (Impinj, Zebra, Alien, SICK, Kathrein): the world's fixed UHF readers over TCP.

Facts: protocols/README.md. The reader reports every tag as it sees it (`push`), or collects and is
asked (`poll`); the ROSpec that makes it so is built anew at every connection, after deleting what
others left behind. Keepalives are answered and watched. Of llrpkit only the codec is used, why is
said in `protocols.readers.llrp.wire`. Nothing is written to the reader's flash.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NoReturn, Self

from pydantic import Field, model_validator

from drivers import troubles
from drivers.contract import Context, Driver, DriverError, DriverType, MemoryArea, Strict
from drivers.dialog import now
from drivers.links import TcpLink
from drivers.liveness import LIVELY_S, TURN_S
from drivers.rfid import llrp_memory, llrp_troubles
from drivers.rfid.field import Field as TagField
from drivers.rfid.field import Sighting
from drivers.rfid.llrp_age import Age
from drivers.rfid.llrp_session import Session, connected, events, refused
from drivers.rfid.llrp_setup import Wanted, describe, prepare, sightings, start
from protocols.readers import llrp
from protocols.readers.llrp import Message, Param, reports

ANTENNAS_MAX = 64
POLL_MS_MAX = 1_000
"""A poll brings what was seen since the one before; older sightings name a cylinder that has left."""
REFUSED_POLLS_MAX = 3
"""Polls in a row refused by the reader after which polling counts as not supported."""
SOMEBODY_ELSE = reports.ATTEMPT_SOMEBODY_ELSE

Antenna = Annotated[int, Field(ge=1, le=ANTENNAS_MAX)]


class Settings(Strict):
    """Settings of `rfid.llrp`."""

    link: TcpLink
    tls_ca_file: str = Field(
        default="", max_length=300, description="PEM of the reader's certificate: TLS, port 5085"
    )
    mode: Literal["poll", "push"] = Field(
        default="push", description="push reports every tag at once; poll asks for what was seen"
    )
    poll_ms: int = Field(default=200, ge=50, le=10_000, description="time between two polls")
    keepalive_ms: int = Field(
        default=2_000, ge=200, le=60_000, description="3 of them missed and the reader is lost"
    )
    antennas: tuple[Antenna, ...] = Field(
        default=(), max_length=ANTENNAS_MAX, description="empty: all of them"
    )
    power_dbm: int | None = Field(
        default=None, ge=-10, le=40, description="one of the reader's table; empty: as it is"
    )
    session: Literal[0, 1, 2, 3] | None = Field(
        default=None, description="Gen2 session; 0: a tag at rest is reported all the time"
    )

    @model_validator(mode="after")
    def _antennas(self) -> Self:
        if len(set(self.antennas)) != len(self.antennas):
            raise ValueError("an antenna is named twice")
        if self.mode == "poll" and self.poll_ms > POLL_MS_MAX:
            raise ValueError(
                f"poll_ms {self.poll_ms}: sightings would be old; at most {POLL_MS_MAX}"
            )
        return self

    def wanted(self) -> Wanted:
        """What the reader is to do."""
        return Wanted(
            keepalive_ms=self.keepalive_ms,
            antennas=self.antennas,
            power_dbm=self.power_dbm,
            session=self.session,
            each_tag=self.mode == "push",
        )


class LlrpReader:
    """One configured reader."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Connect, build the ROSpec, then take reports until the link fails; raises DriverError."""
        settings = self._settings
        async with connected(
            settings.link, settings.tls_ca_file, context, keepalive_ms=settings.keepalive_ms
        ) as session:
            can, inventory = await prepare(session, settings.wanted())
            await start(session, inventory)
            context.up(describe(can, settings.mode))
            await _Reading(session, settings, TagField(context, self.name)).serve()

    async def read_memory(self, context: Context, area: MemoryArea) -> bytes:
        """The memory of one tag; raises DriverError when it cannot be had whole."""
        settings = self._settings
        async with connected(
            settings.link, settings.tls_ca_file, context, keepalive_ms=settings.keepalive_ms
        ) as session:
            return await llrp_memory.read(session, settings.wanted(), area)

    async def write_memory(self, context: Context, area: MemoryArea, data: bytes) -> None:
        """Write, read back and compare; raises DriverError."""
        settings = self._settings
        async with connected(
            settings.link, settings.tls_ca_file, context, keepalive_ms=settings.keepalive_ms
        ) as session:
            await llrp_memory.write(session, settings.wanted(), area, data)


class _Reading:
    """Hours of reports from one session."""

    def __init__(self, session: Session, settings: Settings, field: TagField) -> None:
        self._session = session
        self._context = session.context
        self._antennas = frozenset(settings.antennas)
        self._poll_s = settings.poll_ms / 1000 if settings.mode == "poll" else None
        self._age = Age(session, collects=self._poll_s is not None)
        self._field = field
        self._refused = 0
        self._missing: set[int] = set()

    async def serve(self) -> NoReturn:
        """Take what the reader says, and ask for it where it waits to be asked."""
        poll_at = now()
        while True:
            self._context.alive()  # Keepalives may be far apart.
            until = now() + TURN_S
            until = until if self._poll_s is None else min(until, poll_at)
            messages = await self._session.take(until)
            for message in messages:
                self._take(message)
            for antenna in sorted(self._missing):
                self._context.trouble(troubles.antenna_missing(antenna))
            if self._poll_s is None:
                await self._age.prove()
            elif now() >= poll_at:
                await self._age.prove()
                await self._session.tell("GET_REPORT")
                poll_at = now() + self._poll_s

    def _take(self, message: Message) -> None:
        if not self._age.taken(message):
            self._field.emit(self._seen(message), self._age.said_ns)
            self._note(message)

    def _seen(self, message: Message) -> list[Sighting]:
        if message.name != "RO_ACCESS_REPORT":
            return []
        self._refused = 0
        seen = llrp.tags(message)
        for tag in seen:
            if tag.epc_bits % 8:  # Filled up to bytes it would be another tag's.
                self._context.noise(f"EPC of {tag.epc_bits} bits, no whole bytes", tag.epc)
        return sightings([tag for tag in seen if tag.epc_bits % 8 == 0])

    def _note(self, message: Message) -> None:
        """Refusals and events; raises DriverError when the reader stopped reading for us."""
        refusal = refused(message)
        if refusal and message.name == "ERROR_MESSAGE" and self._poll_s is not None:
            self._refused += 1
            self._age.refused()
            if self._refused >= REFUSED_POLLS_MAX:
                text = refusal.text or f"status {refusal.code}"
                raise DriverError(
                    f"{self._session.wire}: reader refuses to be polled ({text}); set mode: push"
                )
        for event in events(message):
            self._happened(event)

    def _happened(self, event: Param) -> None:
        match event.name:
            case "ROSpecEvent":
                ended = {reports.ROSPEC_ENDED, reports.ROSPEC_PREEMPTED}
                if event.number("event_type") in ended:
                    raise DriverError(f"{self._session.wire}: the reader stopped our ROSpec")
            case "AntennaEvent":
                self._antenna(event.number("antenna_id"), there=bool(event.number("event_type")))
            case "ReportBufferOverflowErrorEvent":
                self._context.trouble(llrp_troubles.reads_lost("the reader's buffer", "读写器"))
            case "ReaderExceptionEvent":
                text = str(event.values["message"])
                self._context.trouble(llrp_troubles.reader_exception(text))
            case "ConnectionAttemptEvent" if event.number("status") == SOMEBODY_ELSE:
                self._context.trouble(llrp_troubles.other_tries(self._session.wire))

    def _antenna(self, antenna: int, *, there: bool) -> None:
        """An empty port matters where it is named, or where none is named and all are used."""
        if there:
            self._missing.discard(antenna)
        elif not self._antennas or antenna in self._antennas:
            self._missing.add(antenna)


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A tag reader has no register map.
    return LlrpReader(name, settings)


DRIVER = DriverType(
    name="rfid.llrp",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="LLRP UHF readers (Impinj, Zebra, Alien, SICK, Kathrein) over TCP or TLS",
    summary_zh="LLRP 超高频读写器（Impinj、Zebra、Alien、SICK、Kathrein），TCP 或 TLS",
    models=("Impinj R420", "Impinj R700", "Zebra FX7500", "Zebra FX9600", "Alien", "SICK RFU"),
    capabilities=frozenset(
        {"identify", "push", "power", "antennas", "read_memory", "write_memory"}
    ),
    caveats=(
        (
            "读写器只接受一个客户端：先关闭厂家软件；本程序断电后读写器可能要几分钟才释放连接",
            "a reader serves one client: close the vendor's software first; after a power cut here it may keep the old connection for minutes",
        ),
        (
            "Impinj R700 须在网页上把接口切换为 LLRP",
            "switch an Impinj R700 to LLRP on its web page first",
        ),
        (
            "power_dbm 必须是读写器功率表中的值，不会取近似值",
            "power_dbm must be in the reader's own table; it is never rounded",
        ),
        (
            "静止的标签在 session 1 至 3 下可能隔数秒才再次上报；设置 session: 0 可持续上报",
            "in sessions 1 to 3 a tag at rest may be reported only every few seconds; session: 0 reports it all the time",
        ),
        (
            "只有 Impinj 的真实数据可供核对；其他厂家依据标准和公开讨论",
            "proven on captures of Impinj readers only; other makes rest on the standard",
        ),
    ),
    example='{link: {tcp: "192.168.1.60:5084"}, antennas: [1, 2], power_dbm: 24}',
    formats=("llrp",),
    lively_s=LIVELY_S,
    tcp_ports=(5084, 5085),
)
