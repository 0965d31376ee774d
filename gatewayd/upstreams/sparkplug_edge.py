"""One Sparkplug session: births, data and deaths in their order, every message with its number.

A message takes the next number only once it is on its way: what the socket does not take now, or
what is too large for the broker, leaves no gap (Eclipse Sparkplug 3.0.0, 6.4.1).
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from gatewayd.board import Board, Watcher
from gatewayd.clock import Clock
from gatewayd.shapes.catalogue import TOPICS
from gatewayd.upstreams.mqtt_connection import Connection
from gatewayd.upstreams.mqtt_terms import Answer
from gatewayd.upstreams.sparkplug_metrics import (
    ALARMS,
    BDSEQ,
    DEVICE_REBIRTH,
    NODE,
    PLACES,
    REBIRTH,
    Aliases,
    metrics_of,
    place_of,
    record_metrics,
    value_of,
)
from gatewayd.upstreams.sparkplug_wire import Metric, Type, Value, encode

NAMESPACE: Final = "spBv1.0"
NUMBERS: Final = 256
"""`seq` and `bdSeq` count 0 to 255 (6.4.1, 6.4.19)."""
CONGESTED_S: Final = 0.02
"""How soon a birth that the socket did not take is tried again."""


def bdseq_metric(number: int, at_ms: int) -> Metric:
    """By which a death is known to belong to a birth."""
    return Metric(Type.UINT64, number, at_ms, BDSEQ)


def topic_of(group: str, kind: str, node: str, device: str = NODE) -> str:
    """A topic of the standard."""
    return "/".join(part for part in (NAMESPACE, group, kind, node, device) if part)


class Edge:
    """The edge node over one connection. `bdseq` is the number that its will has."""

    def __init__(
        self,
        connection: Connection,
        names: tuple[str, str],
        *,
        board: Board,
        clock: Clock,
        aliases: Aliases,
        bdseq: int,
    ) -> None:
        self._connection = connection
        self._names = names
        self._board = board
        self._clock = clock
        self._aliases = aliases
        self._bdseq = bdseq
        self._seq = 0
        self._born: set[str] = set()
        self._shown: dict[tuple[str, str], Value] = {}

    # Births and deaths

    async def birth(self) -> None:
        """Say everything anew, the node first; raises nothing, also when the connection is lost."""
        self._born.clear()
        self._shown.clear()
        now = self._now_ms()
        own = [bdseq_metric(self._bdseq, now), Metric(Type.BOOLEAN, False, now, REBIRTH)]  # noqa: FBT003 - the value of a metric
        metrics = self._aliases.born(NODE, [*self._metrics(NODE), *record_metrics(now)])
        await self._put("NBIRTH", NODE, [*own, *metrics])
        self._born.add(NODE)
        for device in self._devices():
            await self._device(device, ())

    @property
    def is_born(self) -> bool:
        """Whether there is a death to tell."""
        return NODE in self._born

    async def rebirth(self, device: str) -> None:
        """Say a device anew, or with NODE everything; who is not born stays so."""
        if device == NODE:
            await self.birth()
        elif device in self._born and self._alive(device):
            self._born.discard(device)
            await self._device(device, ())

    async def death(self) -> None:
        """The orderly end; a broken connection says the same by its will."""
        payload = encode(
            [bdseq_metric(self._bdseq, self._now_ms())], at_ms=self._now_ms(), seq=None
        )
        while not self._connection.flash(self._topic("NDEATH"), payload):
            if self._connection.gone.is_set():
                return
            await asyncio.sleep(CONGESTED_S)

    # Data

    async def show(self, topics: Iterable[str]) -> None:
        """Topics of the board have changed."""
        changed: dict[str, list[str]] = {}
        for topic in topics:
            place = place_of(topic)
            if place is not None:
                changed.setdefault(place.device, []).append(topic)
            elif topic.startswith("alarms/"):
                changed.setdefault(NODE, [])
        for device, its in changed.items():
            await self._device(device, its)

    def flash(self, topic: str, payload: Any) -> None:
        """A passing value; dropped when the socket is full or its device is not born."""
        place = place_of(topic)
        if place is None or place.device not in self._born:
            return
        told = self._aliases.told(place.device, metrics_of(topic, payload, self._now_ms()))
        self._try("DDATA", place.device, told)

    def record(self, metric: Metric, *, alone: bool) -> asyncio.Future[Answer] | None:
        """Send a record at QoS 1; None = the window does not allow it now."""
        (told,) = self._aliases.told(NODE, [metric])
        payload = encode([told], at_ms=self._now_ms(), seq=self._seq)
        sent = self._connection.try_send(self._topic("NDATA"), payload, alone=alone)
        if sent is not None and not sent.done():
            self._seq = (self._seq + 1) % NUMBERS
        return sent

    # Pieces

    async def _device(self, device: str, topics: Sequence[str]) -> None:
        """Whatever is due at a device: its birth, its death, or what changed."""
        alive = device == NODE or self._alive(device)
        if alive and device not in self._born:
            own = Metric(Type.BOOLEAN, False, self._now_ms(), DEVICE_REBIRTH)  # noqa: FBT003 - as above
            metrics = self._aliases.born(device, self._metrics(device))
            await self._put("DBIRTH", device, [own, *metrics])
            self._born.add(device)
        elif not alive and device in self._born:
            self._born.discard(device)
            await self._put("DDEATH", device, ())
        elif alive:
            news = self._news(device, self._metrics(device, topics))
            if news:
                kind = "DDATA" if device else "NDATA"
                await self._put(kind, device, self._aliases.told(device, news))

    def _metrics(self, device: str, topics: Sequence[str] | None = None) -> list[Metric]:
        """The metrics of a device's topics, of all of them unless told; the node has the alarms."""
        now, found = self._now_ms(), []
        for topic in _topics(device) if topics is None else topics:
            found += metrics_of(topic, self._board.get(topic) or {}, now)
        if device == NODE:
            standing = [value for name, value in self._board.items() if name.startswith("alarms/")]
            found.append(Metric(Type.STRING, value_of(standing), now, ALARMS))
        for metric in found if topics is None else ():
            self._shown[device, metric.name or ""] = metric.value
        return found

    def _news(self, device: str, metrics: Iterable[Metric]) -> list[Metric]:
        """What differs from what was told last."""
        news = [m for m in metrics if self._shown.get((device, m.name or "")) != m.value]
        self._shown |= {(device, metric.name or ""): metric.value for metric in news}
        return news

    def _devices(self) -> Iterator[str]:
        places = [place_of(topic) for topic, _value in self._board.items()]
        return iter(dict.fromkeys(place.device for place in places if place and place.device))

    def _alive(self, device: str) -> bool:
        """Shown at all; a wired device only while it is up."""
        shown = [value for topic in _topics(device) if (value := self._board.get(topic))]
        if device.startswith("devices."):
            return any(value["state"] == "up" for value in shown)
        return bool(shown)

    async def _put(self, kind: str, device: str, metrics: Sequence[Metric]) -> None:
        """Publish at QoS 0 (5.5 ff.), however long the socket is full."""
        while not self._try(kind, device, metrics) and not self._connection.gone.is_set():  # noqa: ASYNC110 - paho tells nobody that its socket is free again
            await asyncio.sleep(CONGESTED_S)

    def _try(self, kind: str, device: str, metrics: Sequence[Metric]) -> bool:
        seq = 0 if kind == "NBIRTH" else self._seq
        payload = encode(metrics, at_ms=self._now_ms(), seq=seq)
        if not self._connection.flash(self._topic(kind, device), payload):
            return False
        self._seq = (seq + 1) % NUMBERS
        return True

    def _topic(self, kind: str, device: str = NODE) -> str:
        group, node = self._names
        return topic_of(group, kind, node, device)

    def _now_ms(self) -> int:
        return ms_of(self._clock)


def take(watcher: Watcher) -> tuple[str, ...]:
    """The topics that changed, no longer marked."""
    topics = tuple(watcher.changed)
    watcher.changed.clear()
    return topics


def ms_of(clock: Clock) -> int:
    """The clock's time in ms since 1970."""
    return int(clock.wall().timestamp() * 1_000)


def _topics(device: str) -> Iterator[str]:
    """Every topic that a device may have, so that its birth names all of its metrics."""
    first, _, name = device.partition(".")
    for topic in TOPICS:
        head, *rest = topic.address.split("/")
        if device == NODE and head not in PLACES and not rest:
            yield topic.address
        elif device != NODE and head == first:
            yield "/".join((head, name, *rest[1:]))
