"""Yusheng LPG filling machines on TCP: the code of the cylinder, and fills that they report. No weight.

The protocol (V1.10) tells weights only when a fill has ended, in a unit that no source states: so
nothing here is a scale, and the machine, which fills by itself after a permit (C2) of its server,
is no gate. It is listened to and never answered: not permitted, so that it fills nothing by us, and
not acknowledged, so that it keeps its own records.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

from pydantic import Field

from drivers.barcode.listener import Listener
from drivers.barcode.settings import ListenLink, ScannerLink
from drivers.contract import CodeRead, Context, Driver, DriverType, Strict
from drivers.links import LinkSilentError, Stream, open_stream
from drivers.liveness import LIVELY_S, TURN_S
from drivers.scale import scale_troubles as troubles
from protocols.framing import FrameError, Noise, Piece
from protocols.scales import yusheng
from protocols.scales.yusheng import codes

READ_BYTES = 1024


class Settings(Strict):
    """Settings of `scale.yusheng`. The machine connects to us (`listen`), or we to its converter."""

    link: ScannerLink
    address: int | None = Field(
        default=None, ge=0, le=0xFF, description="the one machine of this line; others are noise"
    )


class Yusheng:
    """One machine, or the line of several."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Take codes until the link fails; raises DriverError. A machine at rest says nothing."""
        link = self._settings.link
        if isinstance(link, ListenLink):
            await Listener(self._serve, link, context).run()
            return
        stream = await open_stream(link)
        try:
            await self._serve(stream, context, "")
        finally:
            await stream.close()

    async def _serve(self, stream: Stream, context: Context, _what: str) -> NoReturn:
        framer = yusheng.new_framer()
        context.up(
            f"Yusheng machine on {stream.wire}: codes only, no weight, never permitted by us"
        )
        while True:
            context.alive()
            with suppress(LinkSilentError):
                for piece in framer.feed(await stream.read(READ_BYTES, TURN_S)):
                    self._take(piece, context)

    def _take(self, piece: Piece, context: Context) -> None:
        if isinstance(piece, Noise):
            context.noise(piece.reason, piece.raw)
            return
        try:
            told = yusheng.fields(piece)
        except FrameError as exc:
            context.noise(str(exc), piece)
            return
        if self._settings.address not in (None, told["address"]):
            context.noise(f"of machine {told['address']}", piece)
            return
        context.frame("device>host", piece)
        self._heard(told, piece, context)

    def _heard(self, told: Mapping[str, Any], raw: bytes, context: Context) -> None:
        """A scanned code is a read; a fill that the machine reports was not permitted here."""
        machine = str(told["address"])
        if "end_weight_raw" in told:
            context.trouble(troubles.filled_by_itself(machine, raw.hex(" ")))
        elif told.get("command") == codes.PASSWORD:
            context.trouble(troubles.unsupervised(machine))
        elif told.get("qr"):
            context.emit(CodeRead(self.name, told["qr"], context.monotonic_ns()))
        elif "qr" in told:
            context.noise("a code without a character", raw)


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # No register map.
    return Yusheng(name, settings)


_NO_WEIGHT = (
    "its protocol tells weights only when a fill has ended, in a unit that no source states"
)
_NO_GATE = "it fills by itself after a permit of its own server, and shows neither weight nor valve"

DRIVER = DriverType(
    name="scale.yusheng",
    settings=Settings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="Yusheng LPG filling machines on TCP: the codes they scan; neither a scale nor a gate",
    summary_zh="宇晟液化气充装秤（TCP）：只取其扫到的瓶码；不能作为秤，也不能作为联锁",
    capabilities=frozenset({"identify"}),
    lacks={"scale": _NO_WEIGHT, "gate": _NO_GATE},
    models=("Yusheng LPG filling scales, protocol V1.10 (from documents, untried)",),
    caveats=(
        (
            "充装过程中不发送重量，且结束时的重量单位没有任何资料说明：不能作为工位的 scale 或 gate",
            "no weight while it fills, one of no stated unit at its end: neither scale nor gate",
        ),
        (
            "从不应答：不许可、不确认；它自行充装并上报时以提示显示，原始数据见帧",
            "never permitted, never acknowledged; a fill it reports is a trouble, no record of ours",
        ),
        (
            "多台共用一条线路时设 address；每个 listen 端口只接一台",
            "set address where several share a line; one connection to a listen port at a time",
        ),
    ),
    example='{driver: scale.yusheng, link: {listen: "0.0.0.0:9100"}, address: 3}',
    formats=("yusheng",),
    lively_s=LIVELY_S,
)
