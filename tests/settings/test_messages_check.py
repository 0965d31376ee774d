"""A mapping that a kind of upstream cannot speak is refused at `check`, at its own line."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gatewayd.mapping.load import load
from gatewayd.mapping.manners import CELLS, KAFKA, LINES, MQTT, NATS, TABLE, Manner
from gatewayd.settings.load import examine
from gatewayd.settings.mapped import MappedSettings
from gatewayd.settings.messages_check import drivers, unspeakable
from gatewayd.settings.upstreams import upstream_table
from protocols.documents import Mark
from tests.support.configs import GATEWAY, write_config

MAPPING = """\
id: own
title: {zh: 站, en: own}
source: a letter
verified: false
messages:
  - records: [fill]
    to: fills
    fields:
      ID: record.id
      NET: {value: net_g, as: number}
  - records: [refusal]
    to: fills
    fields: {ID: record.id}
examples:
  - {in: {kind: refusal, id: "1"}, out: {body: {ID: "1"}}}
"""
DRIVERS = {
    "mqtt": '{driver: mqtt, url: "mqtt://127.0.0.1", mapping: own}',
    "nats": '{driver: nats, url: "nats://127.0.0.1", mapping: own}',
    "kafka": '{driver: kafka, brokers: ["127.0.0.1:9092"], mapping: own}',
    "postgresql": '{driver: postgresql, url: "postgresql://127.0.0.1/a", username: a, mapping: own}',
    "jsonl": "{driver: files, directory: stick, mapping: own}",
    "csv": "{driver: files, directory: stick, format: csv, mapping: own}",
    "http": "{driver: http, url: http://127.0.0.1, mapping: own}",
}
"""A line of gateway.yaml for each kind that takes a mapping."""


KINDS: Mapping[str, Manner] = {
    "mqtt": MQTT,
    "nats": NATS,
    "kafka": KAFKA,
    "postgresql": TABLE,
    "jsonl": LINES,
    "csv": CELLS,
}


def site(folder: Path, driver: str, mapping: str = MAPPING) -> Path:
    text = DRIVERS.get(driver, driver)
    files = {"gateway.yaml": f"{GATEWAY}  own: {text}\n", "upstreams/own.yaml": mapping}
    return write_config(folder, files)


def settings_of(folder: Path, driver: str) -> MappedSettings:
    """The settings of one upstream; a line of CSV or JSON goes nowhere."""
    mapping = MAPPING
    if driver in {"jsonl", "csv"}:
        mapping = mapping.replace("    to: fills\n", "")
    examined = examine(site(folder, driver, mapping))
    assert examined.problems == ()
    assert examined.settings is not None
    made = examined.settings.upstreams["own"].settings
    assert isinstance(made, MappedSettings)
    return made


@pytest.mark.parametrize("driver", [name for name in DRIVERS if name != "http"])
def test_every_kind_speaks_it_in_its_own_manner(tmp_path: Path, driver: str) -> None:
    made = settings_of(tmp_path, driver)
    assert made.tongue is not None
    assert made.tongue.manner == made.manner == KINDS[driver]


def test_every_kind_that_ships_takes_a_mapping_or_is_known_not_to() -> None:
    table = upstream_table()
    without = {
        each for each in table.names if not issubclass(table.get(each).settings, MappedSettings)
    }
    assert without == {"sparkplug"}


@pytest.mark.parametrize(
    ("driver", "change", "told"),
    [
        ("mqtt", ("to: fills", "to: fills/#"), "own.yaml:7:"),
        ("mqtt", ("to: fills", "to: fills/#"), "to: 'fills/#' is no MQTT topic (upstream own)"),
        ("mqtt", ("to: fills", "to: fills\n    key: record.id"), "mqtt has no such thing"),
        ("nats", ("to: fills", "to: a/b c"), "to: 'a/b c' is no NATS subject"),
        ("nats", ("to: fills", 'to: "fills.{record.kind}."'), "is no NATS subject"),
        ("kafka", ("to: fills", "to: a/b"), "to: 'a/b' is no Kafka topic"),
        ("postgresql", ("to: fills", "to: Fills"), "is no PostgreSQL table"),
        ("postgresql", ("to: fills", 'to: "f_{record.kind}"'), "one PostgreSQL table"),
        ("postgresql", ("ID: record.id\n", "ID: record.hash\n"), "own.yaml:8:"),
        ("postgresql", ("ID: record.id\n", "ID: record.hash\n"), "no field is record.id"),
        ("postgresql", ("as: number}", "as: number}\n      DEEP: {A: rig_id}"), "own.yaml:11:"),
        (
            "csv",
            ("as: number}", "as: number}\n      CODES: [rig_id]"),
            "CODES: files (csv)",
        ),
        (
            "csv",
            (
                '{ID: record.id}\nexamples:\n  - {in: {kind: refusal, id: "1"}, out: {body: {ID:',
                '{NO: record.id}\nexamples:\n  - {in: {kind: refusal, id: "1"}, out: {body: {NO:',
            ),
            "record.id is 'NO' here, and 'ID' in the first",
        ),
        ("jsonl", ("ID: record.id\n", "ID: upper(record.id)\n"), "no field is record.id"),
    ],
)
def test_what_a_kind_cannot_say_is_told_with_its_place(
    driver: str, change: tuple[str, str], told: str
) -> None:
    assert change[0] in MAPPING
    text = MAPPING.replace(*change)
    if driver in {"jsonl", "csv"}:
        text = text.replace("    to: fills\n", "")
    mapping = load(text, "own.yaml", "UTC")
    found = [*map(str, unspeakable(mapping, KINDS[driver], text, Mark("gateway.yaml"), "own"))]
    assert any(told in each for each in found), found


def test_messages_are_not_for_http(tmp_path: Path) -> None:
    (told,) = map(str, examine(site(tmp_path, "http")).problems)
    assert "gateway.yaml:" in told
    assert "mapping 'own' has messages; this driver sends requests" in told


def test_what_can_say_a_mapping_is_known_without_a_site() -> None:
    at_fills = load(MAPPING, "own.yaml", "UTC")
    assert drivers(at_fills) == ("mqtt", "nats", "kafka", "postgresql")
    nowhere = load(MAPPING.replace("    to: fills\n", ""), "own.yaml", "UTC")
    assert drivers(nowhere) == (*drivers(at_fills), "files (jsonl)", "files (csv)")
    deep = load(MAPPING.replace("to: fills", "to: a/b"), "own.yaml", "UTC")
    assert drivers(deep) == ("mqtt", "nats")


def test_files_have_no_place_to_send_to(tmp_path: Path) -> None:
    (told, _) = examine(site(tmp_path, "jsonl")).problems
    assert "to: files (jsonl) has no such thing" in str(told)


def test_requests_are_for_http_alone(tmp_path: Path) -> None:
    mqtt = DRIVERS["mqtt"].replace("own", "thingsboard, values: {token: a}")
    (told,) = (str(each) for each in examine(site(tmp_path, mqtt)).problems)
    assert "mapping 'thingsboard' has requests; this driver sends messages" in told


def test_commands_and_a_mapping_do_not_go_together(tmp_path: Path) -> None:
    found = examine(site(tmp_path, DRIVERS["mqtt"].replace("own}", "own, commands: [ping]}")))
    assert any("a mapping takes no commands" in str(each) for each in found.problems)


@pytest.mark.parametrize("change", ["ID: record.id\n", ""])
def test_a_platform_that_never_hears_the_id_is_a_warning(tmp_path: Path, change: str) -> None:
    old = DRIVERS["mqtt"].replace("own}", 'own, version: "3.1.1"}')
    mapping = MAPPING.replace(change, "ID: record.hash\n", 1) if change else MAPPING
    examined = examine(site(tmp_path, old, mapping))
    assert examined.problems == ()
    told = [str(each) for each in examined.warnings if "3.1.1 has no place" in str(each)]
    assert len(told) == bool(change)
