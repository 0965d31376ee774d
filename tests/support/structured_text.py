"""Run IEC 61131-3 Structured Text: the part of the language that config/plc/fill_gate.st uses.

No compiler for it exists in Debian, and a program that holds a gas valve must be run before it is
shipped. Unsigned types and bit strings wrap, signed overflow and a wrong type are errors; TON and
R_TRIG are built in. Anything unknown is refused.
`structured_text_parser.parse` makes the units run here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

UNSIGNED = {"WORD": 16, "UINT": 16, "DWORD": 32, "UDINT": 32}
SIGNED = {"INT": 16, "DINT": 32}

Scope: TypeAlias = dict[str, Any]
Expression: TypeAlias = Callable[["Block"], Any]
Statement: TypeAlias = Callable[["Block"], None]


class StructuredTextError(Exception):
    """The text is not in the language, or the program did what a PLC would not."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One declaration; `bounds` for an array."""

    section: str
    type: str
    bounds: tuple[int, int] | None
    initial: int | None


@dataclass(slots=True)
class Unit:
    """A function, function block or program."""

    kind: str
    name: str
    variables: dict[str, Variable] = field(default_factory=dict)
    body: tuple[Statement, ...] = ()


class Ton:
    """On-delay timer; time is the block's `dt_ms` from call to call."""

    def __init__(self) -> None:
        self.elapsed_ms: float | None = None
        self.fields = {"Q": False}

    def call(self, dt_ms: float, arguments: Mapping[str, Any]) -> None:
        """One scan."""
        if not arguments["IN"]:
            self.elapsed_ms = None
        else:
            self.elapsed_ms = 0 if self.elapsed_ms is None else self.elapsed_ms + dt_ms
        elapsed_ms = self.elapsed_ms
        self.fields["Q"] = elapsed_ms is not None and elapsed_ms >= arguments["PT"]


class RTrig:
    """Rising edge detector."""

    def __init__(self) -> None:
        self.was = False
        self.fields = {"Q": False}

    def call(self, dt_ms: float, arguments: Mapping[str, Any]) -> None:
        """One scan."""
        del dt_ms
        self.fields["Q"] = arguments["CLK"] and not self.was
        self.was = arguments["CLK"]


_BUILTIN: dict[str, type[Ton] | type[RTrig]] = {"TON": Ton, "R_TRIG": RTrig}


class Block:
    """A running instance of a unit."""

    def __init__(self, unit: Unit, units: Mapping[str, Unit]) -> None:
        self.unit = unit
        self.units = units
        self.dt_ms = 0.0
        self.values: Scope = {name: self._new(one) for name, one in unit.variables.items()}
        if unit.kind == "FUNCTION":
            self.values.setdefault(unit.name, 0)

    def _new(self, variable: Variable) -> Any:
        if variable.type in _BUILTIN:
            return _BUILTIN[variable.type]()
        if variable.type in self.units:
            return Block(self.units[variable.type], self.units)
        zero = False if variable.type == "BOOL" else 0
        if variable.bounds is not None:
            return dict.fromkeys(range(variable.bounds[0], variable.bounds[1] + 1), 0)
        return zero if variable.initial is None else variable.initial

    def power_cycle(self) -> "Block":
        """A new instance that kept what is RETAIN."""
        fresh = Block(self.unit, self.units)
        kept = {n for n, one in self.unit.variables.items() if one.section == "VAR RETAIN"}
        fresh.values.update({name: self.values[name] for name in kept})
        return fresh

    def call(self, dt_ms: float, arguments: Mapping[str, Any]) -> None:
        """One scan."""
        self.dt_ms = dt_ms
        for name, value in arguments.items():
            self.assign(name, value)
        for statement in self.unit.body:
            statement(self)

    @property
    def fields(self) -> Scope:
        """What may be read from outside."""
        return self.values

    def assign(self, name: str, value: Any) -> None:
        """Store a value as a PLC would, or complain."""
        variable = self.unit.variables.get(name)
        kind = variable.type if variable is not None else "DWORD"
        if variable is None and name != self.unit.name:
            raise StructuredTextError(f"{name} is not declared")
        if variable is not None and variable.section == "VAR CONSTANT":
            raise StructuredTextError(f"{name} is a constant")
        if variable is not None and variable.bounds is not None:
            assert set(value) == set(self.values[name]), (name, value)
            self.values[name] = dict(value)
            return
        self.values[name] = fit(kind, value)


def fit(kind: str, value: Any) -> Any:
    """`value` as type `kind` keeps it."""
    if kind == "BOOL" or isinstance(value, bool):
        if kind != "BOOL" or not isinstance(value, bool):
            raise StructuredTextError(f"{value!r} is no {kind}")
        return value
    if kind in UNSIGNED:
        return value & (1 << UNSIGNED[kind]) - 1
    if kind in SIGNED and not -(1 << SIGNED[kind] - 1) <= value < 1 << SIGNED[kind] - 1:
        raise StructuredTextError(f"{value} overflows {kind}")
    return value


def run_function(block: Block, name: str, arguments: Mapping[str, Any]) -> Any:
    called = Block(block.units[name], block.units)
    called.call(0, arguments)
    return called.values[name]


def logical_not(value: Any) -> bool:
    if not isinstance(value, bool):
        raise StructuredTextError(f"NOT {value!r}")
    return not value


def convert(target: str, value: int) -> int:
    if target in SIGNED:
        half = 1 << SIGNED[target] - 1
        return (value + half & 2 * half - 1) - half
    return value & (1 << UNSIGNED[target]) - 1 if target in UNSIGNED else value


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) is not isinstance(right, bool):
        raise StructuredTextError(f"compares {left!r} with {right!r}")
    return bool(left == right)


LEVELS: tuple[dict[str, Callable[[Any, Any], Any]], ...] = (
    {"OR": lambda a, b: a | b},
    {"AND": lambda a, b: a & b},
    {"=": _same, "<>": lambda a, b: not _same(a, b)},
    {
        "<": lambda a, b: a < b,
        ">": lambda a, b: a > b,
        "<=": lambda a, b: a <= b,
        ">=": lambda a, b: a >= b,
    },
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"*": lambda a, b: a * b, "/": lambda a, b: int(a / b)},
)
STANDARD: dict[str, Callable[..., int]] = {
    "SHL": lambda value, count: value << count & 0xFFFF_FFFF,
    "SHR": lambda value, count: value >> count,
    "MAX": max,
    "LIMIT": lambda low, value, high: max(low, min(value, high)),
}
