"""Every kind of platform as the contract suite sees it: a real server, and what can befall it."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from gatewayd.settings.kinds import UpstreamType
from gatewayd.store.model import Record
from gatewayd.upstreams import files, http, kafka, mqtt, nats, postgresql, sparkplug, sparkplug_wire
from gatewayd.upstreams.files_lines import FORMATS
from tests.support.brokers import Mosquitto
from tests.support.confirmers import Confirmer
from tests.support.http_platform import HttpPlatform
from tests.support.kafka_mock import KafkaMock
from tests.support.nats_server import STREAM, NatsServer, Stream
from tests.support.outpost import ROOT, STATION
from tests.support.postgres_server import DATABASE, GATEWAY, Lock, Postgres
from tests.support.relay import Relay
from tests.support.subscribers import Subscriber

TOO_LARGE_BYTES = 20_000
"""A record of this size is what every platform that can refuse one refuses."""
REFUSE_ONE, REFUSE_ALL, HANG, ANSWERS, DOUBLES = "one", "all", "hang", "answers", "doubles"
"""What a platform can do: refuse single records or all, hang, lose answers, show what came twice."""


class Platform(ABC):
    """One platform. `can` says which of the troubles below its kind knows at all."""

    kind: ClassVar[UpstreamType]
    mapping: ClassVar[str] = ""
    """The text of the mapping that the platform wants; empty = it wants records as they are."""
    can: ClassVar[frozenset[str]] = frozenset({REFUSE_ONE, REFUSE_ALL, HANG, ANSWERS, DOUBLES})

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.parts = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self.begin()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.parts.aclose()

    @abstractmethod
    async def begin(self) -> None:
        """Start it, with everything that must end in `parts`."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What a technician would write, without `driver`."""

    @abstractmethod
    def arrived(self) -> list[bytes]:
        """The records that it took, byte for byte, in order of arrival, repetitions included."""

    def wanted(self, records: Sequence[Record]) -> list[bytes]:
        """What must arrive for these."""
        return [record.body.encode() for record in records]

    @abstractmethod
    async def away(self) -> None:
        """Be gone, as after a power cut."""

    @abstractmethod
    async def back(self) -> None:
        """Be there again, with everything that it took."""

    async def killed(self) -> None:
        """Die without a word, and be there again with everything that it took."""
        await self.away()
        await self.back()

    @abstractmethod
    def garbage(self, *, on: bool) -> None:
        """Answer, or be, garbage from now on, or no longer."""

    def refuse_all(self, *, on: bool) -> None:
        """Take nothing, for a reason that may pass."""
        raise NotImplementedError

    def hang(self, *, on: bool) -> None:
        """Be there and answer nothing."""
        raise NotImplementedError

    def lose_answers(self, after_bytes: int) -> None:
        """Die once, when so many bytes of its answers have come through."""
        raise NotImplementedError


class Relayed(Platform):
    """A platform behind a relay: cutting it, its garbage and its lost answers are the relay's."""

    relay: Relay

    async def away(self) -> None:
        self.relay.close()

    async def back(self) -> None:
        self.relay.open()

    def garbage(self, *, on: bool) -> None:
        self.relay.garbage = b"\xff\x00garbage\r\n\r\n" if on else None
        self.relay.cut()

    def lose_answers(self, after_bytes: int) -> None:
        self.relay.answers_left = after_bytes


class MqttPlatform(Relayed):
    """Debian's mosquitto behind a relay, and an independent subscriber beside it."""

    kind = mqtt.UPSTREAM
    OPEN = "topic readwrite #\n"
    SHUT = f"topic write {ROOT}/status\ntopic read #\n"

    async def begin(self) -> None:
        limit = f"max_packet_size {TOO_LARGE_BYTES}"
        self.broker = Mosquitto(self.directory, acl=self.OPEN, extra=[limit])
        self.parts.enter_context(self.broker)
        self.relay = await self.parts.enter_async_context(Relay(self.broker.port))
        self.seen = self.parts.enter_context(Subscriber(self.broker.port, f"{ROOT}/records/#"))

    def settings(self) -> dict[str, Any]:
        return {"url": self.relay.url}

    def arrived(self) -> list[bytes]:
        return [message.payload for message in self.seen.messages()]

    def refuse_all(self, *, on: bool) -> None:
        self.broker.set_acl(self.SHUT if on else self.OPEN)

    def hang(self, *, on: bool) -> None:
        if on:
            self.broker.freeze()
        else:
            self.broker.thaw()


