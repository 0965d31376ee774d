"""Whether what leaves has the shape that its JSON Schema promises, and no key that it hides.

The published schemas are open, as additions are welcome. Here they are shut: a key that the code
writes and no shape declares is a mistake of ours.
"""

import json
from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from gatewayd.board import Board
from gatewayd.published.everything import schemas
from gatewayd.shapes.catalogue import RECORDS, command_ids, record_id, topic_id, topic_of
from gatewayd.store.reads import Reads
from gatewayd.upstreams.door import COMMANDS
from tests.support.subscribers import Seen

RECORDS_MAX = 100_000
OF_THE_DESK = ("session", "check", "batch", "acknowledgement", "hold", "lock")
CHECKER = Draft202012Validator.FORMAT_CHECKER


@cache
def validator(name: str) -> Any:
    """The validator of a schema, shut."""
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(_shut(schema), format_checker=CHECKER)


def _shut(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_shut(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {name: _shut(value) for name, value in schema.items()}
    if isinstance(shut.get("properties"), dict) and "additionalProperties" not in shut:
        shut["additionalProperties"] = False
    return shut


def objections(name: str, value: object) -> list[str]:
    """What speaks against a value, by the id of its schema."""
    found = validator(name).iter_errors(value)
    return [f"{name} {error.json_path}: {error.message[:300]}" for error in found]


def against_record(body: str | bytes) -> list[str]:
    """What speaks against a record."""
    record = json.loads(body)
    kind = str(record["type"]).split(".")[1]
    return objections(record_id(kind), record)


def against_message(path: str, payload: bytes) -> list[str]:
    """What speaks against a message below `{prefix}/{station}`; an empty one takes a topic away."""
    if not payload:
        return []
    if path.startswith("cmd/"):
        return _against_reply(path, payload)
    head, _, kind = path.partition("/")
    if head == "records":
        same = kind in RECORDS and json.loads(payload)["type"] == record_id(kind)
        return against_record(payload) if same else [f"{path}: no such kind of record"]
    topic = topic_of(path)
    return (
        [f"{path}: no such topic"]
        if topic is None
        else objections(topic_id(topic), json.loads(payload))
    )


def _against_reply(path: str, payload: bytes) -> list[str]:
    """A request is not ours to judge, our reply to a command that there is has its shape."""
    _, name, *reply = path.split("/")
    if reply != ["reply"] or name not in COMMANDS:
        return []
    return objections(command_ids(name)[1], json.loads(payload))


def all_well(root: str, messages: Iterable[Seen]) -> None:
    """Every message below a station has its shape; equal ones are looked at once."""
    unique = {(seen.topic, seen.payload) for seen in messages if seen.topic.startswith(f"{root}/")}
    _none(
        objection
        for topic, payload in unique
        for objection in against_message(topic.removeprefix(f"{root}/"), payload)
    )


def all_records_well(store: Reads, kinds: Collection[str] = tuple(RECORDS)) -> None:
    """Every record of a store has its shape; those of other `kinds` are the test's own."""
    records = (one for one in store.records(limit=RECORDS_MAX) if one.kind in kinds)
    _none(objection for record in records for objection in against_record(record.body))


def board_well(board: Board) -> None:
    """Every topic of a board has its shape."""
    shown = ((topic, json.dumps(value, default=dict).encode()) for topic, value in board.items())
    _none(objection for topic, body in shown for objection in against_message(topic, body))


def _none(objections: Iterable[str]) -> None:
    wrong = sorted(set(objections))
    assert not wrong, "\n".join(wrong[:20])
