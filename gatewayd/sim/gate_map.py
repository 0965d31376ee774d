"""The words of reference-gate-v1 (contract §4) as the gate program uses them; values only."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

COMMAND_REGISTERS = 7
REPORT_FIRST = 100
REPORT_REGISTERS = 16
MASS_G_MAX = 2_000_000
PREACT_G_MAX = 500
UINT16 = 0xFFFF
UINT32 = 0xFFFF_FFFF


class Status(IntFlag):
    """Bits of register 100."""

    READY = 0x0001
    CYLINDER_ON = 0x0002
    PERMITTED = 0x0004
    FILLING = 0x0008
    FINE_FLOW = 0x0010
    STABLE = 0x0020
    DONE = 0x0040
    ABORTED = 0x0080
    OVER_LIMIT = 0x0100
    E_STOP = 0x0200
    LEASE_LOST = 0x0400
    SCALE_FAULT = 0x0800
    VALVE_OPEN = 0x1000


class End(IntEnum):
    """Register 111: why the valve closed."""

    NONE = 0
    TARGET = 1
    OPERATOR_STOP = 2
    PERMIT_WITHDRAWN = 3
    LEASE_LOST = 4
    OVER_LIMIT = 5
    E_STOP = 6
    SCALE_FAULT = 7
    TIMEOUT = 8
    CYLINDER_LEFT = 9


class State(IntEnum):
    """What the program is doing; SETTLING = valve closed, gas in flight still arriving."""

    IDLE = 0
    FILLING = 1
    SETTLING = 2


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Settings of the rig, set once by the technician. Masses in grams."""

    cylinder_on_g: int = 2000
    left_below_g: int = 500
    coarse_before_g: int = 700
    aim_under_g: int = 30
    preact_first_g: int = 25
    lease_margin_ms: int = 50
    settle_ms: int = 1000
    fill_ms_max: int = 600_000


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the program sees in one scan: holding registers 0..6, the scale, the field wiring.

    `e_stop_ok` and `stop_ok` are closed circuits; a broken wire stops. `meter_g` is the
    free-running uint32 count of a mass flow meter, used when `meter_fitted`.
    """

    command: tuple[int, ...] = (0,) * COMMAND_REGISTERS
    gross_g: int = 0
    scale_stable: bool = False
    scale_ok: bool = True
    e_stop_ok: bool = True
    stop_ok: bool = True
    start_button: bool = False
    valve_is_open: bool = False
    meter_fitted: bool = True
    meter_g: int = 0


@dataclass(frozen=True, slots=True)
class Outputs:
    """Valve commands, and holding registers 100..115 in `report`."""

    report: tuple[int, ...]
    valve_main: bool
    valve_coarse: bool


@dataclass(slots=True)
class Retained:
    """What survives power loss when the PLC has retentive memory."""

    state: State = State.IDLE
    held_permit: int = 0
    spent_permit: int = 0
    last_permit: int = 0
    last_net_g: int = 0
    end_reason: End = End.NONE
    lease_lost: bool = False
    target_g: int = 0
    limit_gross_g: int = 0
    tare_g: int = 0
    net_g: int = 0
    highest_net_g: int = 0
    flowed_g: int = 0
    total_g: int = 0
    fills: int = 0
    meter_last_g: int | None = None
    preact_g: int | None = None
