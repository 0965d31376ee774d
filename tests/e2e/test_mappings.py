"""A mapping of the station through the real daemon: spoken, changed while it runs, and refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from gatewayd.sim.gate_map import Status
from gatewayd.sim.rig import SimRig
from tests.e2e.house import House
from tests.support.city_platform import CityPlatform
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

SECRET = "s3cret-of-the-city"  # noqa: S105 - of a test
OWN = """\
id: own
title: {zh: 站, en: own}
source: a letter
verified: false
requests:
  - {records: [fill], path: /one, fields: {ID: record.id, KEY: !secret city}}
examples:
  - {in: {kind: fill, id: "1"}, out: {body: {ID: "1", KEY: SECRET}}}
"""


def speaking(config: Path, url: str) -> None:
    gateway = config / "gateway.yaml"
    city = f"\nupstreams:\n  city: {{driver: http, url: '{url}', mapping: own}}"
    gateway.write_text(gateway.read_text("utf-8").replace("\nupstreams:", city), "utf-8")
    (config / "upstreams").mkdir()
    (config / "upstreams/own.yaml").write_text(OWN, "utf-8")
    (config / "secrets.yaml").write_text(f"city: {SECRET}\n", "utf-8")
    (config / "secrets.yaml").chmod(0o600)


async def gone(rig: SimRig) -> None:
    """Take the cylinder away, and wait until the daemon has had two looks at the empty scale."""
    rig.take_away()
    await until(lambda: Status.CYLINDER_ON not in rig.plc.status)
    asked = rig.plc.slave.requests
    await until(lambda: rig.plc.slave.requests >= asked + 2)


def sent(platform: CityPlatform) -> list[tuple[str, dict[str, Any]]]:
    return [(each.path, each.value) for each in platform.heard]


async def test_a_mapping_is_exchanged_while_the_daemon_runs_and_loses_nothing(
    tmp_path: Path,
) -> None:
    async with (
        CityPlatform() as platform,
        House(tmp_path, edit=lambda config: speaking(config, platform.url)) as house,
    ):
        own = house.config / "upstreams/own.yaml"
        await house.fill(house.legal[0])
        await until(lambda: len(platform.heard) == 1)
        own.write_text(OWN.replace("record.id", "record.idd"), "utf-8")
        await house.until(lambda: house.newest("config").get("state") == "invalid")
        (problem,) = house.newest("config")["problems"]
        assert problem["file"].endswith("own.yaml")
        assert problem["line"] == 6
        own.write_text(OWN.replace("/one", "/two"), "utf-8")
        await house.until(lambda: house.newest("config").get("state") == "applied")
        await gone(house.station.rigs[0])
        await house.fill(house.legal[1])
        await until(lambda: len(platform.heard) == 2)
        ids = [body["id"] for body in house.records("fill")]
        assert sent(platform) == [
            ("/api/one", {"ID": ids[0], "KEY": SECRET}),
            ("/api/two", {"ID": ids[1], "KEY": SECRET}),
        ]
        code, out, _ = await house.daemon.say("outbox", "status", "--json")
        assert code == 0
        rows = {row["upstream"]: row for row in json.loads(out)["upstreams"]}
        assert (rows["city"]["mapping"], rows["city"]["dead"]) == ("own", 0)
        assert SECRET not in house.daemon.log()
