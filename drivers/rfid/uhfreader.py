"""UHFReader18 / 86 / 288 fixed UHF readers over TCP or serial: every tag in the field, all the time.

Facts: protocols/README.md. The driver polls by default; a reader left in (or set to) a pushing work
mode yields its tags all the same. The work mode lives in the reader's flash: it is written only
when it differs.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from drivers.contract import Context, Driver, DriverType, Strict
from drivers.links import SerialLink, TcpLink, open_stream
from drivers.rfid.uhfreader_line import (
    ASKED_TIMES_MAX,
    ROUND_MARGIN_S,
    ReaderLine,
    answers,
    now,
    sightings,
)
from protocols.readers import uhfreader
from protocols.readers.uhfreader import codes

MISSED_POLLS_MAX = 3
"""Polls in a row without one valid frame after which the reader counts as lost."""
REFUSED_POLLS_MAX = 3
"""Polls in a row refused as malformed after which the dialect counts as wrong."""
PUSH_SILENT_S_MAX = 5.0
"""A pushing reader silent for so long is asked whether it lives."""
SERIAL_GAP_S = 0.05
TCP_GAP_S = 0.3
"""Silence inside a frame after which the rest will not come; bridges cut streams as they like."""
POLL_Q = 4
POLL_SESSION = 0
"""2^4 slots suit a handful of tags; session 0 forgets at once, so a tag answers every round."""
PROBE_SCAN_100MS = 1

TYPES_18 = frozenset({0x09})
TYPES_288 = frozenset({0x0C, 0x0F, 0x10, 0x20, 0x26, 0x62, 0x8B})
"""Reader types of public captures and lists; any other type is probed."""
_REFUSED = frozenset({codes.WRONG_LENGTH, codes.ILLEGAL_COMMAND, codes.WRONG_PARAMETER})
_WORK_MODES: Mapping[uhfreader.Dialect, tuple[int, int]] = {
    "18": (codes.GET_WORK_MODE_18, codes.SET_WORK_MODE_18),
    "288": (codes.GET_WORK_MODE_288, codes.SET_WORK_MODE_288),
}


class ReaderSerialLink(SerialLink):
    """A serial reader: `{serial: path, baud: 57600}`."""

    baud: int = Field(default=57_600, ge=300, le=4_000_000)


def _kind(value: Any) -> str:
    serial = "serial" in value if isinstance(value, dict) else isinstance(value, SerialLink)
    return "ReaderSerialLink" if serial else "TcpLink"


ReaderLink: TypeAlias = Annotated[
    Annotated[TcpLink, Tag("TcpLink")] | Annotated[ReaderSerialLink, Tag("ReaderSerialLink")],
    Discriminator(_kind),
]
Antenna: TypeAlias = Annotated[int, Field(ge=1, le=16)]


class Settings(Strict):
    """Settings of `rfid.uhfreader`."""

    link: ReaderLink
    address: int = Field(default=0, ge=0, le=255, description="255 is whichever answers")
    dialect: Literal["auto", "18", "288", 18, 288] = Field(
        default="auto", description="18: no antenna, no RSSI; 288: also the 86 series"
    )
    mode: Literal["poll", "push"] = Field(
        default="poll", description="push writes the reader's work mode to its flash, once"
    )
    poll_ms: int = Field(default=50, ge=10, le=10_000, description="start to start of a round")
    antennas: tuple[Antenna, ...] = Field(
        default=(), max_length=16, description="poll these one by one; empty: as the reader is set"
    )
    antenna_encoding: uhfreader.Encoding = Field(
        default="mask", description="mask on 1, 4, 8 ports; index on 12, 16 ports"
    )

    @model_validator(mode="after")
    def _antennas(self) -> Self:
        if len(set(self.antennas)) != len(self.antennas):
            raise ValueError("an antenna is named twice")
        if self.antennas and str(self.dialect) == "18":
            raise ValueError("dialect 18 cannot choose antennas; remove antennas")
        return self


class UhfReader:
    """One configured reader."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Open, identify, then read until the link fails; raises DriverError."""
        settings = self._settings
        stream = await open_stream(settings.link)
        try:
            line = ReaderLine(
                stream,
                context,
                device=self.name,
                address=settings.address,
                gap_s=SERIAL_GAP_S if isinstance(settings.link, SerialLink) else TCP_GAP_S,
                encoding=settings.antenna_encoding,
            )
            await self._serve(line, context)
        finally:
            await stream.close()

    async def _serve(self, line: ReaderLine, context: Context) -> None:
        """Find out who is there, put it in order, then poll it or listen to it."""
        await line.drain()
        answer = await line.ask(codes.INFO)
        info = answer if isinstance(answer, uhfreader.Info) else None
        if info is not None:
            line.address = info.address
            if info.scan_time_100ms:
                line.silent_s_max = info.scan_time_100ms / 10 + ROUND_MARGIN_S
        line.dialect = await self._find_dialect(line, info)
        if await self._set_work_mode(line):
            context.up(_describe(line, info, "push"))
            await _listen(line, deaf=info is None)
        await self._poll(line, lambda: context.up(_describe(line, info, "poll")))

    async def _find_dialect(
        self, line: ReaderLine, info: uhfreader.Info | None
    ) -> uhfreader.Dialect:
        """By settings, by type, else by trying: only a 288 understands 288 parameters.

        Clones that do not know the info command are found out by trying too.
        """
        if self._settings.dialect != "auto":
            return "18" if str(self._settings.dialect) == "18" else "288"
        if info is not None and info.type_code in TYPES_18 | TYPES_288:
            return "18" if info.type_code in TYPES_18 else "288"
        aim = uhfreader.Aim(0, uhfreader.ANTENNA_SELECTOR, PROBE_SCAN_100MS)
        probe = uhfreader.InventoryParams(POLL_Q, POLL_SESSION, aim=aim)
        times = 1 if info is None else ASKED_TIMES_MAX
        reply = await line.ask(codes.INVENTORY, uhfreader.encode_params(probe), times=times)
        if reply is not None:
            return "18" if reply.status in _REFUSED else "288"
        for dialect, (get, _) in _WORK_MODES.items():  # A pushing reader answers only these.
            if isinstance(await line.ask(get, times=1), uhfreader.WorkMode):
                return dialect
        if info is None:
            raise line.lost(f"no UHF reader answers at address {line.address}")
        raise line.lost("reader of unknown type answers no inventory; set its dialect")

    async def _set_work_mode(self, line: ReaderLine) -> bool:
        """Bring the reader into the configured mode if it can; True when it pushes afterwards."""
        wanted = self._settings.mode == "push"
        get, tell = _WORK_MODES[line.dialect]
        found = await line.ask(get, times=1)
        if not isinstance(found, uhfreader.WorkMode) or found.answers != wanted:
            return wanted  # A model without work modes just does what it is used for.
        answer = await line.ask(tell, found.switched(pushing=wanted))
        done = answer is not None and answer.status == codes.OK
        return wanted if done else not wanted

    async def _poll(self, line: ReaderLine, up: Callable[[], None]) -> None:
        """Ask for every tag in the field, again and again; `up` once a poll was answered."""
        missed = refused = rounds = 0
        while True:
            started = now()
            replies = await self._round(line)
            missed = 0 if replies else missed + 1
            refused = refused + 1 if _refused(replies) else 0
            if missed >= MISSED_POLLS_MAX:
                raise line.lost(f"no valid answer to {missed} polls")
            if refused >= REFUSED_POLLS_MAX:
                other = "288" if line.dialect == "18" else "18"
                raise line.lost(f"inventory of dialect {line.dialect} refused; is it {other}?")
            if not missed and not refused:
                rounds += 1
                if rounds == 1:
                    up()
            line.emit(sightings(replies))
            await asyncio.sleep(max(0.0, started + self._settings.poll_ms / 1000 - now()))

    async def _round(self, line: ReaderLine) -> list[uhfreader.Reply]:
        """Everything heard of all antennas, each polled once."""
        params = self._params(line.dialect)
        return [reply for data in params for reply in await line.inventory(data)]

    def _params(self, dialect: uhfreader.Dialect) -> list[bytes]:
        """Inventory parameters of a round, one set for each antenna polled."""
        if dialect == "18":
            return [b""]
        plain = uhfreader.InventoryParams(POLL_Q, POLL_SESSION)
        selectors = [uhfreader.ANTENNA_SELECTOR + n - 1 for n in self._settings.antennas]
        aimed = [
            uhfreader.InventoryParams(POLL_Q, POLL_SESSION, aim=uhfreader.Aim(0, selector, 0))
            for selector in selectors
        ]
        return [uhfreader.encode_params(params) for params in aimed or [plain]]


