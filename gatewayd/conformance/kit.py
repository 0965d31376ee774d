"""Plays one station over a broker: everything that befalls a subscriber in years, in a minute.

Duplicates, alarms that overtake, letters of every kind, the largest record, retained states, a cut
with its will, and a restart that sends again what nobody had confirmed.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from gatewayd.conformance import material
from gatewayd.errors import UpstreamError
from gatewayd.store.model import Record
from gatewayd.upstreams.mqtt_acks import Acks
from gatewayd.upstreams.mqtt_connection import Connection
from gatewayd.upstreams.mqtt_settings import MqttSettings
from gatewayd.upstreams.mqtt_terms import Will

OVERTAKES: Final = 10
"""The large alarm leaves before so many records that are older."""
REPEATED: Final = 12
ANSWER_S_MAX: Final = 20.0


@dataclass(frozen=True, slots=True)
class Result:
    """What the subscriber must have; `confirmed` None = it was not asked."""

    root: str
    expected: material.Expected
    published: int
    retained: Mapping[str, Any]
    confirmed: int | None

    @property
    def ok(self) -> bool:
        """Whether the subscriber confirmed everything, where it was asked."""
        return self.confirmed is None or self.confirmed == self.expected.records

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        retained = {f"{self.root}/{topic}": payload for topic, payload in self.retained.items()}
        return {**asdict(self), "retained": retained, "ok": self.ok}


class Kit:
    """One run. `say` hears each step."""

    def __init__(self, settings: MqttSettings, station: str, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._station = station
        self._root = f"{settings.prefix}/{station}"
        self._say = say
        self._published = 0
        self._acks = Acks("conformance", f"{self._root}/ack")

    async def run(self, confirmed_within_s: float | None) -> Result:
        """Play it all; with a time, wait so long for confirmations. Raises UpstreamError."""
        records = material.records(self._station)
        self._acks.offer(records)
        await self._first_life(records)
        shown = await self._second_life(records, confirmed_within_s)
        asked = confirmed_within_s is not None
        confirmed = len(self._acks.confirmed(records)) if asked else None
        expected = material.expected(records)
        return Result(self._root, expected, self._published, shown, confirmed)

    async def _first_life(self, records: Sequence[Record]) -> None:
        """Online, states, most records, some twice, and a cut in the middle."""
        connection = self._new()
        try:
            await self._open(connection)
            self._say("status online, retained states of every topic")
            await self._show(connection, "status", _status("online"))
            for topic, payload in material.board().items():
                await self._show(connection, topic, payload)
            *older, large = records
            half = len(older) // 2
            self._say(f"{half} records, {REPEATED} of them twice; the largest overtakes")
            await self._send(connection, older[: half - OVERTAKES])
            await self._send(connection, [large])
            await self._send(connection, older[half - OVERTAKES : half])
            await self._send(connection, older[half - REPEATED : half])
            self._say("the connection breaks: the broker publishes the will, status offline")
        finally:
            connection.abort()

    async def _second_life(
        self, records: Sequence[Record], within_s: float | None
    ) -> dict[str, Any]:
        """After a restart: what nobody had noted is sent again, then the rest, then the end."""
        connection = self._new()
        try:
            await self._open(connection)
            await self._show(connection, "status", _status("online"))
            *older, large = records
            half = len(older) // 2
            self._say(f"a restart: {REPEATED} records again with the same ids, then the rest")
            await self._send(connection, older[half - REPEATED :])
            await self._send(connection, [large])
            shown = material.board()
            gone = next(topic for topic in shown if topic.startswith("alarms/"))
            self._say(f"{gone} is over: an empty retained message takes it away")
            await self._show(connection, gone, None)
            del shown[gone]
            await self._show(connection, "status", _status("offline"))
            if within_s is not None:
                await self._wait(records, connection, within_s)
            await connection.close()
        finally:
            connection.abort()
        return {"status": _status("offline"), **shown}

    async def _wait(
        self, records: Sequence[Record], connection: Connection, within_s: float
    ) -> None:
        self._say(f"waiting for confirmations on {self._acks.topic}")
        await self._acks.wait(records, connection.gone, within_s)

    def _new(self) -> Connection:
        settings, (host, port) = self._settings, self._settings.addresses[0]
        will = Will(f"{self._root}/status", json.dumps(_status("offline")).encode())
        called = f"gatewayd-{self._station}"
        dial = settings.dial(host, port, client_id=called, directory=Path(), will=will)
        return Connection(dial, in_flight_max=settings.in_flight_max)

    async def _open(self, connection: Connection) -> None:
        await connection.open()
        connection.listen(self._acks.topic, self._acks.hear, self._acks.refused)

    async def _send(self, connection: Connection, records: Sequence[Record]) -> None:
        for record in records:
            topic = f"{self._root}/records/{record.kind}"
            await self._taken(connection, topic, record.body.encode(), record=True)
            self._published += 1

    async def _show(
        self, connection: Connection, topic: str, payload: Mapping[str, Any] | None
    ) -> None:
        body = b"" if payload is None else json.dumps(payload, ensure_ascii=False).encode()
        await self._taken(connection, f"{self._root}/{topic}", body, record=False)

    async def _taken(
        self, connection: Connection, topic: str, body: bytes, *, record: bool
    ) -> None:
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                label = connection.record_label if record else None
                sent = await connection.send(topic, body, retain=not record, label=label)
                answer = await sent
        except TimeoutError as exc:
            raise UpstreamError(f"no answer to {topic} within {ANSWER_S_MAX:g} s") from exc
        if not answer.accepted:
            raise UpstreamError(f"the broker refuses {topic}: {answer}")


def _status(state: str) -> dict[str, str]:
    at = material.BEGAN.isoformat(timespec="milliseconds")
    return {"state": state, "since": at, "version": "conformance", "boot_id": "conformance"}
