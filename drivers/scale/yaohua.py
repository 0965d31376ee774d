"""Yaohua XK3190 and Keli weighing indicators: `scale.yaohua`.

Facts: protocols/README.md. In command mode the gross weight is asked for; the continuous formats
send what is displayed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, TypeVar

from pydantic import Field, model_validator

from drivers.contract import Context, Driver, DriverType, Hello, Strict
from drivers.links import Stream, TcpLink, open_stream
from drivers.liveness import LIVELY_S
from drivers.scale.line import SENDS_ON_TCP, Question, ScaleLine
from drivers.scale.weights import ScaleSettings, Weights
from protocols.masses import Unit
from protocols.scales import yaohua
from protocols.scales.recognise import Kind
from protocols.scales.weighing import Weighing
from protocols.scales.yaohua import command
from protocols.scales.yaohua.command import Weighed

M = TypeVar("M")

_HINT = {
    True: (
        "核对 address，并把仪表设为命令方式，或按仪表的连续格式设置 variant",
        (
            "check address, and set the indicator to command mode, or set variant to the continuous "
            "format it is in"
        ),
    ),
    False: (
        "把仪表设为连续发送，或设置 variant: command",
        "set the indicator to send continuously, or set variant: command",
    ),
}


class Settings(ScaleSettings):
    """Settings of `scale.yaohua`."""

    variant: yaohua.Variant = Field(
        description="command and keli are asked (digits and decimals, or digits with a point); "
        "continuous_0, continuous_1, continuous_2 and a12e send by themselves"
    )
    unit: Unit | None = Field(
        default=None, description="what the display counts in; only a12e sends it itself"
    )
    address: str = Field(default="A", pattern=r"^[A-Z]$", description="01 is A, 02 is B")
    poll_ms: int = Field(default=100, ge=50, le=2_000, description="start to start of a question")

    @model_validator(mode="after")
    def _unit_is_told_once(self) -> Self:
        sent = self.variant == "a12e"
        if sent and self.unit is not None:
            raise ValueError("unit: a12e sends its unit itself, remove it")
        if not sent and self.unit is None:
            raise ValueError(f"unit: {self.variant} does not send it, say g, kg, t or lb")
        if self.is_asked and 2 * self.poll_ms > 1000 * self.stable_s:
            raise ValueError("poll_ms: at most half of stable_s, or no weight is ever stable")
        return self

    @property
    def is_asked(self) -> bool:
        """Whether the indicator only speaks when it is asked."""
        return self.variant in yaohua.ASKED


class Yaohua:
    """One configured indicator."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Weigh until the link fails; raises DriverError."""
        settings = self._settings
        weights = Weights(context, self.name, settings, settings.unit or "")
        stream = await open_stream(settings.link)
        try:
            if settings.is_asked:
                await self._ask(self._line(stream, context, self._answer), weights, context)
            line = self._line(stream, context, self._decode)
            await line.listen(weights, lambda: context.up(self._text()), lambda found: found)
        finally:
            await stream.close()

    def _line(
        self, stream: Stream, context: Context, decode: Callable[[bytes], M | None]
    ) -> ScaleLine[M]:
        settings = self._settings
        return ScaleLine(
            stream,
            context,
            settings.link,
            framer=yaohua.new_framer(settings.variant),
            decode=decode,
            format="yaohua",
            own=Kind("scale.yaohua", f"variant: {settings.variant}"),
            hint=_HINT[settings.is_asked],
        )

    async def _ask(self, line: ScaleLine[Weighed], weights: Weights, context: Context) -> None:
        gross, tare = self._question(command.GROSS), self._question(command.TARE)

        async def once() -> Sequence[Weighing]:
            found = await line.ask(gross)
            return () if found is None else (found.weighing,)

        await line.dialog.drain()
        if isinstance(self._settings.link, TcpLink):
            await line.ask(tare)  # Who answers it can be asked it when a weight is owed.
        await line.poll(weights, lambda: context.up(self._text()), once, self._settings.poll_ms)

    def _question(self, letter: str) -> Question[Weighed]:
        """An answer repeats the letter; the weight in the one to tare is not looked at."""
        asks = command.build_ask(self._settings.address, letter)
        return Question(asks, lambda said: said.command == letter)

    def _answer(self, raw: bytes) -> Weighed | None:
        """What our indicator answers; None for an echo, or another address. Raises FrameError."""
        self._decode(raw)  # Proves the dialect.
        match command.decode(raw):
            case Weighed(address=self._settings.address) as said:
                return said
            case _:
                return None

    def _decode(self, raw: bytes) -> Weighing | None:
        settings = self._settings
        return yaohua.decode_weighing(raw, settings.variant, address=settings.address)

    def _text(self) -> str:
        settings = self._settings
        asked = f", address {settings.address}" if settings.is_asked else ""
        shown = "" if settings.is_asked or settings.variant == "a12e" else ", as displayed"
        return f"Yaohua {settings.variant}{asked}, {settings.unit or 'kg'}{shown}"


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A serial scale has no register map.
    return Yaohua(name, settings)


def _wire(settings: Strict) -> str:
    assert isinstance(settings, Settings), settings
    return settings.link.wire()


DRIVER = DriverType(
    name="scale.yaohua",
    settings=Settings,
    make=_make,
    wire=_wire,
    summary="Yaohua XK3190 and Keli weighing indicators, command mode or continuous, serial or TCP",
    summary_zh="耀华 XK3190、柯力称重仪表，命令方式或连续方式，串口或 TCP",
    capabilities=frozenset({"scale"}),
    models=("Yaohua XK3190-A9+, A23p, A26, A12E, DS3", "Keli XK3118K9"),
    caveats=(
        (
            "连续格式 0、1、2 发送显示值，不区分毛重和净重：必须在仪表上禁用去皮键，或改用 command",
            (
                "continuous 0, 1 and 2 send what is displayed, gross or net: block the tare key of the "
                "indicator, or use command"
            ),
        ),
        (
            "连续格式 1、2 没有校验，小数最多三位；读错的数字无法发现",
            (
                "continuous 1 and 2 have no checksum and at most three decimals; a garbled digit is not "
                "noticed"
            ),
        ),
        (f"连续格式和 a12e：{SENDS_ON_TCP[0]}", f"continuous and a12e: {SENDS_ON_TCP[1]}"),
        (
            "没有稳定位：stable_s 内变化不超过 stable_within_g 才算稳定",
            "no frame tells stability: it is still for stable_s within stable_within_g",
        ),
        (
            "多量程仪表会自动改变小数位，这里视为重量未知",
            "an indicator of several ranges changes its decimals by itself; that is unknown here",
        ),
    ),
    example="{driver: scale.yaohua, link: {serial: /dev/serial/by-id/usb-X, baud: 9600}, "
    "variant: command, unit: kg}",
    formats=("yaohua",),
    lively_s=LIVELY_S,
    hellos=(Hello(9_600, command.build_ask("A", command.GROSS), "yaohua"),),
)