class ConfirmingPlatform(MqttPlatform):
    """The same with a subscriber that confirms what is on its disk; the broker is really killed."""

    async def begin(self) -> None:
        await super().begin()
        self.platform = self.parts.enter_context(Confirmer(self.broker.port, ROOT))

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "ack": "required", "ack_within_s": 1}

    def arrived(self) -> list[bytes]:
        return list(self.platform.records)

    async def killed(self) -> None:
        self.relay.close()
        await asyncio.to_thread(self.broker.restart)
        self.relay.open()


class SparkplugPlatform(MqttPlatform):
    """The same, in Sparkplug B."""

    kind = sparkplug.UPSTREAM
    OPEN = "topic readwrite #\n"
    SHUT = "topic write spBv1.0/contract/NBIRTH/#\ntopic read #\n"

    async def begin(self) -> None:
        await super().begin()
        topic = f"spBv1.0/contract/NDATA/{STATION}"
        self.data = self.parts.enter_context(Subscriber(self.broker.port, topic))

    def settings(self) -> dict[str, Any]:
        return {"url": self.relay.url, "group": "contract"}

    def arrived(self) -> list[bytes]:
        texts = (text for one in self.data.messages() for text in sparkplug_wire.texts(one.payload))
        return [text.encode() for text in texts if text.startswith('{"data":')]


class HttpSingles(Relayed):
    """An aiohttp server behind a relay, one record a request."""

    kind = http.UPSTREAM
    batch_max = 1

    async def begin(self) -> None:
        self.server = HttpPlatform()
        self.server.refuse_over_bytes = TOO_LARGE_BYTES
        await self.parts.enter_async_context(self.server)
        self.relay = await self.parts.enter_async_context(Relay(self.server.port))

    def settings(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.relay.port}/records"
        return {"url": url, "batch_max": self.batch_max}

    def arrived(self) -> list[bytes]:
        return list(self.server.arrived)

    async def away(self) -> None:
        await self.server.stop()

    async def back(self) -> None:
        await self.server.start()

    def refuse_all(self, *, on: bool) -> None:
        self.server.busy = on

    def hang(self, *, on: bool) -> None:
        if on:
            self.server.open.clear()
        else:
            self.server.open.set()


class HttpBatches(HttpSingles):
    """The same, in batches with an answer for each record."""

    batch_max = 20


class JsonFiles(Platform):
    """A folder that comes and goes; a file has no opinion and shows nothing twice."""

    kind = files.UPSTREAM
    can = frozenset()
    format = "jsonl"

    async def begin(self) -> None:
        self.folder = self.directory / "stick"
        self.pocket = self.directory / "pocket"
        self.folder.mkdir()

    def settings(self) -> dict[str, Any]:
        return {"directory": str(self.folder), "format": self.format}

    def arrived(self) -> list[bytes]:
        return [self.record_in(line) for line in self.lines()]

    def lines(self) -> list[bytes]:
        """Every line of a record, in the order of the files."""
        found = self.folder if self.folder.exists() else self.pocket
        header = FORMATS[self.format].header
        paths = sorted(found.glob(f"{STATION}-*"))
        texts = [path.read_bytes().removeprefix(header) for path in paths]
        return [line for text in texts for line in text.splitlines()]

    def record_in(self, line: bytes) -> bytes:
        """The record of a line."""
        return line

    async def away(self) -> None:
        self.folder.rename(self.pocket)

    async def back(self) -> None:
        self.pocket.rename(self.folder)

    def garbage(self, *, on: bool) -> None:
        """Tear the last line, as a stick does that was pulled while it was written."""
        for path in self.folder.glob("*.part") if on else ():
            with path.open("ab") as file:
                file.write(b'{"id": "torn')


