"""What a driver is to the daemon: frozen readings out, one small contract in.

A driver opens its device, says `context.up(...)` once the device has answered, emits readings and
raises `DriverError` when the link is lost. It never reconnects, sleeps for back-off, logs or
judges: the supervisor does that. Anything else it raises is a bug and latches it as faulted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

from pydantic import BaseModel, ConfigDict

from drivers.readings import (
    Bank,
    CodeRead,
    EndReason,
    FillerSample,
    GateOrder,
    GateSample,
    MemoryArea,
    MeterSample,
    OutputSample,
    Reading,
    TagContents,
    TagRead,
    WeightSample,
)
from protocols.formats import Format

# What a driver's author needs comes from here, wherever it is defined.
__all__ = [
    "Bank",
    "CodeRead",
    "Context",
    "Direction",
    "Driver",
    "DriverError",
    "DriverType",
    "EndReason",
    "FillGate",
    "Filler",
    "FillerSample",
    "Format",
    "GateOrder",
    "GateSample",
    "Hello",
    "MemoryArea",
    "MeterSample",
    "Output",
    "OutputSample",
    "Reading",
    "Strict",
    "TagContents",
    "TagMemory",
    "TagMemoryWriter",
    "TagRead",
    "Trouble",
    "WeightSample",
]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a device and what to change, for a person: one of `drivers.troubles`.

    `kind` is a stable word (`wrong_dialect`, `several_tags`, ...) that programs may rely on.
    """

    kind: str
    zh: str
    en: str


class DriverError(Exception):
    """The device or its link failed: refused, silent, closed, or it lied. Retried by supervision.

    `trouble` says the same in both languages with what to change, where the driver knows it.
    """

    def __init__(self, text: str, trouble: Trouble | None = None) -> None:
        super().__init__(text)
        self.trouble = trouble


Direction: TypeAlias = Literal["device>host", "host>device"]


def _heard_by_nobody(_trouble: Trouble) -> None:
    """Nobody shows troubles."""


def _seen_by_nobody(_direction: Direction, _raw: bytes) -> None:
    """Nobody watches the wire."""


def _asked_by_nobody() -> None:
    """Nobody asks whether the driver hangs."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a running driver may call; every callable is plain, cheap and never blocks.

    `up(text)`: the device answered, and what it says it is. `noise(reason, raw)`: bytes that were
    no frame, for counting and showing raw. `trouble(trouble)`: it works, but a person should
    change something; repeat it while it lasts. `frame(direction, raw)`: every proven frame and
    every command, for whoever watches the wire. `alive()`: what reads the device has just turned,
    though nothing may have come; `frame` says so, too. `memory` is what a reader whose settings have
    the key `memory` is to read of every tag and to tell with its reads (no `uid`); None = nothing.
    """

    emit: Callable[[Reading], None]
    up: Callable[[str], None]
    noise: Callable[[str, bytes], None]
    monotonic_ns: Callable[[], int]
    trouble: Callable[[Trouble], None] = _heard_by_nobody
    frame: Callable[[Direction, bytes], None] = _seen_by_nobody
    memory: MemoryArea | None = None
    alive: Callable[[], None] = _asked_by_nobody


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


@runtime_checkable
class Output(Protocol):
    """A driver of one output that holds a valve open while it is energised.

    Every method raises DriverError when the module is not reachable or reads back otherwise.
    """

    async def energise(self) -> None:
        """Switch the output on and read it back."""
        ...

    async def release(self) -> None:
        """Switch the output off and read it back. Allowed at any time, always first on doubt."""
        ...


@runtime_checkable
class Filler(Protocol):
    """A driver of a device that fills by itself to a target it is given.

    Every method raises DriverError when the device is not reachable or reads back otherwise.
    """

    async def start(self, order: GateOrder) -> None:
        """Write target and limit, read them back, then start."""
        ...

    async def stop(self) -> None:
        """Stop the dosing and see it stopped. Allowed at any time, always first on doubt."""
        ...


@runtime_checkable
class TagMemory(Protocol):
    """A reader that can read a tag's memory; it opens its own link, so the driver must not run."""

    async def read_memory(self, context: Context, area: MemoryArea) -> bytes:
        """The memory of exactly one tag; raises DriverError when it cannot be had whole."""
        ...


