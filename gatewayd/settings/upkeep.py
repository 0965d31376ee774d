"""Settings of what looks after the station by itself: the hardware watchdog, and shifts."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from drivers.contract import Strict

TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
NAME = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
"""Of devices and rigs, as `model` has it."""
SHIFTS_A_DAY_MAX = 8
WITNESSES_MAX = 16


class WatchdogSettings(Strict):
    """The computer's own timer, `/dev/watchdog`. None = not used: systemd watches the daemon.

    A daemon that is silent for `timeout_s` restarts the computer.
    """

    device: str | None = Field(default=None, pattern=r"^/dev/[A-Za-z0-9/_-]+$")
    timeout_s: int = Field(default=60, ge=15, le=600)


class WitnessSettings(Strict):
    """A second witness of a shift: the scale under a tank, or a flow meter behind it.

    `mass_falls`: what its device weighs falls by what `rigs` fill; `flow_total`: the totaliser of its
    device counts that. `rigs` empty = all. The limits are as those of the rigs. A rise of `delivery_g`
    is a delivery into the tank; a totaliser that moves faster than `flow_kg_h_max` was set by
    somebody; a witness that was not heard for `silent_s` proves nothing.
    """

    device: Annotated[str, Field(pattern=NAME)]
    kind: Literal["mass_falls", "flow_total"]
    rigs: tuple[Annotated[str, Field(pattern=NAME)], ...] = Field(default=(), max_length=64)
    limit_g: int = Field(default=20_000, ge=1, le=10_000_000)
    limit_permille: int = Field(default=10, ge=0, le=1_000)
    delivery_g: int = Field(default=100_000, ge=1_000, le=10_000_000)
    flow_kg_h_max: int = Field(default=200_000, ge=100, le=5_000_000)
    silent_s: int = Field(default=120, ge=10, le=3_600)


class ShiftsSettings(Strict):
    """When shifts begin, by the station's wall clock, and how far the books may be off.

    `starts` empty = no shift is closed. What flowed in a shift by records and by totaliser may
    differ by `limit_g`, and by `limit_permille` of it where that is more. `witness`: who else knows.
    """

    starts: tuple[Annotated[str, Field(pattern=TIME)], ...] = Field(
        default=("08:00", "20:00"), max_length=SHIFTS_A_DAY_MAX
    )
    limit_g: int = Field(default=500, ge=1, le=1_000_000)
    limit_permille: int = Field(default=5, ge=0, le=1_000)

    witness: tuple[WitnessSettings, ...] = Field(default=(), max_length=WITNESSES_MAX)

    @field_validator("starts")
    @classmethod
    def _in_order(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if list(value) != sorted(set(value)):
            raise ValueError("times of a day in their order, none twice, such as 08:00, 20:00")
        return value
