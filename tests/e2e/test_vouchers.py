"""A platform that must be asked before a fill, through the real daemon: a yes, a no, and silence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gatewayd.sim.gate_map import Status
from gatewayd.sim.rig import SimRig
from tests.e2e.house import House
from tests.support.city_platform import CityPlatform, Heard
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

NUMBER = "1d3201a133be410ba8351b1100d5f674"
SECRET = "s3cret-of-the-city"  # noqa: S105 - of a test
CITY = """
  city:
    driver: http
    url: URL
    mapping: city-platform-b
    values: {station_num: "3701042", sq_code: !secret city}
    tables: {number: {rig-1: "1"}}
"""


def asking(url: str, offline: str = "refuse") -> Callable[[Path], None]:
    """A second upstream that speaks platform B, and a rig that asks it."""

    def edit(config: Path) -> None:
        gateway = config / "gateway.yaml"
        text = gateway.read_text("utf-8")
        assert "\nupstreams:" in text, text
        gateway.write_text(
            text.replace("\nupstreams:", "\nupstreams:" + CITY.replace("URL", url).rstrip()),
            "utf-8",
        )
        secrets = config / "secrets.yaml"
        secrets.write_text(f"city: {SECRET}\n", "utf-8")
        secrets.chmod(0o600)
        path = next((config / "rigs").iterdir())
        asks = f"    voucher: {{upstream: city, within_s: 2, tries: 1, offline: {offline}}}\n"
        path.write_text(path.read_text("utf-8").rstrip("\n") + "\n" + asks, "utf-8")

    return edit


def platform_b(known: set[str]) -> Callable[[Heard], web.StreamResponse]:
    """Platform B as its answer codes describe it: knows codes, gives vouchers, takes them once."""
    used: set[str] = set()

    def answer(heard: Heard) -> web.StreamResponse:
        if heard.path.endswith("/check"):
            if heard.value["sq_code"] != SECRET:
                return web.json_response({"code": 201, "status": "false", "msg": SECRET})
            if heard.value["qrcode"] not in known:
                return web.json_response({"code": 206, "status": "false", "msg": "retest"})
            voucher = {"code": 200, "status": "true", "record_voucher": NUMBER, "msg": "ok"}
            return web.json_response(voucher)
        valid = heard.value["record_voucher"] == NUMBER and NUMBER not in used
        used.add(heard.value["record_voucher"])
        return web.json_response({"code": 200 if valid else 210, "msg": ""})

    return answer


async def gone(rig: SimRig) -> None:
    """Take the cylinder away, and wait until the daemon has had two looks at the empty scale."""
    rig.take_away()
    await until(lambda: Status.CYLINDER_ON not in rig.plc.status)
    asked = rig.plc.slave.requests
    await until(lambda: rig.plc.slave.requests >= asked + 2)


def asked(platform: CityPlatform) -> list[str]:
    return [each.value["qrcode"] for each in platform.heard if each.path.endswith("/check")]


def uploaded(platform: CityPlatform) -> list[dict[str, Any]]:
    return [each.value for each in platform.heard if each.path.endswith("/upload")]


async def test_a_fill_needs_the_platforms_yes_and_carries_its_number(tmp_path: Path) -> None:
    async with (
        CityPlatform() as platform,
        House(tmp_path, edit=asking(platform.url)) as house,
    ):
        good, bad = (each.entry.code for each in house.legal[:2])
        platform.usual = platform_b({good})
        await house.fill(house.legal[0])
        await house.until(lambda: len(house.fills()) == 1)
        data = house.fills()[0]
        assert (data["voucher"]["valid"], data["voucher"]["number"]) == (True, NUMBER)
        await until(lambda: len(uploaded(platform)) == 1)
        (sent,) = uploaded(platform)
        assert sent["record_voucher"] == NUMBER
        assert sent["number"] == "1"
        assert asked(platform) == [good]
        rig = house.station.rigs[0]
        await gone(rig)
        rig.bring(house.legal[1])
        await house.until(lambda: len(house.refusals()) == 1)
        data = house.refusals()[0]
        found = {each["code"] for each in data["verdict"]["findings"] if each["severity"] == "deny"}
        assert found == {"VOUCHER_INVALID", "OVERDUE"}
        assert data["voucher"]["code"] == "206"
        assert "超期未检" in json.dumps(data, ensure_ascii=False)
        assert asked(platform) == [good, bad]
        assert SECRET not in house.daemon.log()
        assert SECRET not in json.dumps(house.records())


async def test_a_platform_that_is_silent_is_a_no_in_time_and_the_rig_works_on(
    tmp_path: Path,
) -> None:
    async with (
        CityPlatform() as platform,
        House(tmp_path, edit=asking(platform.url)) as house,
    ):
        platform.usual = platform_b({each.entry.code for each in house.legal})
        platform.open.clear()
        rig = house.station.rigs[0]
        rig.bring(house.legal[0])
        await house.rig_state("rig-1", "identifying")
        shown = house.newest("rigs/rig-1/state")
        await house.until(lambda: house.newest("rigs/rig-1/state")["waiting"] != [])
        waiting = house.newest("rigs/rig-1/state")["waiting"]
        assert [each["code"] for each in waiting] == ["voucher"], shown
        await house.until(lambda: len(house.refusals()) == 1)
        data = house.refusals()[0]
        assert data["voucher"]["reason"] == "no answer within 2 s"
        assert (data["voucher"]["valid"], data["voucher"]["offline"]) == (False, True)
        platform.open.set()
        await gone(rig)
        await house.fill(house.legal[0])
        await house.until(lambda: len(house.fills()) == 1)


async def test_no_answer_lets_gas_flow_only_by_the_sites_written_word(
    tmp_path: Path,
) -> None:
    offline = '{allow_until: "2099-12-31", reason: the line is cut, approved_by: Li Si}'
    async with (
        CityPlatform() as platform,
        House(tmp_path, edit=asking(platform.url, offline)) as house,
    ):
        platform.usual = lambda _: web.Response(body=b"<html>" + b" " * 10_485_760)
        code, _, err = await house.daemon.say("check")
        assert code == 0
        assert "fills without a voucher while 'city' does not answer, through 2099-12-31" in err
        await house.fill(house.legal[0])
        await house.until(lambda: len(house.fills()) == 1)
        data = house.fills()[0]
        assert (data["voucher"]["valid"], data["voucher"]["offline"]) == (False, True)
        (found,) = (each for each in data["verdict"]["findings"] if each["severity"] == "warn")
        assert found["code"] == "VOUCHER_INVALID"
        assert "the line is cut" in found["message"]["en"]
