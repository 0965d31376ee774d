"""Sparkplug's primary host and its commands: nothing is said without it, and anew when it asks."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gatewayd.upstreams.mqtt_terms import Heard
from gatewayd.upstreams.sparkplug import UPSTREAM
from gatewayd.upstreams.sparkplug_host import STATE_BYTES_MAX, PrimaryHost
from gatewayd.upstreams.sparkplug_metrics import BDSEQ, DEVICE_REBIRTH
from gatewayd.upstreams.sparkplug_wire import Metric, Type, encode
from tests.support import node
from tests.support.brokers import Mosquitto
from tests.support.outpost import QUICK, STATION, Outpost, drained, running
from tests.support.scripted_broker import ScriptedBroker
from tests.support.subscribers import Subscriber
from tests.support.waiting import until
from tests.upstreams.test_sparkplug import GROUP, RIG, decode, records_in, rules

STATE = "spBv1.0/STATE/scada"


def state(*, online: bool, at_ms: int) -> bytes:
    return json.dumps({"online": online, "timestamp": at_ms}).encode()


def waiting_for_scada(outpost: Outpost, *brokers: Mosquitto | ScriptedBroker) -> Any:
    urls = [broker.url for broker in brokers]
    pace = replace(QUICK, answer_s_max=0.5)
    return outpost.upstream_of(UPSTREAM, url=urls, group="Jinan", primary_host="scada", pace=pace)


async def test_without_its_host_nothing_is_said_and_records_wait(
    outpost: Outpost, mosquitto: Mosquitto
) -> None:
    node.modules()
    outpost.board.post("rigs/rig-1/state", RIG)
    first = await outpost.commit(3)
    with Subscriber(mosquitto.port, "spBv1.0/#") as seen:

        def ours(kind: str = "") -> int:
            return len(seen.messages(f"{GROUP}/{kind}"))

        async with running(waiting_for_scada(outpost, mosquitto)):
            await outpost.until_state("refused", error="scada is offline")
            for no_state in (b"ONLINE", b"{}", b"x" * 5_000, b'{"online": 1, "timestamp": 9}'):
                seen.say(STATE, no_state)
            seen.say(STATE, state(online=False, at_ms=100))
            await outpost.commit(1)
            assert ours() == 0
            seen.say(STATE, state(online=True, at_ms=200))
            await until(lambda: outpost.store.cursor("platform") == 4)
            seen.say(STATE, state(online=False, at_ms=199))  # Of an earlier life of the host.
            await outpost.commit(1)
            await until(lambda: outpost.store.cursor("platform") == 5)
            assert ours("NDEATH") == 0
            seen.say(STATE, state(online=False, at_ms=200))
            await seen.until(lambda: ours("NDEATH") == 1)
            await outpost.until_state("refused", error="scada is offline")
            late = await outpost.commit(2)
            assert outpost.store.cursor("platform") == 5
            seen.say(STATE, state(online=True, at_ms=150))  # Its clock was set back meanwhile.
            await until(lambda: outpost.store.cursor("platform") == 7)
        await seen.until(lambda: ours("NDEATH") == 2)
        told = decode(seen.messages(f"{GROUP}/"))
    ends = [number for number, one in enumerate(told) if one.kind == "NDEATH"]
    before, after = told[: ends[0] + 1], told[ends[0] + 1 :]
    assert [body for body, _ in records_in(before, rules(before))][:3] == [r.body for r in first]
    assert [body for body, _ in records_in(after, rules(after))] == [one.body for one in late]
    assert before[0].value(BDSEQ) != after[0].value(BDSEQ)


async def test_of_several_brokers_the_one_that_has_the_host_is_used(
    outpost: Outpost, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    await outpost.commit(2)
    with (
        Mosquitto(tmp_path) as other,
        Subscriber(mosquitto.port, "spBv1.0/#") as empty,
        Subscriber(other.port, "spBv1.0/#") as seen,
    ):
        seen.say(STATE, state(online=True, at_ms=1), retain=True)
        async with running(waiting_for_scada(outpost, mosquitto, other)):
            await until(lambda: outpost.store.cursor("platform") == 2)
            assert seen.messages(f"{GROUP}/NBIRTH")
            assert not empty.messages(f"{GROUP}/N")


async def test_a_host_that_nobody_lets_us_hear_is_named(outpost: Outpost) -> None:
    await outpost.commit(1)
    async with ScriptedBroker(suback=0x87) as broker:
        async with running(waiting_for_scada(outpost, broker)):
            await outpost.until_state("down", error=f"{STATE}: Not authorized")
        assert broker.records() == []
    assert outpost.store.cursor("platform") == 0


async def test_a_device_alone_is_born_again_when_it_is_asked_for(
    outpost: Outpost, mosquitto: Mosquitto
) -> None:
    node.modules()
    outpost.board.post("rigs/rig-1/state", RIG)
    outpost.board.post("rigs/rig-2/state", RIG)
    outpost.board.post("devices/gun-1/status", {"state": "down"})
    asks = encode([Metric(Type.BOOLEAN, True, 1, DEVICE_REBIRTH)], at_ms=1, seq=None)  # noqa: FBT003 - the value of a metric
    with Subscriber(mosquitto.port, "spBv1.0/#") as seen:
        upstream = outpost.upstream_of(UPSTREAM, url=mosquitto.url, group="Jinan")
        async with running(upstream):
            await outpost.until_state("up")
            for device in ("devices.gun-1", "rigs.nobody", "rigs.rig-2"):
                seen.say(f"{GROUP}/DCMD/{STATION}/{device}", b"\xff")
                seen.say(f"{GROUP}/DCMD/{STATION}/{device}", asks)
            await seen.until(lambda: len(seen.messages("DBIRTH/3701000042/rigs.rig-2")) == 2)
            await outpost.commit(1)
            await drained(upstream)
        await seen.until(lambda: bool(seen.messages("NDEATH")))
        told = decode(seen.messages())
    rules(told)
    births = [one.device for one in told if one.kind == "DBIRTH"]
    assert sorted(births) == ["rigs.rig-1", "rigs.rig-2", "rigs.rig-2"]
    assert [one.kind for one in told].count("NBIRTH") == 1


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"ONLINE",
        b"[]",
        b"\xff",
        b'{"online": true}',
        b'{"online": "true", "timestamp": 1}',
        b'{"online": true, "timestamp": true}',
        b'{"online": true, "timestamp": 1.5}',
        b" " * STATE_BYTES_MAX + b'{"online": true, "timestamp": 1}',
        b"[" * 1_000,
    ],
)
def test_what_is_no_state_changes_nothing(payload: bytes) -> None:
    host = PrimaryHost("platform", "scada")
    host.hear(Heard(host.topic, payload, retained=False))
    assert host.online is False
