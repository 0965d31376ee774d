"""What a gate made of several devices is set to, sees, and must not forget; frozen values."""

from dataclasses import dataclass
from typing import Literal

from drivers.contract import FillerSample, OutputSample, WeightSample

UINT16, UINT32 = 0xFFFF, 0xFFFF_FFFF

FLOW_G_MIN = 20
"""With `start: permit`, gas flows from this much on; what is less is the scale's noise."""

LEFT_BELOW_G = 500
"""Less than the most seen by this much: the cylinder is being taken away, as in the PLC program."""

HUNG_ON_G_MAX = 3_000
"""What a gun and its hose may add between permit and start; a heavier cylinder is another one."""

SWING_PERCENT = 2
"""Of the weight that was permitted: what is no swap on the scale of a large container either."""

AIM_UNDER_G = 30
"""Aimed below the target by this, as the PLC program does: target and limit may be one weight."""

SETTLE_MS = 1_000
"""No net weight is final sooner than this after the valve closed."""

OPEN_WITHIN_MS = 2_000
"""A device that was told to open and does not show open by then has failed."""

UNSEEN_G_MAX = 3_000
"""The most that a guarded output lets through between the last weight known and its closing, and
that any valve does between two weights of one open fill."""

NO_FLOW_G = 10
"""A net weight that has not risen by this for `no_flow_s` is no flow, or a scale that stands still."""


@dataclass(frozen=True, slots=True)
class SoftSettings:
    """One gate of several devices. Masses in grams.

    `device` is the rig's gate: the name in its samples. `fresh_ms` is how old a weight or a
    reading back may be before it proves nothing. `accepted`: an output that nothing guards was
    accepted in writing. `doses`: the device fills to its target by itself. `unproven`: what target it
    holds cannot be read back, so it is stopped at what it was given, by weight.
    """

    device: str
    start: Literal["input", "permit"]
    fresh_ms: int
    cylinder_on_g: int
    preact_g: int = 0
    no_flow_s: int = 10
    fill_s_max: int = 600
    accepted: bool = False
    doses: bool = False
    unproven: bool = False

    def stop_at_g(self, target_g: int) -> int:
        """The net weight at which we close, whatever the device does by itself.

        One that doses was given what we aim at, and is believed to hold it when it was read back:
        then only one that runs past the target itself is stopped.
        """
        believed = self.doses and not self.unproven
        return target_g if believed else target_g - AIM_UNDER_G - self.preact_g

    @property
    def unseen_g_max(self) -> int:
        """The most that may have flowed while nobody looked; more is another cylinder."""
        return UINT32 if self.accepted or self.doses else UNSEEN_G_MAX


@dataclass(frozen=True, slots=True)
class Valve:
    """What holds the valve says: an output or a filler, in one shape.

    `open`: energised, or gas may flow. `running`: a dosing is under way; the same as `open` for
    an output. `alarm`: what the device complains of.
    """

    device: str
    at_ns: int
    open: bool
    running: bool
    guarded: bool
    e_stop: bool = False
    start: bool | None = None
    done: bool = False
    alarm: str = ""
    total_g: int | None = None

    @property
    def shows_open(self) -> bool:
        """Whether gas can flow as far as the device says."""
        return self.open or self.running


def of_output(sample: OutputSample) -> Valve:
    """An output's reading as a valve."""
    return Valve(
        device=sample.device,
        at_ns=sample.at_ns,
        open=sample.on,
        running=sample.on,
        guarded=sample.guarded,
        e_stop=sample.e_stop,
        start=sample.start,
    )


def of_filler(sample: FillerSample) -> Valve:
    """A filler's reading as a valve: it is bound by its own target."""
    return Valve(
        device=sample.device,
        at_ns=sample.at_ns,
        open=sample.valve_open,
        running=sample.running,
        guarded=True,
        done=sample.done,
        alarm=sample.alarm,
        total_g=sample.total_g,
    )


def weight_of(sample: FillerSample) -> WeightSample:
    """The weighing in a filler's reading; what it does not explain is still unknown."""
    unknown = sample.gross_g is None
    return WeightSample(
        device=sample.device,
        at_ns=sample.at_ns,
        gross_g=sample.gross_g,
        net_g=sample.net_g,
        stable=sample.stable and not unknown,
        why=(sample.why or "no weight") if unknown else "",
    )


def unknown(sample: WeightSample) -> str:
    """Why a weight is not known, with its device in front; some drivers name it themselves."""
    own = sample.why.startswith(f"{sample.device}:")
    return sample.why if own else f"{sample.device}: {sample.why}"


def no_weight(weight: WeightSample | None, fresh_ms: int) -> str:
    """Why a weight is not known, with device and raw value as the driver tells it."""
    if weight is None:
        return "the scale is lost"
    if weight.gross_g is None:
        return unknown(weight)
    return f"{weight.device}: no weight for {fresh_ms} ms"


def swapped(permitted_g: int, gross_g: int) -> str:
    """Why this cannot be the cylinder that was permitted; empty when it can.

    A scale for tonnes swings by more than one for bottles: it may by `SWING_PERCENT`.
    """
    swing_g = permitted_g * SWING_PERCENT // 100
    lightest_g = permitted_g - max(LEFT_BELOW_G, swing_g)
    if lightest_g <= gross_g <= permitted_g + max(HUNG_ON_G_MAX, swing_g):
        return ""
    return f"{gross_g} g on the scale, {permitted_g} g when it was permitted"


@dataclass(frozen=True, slots=True)
class Memory:
    """What must survive this process, as a PLC's retentive memory does.

    `gross_g` belongs to `total_g`: with `flowing`, what the same scale shows more than that at
    the next start flowed while nobody looked.
    """

    total_g: int = 0
    fills: int = 0
    gross_g: int = 0
    flowing: bool = False
