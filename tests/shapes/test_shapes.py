"""The JSON Schemas: one for each kind of record and each topic, strict where they promise."""

import json
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from gatewayd.rigs.evidence import ARCHIVE_KEYS
from gatewayd.shapes import common
from gatewayd.shapes.catalogue import RECORDS, TOPICS, topic_of
from gatewayd.shapes.documents import DIALECT, record_schema, schemas
from gatewayd.shapes.kinds import RecordKind
from tests.support.shapes import against_message, against_record


def test_every_kind_of_record_has_a_shape() -> None:
    assert set(RECORDS) == set(get_args(RecordKind))


@pytest.mark.parametrize("name", schemas())
def test_a_schema_is_one_and_says_what_it_is_called(name: str) -> None:
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert (schema["$schema"], schema["$id"]) == (DIALECT, f"urn:gatewayd:{name}")
    assert schema["description"]


def test_a_record_keeps_of_the_archive_what_its_shape_says() -> None:
    keys = common.KnownCylinder.__required_keys__
    assert keys == {"code", "tag_uid", "scanned", *ARCHIVE_KEYS}


def test_schemas_are_open_for_keys_that_come_later() -> None:
    for name, schema in schemas().items():
        shut = [where for where in _objects(schema) if where.get("additionalProperties") is False]
        assert not shut, name


def test_a_key_that_is_missing_or_unknown_is_found() -> None:
    record = _clock_record()
    assert against_record(json.dumps(record)) == []
    for key in record:
        if key != "type":
            assert against_record(json.dumps({k: v for k, v in record.items() if k != key})), key
    assert against_record(json.dumps({**record, "data": {**record["data"], "more": 1}}))
    assert against_record(json.dumps({**record, "time": "yesterday"}))
    assert against_record(json.dumps({**record, "sequence": 0}))


def test_an_open_schema_takes_a_key_that_came_later() -> None:
    record = _clock_record()
    Draft202012Validator(record_schema("clock")).validate({**record, "later": 1})


def test_a_path_finds_its_topic_and_nothing_else() -> None:
    found = topic_of("rigs/rig-1/state")
    assert found is not None
    assert found.name == "rig-state"
    assert topic_of("rigs/rig-1/colour") is None
    assert topic_of("rigs/rig-1") is None
    assert against_message("rigs/rig-1/colour", b"{}")
    assert against_message("records/fill", json.dumps(_clock_record()).encode())


def test_addresses_of_topics_are_told_apart() -> None:
    addresses = [topic.address for topic in TOPICS]
    assert len(set(addresses)) == len(addresses)


def _clock_record() -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "0198f3a0-0000-7000-8000-000000000001",
        "source": "/stations/3701000042",
        "type": "gatewayd.clock.v1",
        "time": "2026-08-01T12:00:00.000+08:00",
        "datacontenttype": "application/json",
        "sequence": 1,
        "prevhash": "0" * 64,
        "hash": "a" * 64,
        "data": {
            "station_id": "3701000042",
            "event": "accepted",
            "by": "Li Si",
            "reason": "compared with the radio",
            "now": "2026-08-01T12:00:00.000+08:00",
        },
    }


def _objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for each in schema for found in _objects(each)]
    if not isinstance(schema, dict):
        return []
    return [schema, *(found for each in schema.values() for found in _objects(each))]
