"""The body of a request as a tree of compiled fields, and a record's values put into it. Pure.

A field whose expression needs a value that the record does not have is left out when it is
optional, takes its default, or makes the whole record unfit, naming the field and the value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias

from rules_engine.cel import Bound, Broken, Formula, Unbound

As: TypeAlias = Literal["text", "number", "bool", "texts"]
NUMBER_CHARS_MAX = 64


class UnfitError(Exception):
    """A record that cannot be said in the platform's words, and why."""


class _Absent:
    """A field that is left out."""


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is always the same."""

    value: Any

    def fill(self, bound: Bound, where: str) -> Any:
        """The value itself."""
        del bound, where
        return self.value


@dataclass(frozen=True, slots=True)
class Field:
    """The first of its formulas whose variables are there, as the platform wants it."""

    formulas: tuple[Formula, ...]
    as_: As
    optional: bool = False
    default: Any = ABSENT

    def needs(self, name: str) -> bool:
        """Whether nothing can be said without this variable."""
        if self.optional or self.default is not ABSENT:
            return False
        return all(name in formula.reads for formula in self.formulas)

    def fill(self, bound: Bound, where: str) -> Any:
        """The value, ABSENT when it is left out; raises UnfitError."""
        missing: list[str] = []
        for formula in self.formulas:
            value = formula.value(bound)
            if isinstance(value, Unbound):
                missing.append(value.name)
                continue
            if isinstance(value, Broken):
                raise UnfitError(f"{where}: {value.why}")
            return typed(value, self.as_, where)
        if self.default is not ABSENT:
            return self.default
        if self.optional:
            return ABSENT
        names = " and ".join(dict.fromkeys(missing))
        raise UnfitError(f"{where}: the record has no {names}")


@dataclass(frozen=True, slots=True)
class Branch:
    """An object of fields."""

    fields: Mapping[str, "Node"]

    def fill(self, bound: Bound, where: str) -> Any:
        """The object without what is left out."""
        below = f"{where}." if where else ""
        filled = {name: node.fill(bound, f"{below}{name}") for name, node in self.fields.items()}
        return {name: value for name, value in filled.items() if value is not ABSENT}


@dataclass(frozen=True, slots=True)
class Row:
    """A list of fields."""

    items: tuple["Node", ...]

    def fill(self, bound: Bound, where: str) -> Any:
        """The list without what is left out."""
        filled = [item.fill(bound, f"{where}[{i}]") for i, item in enumerate(self.items)]
        return [value for value in filled if value is not ABSENT]


Node: TypeAlias = Constant | Field | Branch | Row


def typed(value: Any, as_: As, where: str) -> Any:
    """A value of an expression as JSON of that type; a number is exact, never a float."""
    if as_ == "number":
        return value if isinstance(value, int) else _number(str(value), where)
    if as_ == "text":
        return value if isinstance(value, str) else _text(value)
    return list(value) if as_ == "texts" else value


def _number(text: str, where: str) -> int | Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as exc:
        raise UnfitError(f"{where}: {text[:40]!r} is no number") from exc
    if not number.is_finite() or len(text) > NUMBER_CHARS_MAX:
        raise UnfitError(f"{where}: {text[:40]!r} is no number")
    return number


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def fields(node: Node) -> Iterator[Field]:
    """Every field below a node."""
    match node:
        case Field():
            yield node
        case Branch():
            for below in node.fields.values():
                yield from fields(below)
        case Row():
            for item in node.items:
                yield from fields(item)
        case Constant():
            return


def formulas(node: Node) -> Iterator[Formula]:
    """Every formula below a node."""
    for field in fields(node):
        yield from field.formulas
