"""The effective configuration: every value in force, where it comes from, secrets masked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from gatewayd.settings.load import Examined
from gatewayd.settings.secrets import MASK
from protocols.documents import Document
from protocols.documents import Path as Keys

DEFAULT = "default"

_SECRET_NAME = re.compile(r"(^|_)(password|passphrase|passwd|secret|token|pin)$")
_USERINFO = re.compile(r"(://[^/@:\s]*:)[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class Value:
    """One value in force: its dotted path, and `file:line:column` or `default`."""

    path: str
    value: Any
    origin: str
    secret: bool


def effective(examined: Examined) -> tuple[Value, ...]:
    """Every value of valid settings, in the order of the files."""
    settings = examined.settings
    assert settings is not None, "only a valid configuration is in force"
    return tuple(value for _, value, _ in told(examined))


def told(examined: Examined) -> Iterator[tuple[Keys, Value, Any]]:
    """The keys of every value, what `effective` shows of it, and as it is: that is for no eyes."""
    for keys, model, driver in _models(examined):
        document = next((d for d in examined.documents if keys in d.marks), None)
        tree = model.model_dump(mode="json", by_alias=True)
        if driver is not None:
            tree = {"driver": driver, **tree}
        for below, value in _leaves(tree, ()):
            place = (*keys, *below)
            yield place, _value(place, value, document, examined), value


def _models(examined: Examined) -> Iterator[tuple[Keys, BaseModel, str | None]]:
    settings = examined.settings
    assert settings is not None
    yield ("station",), settings.station, None
    yield ("store",), settings.store, None
    yield ("archive",), settings.archive, None
    yield ("clock",), settings.clock, None
    yield ("log",), settings.log, None
    yield ("reload",), settings.reload, None
    yield ("watchdog",), settings.watchdog, None
    yield ("shifts",), settings.shifts, None
    if settings.web is not None:
        yield ("web",), settings.web, None
    for name, upstream in settings.upstreams.items():
        yield ("upstreams", name), upstream.settings, upstream.driver
    for name, device in settings.devices.items():
        yield ("devices", name), device.settings, device.driver.name
    for name, rig in settings.rigs.items():
        yield ("rigs", name), rig, None
    for name, point in settings.points.items():
        yield ("points", name), point, None


def _leaves(value: Any, keys: Keys) -> Iterator[tuple[Keys, Any]]:
    """The values without anything below them; a list of plain values is one of them."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*keys, key))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for i, item in enumerate(value):
            yield from _leaves(item, (*keys, i))
    else:
        yield keys, value


def _value(keys: Keys, value: Any, document: Document | None, examined: Examined) -> Value:
    marks = document.marks if document else {}
    shown, secret = _masked(keys[-1], value)
    below = [mark for place, mark in marks.items() if place[: len(keys)] == keys]
    if value is not None and not examined.secret_marks.isdisjoint(below):
        shown, secret = MASK, True
    return Value(
        path=".".join(str(key) for key in keys),
        value=shown,
        origin=str(marks[keys]) if keys in marks else DEFAULT,
        secret=secret,
    )


def _masked(key: str | int, value: Any) -> tuple[Any, bool]:
    """What may be shown, and whether something was hidden: secret names, passwords in URLs."""
    if not isinstance(value, str):
        return value, False
    if _SECRET_NAME.search(str(key)):
        return MASK, True
    hidden = _USERINFO.sub(rf"\1{MASK}@", value)
    return hidden, hidden != value
