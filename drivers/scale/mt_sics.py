"""Mettler Toledo scales that speak MT-SICS: `scale.mt_sics`. Facts: protocols/README.md.

SI tells the net weight. With `tare: ask` a weight counts only between two equal answers to TA, so
that a tare taken while it was weighed never makes a cylinder look lighter than it is.

Every answer repeats the name of its command, so each of the three questions settles whether the
answer to another one is still owed. An error (ES, ET, EL) names none and settles nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from drivers.contract import Context, Driver, DriverType, Hello, Strict
from drivers.links import open_stream
from drivers.liveness import LIVELY_S
from drivers.scale import scale_troubles as troubles
from drivers.scale.line import ANSWER_WITHIN_S, SENDS_ON_TCP, Question, ScaleLine
from drivers.scale.weights import ScaleSettings, Weights
from protocols.scales import mt_sics
from protocols.scales.mt_sics import Line
from protocols.scales.recognise import Kind
from protocols.scales.weighing import Weighing, text_of

_SIR = mt_sics.build_command("SIR")
_WEIGHT: Question[Line] = Question(mt_sics.build_command("SI"), lambda said: said.name == "S")
_TARE: Question[Line] = Question(mt_sics.build_command("TA"), lambda said: said.name == "TA")
_SERIAL: Question[Line] = Question(mt_sics.build_command("I4"), lambda said: said.name == "I4")
_HINT = (
    "把秤的接口设为 MT-SICS，8 位无校验",
    "set the interface of the scale to MT-SICS, 8 bits, no parity",
)
TARE_MISSED_MAX = 3
"""Questions for the tare that are refused before the scale counts as one that does not tell it."""


class Settings(ScaleSettings):
    """Settings of `scale.mt_sics`; unit, decimals and stability are in every line."""

    mode: Literal["poll", "push"] = Field(
        default="poll", description="poll asks SI; push lets the scale repeat (SIR)"
    )
    poll_ms: int = Field(default=100, ge=50, le=2_000, description="start to start of a question")
    tare: Literal["ask", "off"] = Field(
        default="ask",
        description="ask reads the tare with every weight; off: its tare key is blocked, net is gross",
    )

    @model_validator(mode="after")
    def _push_has_no_tare(self) -> Self:
        if self.mode == "push" and self.tare == "ask":
            raise ValueError(
                "tare: a scale that repeats cannot be asked for its tare; say tare: off"
            )
        return self


@dataclass(frozen=True, slots=True)
class _Tare:
    """What the scale says its tare is."""

    value: Decimal
    unit: str


class MtSics:
    """One configured scale."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._tare: _Tare | None = None
        self._tare_missed = 0

    async def run(self, context: Context) -> None:
        """Weigh until the link fails; raises DriverError."""
        settings = self._settings
        self._tare, self._tare_missed = None, 0
        stream = await open_stream(settings.link)
        try:
            line: ScaleLine[Line] = ScaleLine(
                stream,
                context,
                settings.link,
                framer=mt_sics.new_answer_framer(),
                decode=mt_sics.decode,
                format="mt_sics",
                own=Kind("scale.mt_sics"),
                hint=_HINT,
            )
            await self._serve(line, Weights(context, self.name, settings), context)
        finally:
            await stream.close()

    async def _serve(self, line: ScaleLine[Line], weights: Weights, context: Context) -> None:
        settings = self._settings
        serial = await self._identify(line)
        text = f"MT-SICS scale{serial}, {settings.mode}, tare: {settings.tare}"
        if settings.mode == "push":
            await line.dialog.tell(_SIR)
            await line.listen(weights, lambda: context.up(text), _weighing)
        await line.poll(
            weights, lambda: context.up(text), lambda: self._once(line), settings.poll_ms
        )

    async def _identify(self, line: ScaleLine[Line]) -> str:
        """Its serial number for the state; a scale that has none is used all the same."""
        await line.ask(_WEIGHT)  # Also ends a repetition somebody left running.
        await line.dialog.drain()
        found = await line.ask(_SERIAL)
        if found is None:
            await line.ask(_TARE)  # On a network something else must be known that it answers.
        return f" {found.text}" if found is not None and found.text else ""

    async def _once(self, line: ScaleLine[Line]) -> Sequence[Weighing]:
        """One weight; none when the scale did not answer. Raises DriverError."""
        if self._settings.tare == "off":
            return _some(await line.ask(_WEIGHT))
        before = self._tare or await self._ask_tare(line)
        said = await line.ask(_WEIGHT) if before is not None else None
        self._tare = await self._ask_tare(line, line.confirm_s()) if said is not None else None
        if before is None or said is None or self._tare is None:
            return ()
        return tuple(_with_tare(found, before, self._tare) for found in _some(said))

    async def _ask_tare(
        self, line: ScaleLine[Line], within_s: float = ANSWER_WITHIN_S
    ) -> _Tare | None:
        others: list[Line] = []
        said = await line.ask(_TARE, within_s=within_s, aside=others.extend)
        if said is not None and said.value is not None:
            self._tare_missed = 0
            return _Tare(said.value, said.unit)
        refused = said is not None or any(other.kind == "error" for other in others)
        self._tare_missed += refused
        if self._tare_missed >= TARE_MISSED_MAX:
            error = line.lost("its tare cannot be read (TA)")
            error.trouble = troubles.tare_unreadable()
            raise error
        return None


