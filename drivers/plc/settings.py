"""Settings of `plc.modbus`."""

from pydantic import Field, model_validator

from drivers.contract import Strict
from drivers.links import Link, SerialLink
from drivers.plc.polling import Pace
from drivers.plc.serial_fit import reply_gap

REPLY_BYTES = 37
"""The longest RTU reply of the reference gate: unit, function, count, 32 register bytes, CRC."""
IDLE_POLL_MS_MAX = 500
"""Slower, and a heartbeat that stands still for a second would not be noticed in time."""


class PlcModbusSettings(Strict):
    """Settings of `driver: plc.modbus`.

    `poll_ms` is the time between two samples, `idle_poll_ms` the same while no cylinder is on,
    nothing flows and no permit is open; without it `poll_ms` always holds. `timeout_ms` is the
    longest the PLC may take to answer one request; on RTU the bus then stays quiet as long again.
    """

    link: Link
    unit: int = Field(default=1, ge=0, le=247)
    profile: str = Field(min_length=1, max_length=64)
    poll_ms: int = Field(default=100, ge=10, le=10_000)
    idle_poll_ms: int | None = Field(default=None, ge=10, le=IDLE_POLL_MS_MAX)
    timeout_ms: int = Field(default=300, ge=20, le=5_000)

    @model_validator(mode="after")
    def _idle_is_slower(self) -> "PlcModbusSettings":
        if self.idle_poll_ms is not None and self.idle_poll_ms < self.poll_ms:
            raise ValueError(
                f"idle_poll_ms {self.idle_poll_ms} is faster than poll_ms {self.poll_ms}"
            )
        return self

    @model_validator(mode="after")
    def _serial_line(self) -> "PlcModbusSettings":
        if isinstance(self.link, SerialLink) and self.unit == 0:
            raise ValueError("unit 0 is broadcast on a serial line; expected 1..247")
        if gap := reply_gap(self.link, REPLY_BYTES, self.timeout_ms):
            raise ValueError(gap)
        return self

    def pace(self) -> Pace:
        """How often to poll, from these settings."""
        slow_s = None if self.idle_poll_ms is None else self.idle_poll_ms / 1000
        return Pace(self.poll_ms / 1000, slow_s)
