"""`gatewayd upstreams`: what mappings there are, what they make, and which example comes out wrong."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.mapping.words import WORDS
from gatewayd.settings.shipped import shipped_dir

SHIPPED = sorted(path.stem for path in (shipped_dir() / "upstreams").glob("*.yaml"))


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["upstreams", *args])


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path


def test_the_shipped_examples_hold(site: Path) -> None:
    got = run("test", "-c", str(site), "--json")
    assert got.exit_code == 0, got.output
    result = json.loads(got.stdout)
    assert result["ok"] is True
    assert [each["id"] for each in result["mappings"]] == SHIPPED
    assert all(each["examples"] for each in result["mappings"])


def test_an_example_that_comes_out_otherwise_is_told_and_fails(site: Path) -> None:
    text = (shipped_dir() / "upstreams" / "thingsboard.yaml").read_text(encoding="utf-8")
    path = site / "mine.yaml"
    path.write_text(text.replace("fill_net_kg: 14.48", "fill_net_kg: '14.48'"), encoding="utf-8")
    got = run("test", str(path))
    assert got.exit_code == 1
    assert 'fill_net_kg is 14.48, expected "14.48"' in got.output
    path.write_text(text.replace("epoch_ms(record.time)", "epoch_ns(record.time)"))
    got = run("test", str(path), "--json")
    assert got.exit_code == 1
    (row,) = json.loads(got.stdout.splitlines()[0])["mappings"]
    assert row["ok"] is False
    assert "mine.yaml:18:" in row["problems"][0]


def test_a_wrong_name_is_wrong_usage(site: Path) -> None:
    got = run("test", "thingsbord", "-c", str(site))
    assert got.exit_code == 2
    assert "did you mean 'thingsboard'?" in got.output


def test_list_show_and_words(site: Path) -> None:
    rows = json.loads(run("list", "-c", str(site), "--json").stdout)["mappings"]
    assert [row["id"] for row in rows] == SHIPPED
    by_id = {row["id"]: row for row in rows}
    assert by_id["city-platform-b"]["voucher"] is True
    assert by_id["thingsboard"]["records"] == ["alarm", "fill", "refusal"]
    assert by_id["thingsboard"]["drivers"] == ["http"]
    assert by_id["thingsboard-mqtt"]["drivers"] == ["mqtt", "nats"]
    assert by_id["city-platform-b"]["station_tables"]["number"]["example"]
    assert not any(row["verified"] for row in rows)
    assert all(row["source"] for row in rows)
    assert run("list", "-c", str(site)).exit_code == 0
    shown = run("show", "city-platform-b", "-c", str(site)).stdout
    assert "record_voucher" in shown
    assert "values.sq_code (text, !secret)" in shown
    assert "tables.number: " in shown
    assert "values: {station_num: " in shown
    assert "sq_code: !secret sq_code}" in shown
    assert "driver: mqtt    # or nats" in run("show", "thingsboard-mqtt", "-c", str(site)).stdout
    words = json.loads(run("words", "-c", str(site), "--json").stdout)
    assert [word["name"] for word in words["words"]] == list(WORDS)
    assert run("words", "-c", str(site)).exit_code == 0