def _some(said: Line | None) -> Sequence[Weighing]:
    found = None if said is None else _weighing(said)
    return () if found is None else (found,)


def _weighing(line: Line) -> Weighing | None:
    """The weight of an answer to SI or SIR as gross; None for any other line."""
    if line.name != "S":
        return None
    if line.value is None:
        what = mt_sics.STATUSES[line.status]
        return Weighing(None, why=f"{what}, sent as S {line.status} {line.text}".rstrip())
    return Weighing(line.value, "gross", line.unit, line.status == "S")


def _with_tare(found: Weighing, before: _Tare, after: _Tare) -> Weighing:
    """Net and the tare it was weighed with; unknown when that changed or counts in another unit."""
    if found.value is None:
        return found
    if before != after:
        told = f"from {text_of(before.value)} to {text_of(after.value)} {after.unit}"
        return Weighing(None, why=f"the tare changed {told} while it weighed")
    if not after.value:
        return found
    if after.unit != found.unit:
        return Weighing(None, why=f"net in {found.unit}, tare in {after.unit}")
    return Weighing(found.value, "net", found.unit, found.stable, after.value)


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A serial scale has no register map.
    return MtSics(name, settings)


def _wire(settings: Strict) -> str:
    assert isinstance(settings, Settings), settings
    return settings.link.wire()


DRIVER = DriverType(
    name="scale.mt_sics",
    settings=Settings,
    make=_make,
    wire=_wire,
    summary="Mettler Toledo scales and terminals that speak MT-SICS, serial or TCP",
    summary_zh="梅特勒-托利多 MT-SICS 秤和仪表，串口或 TCP",
    capabilities=frozenset({"scale"}),
    models=("Mettler Toledo ICS, IND, AL, AT", "other makers' scales with MT-SICS level 1"),
    caveats=(
        (
            "SI 给出净重；tare: ask 每次同时读取皮重（TA），皮重变化期间重量未知",
            (
                "SI is the net weight; tare: ask reads the tare with it, and it is unknown while that "
                "changes"
            ),
        ),
        (
            "tare: off 只能在去皮键已禁用时使用；mode: push 要求 tare: off",
            "tare: off only where the tare key is blocked; mode: push needs it",
        ),
        (f"mode: push：{SENDS_ON_TCP[0]}", f"mode: push: {SENDS_ON_TCP[1]}"),
        (
            "没有校验；秤须设为 8 位无校验",
            "no checksum; set the scale to 8 bits and no parity",
        ),
    ),
    example="{driver: scale.mt_sics, link: {serial: /dev/serial/by-id/usb-X, baud: 9600}}",
    formats=("mt_sics",),
    lively_s=LIVELY_S,
    hellos=(Hello(9_600, _SERIAL.command, "mt_sics"),),
)
