"""What is taken off the board is taken off the broker, whoever was connected when."""

from pathlib import Path

from gatewayd.alarms.words import topic
from tests.support.brokers import Broker
from tests.support.outpost import ROOT, Outpost, running
from tests.support.subscribers import Subscriber

STUCK = topic("gate_not_closed", "rig-1")
LOST = topic("device_lost", "gun-1")


async def test_an_alarm_is_retained_while_it_stands_and_gone_after(
    outpost: Outpost, broker: Broker
) -> None:
    outpost.board.post(STUCK, {"kind": "gate_not_closed"})
    outpost.board.post(LOST, {"kind": "device_lost"})
    with Subscriber(broker.port, f"{ROOT}/alarms/#") as seen:
        async with running(outpost.upstream(broker.url)):
            await seen.until(lambda: len(seen.messages()) == 2)
            outpost.board.remove(STUCK)
            await seen.until(lambda: len(seen.messages()) == 3)
        assert (seen.messages()[-1].topic, seen.messages()[-1].payload) == (f"{ROOT}/{STUCK}", b"")
    outpost.board.remove(LOST)  # while nobody is connected
    outpost.board.post("marker", {})
    async with running(outpost.upstream(broker.url)):
        with Subscriber(broker.port, f"{ROOT}/marker") as seen:
            await seen.until(lambda: len(seen.messages()) == 1)
        await outpost.until_state("up")
    with Subscriber(broker.port, f"{ROOT}/alarms/#", f"{ROOT}/marker") as late:
        await late.until(lambda: any(m.topic.endswith("marker") for m in late.messages()))
    assert [m.topic for m in late.messages() if "/alarms/" in m.topic] == []


async def test_an_alarm_that_no_life_knows_any_more_is_taken_from_the_broker(
    tmp_path: Path, outpost: Outpost, broker: Broker
) -> None:
    """The store that had it was lost, and its alarms with it."""
    outpost.board.post(LOST, {"kind": "device_lost"})
    with Subscriber(broker.port, f"{ROOT}/alarms/#") as seen:
        async with running(outpost.upstream(broker.url)):
            await seen.until(lambda: len(seen.messages()) == 1)
        folder = tmp_path / "another"
        folder.mkdir()
        async with Outpost(folder) as another:
            another.board.post(STUCK, {"kind": "gate_not_closed"})
            async with running(another.upstream(broker.url)):
                await seen.until(lambda: len(seen.messages()) == 3)
    last = {message.topic: message.payload for message in seen.messages()}
    assert last[f"{ROOT}/{LOST}"] == b""
    assert last[f"{ROOT}/{STUCK}"] != b""
