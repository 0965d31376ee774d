"""Commands over MQTT to the real daemon: while it fills, over kills, and what a reload would change."""

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gatewayd.ids import new_id
from gatewayd.sim.gate_map import Status
from gatewayd.store.reads import Reader
from tests.e2e.house import House
from tests.support.callers import Caller
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

SLOW = 4.0
KILLS = 2


def allow_all(config: Path) -> None:
    file = config / "gateway.yaml"
    text = file.read_text(encoding="utf-8")
    assert "driver: mqtt" in text
    text = text.replace("driver: mqtt", "driver: mqtt\n    commands: all")
    file.write_text(f"{text}\nreload: {{watch: false}}\n", encoding="utf-8")


def caller_of(house: House) -> Caller:
    return Caller(house.broker.port, f"gatewayd/v1/{house.station.spec.station_id}")


def body(**fields: Any) -> bytes:
    expires = datetime.now(UTC) + timedelta(minutes=5)
    return json.dumps({"id": new_id(), "expires": expires.isoformat(), **fields}).encode()


def listening(house: House) -> int:
    """How often the daemon has asked the broker for requests so far."""
    return house.broker.log().count("Received SUBSCRIBE from gatewayd-")


def listens_again(house: House, before: int) -> bool:
    return listening(house) > before


async def ask(caller: Caller, name: str, payload: bytes) -> dict[str, Any]:
    return await asyncio.to_thread(partial(caller.ask, name, payload))


async def test_a_lock_by_a_platform_ends_the_fill_at_once(tmp_path: Path) -> None:
    async with House(tmp_path, speed=SLOW, edit=allow_all) as house:
        with caller_of(house) as caller:
            await house.fill(house.legal[0])
            reply = await ask(caller, "rig.lock", body(rig="rig-1", reason="accident", by="SAMR"))
            assert reply["ok"], reply
            plc = house.station.rigs[0].plc
            await until(lambda: Status.VALVE_OPEN not in plc.status)
            await house.until(lambda: len(house.fills()) == 1)
            assert house.fills()[0]["end_reason"] == "regulator_lock"
            await house.until(lambda: len(house.records("command")) == 1)
            (record,) = house.records("command")
            assert record["data"]["by"]["who"].endswith(": SAMR")


async def test_a_plan_says_what_a_reload_would_change(tmp_path: Path) -> None:
    async with House(tmp_path, edit=allow_all) as house:
        with caller_of(house) as caller:
            nothing = await ask(caller, "config.plan", body())
            assert nothing["result"]["changes"] == [], nothing
            (file,) = (house.config / "rigs").glob("*.yaml")
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("medium: LPG", "medium: LPG\n    nominal_g: 9000", 1))
            found = await ask(caller, "config.plan", body())
            assert [change["part"] for change in found["result"]["changes"]] == ["rigs/rig-1"]
            assert found["result"]["rigs"] == ["rig-1"]
            file.write_text("rigs: 7\n")
            wrong = await ask(caller, "config.plan", body())
            assert wrong["error"]["code"] == "config_wrong"
            assert "rigs" in wrong["error"]["mistakes"][0]["error"]


async def test_killed_anywhere_between_request_and_reply_an_order_is_carried_out_once(
    tmp_path: Path,
) -> None:
    coin = random.Random(7)
    async with House(tmp_path, edit=allow_all) as house:
        for number in range(KILLS):
            with caller_of(house) as caller:
                hold = body(code=f"{number:010}", reason="recall")
                await asyncio.to_thread(partial(caller.publish, "cylinders.hold", hold))
                await asyncio.sleep(coin.uniform(0, 0.03))
                await house.daemon.kill()
                replied = len(caller.replies)
                listened = listening(house)
                await house.daemon.start()
                await until(partial(listens_again, house, listened))
                reply = await ask(caller, "cylinders.hold", hold)
                first = reply.get("first", reply)
                assert first["ok"], reply
                assert first["result"]["changed"], "the very first reply"
                if replied:
                    assert caller.replies[0][2] == first
        with Reader.open(house.config / "gatewayd.db") as store:
            bodies = [json.loads(record.body) for record in store.records(kind="hold")]
        held = [record["data"]["cylinder"]["code"] for record in bodies]
        assert held == [f"{number:010}" for number in range(KILLS)], "once each"
