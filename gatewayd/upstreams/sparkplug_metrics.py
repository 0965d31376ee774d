"""What the board shows and what records say, as Sparkplug metrics: names, types, aliases. Pure.

Types come from the shapes, so that a value that is null at birth has the type it will have later.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from gatewayd.shapes.catalogue import RECORDS, topic_of
from gatewayd.upstreams.sparkplug_wire import Metric, Type, Value

PLACES: Final = frozenset({"rigs", "devices", "points"})
"""First parts of topics that are Sparkplug devices of their own."""
NODE: Final = ""
"""The edge node itself, where a device is asked for."""
REBIRTH: Final = "Node Control/Rebirth"
DEVICE_REBIRTH: Final = "Device Control/Rebirth"
BDSEQ: Final = "bdSeq"
ALARMS: Final = "Alarms"
RECORD: Final = "Records/{}"
NOT_SHOWN: Final = frozenset({"upstreams"})
"""What we think of the platforms is not theirs to know."""
_PLAIN: Final = {int: Type.INT64, float: Type.DOUBLE, bool: Type.BOOLEAN, str: Type.STRING}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a topic goes: a device (NODE: none), and what its metrics begin with."""

    device: str
    group: str


def place_of(topic: str) -> Place | None:
    """The place of a topic of the board; None for what is not shown. Alarms have one metric."""
    first, *rest = topic.split("/")
    if first in NOT_SHOWN or first == "alarms":
        return None
    if first in PLACES:
        return Place(f"{first}.{rest[0]}", rest[1])
    return Place(NODE, topic)


@cache
def types_of(topic: str) -> Mapping[str, Type]:
    """The metrics of a topic with their types; lists and objects are JSON text."""
    found = topic_of(topic)
    hints = {} if found is None else get_type_hints(found.shape, include_extras=False)
    return {key: _type(hint) for key, hint in hints.items()}


def _type(hint: Any) -> Type:
    if get_origin(hint) is Annotated:
        return _type(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        kinds = {_type(each) for each in get_args(hint) if each is not type(None)}
        return kinds.pop() if len(kinds) == 1 else Type.STRING
    return _PLAIN.get(hint, Type.STRING)


def value_of(value: Any) -> Value:
    """A value of the board as a metric has it."""
    if value is None or isinstance(value, str | int | float):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)


def metrics_of(topic: str, payload: Mapping[str, Any], at_ms: int) -> list[Metric]:
    """Every metric of a topic, by its name."""
    place = place_of(topic)
    assert place is not None, topic
    return [
        Metric(kind, value_of(payload.get(key)), at_ms, f"{place.group}/{key}")
        for key, kind in types_of(topic).items()
    ]


def record_metrics(at_ms: int) -> list[Metric]:
    """The metrics that bring records, without one, as a birth shows them."""
    return [Metric(Type.STRING, None, at_ms, RECORD.format(kind)) for kind in RECORDS]


class Aliases:
    """A number for each metric of an edge node and its devices, the same for its whole life."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}

    def of(self, device: str, name: str) -> int:
        """The alias of a metric; new ones from 1."""
        return self._known.setdefault((device, name), len(self._known) + 1)

    def born(self, device: str, metrics: Iterable[Metric]) -> list[Metric]:
        """As a birth has them: name and alias."""
        return [replace(one, alias=self.of(device, one.name or "")) for one in metrics]

    def told(self, device: str, metrics: Iterable[Metric]) -> list[Metric]:
        """As data has them: the alias alone."""
        return [replace(one, name=None) for one in self.born(device, metrics)]
