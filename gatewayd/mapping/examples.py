"""The examples inside a mapping: a record in, what must come out, told apart exactly."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from gatewayd.mapping.fields import UnfitError
from gatewayd.mapping.file import ExampleFile
from gatewayd.mapping.json_text import dumps
from gatewayd.mapping.load import load
from gatewayd.mapping.mapping import Call, Fit, PlatformMapping, Skipped, Tongue, Unfit, call
from gatewayd.mapping.messages import Letter

HOME = "Asia/Shanghai"
"""The zone of examples of a mapping that has none of its own."""
OUTCOMES = ("skipped", "refused")
KEYS = (*OUTCOMES, "method", "path", "headers", "to", "key", "body")
HIDDEN_EXAMPLE = "SECRET"
"""What stands for a `!secret` in an example."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One example that was run: `said` is empty when it came out as written."""

    number: int
    title: str
    said: str
    wanted: Any
    got: Any

    @property
    def ok(self) -> bool:
        """Whether it came out as written."""
        return not self.said


def run(mapping: PlatformMapping, text: str) -> Iterator[Outcome]:
    """Every example of a mapping, in the mapping's own zone."""
    home = mapping if mapping.file.timezone else load(text, mapping.origin, HOME)
    tables = {name: table.example for name, table in home.file.station_tables.items()}
    tongue = Tongue(home, _values(home), tables, (HIDDEN_EXAMPLE,) * len(home.secrets))
    for number, example in enumerate(home.file.examples):
        got = _shown(tongue, example)
        yield Outcome(number, example.title, _difference(example.out, got), example.out, got)


def envelope(example: Mapping[str, Any]) -> dict[str, Any]:
    """A record as an example writes it, `kind` and `data` enough, as a whole event."""
    kind = example.get("kind", "fill")
    rest = {key: value for key, value in example.items() if key != "kind"}
    return {"type": f"gatewayd.{kind}.v1", **rest}


def _values(mapping: PlatformMapping) -> dict[str, Any]:
    """What examples are run with: the example of each value, else its default."""
    told = {
        name: value.default if value.example is None else value.example
        for name, value in mapping.file.values.items()
    }
    return {name: value for name, value in told.items() if value is not None}


def _shown(tongue: Tongue, example: ExampleFile) -> dict[str, Any]:
    if example.ask is not None:
        try:
            return _of(tongue.question(envelope({"kind": "ask", **example.ask})))
        except UnfitError as exc:
            return {"refused": str(exc)}
    assert example.record is not None, example
    event = envelope(example.record)
    fate = tongue.said(event) if tongue.mapping.messages else tongue.fate(event)
    match fate:
        case Skipped(because):
            return {"skipped": because}
        case Unfit(why):
            return {"refused": why}
        case Letter(to, key, body):
            shown = {"to": to, "key": key, "body": json.loads(body, parse_float=Decimal)}
            return {name: value for name, value in shown.items() if value != ""}
        case Fit():
            return _of(call([fate]))


def _of(made: Call) -> dict[str, Any]:
    shown: dict[str, Any] = {"method": made.method, "path": made.path}
    if made.headers:
        shown["headers"] = dict(made.headers)
    if made.query or made.content_type.endswith("urlencoded"):
        pairs = parse_qsl(made.query or made.body.decode(), keep_blank_values=True)
        return {**shown, "body": dict(pairs)}
    return {**shown, "body": json.loads(made.body, parse_float=Decimal)}


def _difference(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> str:
    for key in wanted:
        if key not in KEYS:
            return f"unknown key {key!r} of out; expected {', '.join(KEYS)}"
    if "body" not in wanted and not any(key in wanted for key in OUTCOMES):
        return "out has no body, skipped or refused"
    for key, value in wanted.items():
        if key in OUTCOMES and key in got:
            if str(value) not in str(got[key]):
                return f"{key}: {got[key]}"
        elif _plain(value) != got.get(key):
            other = next((f"{name}: {got[name]}" for name in OUTCOMES if name in got), "")
            return other or f"{key}: {_first(_plain(value), got.get(key), key)}"
    return ""


def _first(wanted: Any, got: Any, where: str) -> str:
    """The first place where two values differ."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in dict.fromkeys((*wanted, *got)):
            if wanted.get(key, ...) != got.get(key, ...):
                return _first(wanted.get(key, ...), got.get(key, ...), f"{where}.{key}")
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for index, (one, other) in enumerate(zip(wanted, got, strict=True)):
            if one != other:
                return _first(one, other, f"{where}[{index}]")
    return f"{where} is {_text(got)}, expected {_text(wanted)}"


def _text(value: Any) -> str:
    return "missing" if value is ... else dumps(value)


def _plain(value: Any) -> Any:
    """What an example writes, with exact fractions."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return Decimal(repr(value)) if isinstance(value, float) else value
