"""The board on a real broker: retained state, passing weights, and never a false `online`."""

import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gatewayd.upstreams.contract import presence
from gatewayd.upstreams.mqtt import GOODBYE_S_MAX
from gatewayd.upstreams.mqtt_wire import CLOSE_S_MAX
from tests.support.brokers import Broker, Mosquitto
from tests.support.outpost import ROOT, Outpost, running
from tests.support.scripted_broker import ScriptedBroker
from tests.support.subscribers import Subscriber

CHILD = Path(__file__).parent / "serving_child.py"
STATE = f"{ROOT}/rigs/rig-1/state"
STATUS = f"{ROOT}/status"
WEIGHT = "rigs/rig-1/weight"
LATE_S_MAX = 2.0
"""How late a loaded machine may end; with it a stop still has its five seconds (contract §10)."""


def value(seen: Subscriber, topic: str) -> Any:
    """The newest payload of a topic, or None."""
    last = seen.last(topic)
    return None if last is None else json.loads(last.payload)


async def until_value(seen: Subscriber, topic: str, key: str, expected: object) -> None:
    await seen.until(lambda: (value(seen, topic) or {}).get(key) == expected)


async def test_a_late_subscriber_sees_the_whole_board_retained(
    outpost: Outpost, broker: Broker
) -> None:
    outpost.board.post("rigs/rig-1/state", {"state": "locked", "cylinder": None})
    outpost.board.post("devices/gun-1/status", {"state": "up", "error": "无"})
    async with running(outpost.upstream(broker.url)):
        await outpost.until_state("up")
        with Subscriber(broker.port, f"{ROOT}/#") as seen:
            await until_value(seen, f"{ROOT}/upstreams/platform/status", "state", "up")
            await seen.until(lambda: len({m.topic for m in seen.messages()}) == 4)
    assert all(message.retain for message in seen.messages()[:4])
    assert value(seen, STATE) == {"state": "locked", "cylinder": None}
    assert value(seen, f"{ROOT}/devices/gun-1/status") == {"state": "up", "error": "无"}
    status = value(seen, STATUS)
    assert set(status) == {"state", "since", "version", "boot_id"}
    assert (status["state"], status["version"], status["boot_id"]) == ("online", "0.1.0", "boot-1")


async def test_a_change_is_published_once_and_the_latest_wins(
    outpost: Outpost, broker: Broker
) -> None:
    with Subscriber(broker.port, f"{ROOT}/rigs/#") as seen:
        async with running(outpost.upstream(broker.url)):
            await outpost.until_state("up")
            for state in ("identifying", "judging", "judging", "permitted"):
                outpost.board.post("rigs/rig-1/state", {"state": state})
            await until_value(seen, STATE, "state", "permitted")
    assert [json.loads(m.payload)["state"] for m in seen.messages()] == ["permitted"]


async def test_the_board_is_there_again_after_the_broker_lost_it(
    outpost: Outpost, broker: Broker
) -> None:
    outpost.board.post("rigs/rig-1/state", {"state": "locked"})
    async with running(outpost.upstream(broker.url)):
        await outpost.until_state("up")
        broker.kill()
        await outpost.until_state("down")
        broker.start()
        with Subscriber(broker.port, f"{ROOT}/#") as seen:
            await until_value(seen, STATE, "state", "locked")
            await until_value(seen, STATUS, "state", "online")


async def test_weights_pass_unretained_at_qos_0_and_only_while_connected(
    outpost: Outpost, broker: Broker
) -> None:
    outpost.board.flash(WEIGHT, {"gross_g": 1})
    with Subscriber(broker.port, f"{ROOT}/{WEIGHT}") as seen:
        async with running(outpost.upstream(broker.url)):
            await outpost.until_state("up")
            for gross_g in range(100, 200):
                outpost.board.flash(WEIGHT, {"gross_g": gross_g})
            await seen.until(lambda: len(seen.messages()) >= 100)
    weights = [json.loads(message.payload)["gross_g"] for message in seen.messages()]
    assert weights == list(range(100, 200))
    assert not any(message.retain for message in seen.messages())
    if isinstance(broker, Mosquitto):  # rumqttd forwards at the subscription's QoS
        assert not any(message.qos for message in seen.messages())


async def test_a_stop_leaves_offline_behind(outpost: Outpost, broker: Broker) -> None:
    with Subscriber(broker.port, STATUS) as seen:
        async with running(outpost.upstream(broker.url)):
            await until_value(seen, STATUS, "state", "online")
            outpost.board.post("status", presence(outpost.context(), "stopping"))
            await until_value(seen, STATUS, "state", "stopping")
        await until_value(seen, STATUS, "state", "offline")
    assert [json.loads(m.payload)["state"] for m in seen.messages()] == [
        "online",
        "stopping",
        "offline",
    ]
    with Subscriber(broker.port, STATUS) as late:
        await until_value(late, STATUS, "state", "offline")


async def test_the_broker_says_offline_for_a_process_that_was_killed(
    tmp_path: Path, broker: Broker
) -> None:
    with Subscriber(broker.port, STATUS) as seen:
        child = await asyncio.create_subprocess_exec(
            sys.executable, str(CHILD), str(tmp_path), broker.url
        )
        await until_value(seen, STATUS, "state", "online")
        child.kill()
        await child.wait()
        await until_value(seen, STATUS, "state", "offline")
    status = value(seen, STATUS)
    assert set(status) == {"state", "since", "version", "boot_id"}


async def test_a_frozen_broker_cannot_hold_up_a_stop_and_says_offline_itself(
    outpost: Outpost, mosquitto: Mosquitto
) -> None:
    with Subscriber(mosquitto.port, STATUS) as seen:
        async with running(outpost.upstream(mosquitto.url)):
            await until_value(seen, STATUS, "state", "online")
            mosquitto.freeze()
            started = time.monotonic()
        assert time.monotonic() - started < GOODBYE_S_MAX + CLOSE_S_MAX + LATE_S_MAX
        mosquitto.thaw()
        await until_value(seen, STATUS, "state", "offline")


@pytest.mark.parametrize("scheme", ["mqtt", "mqtts"])
async def test_a_silent_host_cannot_hold_up_the_end_of_the_process(
    tmp_path: Path, scheme: str
) -> None:
    async with ScriptedBroker(mute=True) as silent:
        command = [sys.executable, str(CHILD), str(tmp_path), f"{scheme}://127.0.0.1:{silent.port}"]
        child = await asyncio.create_subprocess_exec(*command)
        await silent.called.wait()
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(2):
            assert await child.wait() == 0