@runtime_checkable
class TagMemoryWriter(Protocol):
    """A reader that can also write a tag's memory."""

    async def write_memory(self, context: Context, area: MemoryArea, data: bytes) -> None:
        """Write, read back and compare; raises DriverError. `area.uid` must name the tag."""
        ...


class Strict(BaseModel):
    """Base of every settings model: frozen, no unknown keys, no coercion.

    Built when first used: most of what may be configured never is.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True)


def _no_watchdog(_settings: Any) -> int | None:
    """A device that nothing guards, or one whose own lease does."""
    return None


def _no_objections(_settings: Any, _profiles: Mapping[str, Any]) -> tuple[str, ...]:
    """A driver that needs no profile has nothing to say."""
    return ()


@dataclass(frozen=True, slots=True)
class Hello:
    """A harmless question by which `gatewayd detect` finds a device of this kind on a serial port.

    `question` changes nothing in any device that hears it; empty only listens. An answer counts
    when it holds a proven frame of `format` (a name of `protocols.decode.FORMATS`).
    """

    baud: int
    question: bytes
    format: str


@dataclass(frozen=True, slots=True)
class DriverType:
    """One row of the driver table: how a device of this kind is configured and made.

    `settings` validates everything of a device but its `driver` key. `wire` names the physical
    wire a device sits on (two protocols on one wire are a config error), e.g. `tcp:10.0.0.4:502`,
    `serial:/dev/ttyUSB0`; two devices may share a wire only when `shares_wire` and both are of
    this type, or of types with the same `wire_protocol`, which then take turns on it. `profiles`
    are the parsed register maps by id for drivers that need them.
    `objections` says, one sentence each, why settings that are valid alone cannot work with these
    profiles; `make` is only called when it says nothing. `watchdog_ms` is how long after the last
    request an output of these settings is dropped by the device itself, None when it never is.

    `lacks` says why this device is not what its name may promise, by capability. `unproven` is why
    somebody accepted, in writing, a filler whose target cannot be read back; empty when it can.
    `together` says what speaks against two devices of this type being two parts of one unit of a
    wire (two outputs of one module), as what is wrong and a hint, or None when they may; without
    it a unit is one device. `lively_s`: up, it calls `context.alive` or `context.frame` at least so
    often, or it hangs (`drivers.liveness`); 0 = nobody can tell, which the suite does not let pass.

    What `gatewayd drivers`, `detect` and `probe` tell comes from here too: `summary` in both
    languages; `models` known to speak it; `caveats` a technician must know, as (zh, en); `example`,
    one YAML mapping that validates; `formats`, the names its frames decode by; `hellos`, `tcp_ports`
    (its usual ones) and `usb_ids` (vendor, product) by which it is found. `own_formats` are those of
    `formats` that gatewayd itself does not know; a name that is taken is an error.
    """

    name: str
    settings: type[Strict]
    make: Callable[[str, Any, Mapping[str, Any]], Driver]
    wire: Callable[[Any], str]
    summary: str
    capabilities: frozenset[str]
    shares_wire: bool = False
    wire_protocol: str = ""
    objections: Callable[[Any, Mapping[str, Any]], tuple[str, ...]] = _no_objections
    watchdog_ms: Callable[[Any], int | None] = _no_watchdog
    lacks: Mapping[str, str] = field(default_factory=dict)
    unproven: Callable[[Any], str] = lambda _settings: ""
    together: Callable[[Any, Any], tuple[str, str] | None] | None = None
    summary_zh: str = ""
    models: tuple[str, ...] = ()
    caveats: tuple[tuple[str, str], ...] = ()
    example: str = ""
    formats: tuple[str, ...] = ()
    hellos: tuple[Hello, ...] = ()
    tcp_ports: tuple[int, ...] = ()
    usb_ids: tuple[tuple[int, int], ...] = ()
    own_formats: tuple[Format, ...] = ()
    lively_s: float = 0.0

    CAPABILITIES: ClassVar[frozenset[str]] = frozenset(
        {"identify", "gate", "scale", "output", "filler", "meter"}
        | {"read_memory", "write_memory", "power", "antennas", "push", "trigger"}
    )

    def __post_init__(self) -> None:
        """Catch a misspelt capability or format at import."""
        assert self.capabilities <= self.CAPABILITIES, self.capabilities
        assert not self.capabilities & self.lacks.keys(), f"{self.name}: has what it lacks"
        own = {row.name for row in self.own_formats}
        assert own <= set(self.formats), f"{self.name}: name {own} in formats, too"
