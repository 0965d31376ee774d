"""What may be asked and what is answered, command by command: strict, and as JSON Schema."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ROWS_A_REQUEST_MAX = 500
ROWS_A_CHUNK_MAX = 1_000
CHUNKS_MAX = 2_000
"""Two million cylinders."""
VERSION_MAX = 2**53 - 1
_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})\Z", re.ASCII
)


def _moment(value: object) -> datetime:
    if not isinstance(value, str) or not _RFC3339.match(value):
        raise ValueError("expected a time with its offset, such as 2026-08-01T12:00:00+08:00")
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError as exc:
        raise ValueError("expected a moment that there is") from exc


Moment = Annotated[datetime, BeforeValidator(_moment, json_schema_input_type=str)]
Words = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Named = Annotated[str, Field(min_length=1, max_length=64, pattern=r"\S")]
Version = Annotated[int, Field(ge=0, le=VERSION_MAX)]
Row = dict[str, Any]


class Request(BaseModel):
    """What every request has: its id, once for ever; until when it counts; by whom and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str = Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")
    expires: Moment
    by: str | None = Field(default=None, min_length=1, max_length=100)
    reason: Words | None = None


class Ping(Request):
    """Whether anybody is there."""


class ConfigPlan(Request):
    """What reading the files of the configuration now would change; secrets are masked."""


class OnCylinder(Request):
    """Something about one cylinder."""

    code: Named
    reason: Words


class OnRig(Request):
    """Something about one rig."""

    rig: Named
    reason: Words


class CylindersUpsert(Request):
    """Entries of the archive (contract §9) by `code`; columns that a row does not name stay."""

    rows: list[Any] = Field(min_length=1, max_length=ROWS_A_REQUEST_MAX)
    source_version: Version | None = None


class CylindersSnapshot(Request):
    """One chunk of the whole archive; the last one to come switches over.

    Rows are arrays in the order of `columns`, or objects. `sha256` is that of `rows` as JSON without
    blanks (RFC 8785). `source_version` grows with every snapshot and upsert of the platform.
    """

    snapshot_id: str = Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")
    chunk: int = Field(ge=1, le=CHUNKS_MAX)
    chunks: int = Field(ge=1, le=CHUNKS_MAX)
    columns: list[str] | None = None
    rows: list[Any] = Field(min_length=1, max_length=ROWS_A_CHUNK_MAX)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    source_version: Version


class OperatorsUpsert(Request):
    """People who may log in, by `id`; columns that a row does not name stay."""

    rows: list[Any] = Field(min_length=1, max_length=ROWS_A_REQUEST_MAX)


class AlarmsAcknowledge(Request):
    """A person answers for an alarm that stands; `by` is that person, `reason` what was done."""

    kind: Named
    subject: Words
    by: Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
    reason: Words


class BatchOpen(Request):
    """A batch of a rig that does not number its batches by itself."""

    rig: Named
    number: Named


class BatchClose(Request):
    """Only while that batch is the one that is open."""

    rig: Named
    number: Named


class RecordsResend(Request):
    """Records that are to be sent again, to this platform, with the same ids."""

    from_seq: int = Field(ge=1, le=VERSION_MAX)
    to_seq: int = Field(ge=1, le=VERSION_MAX)


class Answer(BaseModel):
    """Base of every result."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Pong(Answer):
    """`clock`: `ntp`, `gateway` or `untrusted`; a request that expires needs one of the first two."""

    time: str
    version: str
    boot_id: str
    clock: str
    last_sequence: int


class Planned(Answer):
    """As `gatewayd config plan --json` prints it."""

    changes: list[dict[str, Any]]
    rigs: list[str]
    waiting: list[str]
    restart: list[str]


class Held(Answer):
    """`changed`: it was not so already; `known`: the archive has this cylinder."""

    code: str
    changed: bool
    known: bool = True


class Locked(Answer):
    """`changed`: it was not so already."""

    rig: str
    changed: bool


class AlarmAnswered(Answer):
    """Whoever was named has answered for it."""

    kind: str
    subject: str


class Batched(Answer):
    """It is open, or closed."""

    rig: str
    batch: str


class RowAnswer(Answer):
    """What became of one row: `added updated unchanged outdated refused`."""

    row: int
    key: str | None
    outcome: str
    mistakes: list[dict[str, Any]] = []


class Upserted(Answer):
    """How many rows had which outcome, and each by itself."""

    counts: dict[str, int]
    rows: list[RowAnswer]


class Chunked(Answer):
    """`missing`: first and last of the chunks that are not here, the first ranges of them."""

    snapshot_id: str
    chunk: int
    chunks: int
    switched: bool
    missing_count: int
    missing: list[tuple[int, int]]
    counts: dict[str, int] | None = None


class Resending(Answer):
    """How many records will be sent again, behind what waits."""

    from_seq: int
    to_seq: int
    records: int


class Wrong(Answer):
    """Why not. `code` is a stable word; `mistakes` says where, when the request itself is wrong."""

    code: str
    message: dict[str, str]
    mistakes: list[dict[str, Any]] = []


RESULTS: Final[Mapping[str, tuple[type[Request], type[Answer]]]] = {
    "ping": (Ping, Pong),
    "config.plan": (ConfigPlan, Planned),
    "cylinders.upsert": (CylindersUpsert, Upserted),
    "cylinders.snapshot": (CylindersSnapshot, Chunked),
    "cylinders.hold": (OnCylinder, Held),
    "cylinders.release": (OnCylinder, Held),
    "operators.upsert": (OperatorsUpsert, Upserted),
    "rig.lock": (OnRig, Locked),
    "rig.unlock": (OnRig, Locked),
    "records.resend": (RecordsResend, Resending),
    "alarms.acknowledge": (AlarmsAcknowledge, AlarmAnswered),
    "batch.open": (BatchOpen, Batched),
    "batch.close": (BatchClose, Batched),
}
"""Every command: what it asks with, and what it answers with."""


def documents() -> dict[str, dict[str, Any]]:
    """JSON Schemas (2020-12) by `{command}/request` and `{command}/reply`."""
    made: dict[str, dict[str, Any]] = {}
    for name, (request, result) in RESULTS.items():
        made[f"{name}/request"] = _titled(request.model_json_schema(mode="validation"))
        made[f"{name}/reply"] = _reply(result)
    return made


def _titled(schema: dict[str, Any]) -> dict[str, Any]:
    schema["properties"]["expires"] |= {"type": "string", "format": "date-time"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _reply(result: type[Answer]) -> dict[str, Any]:
    schema = result.model_json_schema(mode="serialization")
    wrong = Wrong.model_json_schema(mode="serialization")
    definitions = {**schema.pop("$defs", {}), "result": schema, "error": wrong}
    properties: dict[str, Any] = {
        "id": {"type": ["string", "null"]},
        "ok": {"type": "boolean"},
        "error": {"anyOf": [{"$ref": "#/$defs/error"}, {"type": "null"}]},
        "result": {"anyOf": [{"$ref": "#/$defs/result"}, {"type": "null"}]},
        "first": {"$ref": "#"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": ["id", "ok", "error", "result"],
        "additionalProperties": False,
        "$defs": definitions,
    }
