"""Structured Text to runnable units, by recursive descent over the subset `structured_text` runs."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.support.structured_text import (
    LEVELS,
    SIGNED,
    STANDARD,
    UNSIGNED,
    Block,
    Expression,
    Statement,
    StructuredTextError,
    Unit,
    Variable,
    convert,
    fit,
    logical_not,
    run_function,
)

_TOKEN = re.compile(
    r"(?P<time>T#\d+(?:ms|s|m|h))|(?P<hex>16#[0-9A-F]+)|(?P<number>\d+(?!#))|(?P<place>%\w+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>:=|<>|<=|>=|\.\.|[-+*/=<>()\[\],;:.])|(?P<bad>\S)"
)
_BOOLEANS = {"TRUE": True, "FALSE": False}
_TIME_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def parse(text: str) -> dict[str, Unit]:
    """All units of a source text by name."""
    return _Parser(text).units


class _Parser:
    """Recursive descent; every method takes exactly what it names."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._now: Unit = Unit("", "")
        self.units: dict[str, Unit] = {}
        while self._at < len(self._tokens):
            self._unit()

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, *expected: str) -> str:
        token = self._peek()
        if expected and token not in expected:
            raise StructuredTextError(
                f"{token!r} after {self._tokens[max(0, self._at - 6) : self._at]}, expected {expected}"
            )
        self._at += 1
        return token

    def _accept(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._at += 1
        return True

    def _unit(self) -> None:
        kind = self._take("FUNCTION", "FUNCTION_BLOCK", "PROGRAM")
        self._now = Unit(kind, self._take())
        if kind == "FUNCTION":
            self._take(":")
            result = self._take()
            self._now.variables[self._now.name] = Variable("VAR_OUTPUT", result, None, None)
        while self._peek().startswith("VAR"):
            self._variables()
        self.units[self._now.name] = self._now
        self._now.body = self._statements(f"END_{kind}")
        self._take(f"END_{kind}")

    def _variables(self) -> None:
        section = self._take("VAR", "VAR_INPUT", "VAR_OUTPUT")
        if self._peek() in ("CONSTANT", "RETAIN"):
            section += " " + self._take()
        while not self._accept("END_VAR"):
            name = self._take()
            if self._accept("AT"):
                self._take()
            self._take(":")
            kind, bounds = self._take(), None
            if kind == "ARRAY":
                self._take("[")
                first = int(self._take())
                self._take("..")
                bounds = (first, int(self._take()))
                self._take("]")
                self._take("OF")
                kind = self._take()
            initial = _literal(self._take()) if self._accept(":=") else None
            self._take(";")
            assert name not in self._now.variables, name
            self._now.variables[name] = Variable(section, kind, bounds, initial)

    def _statements(self, *ends: str) -> tuple[Statement, ...]:
        statements = []
        while self._peek() not in ends:
            statements.append(self._if() if self._accept("IF") else self._simple())
        return tuple(statements)

    def _if(self) -> Statement:
        branches: list[tuple[Expression, tuple[Statement, ...]]] = []
        otherwise: tuple[Statement, ...] = ()
        keyword = "IF"
        while keyword in ("IF", "ELSIF"):
            condition = self._expression()
            self._take("THEN")
            branches.append((condition, self._statements("ELSIF", "ELSE", "END_IF")))
            keyword = self._take()
        if keyword == "ELSE":
            otherwise = self._statements("END_IF")
            self._take("END_IF")
        self._take(";")

        def run(block: Block) -> None:
            taken = next((body for condition, body in branches if condition(block)), otherwise)
            for statement in taken:
                statement(block)

        return run

    def _simple(self) -> Statement:
        name = self._take()
        if self._accept("("):
            arguments = self._arguments()
            self._take(";")
            return lambda block: block.values[name].call(
                block.dt_ms, {key: value(block) for key, value in arguments}
            )
        index = self._index()
        self._take(":=")
        value = self._expression()
        self._take(";")
        if index is None:
            return lambda block: block.assign(name, value(block))

        def store(block: Block) -> None:
            array = block.values[name]
            position = index(block)
            assert position in array, f"{name}[{position}]"
            array[position] = fit(block.unit.variables[name].type, value(block))

        return store

    def _index(self) -> Expression | None:
        if not self._accept("["):
            return None
        index = self._expression()
        self._take("]")
        return index

    def _arguments(self) -> list[tuple[str, Expression]]:
        """`a := 1, b := 2` or `1, 2`; the opening bracket is gone."""
        arguments = []
        while not self._accept(")"):
            name = ""
            if self._tokens[self._at + 1] == ":=":
                name = self._take()
                self._take(":=")
            arguments.append((name, self._expression()))
            self._accept(",")
        return arguments

    def _expression(self, level: int = 0) -> Expression:
        if level == len(LEVELS):
            return self._unary()
        left = self._expression(level + 1)
        while self._peek() in LEVELS[level]:
            left = _binary(LEVELS[level][self._take()], left, self._expression(level + 1))
        return left

    def _unary(self) -> Expression:
        if self._accept("NOT"):
            inner = self._unary()
            return lambda block: logical_not(inner(block))
        if self._accept("-"):
            inner = self._unary()
            return lambda block: -inner(block)
        return self._primary()

    def _primary(self) -> Expression:
        if self._accept("("):
            inner = self._expression()
            self._take(")")
            return inner
        token = self._take()
        if token[0].isdigit() or token in _BOOLEANS or token.startswith("T#"):
            value = _literal(token)
            return lambda _: value
        if self._accept("("):
            return self._call(token, self._arguments())
        if self._accept("."):
            part = self._take()
            return lambda block: block.values[token].fields[part]
        index = self._index()
        assert token in self._now.variables, f"{token} is not declared"
        if index is None:
            return lambda block: block.values[token]
        return lambda block: block.values[token][index(block)]

    def _call(self, name: str, arguments: Sequence[tuple[str, Expression]]) -> Expression:
        if name in self.units:
            return lambda block: run_function(
                block, name, {key: value(block) for key, value in arguments}
            )
        values = [value for _, value in arguments]
        if name in STANDARD:
            return lambda block: STANDARD[name](*(value(block) for value in values))
        _, _, target = name.partition("_TO_")
        if target not in {*UNSIGNED, *SIGNED, "TIME"}:
            raise StructuredTextError(f"unknown function {name}")
        return lambda block: convert(target, values[0](block))


def _binary(operator: Callable[[Any, Any], Any], left: Expression, right: Expression) -> Expression:
    return lambda block: operator(left(block), right(block))


def _literal(token: str) -> int:
    if token in _BOOLEANS:
        return _BOOLEANS[token]
    if token.startswith("T#"):
        number, unit = re.fullmatch(r"T#(\d+)([a-z]+)", token).groups()  # type: ignore[union-attr] # the tokenizer matched it
        return int(number) * _TIME_MS[unit]
    return int(token.removeprefix("16#"), 16) if token.startswith("16#") else int(token)


def _tokens(text: str) -> Iterator[str]:
    bare = re.sub(r"\(\*.*?\*\)", " ", text, flags=re.DOTALL)
    for match in _TOKEN.finditer(bare):
        if match["bad"] is not None:
            raise StructuredTextError(
                f"{match['bad']!r} at {bare[match.start() : match.start() + 30]!r}"
            )
        yield match.group()
