"""Weighing indicators with Toledo continuous output: `scale.toledo`. Facts: protocols/README.md."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from drivers.contract import Context, Driver, DriverType, Hello, Strict
from drivers.links import open_stream
from drivers.liveness import LIVELY_S
from drivers.scale.line import SENDS_ON_TCP, ScaleLine
from drivers.scale.weights import ScaleSettings, Weights
from protocols.scales import toledo
from protocols.scales.recognise import Kind
from protocols.scales.toledo import Frame

_HINT = (
    "把仪表的串口设为托利多连续输出",
    "set the port of the indicator to Toledo continuous output",
)


class Settings(ScaleSettings):
    """Settings of `scale.toledo`; unit, decimals and stability are in every frame."""

    checksum: bool = Field(
        default=True, description="whether a check follows the CR, as the indicator is set"
    )


class Toledo:
    """One configured indicator."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings

    async def run(self, context: Context) -> None:
        """Weigh until the link fails; raises DriverError."""
        settings = self._settings
        weights = Weights(context, self.name, settings)
        check = "true" if settings.checksum else "false"
        stream = await open_stream(settings.link)
        try:
            line: ScaleLine[Frame] = ScaleLine(
                stream,
                context,
                settings.link,
                framer=toledo.new_framer(checked=settings.checksum),
                decode=toledo.decode,
                format="toledo_continuous",
                own=Kind("scale.toledo", f"checksum: {check}"),
                hint=_HINT,
            )
            text = f"Toledo continuous output, checksum: {check}"
            await line.listen(weights, lambda: context.up(text), toledo.weighing)
        finally:
            await stream.close()


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A serial scale has no register map.
    return Toledo(name, settings)


def _wire(settings: Strict) -> str:
    assert isinstance(settings, Settings), settings
    return settings.link.wire()


DRIVER = DriverType(
    name="scale.toledo",
    settings=Settings,
    make=_make,
    wire=_wire,
    summary="Weighing indicators with Toledo continuous output, serial or TCP",
    summary_zh="托利多连续输出的称重仪表，串口或 TCP",
    capabilities=frozenset({"scale"}),
    models=("Mettler Toledo 8142, 8530, IND", "Cardinal 225", "Liden LUW2001", "Kern FTC"),
    caveats=(
        (
            "checksum 必须与仪表设置一致；没有校验时读错的数字无法发现",
            "checksum must be as the indicator is set; without it a garbled digit is not noticed",
        ),
        (
            "稳定取自仪表的动态位；明显变化却报稳定时，重量视为未知",
            "stability is the motion bit; a weight that plainly moves and is called still is unknown",
        ),
        (
            "净重时毛重 = 净重 + 皮重；小数点代码 X0、X00 和开机未置零视为未知",
            (
                "in net, gross is net plus tare; the points X0 and X00, and not zeroed since power-up, "
                "are unknown"
            ),
        ),
        SENDS_ON_TCP,
        (
            "7 位偶校验或奇校验的仪表用 8 位无校验即可读取",
            "an indicator with 7 bits and parity is read with 8 bits and none",
        ),
    ),
    example="{driver: scale.toledo, link: {serial: /dev/serial/by-id/usb-X, baud: 9600}, "
    "checksum: true}",
    formats=("toledo_continuous",),
    lively_s=LIVELY_S,
    hellos=(Hello(9_600, b"", "toledo_continuous"),),
)
