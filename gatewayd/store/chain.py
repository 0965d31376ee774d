"""Seal a draft into the record of contract §7, and check sealed ones. Pure: no file, no clock."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import rfc8785

from gatewayd.store.model import Record, RecordDraft

FIRST_PREVHASH = "0" * 64
INTEGER_MAX = 2**53 - 1
UNHASHED = frozenset({"hash", "signature"})


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: the last sequence and its hash."""

    sequence: int = 0
    hash: str = FIRST_PREVHASH


@dataclass(frozen=True, slots=True)
class Sealed:
    """A record ready to be written, and the head it makes."""

    record: Record
    time: str
    prevhash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs for the records: the station, and the zone whose offset their times show."""

    station_id: str
    zone: ZoneInfo


def seal(draft: RecordDraft, data: Mapping[str, Any], *, issuer: Issuer, head: Head) -> Sealed:
    """The record after `head`. `data` is the draft's, completed by the store.

    Raises rfc8785.CanonicalizationError when `data` is not JSON: our error.
    """
    assert draft.time.tzinfo is not None, draft
    time = draft.time.astimezone(issuer.zone).isoformat(timespec="milliseconds")
    envelope = {
        "specversion": "1.0",
        "id": draft.id,
        "source": _source(issuer.station_id, draft.rig_id),
        "type": f"gatewayd.{draft.kind}.v1",
        "time": time,
        "datacontenttype": "application/json",
        "sequence": head.sequence + 1,
        "prevhash": head.hash,
    }
    digest, body = _canonical(envelope, rfc8785.dumps(dict(data)))
    record = Record(head.sequence + 1, draft.id, draft.kind, draft.rig_id, body)
    return Sealed(record, time, head.hash, digest)


def _source(station_id: str, rig_id: str) -> str:
    """Where a fact comes from: a rig, a place named `points/NAME`, or the station itself."""
    if "/" in rig_id:
        return f"/stations/{station_id}/{rig_id}"
    return f"/stations/{station_id}/rigs/{rig_id}" if rig_id else f"/stations/{station_id}"


def _canonical(envelope: dict[str, Any], data: bytes) -> tuple[str, str]:
    """The hash and the RFC 8785 text of the envelope with `data` in it.

    `data` sorts before every other key, so it is canonicalised once, not once with the hash and
    once without.
    """
    assert min(envelope) > "data", envelope
    start = b'{"data":' + data + b","
    digest = hashlib.sha256(start + rfc8785.dumps(envelope)[1:]).hexdigest()
    return digest, (start + rfc8785.dumps(envelope | {"hash": digest})[1:]).decode()


def content_hash(envelope: Mapping[str, Any]) -> str:
    """SHA-256 over the RFC 8785 form of everything but `hash` and `signature`."""
    content = {name: value for name, value in envelope.items() if name not in UNHASHED}
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def parse(body: str) -> dict[str, Any]:
    """A record's body as values; raises ValueError.

    A number beyond INTEGER_MAX is a float: RFC 8785 writes large floats without a point.
    """
    envelope = json.loads(body, parse_int=_number)
    if not isinstance(envelope, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - bad content, as the decoder says it
    return envelope


def _number(text: str) -> int | float:
    value = int(text)
    return value if abs(value) <= INTEGER_MAX else float(text)


def broken(record: Record, head: Head) -> str | None:
    """Why `record` is not the untouched successor of `head`; None when it is."""
    if record.sequence != head.sequence + 1:
        return f"sequence {head.sequence + 1} is missing, the next is {record.sequence}"
    try:
        envelope = parse(record.body)
        digest = content_hash(envelope)
    except (ValueError, RecursionError) as exc:
        return f"its body is not a record: {exc}"
    if envelope.get("hash") != digest:
        return f"its content was changed: hash says {envelope.get('hash')}, content is {digest}"
    if envelope.get("prevhash") != head.hash:
        return f"it follows {envelope.get('prevhash')}, the record before it has {head.hash}"
    if (envelope.get("sequence"), envelope.get("id")) != (record.sequence, record.id):
        return f"its row says {record.sequence} {record.id}, its body another"
    return None


def head_of(record: Record) -> Head:
    """The head that `record` makes."""
    return Head(record.sequence, str(parse(record.body)["hash"]))
