"""From what a scale says to `WeightSample`: grams, stability, and unknown wherever there is doubt.

Every weighing is judged, the newest is passed on: nothing queues. What changes while a scale runs
although it cannot (its unit, its decimals) makes the weight unknown, and ends the link when it
stays, so that the scale is taken up anew.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from drivers.contract import Context, DriverError, Strict, WeightSample
from drivers.links import Link
from drivers.scale import scale_troubles as troubles
from drivers.scale.stability import Constancy, Standstill, StillWindow
from protocols import masses
from protocols.masses import Unit
from protocols.scales.weighing import Weighing, text_of

CHANGED_S_MAX = 3.0
"""How long another unit or other decimals may last before the scale is opened anew."""
MOTION_STEPS = 5
"""A change of more steps of the display than this, from one frame to the next, is a motion."""
_SECOND_NS = 1_000_000_000

UNITS: Mapping[str, Unit] = {unit: unit for unit in masses.GRAMS}


class ScaleSettings(Strict):
    """What every scale has."""

    link: Link
    stable_s: Annotated[float, Field(ge=0.2, le=5.0)] = Field(
        default=1.0, description="without a word of the scale: still for so long is stable"
    )
    stable_within_g: int = Field(
        default=20, ge=0, le=100_000, description="and within so many grams, peak to peak"
    )
    capacity_g: int = Field(
        default=150_000,
        ge=1_000,
        le=masses.MASS_G_MAX,
        description="a weight beyond it is unknown: another unit, or not this scale",
    )


class Weights:
    """Judges and passes on the weights of one device; `unit` empty when its frames say theirs."""

    def __init__(
        self, context: Context, device: str, settings: ScaleSettings, unit: Unit | Literal[""] = ""
    ) -> None:
        self._context = context
        self._device = device
        self._capacity_g = settings.capacity_g
        self._unit = unit
        self._constancy = Constancy()
        self._changed_ns: int | None = None
        self._still = StillWindow(int(settings.stable_s * _SECOND_NS), settings.stable_within_g)
        self._motion: Standstill | None = None

    def take(self, weighings: Sequence[Weighing]) -> None:
        """Judge all in the order they came, pass on the last; raises DriverError on a lasting change."""
        if not weighings:
            return
        at_ns = self._context.monotonic_ns()
        for weighing in weighings:
            sample = self._judged(weighing, at_ns)
        self._context.emit(sample)

    def _judged(self, weighing: Weighing, at_ns: int) -> WeightSample:
        if weighing.value is None:
            return self._unknown(at_ns, weighing.why)
        unit = weighing.unit or self._unit
        shows = f"shows {text_of(weighing.value)} {unit}"
        if unit not in UNITS:
            return self._unknown(at_ns, f"{shows}: a unit no cylinder is weighed in")
        if changed := self._change(unit, weighing.decimals or 0, at_ns):
            return self._unknown(at_ns, f"{changed}, now {shows}")
        if weighing.mode == "net" and weighing.tare is None:
            return self._unknown(at_ns, f"{shows} net and does not tell its tare")
        tare = weighing.tare or Decimal(0)
        try:
            gross_g = _grams(weighing.value + tare, unit)
        except masses.MassError as exc:
            return self._unknown(at_ns, f"{shows}: {exc}")
        if abs(gross_g) > self._capacity_g:
            return self._unknown(at_ns, f"{shows}, beyond capacity_g: {self._capacity_g}")
        return self._known_sample(weighing, unit, gross_g, at_ns, shows)

    def _known_sample(
        self, weighing: Weighing, unit: str, gross_g: int, at_ns: int, shows: str
    ) -> WeightSample:
        assert weighing.value is not None, weighing
        still = self._still.add(at_ns, gross_g)
        if weighing.stable is not None:
            step_g = weighing.step * _grams(Decimal(1).scaleb(-(weighing.decimals or 0)), unit)
            if self._watch(step_g).doubt(gross_g, at_ns, stable=weighing.stable):
                self._context.trouble(troubles.motion_inverted())
                return self._unknown(at_ns, f"{shows}, moves and calls it still: motion inverted")
            still = weighing.stable
        net_g = _grams(weighing.value, unit) if weighing.mode == "net" else None
        return WeightSample(self._device, at_ns, gross_g, net_g, still)

    def _watch(self, step_g: int) -> Standstill:
        if self._motion is None:
            self._motion = Standstill(MOTION_STEPS * max(1, step_g), for_good=True)
        return self._motion

    def _change(self, unit: str, decimals: int, at_ns: int) -> str:
        """What changed that cannot; empty when nothing did. Raises DriverError when it stays."""
        what = self._constancy.doubt({"unit": unit, "decimals": decimals})
        if not what:
            self._changed_ns = None
            return ""
        self._changed_ns = at_ns if self._changed_ns is None else self._changed_ns
        if at_ns - self._changed_ns > CHANGED_S_MAX * _SECOND_NS:
            raise DriverError(f"{self._device}: {what}", troubles.display_changed(what))
        return what

    def _unknown(self, at_ns: int, why: str) -> WeightSample:
        self._still.reset()
        why = f"{self._device}: {why}"
        return WeightSample(self._device, at_ns, None, None, stable=False, why=why)


def _grams(value: Decimal, unit: str) -> int:
    """Grams of an exact decimal; raises MassError."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), value
    number = int("".join(map(str, digits))) * (-1 if sign else 1)
    return masses.grams(number * 10 ** max(0, exponent), UNITS[unit], max(0, -exponent))
