"""`acme.reader`: ask for every tag in the field, again and again, over TCP or serial."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from drivers.contract import Context, Driver, DriverType, Hello, Strict
from drivers.dialog import Dialog, gap_s, now
from drivers.links import open_stream
from drivers.liveness import LIVELY_S
from drivers.rfid.field import Field as TagField
from drivers.rfid.field import Sighting
from drivers.rfid.rounds import ROUND, ReaderLink115200, Round, poll
from protocols.framing import FrameError

from . import codec
from .formats import ACME

ROUND_WITHIN_S = 1.0
"""A round without its end by then is a missed one."""


class Settings(Strict):
    """Settings of `acme.reader`: unknown keys and wrong units are refused with line and column."""

    link: ReaderLink115200
    poll_ms: int = Field(default=50, ge=10, le=10_000, description="start to start of a round")


class AcmeReader:
    """One configured reader."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Open, identify, poll until the link fails; raises DriverError, never reconnects."""
        stream = await open_stream(self._settings.link)
        try:
            dialog = Dialog(
                stream,
                context,
                framer=codec.new_framer(),
                decode=codec.decode,
                format=ACME.name,
                gap_s=gap_s(self._settings.link),
            )
            await dialog.drain()
            model = await _model(dialog)
            if model is None:
                raise dialog.lost("no ACME reader answers")
            await poll(
                dialog,
                TagField(context, self.name),
                once=lambda: _once(dialog),
                settle=lambda: _answers(dialog),
                poll_ms=self._settings.poll_ms,
                up=lambda: context.up(f"ACME {model.data.decode('ascii', 'replace')}"),
            )
        finally:
            await stream.close()


async def _model(dialog: Dialog[codec.Message]) -> codec.Message | None:
    """What it says it is, None when nobody answers; `kind` tells this answer from a round's."""
    command = codec.encode(codec.Message(codec.MODEL))
    return await dialog.ask(command, lambda m: m.command == codec.MODEL, kind=codec.MODEL)


async def _answers(dialog: Dialog[codec.Message]) -> bool:
    """Whether it answers something else than a round, so that none before is under way any more."""
    return await _model(dialog) is not None


async def _once(dialog: Dialog[codec.Message]) -> Round:
    """One round: every tag until the reply without data, the silence, or the deadline."""
    await dialog.tell(codec.encode(codec.Message(codec.INVENTORY)), kind=ROUND)
    seen: list[Sighting] = []
    heard = False
    until = now() + ROUND_WITHIN_S
    while now() < until:
        _, messages = await dialog.receive(until)
        for message in (m for m in messages if m.command == codec.INVENTORY):
            heard = True
            if not message.data:
                dialog.owed.answered(ROUND)  # Its last word: nothing of it is owed any more.
                return Round(tuple(seen), heard)
            seen += _sighting(dialog, message)
    return Round(tuple(seen), heard)


def _sighting(dialog: Dialog[codec.Message], message: codec.Message) -> list[Sighting]:
    try:
        tag = codec.tag_of(message)
    except FrameError as exc:
        dialog.context.noise(str(exc), message.data)
        return []
    return [Sighting(tag.uid, antenna=tag.antenna, rssi_raw=tag.rssi_raw)]


def make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    """Called by the daemon with validated settings; a tag reader needs no register map."""
    del profiles
    return AcmeReader(name, settings)


DRIVER = DriverType(
    name="acme.reader",
    settings=Settings,
    make=make,
    wire=lambda settings: settings.link.wire(),
    summary="ACME tag readers over TCP or serial",
    summary_zh="ACME 标签读写器（TCP 或串口）",
    models=("ACME One",),
    caveats=(("信号强度未标定，只能比较", "RSSI is uncalibrated: compare only"),),
    example='{driver: acme.reader, link: {tcp: "127.0.0.1:7000"}}',
    formats=(ACME.name,),
    own_formats=(ACME,),
    hellos=(Hello(115_200, codec.encode(codec.Message(codec.MODEL)), ACME.name),),
    tcp_ports=(7000,),
    lively_s=LIVELY_S,
    capabilities=frozenset({"identify", "antennas"}),
)
