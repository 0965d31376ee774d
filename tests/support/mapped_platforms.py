"""Platforms with field names of their own, behind every kind of upstream but HTTP.

Each wants a fill or a refusal as `{"ID", "NO", "AT", "WHAT"}` at a place of its own; a check that
has no stage cannot be said, and no other kind of record is for it.
"""

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gatewayd.store.model import Record
from gatewayd.upstreams import kafka
from tests.support.outpost import STATION
from tests.support.platforms import (
    CsvFiles,
    JsonFiles,
    KafkaFake,
    MqttPlatform,
    NatsStream,
    Platform,
    PostgresTable,
)
from tests.support.postgres_server import GATEWAY
from tests.support.subscribers import Subscriber

TOPIC = "plant/station 7/fill"
SUBJECT = "plant.fill"
KAFKA_TOPIC = "plant.fills"
TABLE = """CREATE TABLE plant_fills ("ID" uuid PRIMARY KEY, "NO" bigint, "AT" bigint, "WHAT" text,
 n serial);
GRANT SELECT ("ID"), INSERT ON plant_fills TO {0};
GRANT USAGE ON plant_fills_n_seq TO {0};"""
ROWS = """SELECT json_build_object('ID', "ID", 'NO', "NO", 'AT', "AT", 'WHAT', "WHAT")
 FROM plant_fills ORDER BY n"""


def words(to: str) -> str:
    """A mapping whose messages go there; empty = where the upstream puts them."""
    where = f"to: {to}" if to else ""
    return f"""\
id: plant
title: {{zh: 厂, en: plant}}
source: made up for a test
verified: false
messages:
  - records: [fill, refusal]
    {where}
    fields:
      ID: record.id
      NO: record.sequence
      AT: epoch_ms(record.time)
      WHAT: record.kind
  - records: [check]
    {where}
    fields: {{ID: record.id, WHAT: stage}}
examples:
  - in: {{kind: fill, id: "1", sequence: 2, time: "1970-01-01T00:00:01+00:00"}}
    out: {{body: {{ID: "1", NO: 2, AT: 1000, WHAT: fill}}}}
"""


def said(record: Record) -> bytes:
    """What such a platform gets, made without any code of the mapping."""
    moment = datetime.fromisoformat(json.loads(record.body)["time"])
    at = round(moment.timestamp() * 1000)
    told = {"ID": record.id, "NO": record.sequence, "AT": at, "WHAT": record.kind}
    return json.dumps(told, separators=(",", ":")).encode()


class Speaking(Platform):
    """A platform that wants its own words."""

    def wanted(self, records: Sequence[Record]) -> list[bytes]:
        return [said(record) for record in records]


class MappedMqttPlatform(Speaking, MqttPlatform):
    """One topic for fills and refusals, of a tree that is nobody else's."""

    mapping = words("plant/station 7/{'fill'}")

    async def begin(self) -> None:
        await super().begin()
        self.all = self.parts.enter_context(Subscriber(self.broker.port, "#"))

    def arrived(self) -> list[bytes]:
        return [message.payload for message in self.all.messages(TOPIC)]


class MappedNats(Speaking, NatsStream):
    """A subject of its own."""

    mapping = words(SUBJECT)

    async def begin(self) -> None:
        await super().begin()
        self.stream.make(subjects=["plant.>"])


class MappedKafka(Speaking, KafkaFake):
    """A topic of its own, keyed by what it wants."""

    mapping = words(f"{KAFKA_TOPIC}\n    key: record.kind")

    async def begin(self) -> None:
        await super().begin()
        self.server.make_topic(KAFKA_TOPIC)

    def arrived(self) -> list[bytes]:
        messages = self.server.messages(kafka.partition_of(STATION, 3), KAFKA_TOPIC)
        return [message.value() or b"" for message in messages]


class MappedTable(Speaking, PostgresTable):
    """A table of its own, with columns and types of its own."""

    mapping = words("plant_fills")

    async def begin(self) -> None:
        await super().begin()
        self.server.sql(TABLE.format(GATEWAY))

    def arrived(self) -> list[bytes]:
        lines = self.server.sql(ROWS).splitlines()
        return [_compact(json.loads(line)) for line in lines if line]


class MappedLines(Speaking, JsonFiles):
    """Lines of its own."""

    mapping = words("")


class MappedCells(Speaking, CsvFiles):
    """Columns of its own."""

    mapping = words("")

    def lines(self) -> list[bytes]:
        found = self.folder if self.folder.exists() else self.pocket
        texts = [path.read_text("utf-8-sig") for path in sorted(found.glob(f"{STATION}-*"))]
        rows = (row for text in texts for row in csv.DictReader(io.StringIO(text)))
        return [_compact({**row, "NO": int(row["NO"]), "AT": int(row["AT"])}) for row in rows]

    def record_in(self, line: bytes) -> bytes:
        return line


def _compact(told: dict[str, Any]) -> bytes:
    return json.dumps(told, separators=(",", ":")).encode()


MAPPED: tuple[type[Platform], ...] = (
    MappedMqttPlatform,
    MappedNats,
    MappedKafka,
    MappedTable,
    MappedLines,
    MappedCells,
)
