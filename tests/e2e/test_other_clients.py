"""Clients of other people (mosquitto_sub, mqtt.js) count and hash what the real daemon sends."""

import asyncio
import hashlib
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gatewayd.store.reads import Reader
from tests.e2e.house import House
from tests.support import node
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

SUBSCRIBER = Path(__file__).parents[1] / "node" / "subscriber.js"
TELEMETRY = "v1/devices/me/telemetry"
REASONS = ("OVERDUE", "SCRAPPED")
COUNTED = 3
"""Records: a refusal, a fill, a refusal behind a kill."""


def two_platforms(config: Path) -> None:
    """Beside the plain one, ThingsBoard at the same broker."""
    gateway = config / "gateway.yaml"
    text = gateway.read_text("utf-8")
    url = text.partition("url: ")[2].partition("\n")[0]
    things = f"\n  things: {{driver: mqtt, url: {url}, mapping: thingsboard-mqtt}}"
    gateway.write_text(text.replace("\nupstreams:", f"\nupstreams:{things}"), "utf-8")


async def subscriber(house: House) -> Process:
    """mqtt.js, which ends with one line of JSON when so many records have come."""
    port, filter_ = str(house.broker.port), "gatewayd/v1/+/records/#"
    words = node.command(SUBSCRIBER, port, filter_, str(COUNTED))
    js = await asyncio.create_subprocess_exec(*words, stdout=PIPE, env=node.environment())
    assert js.stdout is not None
    assert await js.stdout.readline() == b"subscribed\n"
    return js


async def mosquitto_sub(house: House) -> Process:
    """mosquitto_sub, a line of hex for each record, until it is ended."""
    before = house.broker.log().count("Sending SUBACK")
    words = ("-p", str(house.broker.port), "-V", "5", "-q", "1", "-F", "%x")
    made = await asyncio.create_subprocess_exec(
        "mosquitto_sub", *words, "-t", "gatewayd/v1/+/records/#", stdout=PIPE
    )
    await until(lambda: house.broker.log().count("Sending SUBACK") > before)
    return made


def telemetry(house: House) -> list[dict[str, Any]]:
    assert house.seen is not None
    return [json.loads(each.payload) for each in house.seen.messages(TELEMETRY)]


async def refused(house: House, reason: str) -> None:
    before = len(house.refusals())
    house.station.rigs[0].bring(house.illegal(reason))
    await house.until(lambda: len(house.refusals()) > before)
    house.station.rigs[0].take_away()
    await house.rig_state("rig-1", "locked")


def digest(bodies: Sequence[bytes]) -> str:
    return hashlib.sha256(b"".join(body + b"\n" for body in bodies)).hexdigest()


async def test_they_have_every_record_once_in_order_and_another_platform_has_its_words(
    tmp_path: Path,
) -> None:
    node.modules()
    async with House(tmp_path, start=False, edit=two_platforms) as house:
        js, sub = await subscriber(house), await mosquitto_sub(house)
        await house.daemon.start()
        await house.ready()
        await refused(house, REASONS[0])
        await house.fill(house.legal[0])
        await house.until(lambda: len(house.fills()) == 1)
        house.station.rigs[0].take_away()
        await house.daemon.kill()
        await house.daemon.start()
        await house.until(lambda: house.newest("status").get("state") == "online")
        await house.rig_state("rig-1", "locked")
        await refused(house, REASONS[1])
        await house.settled()
        with Reader.open(house.config / "gatewayd.db") as store:
            stored = [each.body.encode() for each in store.records(limit=100)]
        wanted = [each for each in map(json.loads, stored) if _for_things(each)]
        await house.until(lambda: len({_id(each) for each in telemetry(house)}) >= len(wanted))
        sub.terminate()
        out, _ = await sub.communicate()
        assert js.stdout is not None
        said = json.loads(await js.stdout.readline())
        await js.wait()
        told = list(dict.fromkeys(_id(each) for each in telemetry(house)))
    stored.sort(key=lambda body: int(json.loads(body)["sequence"]))
    arrived = list(dict.fromkeys(bytes.fromhex(line) for line in out.decode().split()))
    assert arrived == stored
    assert (said["records"], said["sha256"]) == (COUNTED, digest(stored[:COUNTED]))
    assert told == [each["id"] for each in sorted(wanted, key=lambda each: int(each["sequence"]))]


def _for_things(event: dict[str, Any]) -> bool:
    return str(event["type"]).split(".")[1] in {"fill", "refusal", "alarm"}


def _id(told: dict[str, Any]) -> str:
    """The record's id in a message of ThingsBoard telemetry."""
    return next(str(value) for name, value in told["values"].items() if name.endswith("_id"))
