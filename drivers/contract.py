"""What a driver is to the daemon: frozen readings out, one small contract in.

A driver opens its device, says `context.up(...)` once the device has answered, emits readings and
raises `DriverError` when the link is lost. It never reconnects, sleeps for back-off, logs or
judges: the supervisor does that. Anything else it raises is a bug and latches it as faulted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar, Protocol, TypeAlias, runtime_checkable

from pydantic import BaseModel, ConfigDict


class DriverError(Exception):
    """The device or its link failed: refused, silent, closed, or it lied. Retried by supervision."""


@dataclass(frozen=True, slots=True)
class TagRead:
    """One sighting of an RFID tag.

    `uid` is upper-case hex as the reader sent it; `antenna` counts from 1 (a reader that reports
    none serves antenna 1); `rssi_raw` is uncalibrated; `at_ns` is the monotonic arrival time.
    """

    device: str
    uid: str
    antenna: int
    rssi_raw: int | None
    at_ns: int


@dataclass(frozen=True, slots=True)
class CodeRead:
    """One printed code as scanned: `text` without the configured affixes, `at_ns` monotonic."""

    device: str
    text: str
    at_ns: int


class EndReason(IntEnum):
    """Register 111 of reference-gate-v1 (contract §4)."""

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


@dataclass(frozen=True, slots=True)
class GateSample:
    """One coherent reading of a gate with its scale, taken in one request (contract §4, 100..115).

    Masses are grams. `end_reason` is the raw register: an unknown number stays a number.
    `at_ns` is the monotonic time the reply arrived.
    """

    device: str
    at_ns: int
    ready: bool
    cylinder_on: bool
    permitted: bool
    filling: bool
    fine_flow: bool
    stable: bool
    done: bool
    aborted: bool
    over_limit: bool
    e_stop: bool
    lease_lost: bool
    scale_fault: bool
    valve_open: bool
    permit_echo: int
    gross_g: int
    net_g: int
    tare_g: int
    total_g: int
    fills: int
    end_reason: int
    last_net_g: int
    last_permit: int
    heartbeat: int


Reading: TypeAlias = TagRead | CodeRead | GateSample


@dataclass(frozen=True, slots=True)
class GateOrder:
    """What a permit tells the gate. Masses in grams, `lease_ms` > 0, `permit_no` 1..65535."""

    permit_no: int
    target_g: int
    limit_gross_g: int
    lease_ms: int

    def __post_init__(self) -> None:
        """Refuse an order no gate may see."""
        assert 1 <= self.permit_no <= 65_535, self  # noqa: PLR2004 - the width of register 0
        assert 0 < self.target_g <= self.limit_gross_g, self
        assert 0 < self.lease_ms <= 65_535, self  # noqa: PLR2004 - the width of register 6


@dataclass(frozen=True, slots=True)
class Context:
    """What a running driver may call; every callable is plain, cheap and never blocks.

    `up(text)`: the device answered, and what it says it is. `noise(reason, raw)`: bytes that were
    no frame, for counting and showing raw.
    """

    emit: Callable[[Reading], None]
    up: Callable[[str], None]
    noise: Callable[[str, bytes], None]
    monotonic_ns: Callable[[], int]


class Driver(Protocol):
    """One configured device."""

    name: str

    async def run(self, context: Context) -> None:
        """Serve the device until its link fails; raises DriverError, never returns normally."""
        ...


@runtime_checkable
class FillGate(Protocol):
    """A driver that can hold a gate open under a lease (contract §4). Closed unless proven open.

    Every method raises DriverError when the device is not reachable or its answer does not match.
    """

    async def open(self, order: GateOrder) -> None:
        """Write limits and a moved lease, then the permit; read all of them back."""
        ...

    async def renew(self) -> None:
        """Move the lease counter once."""
        ...

    async def lock(self) -> None:
        """Write permit 0 and read it back. Allowed at any time, always first on any doubt."""
        ...


class Strict(BaseModel):
    """Base of every settings model: frozen, no unknown keys, no coercion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _no_objections(_settings: Any, _profiles: Mapping[str, Any]) -> tuple[str, ...]:
    """A driver that needs no profile has nothing to say."""
    return ()


@dataclass(frozen=True, slots=True)
class DriverType:
    """One row of the driver table: how a device of this kind is configured and made.

    `settings` validates everything of a device but its `driver` key. `wire` names the physical
    wire a device sits on (two protocols on one wire are a config error), e.g. `tcp:10.0.0.4:502`,
    `serial:/dev/ttyUSB0`; two devices may share a wire only when `shares_wire` and both are of
    this type. `profiles` are the parsed register maps by id for drivers that need them.
    `objections` says, one sentence each, why settings that are valid alone cannot work with these
    profiles; `make` is only called when it says nothing.
    """

    name: str
    settings: type[Strict]
    make: Callable[[str, Any, Mapping[str, Any]], Driver]
    wire: Callable[[Any], str]
    summary: str
    capabilities: frozenset[str]
    shares_wire: bool = False
    objections: Callable[[Any, Mapping[str, Any]], tuple[str, ...]] = _no_objections

    CAPABILITIES: ClassVar[frozenset[str]] = frozenset({"identify", "gate", "scale"})

    def __post_init__(self) -> None:
        """Catch a misspelt capability at import."""
        assert self.capabilities <= self.CAPABILITIES, self.capabilities
