"""Settings of `driver: output.modbus`: which bit is the valve, and what guards it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from drivers.contract import Strict
from drivers.links import Link
from drivers.plc.serial_fit import reply_gap, unit_gap

UINT16_MAX = 0xFFFF
ADDRESS_MAX = 0xFFFF
REPLY_BYTES = 8
"""The longest RTU reply to one bit or one register."""

Address = Annotated[int, Field(ge=0, le=ADDRESS_MAX)]
Word = Annotated[int, Field(ge=0, le=UINT16_MAX)]
Table = Literal["holding", "input"]


class Write(Strict):
    """One register written once."""

    register_: Address = Field(alias="register")
    value: Word


class Expect(Strict):
    """What a register must read; `mask` says which of its bits count."""

    register_: Address = Field(alias="register")
    value: Word
    mask: Word = UINT16_MAX
    table: Table = "holding"


class Watchdog(Strict):
    """How the module drops its outputs when nobody asks it any more.

    `register` holds the time in units of `unit_ms`; it is read back at the start and at every
    poll. When it reads otherwise, `before`, the time and `after` are written, in this order, and
    only then: some modules keep them in EEPROM. `running` must hold at every poll.
    """

    register_: Address = Field(alias="register")
    ms: int = Field(ge=100, le=60_000, description="silence after which the module drops outputs")
    unit_ms: int = Field(default=1, ge=1, le=60_000, description="what 1 means in the register")
    before: tuple[Write, ...] = Field(default=(), max_length=8)
    after: tuple[Write, ...] = Field(default=(), max_length=8)
    running: Expect | None = Field(default=None, description="how the module says that it guards")

    @model_validator(mode="after")
    def _whole(self) -> "Watchdog":
        if self.ms % self.unit_ms:
            raise ValueError(f"ms {self.ms} is no multiple of unit_ms {self.unit_ms}")
        if self.ms // self.unit_ms > UINT16_MAX:
            raise ValueError(f"ms {self.ms} does not fit the register at {self.unit_ms} ms a unit")
        return self

    @property
    def value(self) -> int:
        """What the register must hold."""
        return self.ms // self.unit_ms


class Contact(Strict):
    """A discrete input; `active` is how it reads while the button is pressed."""

    input: Address
    active: bool


class OutputModbusSettings(Strict):
    """Settings of `driver: output.modbus`.

    The valve is a `coil`, or one `bit` of a holding `register` whose other bits are left as they
    are. `readback` is a discrete input wired to the valve itself, read in place of the coil.
    """

    link: Link
    unit: int = Field(default=1, ge=0, le=255)
    coil: Address | None = Field(default=None, description="the coil that holds the valve open")
    register_: Address | None = Field(
        default=None, alias="register", description="the holding register of the output, with bit"
    )
    bit: int | None = Field(default=None, ge=0, le=15, description="the bit of register")
    readback: Contact | None = Field(
        default=None, description="an input that shows the valve open, beside the output's own word"
    )
    watchdog: Watchdog | None = Field(
        default=None, description="without it a rig needs accept_no_watchdog"
    )
    e_stop: Contact | None = Field(default=None, description="an input that says stop")
    start: Contact | None = Field(default=None, description="an input for the start button")
    poll_ms: int = Field(default=100, ge=10, le=1_000, description="time between two readings")
    timeout_ms: int = Field(default=200, ge=20, le=2_000, description="longest wait for an answer")

    @model_validator(mode="after")
    def _consistent(self) -> "OutputModbusSettings":
        if (self.coil is None) == (self.register_ is None):
            raise ValueError("expected either coil, or register with bit")
        if (self.register_ is None) != (self.bit is None):
            raise ValueError("register and bit go together")
        if gap := unit_gap(self.link, self.unit):
            raise ValueError(gap)
        if gap := reply_gap(self.link, REPLY_BYTES, self.timeout_ms):
            raise ValueError(gap)
        if self.watchdog is not None and self.watchdog.ms < 2 * self.poll_ms + self.timeout_ms:
            raise ValueError(
                f"watchdog.ms {self.watchdog.ms} would fire between polls; expected at least two "
                f"poll_ms and one timeout_ms, {2 * self.poll_ms + self.timeout_ms}"
            )
        return self

    @property
    def output(self) -> str:
        """Which output of its module this is, in the words of the file."""
        return f"coil {self.coil}" if self.coil is not None else f"{self.register_} bit {self.bit}"