class CsvFiles(JsonFiles):
    """The same as CSV."""

    format = "csv"

    def record_in(self, line: bytes) -> bytes:
        text = line.decode()
        start = text.index('"{') + 1
        body = text[start:-1].replace('""', '"')
        assert json.loads(body)["id"] in text[:start], text
        return body.encode()


class NatsStream(Relayed):
    """A nats-server behind a relay; what its stream holds is asked over a socket of our own.

    It shows nothing twice: within its duplicate window a repeated id is taken and dropped.
    """

    kind = nats.UPSTREAM
    can = frozenset({REFUSE_ONE, REFUSE_ALL, HANG, ANSWERS})

    async def begin(self) -> None:
        self.server = NatsServer(self.directory)
        self.parts.enter_context(self.server)
        self.stream = Stream(self.server.port)
        self.stream.make()
        self.relay = await self.parts.enter_async_context(Relay(self.server.port))

    def settings(self) -> dict[str, Any]:
        return {"url": f"nats://127.0.0.1:{self.relay.port}", "stream": STREAM}

    def arrived(self) -> list[bytes]:
        return self.stream.bodies()

    async def back(self) -> None:
        await asyncio.to_thread(self.server.restart)
        self.relay.open()

    def refuse_all(self, *, on: bool) -> None:
        if on:
            self.stream.shut()
        else:
            self.stream.make()

    def hang(self, *, on: bool) -> None:
        if on:
            self.server.freeze()
        else:
            self.server.thaw()


class PostgresTable(Relayed):
    """Debian's PostgreSQL behind a relay, and psql beside it; an id is in a table once."""

    kind = postgresql.UPSTREAM
    can = frozenset({REFUSE_ONE, REFUSE_ALL, HANG, ANSWERS})

    async def begin(self) -> None:
        self.server = await asyncio.to_thread(Postgres, self.directory)
        self.parts.enter_context(self.server)
        self.server.make_table()
        self.relay = await self.parts.enter_async_context(Relay(self.server.port))
        self.locks: list[Lock] = []

    def settings(self) -> dict[str, Any]:
        url = f"postgresql://127.0.0.1:{self.relay.port}/{DATABASE}"
        return {"url": url, "username": GATEWAY, "password": "right"}

    def arrived(self) -> list[bytes]:
        return self.server.bodies()

    async def back(self) -> None:
        await asyncio.to_thread(self.server.restart)
        self.relay.open()

    def refuse_all(self, *, on: bool) -> None:
        self.server.allow(on=not on)

    def hang(self, *, on: bool) -> None:
        if on:
            self.locks.append(Lock(self.server))
        else:
            self.locks.pop().release()


class KafkaFake(Relayed):
    """librdkafka's mock broker (a fake that speaks the protocol) behind a relay."""

    kind = kafka.UPSTREAM

    async def begin(self) -> None:
        self.server = KafkaMock()
        self.parts.enter_context(self.server)
        self.relay = await self.parts.enter_async_context(Relay(self.server.port))
        # A broker tells its clients where it is: through the relay.
        said, meant = (b"127.0.0.1" + each.port.to_bytes(4) for each in (self.server, self.relay))
        self.relay.swap = (said, meant)

    def settings(self) -> dict[str, Any]:
        brokers = (f"127.0.0.1:{self.relay.port}",)
        return {"brokers": brokers, "message_bytes_max": TOO_LARGE_BYTES, "answer_within_s": 1}

    def arrived(self) -> list[bytes]:
        messages = self.server.messages(kafka.partition_of(STATION, 3))
        return [message.value() or b"" for message in messages]

    def refuse_all(self, *, on: bool) -> None:
        if on:
            self.server.refuse()
        else:
            self.server.allow()

    def hang(self, *, on: bool) -> None:
        if on:
            self.relay.flowing.clear()
        else:
            self.relay.flowing.set()


PLATFORMS: tuple[type[Platform], ...] = (
    MqttPlatform,
    SparkplugPlatform,
    HttpSingles,
    HttpBatches,
    JsonFiles,
    CsvFiles,
    NatsStream,
    PostgresTable,
    KafkaFake,
)


async def soon(wait_s: float) -> None:
    """Let everybody do what they do for a moment; for showing that something does not happen."""
    await asyncio.sleep(wait_s)
