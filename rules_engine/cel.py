"""Rule expressions: Google CEL, fenced into this one file.

Variables are flat dotted names, so an unknown name fails when it is compiled. Only a result of
type BOOL counts; anything else, and every error value (which is truthy), is `Broken`. Floats and
dynamic types are refused when compiled: they are where comparisons quietly turn false.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Literal, TypeAlias

from cel_expr_python import cel

from rules_engine.facts import Kind

EXPRESSION_CHARS_MAX = 2_000

ValueKind: TypeAlias = Kind | Literal["time", "table"]
"""What a variable may be: `time` an aware moment, `table` a look-up from text to text."""

_TYPES: Mapping[ValueKind, cel.Type] = {
    "bool": cel.Type.BOOL,
    "int": cel.Type.INT,
    "text": cel.Type.STRING,
    "date": cel.Type.TIMESTAMP,
    "texts": cel.Type.List(cel.Type.STRING),
    "time": cel.Type.TIMESTAMP,
    "table": cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
}
_RESULTS: tuple[ValueKind, ...] = ("bool", "int", "text", "texts", "time")
_ERROR = re.compile(
    r"ERROR: <input>:(\d+):(\d+): ([^\n]*?)(?: \[INVALID_ARGUMENT\])?$", re.MULTILINE
)
_STATUS = re.compile(r"^[A-Z_]+: ")
_UNBOUND = re.compile(r'UNKNOWN: No value with name "([^"]+)" found in Activation')
_HAS = re.compile(r"\bhas\s*\(")
_BOOL = cel.Type.BOOL


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in an expression; line and column count from 1 inside the expression."""

    line: int
    column: int
    what: str
    name: str = ""


class ExpressionError(Exception):
    """An expression does not compile; `faults` lists every mistake the checker found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.what for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Function:
    """A function of ours: its name, the kinds it takes and gives; `body` may raise ValueError."""

    name: str
    takes: tuple[ValueKind, ...]
    gives: ValueKind
    body: Callable[..., Any]

    def overload(self) -> cel.Overload:
        """As the library wants it; functions of one name differ in what they take."""
        takes = [_TYPES[kind] for kind in self.takes]
        name = "_".join((self.name, *self.takes))
        return cel.Overload(name, _TYPES[self.gives], takes, impl=self.body)


@dataclass(frozen=True, slots=True)
class Broken:
    """An evaluation that gave no BOOL, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Unbound:
    """An evaluation that needed a variable which has no value."""

    name: str


