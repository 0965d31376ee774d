"""Mappings at `check`: a station's own are proven, upstreams name one and give what it asks for."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatewayd.cli.root import main
from gatewayd.clock import SystemClock
from gatewayd.settings.load import examine
from gatewayd.settings.mapped import MappedSettings
from gatewayd.settings.picture import new_salt, picture
from gatewayd.settings.shipped import shipped_dir
from gatewayd.store.store import Store
from tests.support.configs import GATEWAY, write_config
from tests.support.outpost import STATION
from tests.support.stores import ZONE

UPSTREAM = """\
  city:
    driver: http
    url: https://platform.example/api
    mapping: city-platform-b
    values: {station_num: "3701042", sq_code: !secret city}
    tables: {number: {rig-1: "1", rig-2: "2"}}
"""
OWN = """\
id: own
title: {zh: 站, en: own}
source: a letter
verified: false
requests:
  - {records: [fill], fields: {ID: record.id, KEY: !secret city}}
examples:
  - {in: {kind: fill, id: "1"}, out: {body: {ID: "1", KEY: SECRET}}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    directory = write_config(tmp_path, {"gateway.yaml": GATEWAY + UPSTREAM})
    secrets = directory / "secrets.yaml"
    secrets.write_text("city: s3cret-of-city\n", encoding="utf-8")
    os.chmod(secrets, 0o600)  # noqa: PTH101 - as a technician does
    return directory


def change(site: Path, old: str, new: str) -> list[str]:
    path = site / "gateway.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return [str(problem) for problem in examine(site).problems]


def own(site: Path, text: str, name: str = "own.yaml") -> None:
    (site / "upstreams").mkdir(exist_ok=True)
    (site / "upstreams" / name).write_text(text, encoding="utf-8")


def test_an_upstream_speaks_the_mapping_that_it_names(site: Path) -> None:
    examined = examine(site)
    assert examined.problems == ()
    assert examined.settings is not None
    made = examined.settings.upstreams["city"].settings
    assert isinstance(made, MappedSettings)
    assert made.tongue is not None
    assert made.tongue.mapping.id == "city-platform-b"
    assert made.tongue.values["sq_code"] == "s3cret-of-city"
    assert made.tongue.values["weight_places"] == 2
    assert "s3cret" not in repr(examined.settings)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("city-platform-b", "city-platform", "mapping 'city-platform' does not exist"),
        ("sq_code: !secret city", "sq_code: open", "sq_code is a secret written in the open"),
        (", sq_code: !secret city", "", "mapping city-platform-b needs values.sq_code"),
        ("station_num:", "station_no:", "has no value 'station_no'"),
        ('"3701042"', "3701042", "station_num is no text"),
        ("{number:", "{numbers:", "has no table 'numbers'"),
        ('tables: {number: {rig-1: "1", rig-2: "2"}}', "batch_max: 1", "needs tables.number"),
        ("batch_max: 1", "answer: status", "what an answer means is in the mapping"),
        ("/api\n", "/api?x=1\n", "url has a query"),
        ("    mapping: city-platform-b\n", "", "values and tables belong to a mapping"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(
    site: Path, old: str, new: str, told: str
) -> None:
    if old == "batch_max: 1":
        change(site, "mapping: city-platform-b", "batch_max: 1\n    mapping: city-platform-b")
    found = change(site, old, new)
    assert any(told in each and "gateway.yaml:" in each for each in found), found
    assert not any(each.partition("gateway.yaml:")[2].startswith("0:") for each in found)


def test_a_mapping_of_the_station_is_proven_although_nobody_uses_it(site: Path) -> None:
    own(site, OWN)
    assert examine(site).problems == ()
    own(site, OWN.replace('ID: "1"', 'ID: "2"'))
    (told,) = (str(problem) for problem in examine(site).problems)
    assert "own.yaml:8:5: example 1" in told
    assert 'body.ID is "1", expected "2"' in told
    own(site, OWN.replace("record.id", "record.ids"))
    (told,) = (str(problem) for problem in examine(site).problems)
    assert "own.yaml:6:" in told
    assert "did you mean 'record.id'?" in told


def test_one_of_the_same_id_takes_the_place_of_the_shipped_one_and_says_so(site: Path) -> None:
    shipped = (shipped_dir() / "upstreams" / "city-platform-b.yaml").read_text(encoding="utf-8")
    own(site, shipped.replace("weight_places: {type: int, doc", "weight_places: {type: int,  doc"))
    examined = examine(site)
    assert examined.problems == ()
    (told,) = (str(each) for each in examined.warnings if "mapping" in each.what)
    assert "mapping 'city-platform-b' takes the place of the shipped one" in told
    own(site, shipped, "twice.yaml")
    assert any("exists twice" in each.what for each in examine(site).problems)


def test_a_secret_of_a_mapping_that_is_nowhere_is_told(site: Path) -> None:
    own(site, OWN.replace("!secret city", "!secret nowhere"))
    text = UPSTREAM.partition("mapping:")[0] + "mapping: own\n"
    found = change(site, UPSTREAM, text)
    assert any("!secret 'nowhere' is not known" in each for each in found), found


def test_a_changed_mapping_or_secret_of_it_is_a_changed_upstream(site: Path) -> None:
    own(site, OWN)
    change(site, UPSTREAM, UPSTREAM.partition("mapping:")[0] + "mapping: own\n")
    salt = new_salt()
    first = examine(site)
    own(site, OWN.replace("a letter", "another letter"))
    second = examine(site)
    (site / "secrets.yaml").write_text("city: another\n", encoding="utf-8")
    third = examine(site)
    pictures = [picture(each, salt)["upstreams/city"] for each in (first, second, third)]
    assert pictures[0]["mapping.hash"] != pictures[1]["mapping.hash"]
    assert pictures[1]["mapping.secrets"] != pictures[2]["mapping.secrets"]
    made = [each.settings.upstreams["city"] for each in (first, second, third) if each.settings]
    assert made[0] != made[1] != made[2]
    assert "s3cret-of-city" not in str(pictures)


async def test_the_outbox_names_the_kinds_that_are_for_a_platform(site: Path) -> None:
    clock = SystemClock()
    await Store.open(site / "gatewayd.db", station_id=STATION, zone=ZONE, clock=clock).close()
    got = CliRunner().invoke(main, ["outbox", "status", "-c", str(site), "--json"])
    rows = {row["upstream"]: row for row in json.loads(got.stdout)["upstreams"]}
    assert rows["city"]["mapping"] == "city-platform-b"
    assert rows["city"]["records"] == ["fill"]
    assert "records" not in rows["platform"]
    shown = CliRunner().invoke(main, ["outbox", "status", "-c", str(site)]).stdout
    assert "(mapping city-platform-b: takes only fill)" in shown
