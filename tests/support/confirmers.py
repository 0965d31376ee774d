"""A platform that confirms what it has taken: paho with a session of its own, and a file as its disk.

`how` says what it does with a record: confirm each by `id`, all `ids` of some at once, or
`through_sequence`; `None` confirms nothing. What it `forgets` it never confirms.
"""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.support import waiting
from tests.support.listeners import Listener

SESSION_S = 3_600


class Confirmer(Listener):
    """Subscribes to the records below `root`; `records` are those on its disk, repetitions too."""

    def __init__(
        self,
        port: int,
        root: str,
        *,
        how: str | None = "id",
        every: int = 1,
        disk: Path | None = None,
        forgets: str = "",
        name: str = "confirmer",
    ) -> None:
        super().__init__(port, (f"{root}/records/#",), name=name)
        self.how = how
        self.records: list[bytes] = []
        self.every = every
        self._root = root
        self._disk = disk
        self.forgets = forgets
        self._unconfirmed: list[dict[str, Any]] = []
        self._turn = threading.Lock()
        """Messages come in paho's thread, and a test confirms in its own."""
        self._client.reconnect_delay_set(1, 1)

    def _connect(self) -> None:
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's
        session.SessionExpiryInterval = SESSION_S
        self._client.connect("127.0.0.1", self._port, clean_start=False, properties=session)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once `holds()`."""
        await waiting.until(holds)

    async def more_than(self, count: int) -> None:
        """Return once more than so many records have come."""
        await self.until(lambda: len(self.records) > count)

    def say(self, payload: object, *, retain: bool = False) -> None:
        """Publish something on the topic of confirmations."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.publish(f"{self._root}/ack", body, 1, retain)

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        del client, userdata
        self.records.append(bytes(message.payload))
        if self._disk is not None:
            with self._disk.open("ab") as disk:
                disk.write(message.payload + b"\n")
        with self._turn:
            self._unconfirmed.append(json.loads(message.payload))
            due = len(self._unconfirmed) >= self.every
        if self.how is not None and due:
            self.confirm()

    def confirm(self) -> None:
        """Confirm what is not confirmed yet."""
        with self._turn:
            taken, self._unconfirmed = self._unconfirmed, []
        if not taken:
            return
        if self.how == "ids":
            self.say({"ids": [record["id"] for record in taken]})
        elif self.how == "through_sequence":
            self.say({"through_sequence": max(record["sequence"] for record in taken)})
        else:
            for record in (one for one in taken if one["id"] != self.forgets):
                self.say({"id": record["id"]})