@dataclass(frozen=True, slots=True)
class Bound:
    """Values ready to be read by the programs of one environment."""

    activation: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled, type-checked expression and the names of all variables it reads."""

    source: str
    reads: frozenset[str]
    _expression: Any = field(compare=False, repr=False)

    def holds(self, bound: Bound) -> bool | Broken:
        """True or False when the expression is exactly that, else Broken."""
        try:
            result = self._expression.eval(activation=bound.activation)
        except RuntimeError as exc:  # a value that the library cannot convert: no BOOL either
            return Broken(str(exc))
        if result.type() == _BOOL and isinstance(value := result.value(), bool):
            return value
        return Broken(str(result.value()))


@dataclass(frozen=True, slots=True)
class Formula:
    """A compiled, type-checked expression that gives a value of one `kind`."""

    source: str
    kind: ValueKind
    reads: frozenset[str]
    _expression: Any = field(compare=False, repr=False)

    def value(self, bound: Bound) -> Any:
        """The value, Unbound when one was needed that is not there, or Broken."""
        try:
            result = self._expression.eval(activation=bound.activation)
        except RuntimeError as exc:  # a value that the library cannot convert
            return Broken(str(exc))
        if result.type().name() == "ERROR":
            why = str(result.value())
            missing = _UNBOUND.match(why)
            return Unbound(missing[1]) if missing else Broken(_STATUS.sub("", why))
        plain = result.plain_value()
        return tuple(plain) if self.kind == "texts" else plain


class Environment:
    """The variables that expressions may read, with their types, and what they may call."""

    def __init__(
        self, variables: Mapping[str, ValueKind], functions: Iterable[Function] = ()
    ) -> None:
        self.variables: Mapping[str, Any] = dict(variables)  # of rules: none but `Kind`
        self._env = cel.NewEnv(
            variables={name: _TYPES[kind] for name, kind in self.variables.items()},
            functions=_declared(functions),
        )

    def compile(self, source: str) -> Program:
        """Check `source` against the variables; it must be a BOOL. Raises ExpressionError."""
        expression, reads = self._checked(source)
        if expression.return_type() != _BOOL:
            kind = expression.return_type().name()
            raise ExpressionError([Fault(1, 1, f"is {kind}, expected a yes or no (BOOL)")])
        return Program(source, reads, expression)

    def formula(self, source: str) -> Formula:
        """Check `source`; it may be of any kind that is no table. Raises ExpressionError."""
        expression, reads = self._checked(source)
        gives = expression.return_type()
        kind = next((each for each in _RESULTS if _TYPES[each] == gives), None)
        if kind is None:
            what = f"is {gives.name()}, expected a text, a number, a yes or no, a time or texts"
            raise ExpressionError([Fault(1, 1, what)])
        return Formula(source, kind, reads, expression)

    def _checked(self, source: str) -> tuple[Any, frozenset[str]]:
        """The expression and what it reads, with no fraction and no loose type in it."""
        if len(source) > EXPRESSION_CHARS_MAX:
            raise ExpressionError([Fault(1, 1, f"longer than {EXPRESSION_CHARS_MAX} characters")])
        if found := _HAS.search(source):
            line = source.count("\n", 0, found.start()) + 1
            what = "has() says nothing about a fact; list the fact under applies_if_known"
            raise ExpressionError([Fault(line, 1, what)])
        try:
            expression = self._env.compile(source)
        except RuntimeError as exc:
            raise ExpressionError(_faults(source, str(exc))) from exc
        checked = _message(_message(expression.serialize())[2][0])
        _refuse_loose_types(checked)
        return expression, frozenset(_reads(checked)) & self.variables.keys()

    def bind(self, values: Mapping[str, Any]) -> Bound:
        """Make values readable; each must be sound for the type its name was declared with."""
        ready = {name: _cel_value(value) for name, value in values.items()}
        return Bound(self._env.Activation(ready))


def _declared(functions: Iterable[Function]) -> list[cel.FunctionDecl]:
    named: dict[str, list[cel.Overload]] = {}
    for function in functions:
        named.setdefault(function.name, []).append(function.overload())
    return [cel.FunctionDecl(name, overloads) for name, overloads in named.items()]


def _cel_value(value: Any) -> Any:
    """Dates become midnight UTC: only their order matters, and a naive time never enters."""
    if isinstance(value, datetime):
        assert value.tzinfo is not None, value
        return value
    if isinstance(value, date):
        return datetime.combine(value, time.min, tzinfo=UTC)
    return list(value) if isinstance(value, tuple) else value


def _faults(source: str, text: str) -> Iterator[Fault]:
    lines = source.splitlines() or [""]
    found = _ERROR.findall(text)
    if not found:
        yield Fault(1, 1, text)
    for line, column, what in found:
        unknown = re.search(r"undeclared reference to '([^']+)'", what)
        if unknown is None:
            yield Fault(int(line), int(column), what)
            continue
        name = unknown[1]
        at = lines[int(line) - 1].find(name) + 1
        yield Fault(int(line), at or int(column), f"unknown fact {name!r}", name)


def _refuse_loose_types(checked: Mapping[int, list[Any]]) -> None:
    """Refuse floats and dynamic types anywhere in the expression (CheckedExpr.type_map)."""
    for entry in checked.get(3, []):
        for kind in _message(entry).get(2, []):
            if loose := _loose(_message(kind)):
                raise ExpressionError([Fault(1, 1, loose)])


_DOUBLE = 4


def _loose(kind: Mapping[int, list[Any]]) -> str:
    """Why a cel.expr.Type is refused, or empty: field 1 is dyn, 3 primitive, 6 list, 7 map."""
    if 1 in kind:
        return "mixes types; every value must have one type"
    if kind.get(3) == [_DOUBLE]:
        return "uses a fraction; use whole numbers in a smaller unit"
    inner = [part for number in (6, 7) for outer in kind.get(number, []) for part in _parts(outer)]
    return next((why for part in inner if (why := _loose(part))), "")


def _parts(message: bytes) -> list[dict[int, list[Any]]]:
    return [_message(value) for values in _message(message).values() for value in values]


def _reads(checked: Mapping[int, list[Any]]) -> Iterator[str]:
    """The variables the type checker resolved (CheckedExpr.reference_map, Reference.name)."""
    for entry in checked.get(2, []):
        for reference in _message(entry).get(2, []):
            for name in _message(reference).get(1, []):
                yield name.decode()


_VARINT, _BYTES = 0, 2


def _message(data: bytes) -> dict[int, list[Any]]:
    """Field number -> values of one protobuf message: varints as int, the rest as bytes.

    The serialised syntax tree is the only place where CEL tells which variables it resolved.
    """
    fields: dict[int, list[Any]] = {}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            fields.setdefault(number, []).append(value)
            continue
        size, at = _varint(data, at) if wire == _BYTES else ({1: 8, 5: 4}[wire], at)
        fields.setdefault(number, []).append(data[at : at + size])
        at += size
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, at
