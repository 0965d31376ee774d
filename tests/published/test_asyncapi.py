"""The AsyncAPI document holds against the official schema, and says all of contract §6."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from gatewayd.published.asyncapi import document
from gatewayd.published.everything import ids
from gatewayd.shapes.catalogue import RECORDS, TOPICS
from gatewayd.upstreams.door import COMMANDS

OFFICIAL = Path(__file__).parents[1] / "golden" / "asyncapi" / "3.0.0.json"


def test_the_official_schema_takes_it_and_refuses_what_is_wrong() -> None:
    schema = json.loads(OFFICIAL.read_text(encoding="utf-8"))
    validator = Draft7Validator(schema)
    made = document()
    assert [error.message[:200] for error in validator.iter_errors(made)] == []
    name = next(iter(made["operations"]))
    for wrong in (
        {**made, "asyncapi": "2.6.0"},
        {key: part for key, part in made.items() if key != "info"},
        {**made, "operations": {name: {**made["operations"][name], "action": "shout"}}},
    ):
        assert not validator.is_valid(wrong)


def test_every_reference_points_at_something() -> None:
    made = document()
    for target in _references(made):
        where: Any = made
        assert target.startswith("#/"), target
        for key in target[2:].split("/"):
            assert key in where, target
            where = where[key]


def test_everything_that_has_a_schema_is_a_message() -> None:
    assert set(document()["components"]["messages"]) == {*ids(), "gatewayd.ack.v1"}


def test_channels_are_the_topics_of_the_contract() -> None:
    made = document()
    root = "{prefix}/{station}"
    addresses = {channel["address"] for channel in made["channels"].values()}
    wanted = {f"{root}/records/{kind}" for kind in RECORDS}
    wanted |= {f"{root}/{topic.address}" for topic in TOPICS}
    wanted |= {f"{root}/cmd/{name}" for name in COMMANDS}
    wanted |= {f"{root}/cmd/{name}/reply" for name in COMMANDS}
    assert addresses == wanted | {f"{root}/ack"}
    for channel in made["channels"].values():
        places = {part[1:-1] for part in channel["address"].split("/") if part.startswith("{")}
        assert set(channel["parameters"]) == places


def test_a_command_has_its_reply() -> None:
    made = document()
    for name in COMMANDS:
        asked = made["operations"][f"receive.cmd.{name}"]
        assert asked["action"] == "receive"
        assert asked["reply"]["channel"]["$ref"].endswith(f"cmd.{name}.reply")
    assert made["operations"]["send.rig-weight"]["bindings"]["mqtt"]["qos"] == 0
    assert made["operations"]["send.rig-state"]["bindings"]["mqtt"]["retain"] is True


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for each in part for found in _references(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [found for each in part.values() for found in _references(each)]