async def _listen(line: ReaderLine, *, deaf: bool) -> None:
    """Take what a pushing reader sends; when it is silent, ask whether it lives.

    A deaf one never answered anything: only its link can tell that it is gone.
    """
    heard_at = now()
    while True:
        heard, replies = await line.receive(heard_at + PUSH_SILENT_S_MAX)
        line.emit(sightings(replies))
        if heard:
            heard_at = now()
        elif now() >= heard_at + PUSH_SILENT_S_MAX:
            if not deaf and await line.ask(codes.INFO) is None:
                raise line.lost("pushing reader does not answer any more")
            heard_at = now()


def _refused(replies: list[uhfreader.Reply]) -> bool:
    return any(answers(r, codes.INVENTORY) and r.status in _REFUSED for r in replies)


def _describe(line: ReaderLine, info: uhfreader.Info | None, mode: str) -> str:
    text = f"UHFReader of unknown type, dialect {line.dialect}, {mode}"
    if info is not None:
        version = f"{info.version[0]}.{info.version[1]}"
        text = f"UHFReader type 0x{info.type_code:02X} version {version}, dialect {line.dialect}"
        text += f", address {info.address}, {info.power_dbm} dBm, {mode}"
    return text + ("; reports no antenna, serves antenna 1" if line.dialect == "18" else "")


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A tag reader has no register map.
    return UhfReader(name, settings)


DRIVER = DriverType(
    name="rfid.uhfreader",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="UHFReader18 / 86 / 288 UHF readers (Chafon, RRU, VI, WYUAN) over TCP or serial",
    capabilities=frozenset({"identify"}),
)
