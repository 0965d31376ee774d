"""What may stand in a register map, as a person writes it; `registers.load` checks and compiles it."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from protocols.heads import HeadFile
from protocols.masses import DECIMALS_MAX, Unit
from protocols.modbus import BITS_READ_MAX, REGISTERS, REGISTERS_READ_MAX

Table: TypeAlias = Literal["holding", "input", "coil", "discrete"]
Order: TypeAlias = Literal["high_first", "low_first"]
Role: TypeAlias = Literal["scale", "gate", "filler", "output", "identify", "meter"]
Type: TypeAlias = Literal[
    "uint16", "int16", "uint32", "int32", "float32", "uint64", "int64", "float64", "bits", "bit"
]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=2000)]
Word: TypeAlias = Annotated[int, Field(ge=0, le=0xFFFF)]

BITS = 16
SINGLE_BITS: frozenset[str] = frozenset({"coil", "discrete"})
"""Tables whose addresses hold one bit each."""
READ_FUNCTIONS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
Function: TypeAlias = Literal[1, 2, 3, 4, 5, 6, 16]
FUNCTIONS: tuple[Function, ...] = (1, 2, 3, 4, 5, 6, 16)
"""Every Modbus function that gatewayd asks for."""
PAUSE_MS_MAX = 1000


def registers_of(kind: str) -> int:
    """How many registers, or single bits, a value of this type occupies."""
    return {"32": 2, "64": 4}.get(kind[-2:], 1)


class _Strict(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True)


class Bilingual(_Strict):
    """An operator text."""

    zh: Text
    en: Text


class FieldFile(_Strict):
    """A small number inside a bits point: bits `low` to `high`, both included."""

    low: int = Field(ge=0, lt=BITS)
    high: int = Field(ge=0, lt=BITS)


class Bounds(_Strict):
    """Two numbers, both included."""

    low: int
    high: int


class PointFile(_Strict):
    """One value in the device; `address` counts from the `base` of the map.

    `fields` are small numbers inside a bits point, `inverted` names bits that say the opposite of
    their name, `spare: ignore` allows bits that have no name. A `mass` is scaled as the map's `mass`
    says; `negative` names the bit or register that is not 0 when it is negative. `wraps_at` makes
    it a totaliser that starts again from 0 there. A `stored` point lives in EEPROM: it is not
    written per fill. `verified: false` is listed by `gatewayd profiles`.
    """

    address: int = Field(ge=0, lt=REGISTERS)
    type: Type
    bits: dict[Name, Annotated[int, Field(ge=0, lt=BITS)]] = {}
    fields: dict[Name, FieldFile] = {}
    inverted: tuple[Name, ...] = ()
    spare: Literal["refuse", "ignore"] = "refuse"
    table: Table = "holding"
    word_order: Order | None = None
    byte_order: Order | None = None
    bit_order: Order | None = None
    writable: bool = False
    stored: bool = False
    mass: bool = False
    negative: Name | None = None
    wraps_at: int | None = Field(default=None, ge=2, le=1 << 64)
    verified: bool = True
    doc: Text

    def registers(self) -> range:
        """The addresses this point occupies, as written."""
        return range(self.address, self.address + registers_of(self.type))


class LimitsFile(_Strict):
    """What the device can bear: the most registers or single bits a request, functions it answers.

    `gap_max` is how many registers without a point may be read along to save a request, `never_read`
    the addresses that must not be touched, `pause_ms` the silence it needs between two requests.
    """

    registers_max: int = Field(default=REGISTERS_READ_MAX, ge=1, le=REGISTERS_READ_MAX)
    bits_max: int = Field(default=BITS_READ_MAX, ge=1, le=BITS_READ_MAX)
    functions: tuple[Function, ...] = FUNCTIONS
    gap_max: int = Field(default=REGISTERS_READ_MAX, ge=0, le=REGISTERS_READ_MAX)
    never_read: tuple[Bounds, ...] = Field(default=(), max_length=64)
    pause_ms: int = Field(default=0, ge=0, le=PAUSE_MS_MAX)


class CodedUnit(_Strict):
    """The unit as a number in the device."""

    from_: Name = Field(alias="from")
    codes: dict[int, Unit] = Field(min_length=1)


class CodedDecimals(_Strict):
    """The number of decimals in the device, as it stands or by a table of codes."""

    from_: Name = Field(alias="from")
    codes: dict[int, Annotated[int, Field(ge=0, le=DECIMALS_MAX)]] = {}


class MassFile(_Strict):
    """How the masses of a map are scaled; `site` is told in the settings of the device.

    `watch` names numbers that must stay as they were at the start, because they scale masses too.
    """

    unit: Unit | Literal["site"] | CodedUnit
    decimals: Annotated[int, Field(ge=0, le=DECIMALS_MAX)] | Literal["site"] | CodedDecimals
    watch: tuple[Name, ...] = Field(default=(), max_length=8)


class UnknownFile(_Strict):
    """When masses are unknown: a bit that is set, a number that `is` one of these, or `outside`.

    `of` names the masses, all of them when empty; `says` what it means.
    """

    when: Name
    is_: tuple[int, ...] = Field(default=(), alias="is", max_length=64)
    outside: Bounds | None = None
    of: tuple[Name, ...] = ()
    says: Text


class ScaleFile(_Strict):
    """Which points make a weighing."""

    gross: Name
    net: Name | None = None
    stable: Name


class MeterFile(_Strict):
    """Which points make the totaliser of a flow meter.

    `overflow` is a second one that takes up what `total` cannot hold: the sum of both counts.
    """

    total: Name
    overflow: Name | None = None


class CommandFile(_Strict):
    """A command: numbers written in this order, the last one starts it.

    `level`: written while it is wanted. `edge`: the last register is written 0 first. `handshake`:
    written, `confirm` awaited, written 0, `confirm` awaited to go, then `ok` awaited, the bit that
    says it was carried out. `parameters` are points that the caller writes before.
    """

    writes: dict[Name, Word] = Field(min_length=1, max_length=8)
    kind: Literal["level", "edge", "handshake"]
    confirm: Name | None = None
    ok: Name | None = None
    parameters: tuple[Name, ...] = ()
    verified: bool = True
    doc: Text


class FillerFile(_Strict):
    """Which points and commands make a device that fills by itself to a target mass.

    It runs while one of `running` is set, gas flows while one of `valve_open` is; `done` is set
    when a dosing has ended; each of `alarms` that is set is a complaint. `apply` is the command
    without which a written target does not count.
    """

    target: Name
    limit: Name | None = None
    apply: Name | None = None
    start: Name
    stop: Name
    running: tuple[Name, ...] = Field(min_length=1)
    valve_open: tuple[Name, ...] = Field(min_length=1)
    done: Name
    alarms: tuple[Name, ...] = ()
    total: Name | None = None


class ProfileFile(_Strict):
    """A register map; points stand in ascending order of their address.

    `base: 1` when the manual counts registers from 1 (its 40001 is then address 1). `areas: separate`
    when one address is a different register for reading and for writing. `serves` says what a device
    with this map can be. `verified: false` wants `unverified`: what nobody has seen on a device.
    `incomplete` says what is missing for use; such a map is refused by `check`.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    title: Bilingual
    source: Text
    caveats: tuple[Text, ...] = ()
    serves: tuple[Role, ...] = ()
    verified: bool = True
    unverified: tuple[Text, ...] = ()
    incomplete: Text | None = None
    example: Text | None = None
    base: Literal[0, 1] = 0
    areas: Literal["shared", "separate"] = "shared"
    word_order: Order = "high_first"
    byte_order: Order = "high_first"
    bit_order: Order = "low_first"
    limits: LimitsFile = LimitsFile()
    mass: MassFile | None = None
    unknown_when: tuple[UnknownFile, ...] = Field(default=(), max_length=64)
    scale: ScaleFile | None = None
    filler: FillerFile | None = None
    meter: MeterFile | None = None
    commands: dict[Name, CommandFile] = Field(default={}, max_length=64)
    head: HeadFile | None = None
    points: dict[Name, PointFile] = Field(min_length=1, max_length=256)

    @property
    def one_moment(self) -> bool:
        """Whether all that is reported must come in one request, as gates and heads need it."""
        sections = (self.scale, self.filler, self.meter, self.incomplete)
        return not any(sections) and "output" not in self.serves
