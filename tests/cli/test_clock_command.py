"""`gatewayd clock`, and what `gatewayd verdict` says when the clock is not believed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.store.beside import import_cylinders
from gatewayd.store.reads import Reader
from tests.rigs.bench import LEGAL
from tests.support.configs import write_config


@pytest.fixture
def site(tmp_path: Path) -> Path:
    directory = write_config(tmp_path)
    store = tmp_path / "gatewayd.db"
    import_cylinders(store, (LEGAL,), station_id="3701000042", replace=False)
    return directory


def ask(site: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [words[0], "-c", str(site), *words[1:]])


def verdict(site: Path, *words: str) -> list[dict[str, object]]:
    got = ask(site, "verdict", "--rig", "rig-1", "--code", LEGAL.code, "--json", *words)
    assert got.exit_code in {0, 1}, got.output
    found: list[dict[str, object]] = json.loads(got.stdout)["findings"]
    return found


def ahead(site: Path) -> None:
    """The newest record is of tomorrow: what a clock leaves that was a day fast."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="milliseconds")
    with apsw.Connection(str(site / "gatewayd.db")) as connection:
        connection.execute("UPDATE clock SET latest_at = ?", (tomorrow,))
    connection.close()


def test_the_clock_of_this_machine_is_told(site: Path) -> None:
    got = ask(site, "clock", "--json")
    told = json.loads(got.stdout)
    assert (got.exit_code, told["trusted"], told["doubt"]) == (0, True, None)
    assert told["quality"] == ("ntp" if told["synchronised"] else "gateway")
    assert ask(site, "clock", "--lang", "zh").stdout.startswith("时钟可信")


def test_a_clock_behind_the_records_refuses_says_why_and_a_person_may_vouch(site: Path) -> None:
    assert verdict(site) == []
    ahead(site)
    (found,) = verdict(site)
    assert (found["code"], found["severity"], found["rule"]) == (
        "CLOCK_UNTRUSTED",
        "deny",
        "engine.clock",
    )
    assert "早于最近一条记录的时间" in found["message"]["zh"]  # type: ignore[index]
    assert "before the newest record" in found["message"]["en"]  # type: ignore[index]
    assert found["values"]["clock.doubt"] == "before_last_record"  # type: ignore[index]
    assert verdict(site, "--at", "2026-08-01") == [], "as of a time that a person names"
    got = ask(site, "clock")
    assert got.exit_code == 1
    assert "gatewayd clock accept" in got.stdout
    got = ask(site, "clock", "accept", "--by", "Li Si", "--reason", "radio", "--json")
    assert (got.exit_code, json.loads(got.stdout)) == (0, {"accepted": True, "sequence": 1})
    assert verdict(site) == []
    with Reader.open(site / "gatewayd.db") as store:
        (record,) = store.records(kind="clock")
    body = json.loads(record.body)
    assert (body["type"], body["source"]) == ("gatewayd.clock.v1", "/stations/3701000042")
    assert (body["data"]["by"], body["data"]["reason"]) == ("Li Si", "radio")


@pytest.mark.parametrize("words", [("--by", " ", "--reason", "x"), ("--by", "x"), ()])
def test_nobody_vouches_without_a_name_and_a_reason(site: Path, words: tuple[str, ...]) -> None:
    assert ask(site, "clock", "accept", *words).exit_code == 2


def test_a_time_server_may_be_required(site: Path) -> None:
    """Whatever this machine's own state is: with the setting it decides, without it does not."""
    synchronised = json.loads(ask(site, "clock", "--json").stdout)["synchronised"]
    path = site / "gateway.yaml"
    path.write_text(path.read_text() + "clock: {require_ntp: true}\n")
    codes = [found["code"] for found in verdict(site)]
    assert codes == ([] if synchronised else ["CLOCK_UNTRUSTED"])


def test_an_untrusted_clock_may_be_supposed(site: Path) -> None:
    (found,) = verdict(site, "--set", "clock.trusted=false")
    assert found["code"] == "CLOCK_UNTRUSTED"
