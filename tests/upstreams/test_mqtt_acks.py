"""`ack: required`: a record counts when the platform confirms it, whatever the broker says."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Outcome
from gatewayd.upstreams.mqtt import MqttUpstream
from gatewayd.upstreams.mqtt_acks import (
    ACK_BYTES_MAX,
    ACK_WINDOW,
    OFFERED_MAX,
    REFILL,
    Acks,
    ConfirmedSink,
)
from gatewayd.upstreams.mqtt_terms import Heard
from gatewayd.upstreams.pump import BATCH_MAX
from tests.support.brokers import Broker, Mosquitto
from tests.support.confirmers import Confirmer
from tests.support.outpost import (
    ROOT,
    STATION,
    Outpost,
    bodies,
    drained,
    first_arrivals,
    ids,
    running,
)
from tests.support.scripted_broker import ScriptedBroker

KILLS = 3


def asking(outpost: Outpost, broker: Broker, within_s: int = 1, version: str = "5") -> MqttUpstream:
    return outpost.upstream(broker.url, ack="required", ack_within_s=within_s, version=version)


@pytest.mark.parametrize(("how", "every"), [("id", 1), ("ids", 7), ("through_sequence", 10)])
async def test_what_is_confirmed_is_delivered_once(
    outpost: Outpost, broker: Broker, how: str, every: int
) -> None:
    committed = await outpost.commit(7 * 10 * 2)
    with Confirmer(broker.port, ROOT, how=how, every=every) as platform:
        upstream = asking(outpost, broker, 30)
        async with running(upstream):
            await platform.until(lambda: len(platform.records) >= BATCH_MAX)
            platform.confirm()
            await platform.until(lambda: len(platform.records) == len(committed))
            platform.confirm()
            await drained(upstream)
    assert platform.records == bodies(committed)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_platform_that_never_confirms_is_visible_and_loses_nothing(
    outpost: Outpost, mosquitto: Mosquitto, version: str
) -> None:
    committed = await outpost.commit(5)
    with Confirmer(mosquitto.port, ROOT, how=None) as platform:
        upstream = asking(outpost, mosquitto, version=version)
        async with running(upstream):
            await outpost.until_state("refused", error=f"{ROOT}/ack")
            assert outpost.store.cursor("platform") == 0
            await platform.until(lambda: len(platform.records) > len(committed))
            platform.how = "id"
            platform.confirm()
            await drained(upstream)
            await outpost.until_state("up")
    assert first_arrivals(platform.records) == bodies(committed)
    assert outpost.store.dead_letters("platform") == ()


async def test_a_broker_that_does_not_let_us_hear_is_visible_and_loses_nothing(
    outpost: Outpost,
) -> None:
    await outpost.commit(2)
    async with ScriptedBroker(suback=0x87) as broker:
        upstream = outpost.upstream(broker.url, ack="required", ack_within_s=30)
        async with running(upstream):
            await outpost.until_state("refused", error=f"{ROOT}/ack: Not authorized")
            sent = len(broker.records())
            await outpost.commit(1)
            await outpost.until_state("refused")
        assert outpost.store.cursor("platform") == 0
        assert len(broker.records()) == sent <= 2


async def test_a_broker_that_accepts_and_forgets_is_visible_and_loses_nothing(
    outpost: Outpost,
) -> None:
    await outpost.commit(2)
    async with ScriptedBroker() as broker:
        upstream = outpost.upstream(broker.url, ack="required", ack_within_s=1)
        async with running(upstream):
            await outpost.until_state("refused", error="nobody confirmed")
            assert len(broker.records()) >= 2
    assert outpost.store.cursor("platform") == 0


async def test_what_confirms_nothing_is_counted_and_ignored(
    outpost: Outpost, mosquitto: Mosquitto
) -> None:
    await outpost.commit(1)
    garbage: list[object] = [
        b"\xff\x00",
        b"",
        b"[" * 100_000,
        [],
        {},
        {"id": 1},
        {"ids": "all"},
        {"ids": [1]},
        {"ids": []},
        {"through_sequence": True},
        {"through_sequence": "1"},
        {"id": "00000000-0000-7000-8000-000000000000"},
        {"through_sequence": 0},
    ]
    with Confirmer(mosquitto.port, ROOT, how=None) as platform:
        platform.say({"through_sequence": 1_000}, retain=True)
        upstream = asking(outpost, mosquitto)
        async with running(upstream):
            await platform.until(lambda: bool(platform.records))
            for each in garbage:
                platform.say(each)
            await outpost.until_state("refused")
            assert outpost.store.cursor("platform") == 0
            platform.how = "id"
            platform.confirm()
            await drained(upstream)


async def test_so_many_wait_for_their_confirmation_and_no_more(
    outpost: Outpost, mosquitto: Mosquitto
) -> None:
    committed = await outpost.commit(ACK_WINDOW + 2 * REFILL)
    with Confirmer(mosquitto.port, ROOT, how=None) as platform:
        upstream = asking(outpost, mosquitto, 30)
        async with running(upstream):
            await platform.until(lambda: len(platform.records) == ACK_WINDOW)
            assert outpost.store.cursor("platform") == 0
            platform.say({"through_sequence": REFILL - 1})
            platform.say({"id": ids(platform.records)[REFILL]})
            await outpost.commit(1, "alarm")  # Its turn comes: what waits is full.
            assert len(platform.records) == ACK_WINDOW, "the oldest of them is not confirmed"
            platform.say({"id": ids(platform.records)[REFILL - 1]})
            await platform.until(lambda: len(platform.records) > ACK_WINDOW)
            platform.how = "ids"
            platform.confirm()
            await drained(upstream)
    assert len(platform.records) == len(committed) + 1, "each came once"
    assert [one for one in platform.records if one in set(bodies(committed))] == bodies(committed)


async def test_one_that_is_never_confirmed_is_sent_again_alone_and_no_other(
    outpost: Outpost, mosquitto: Mosquitto
) -> None:
    committed = await outpost.commit(2 * ACK_WINDOW)
    forgotten = committed[REFILL // 2]
    with Confirmer(mosquitto.port, ROOT, forgets=forgotten.id) as platform:
        upstream = asking(outpost, mosquitto, 1)
        async with running(upstream):
            await platform.until(lambda: platform.records.count(forgotten.body.encode()) >= 2)
            assert len(set(platform.records)) == ACK_WINDOW, "nothing went past the window"
            platform.forgets = ""
            await drained(upstream)
    again = [body for body in platform.records if body != forgotten.body.encode()]
    assert len(again) == len(committed) - 1, "what was confirmed behind it is not sent again"
    assert set(platform.records) == set(bodies(committed))


async def test_while_nobody_subscribes_nothing_is_given_away(
    outpost: Outpost, mosquitto: Mosquitto
) -> None:
    committed = await outpost.commit(ACK_WINDOW)
    upstream = asking(outpost, mosquitto, 30)
    async with running(upstream):
        await outpost.until_state("refused", error="nobody subscribes")
        with Confirmer(mosquitto.port, ROOT, how="ids") as platform:
            await drained(upstream)
            await outpost.until_state("up")
    assert platform.records == bodies(committed), "all of them, each once and in order"


async def test_what_another_platform_confirms_is_not_ours(
    outpost: Outpost, mosquitto: Mosquitto
) -> None:
    committed = await outpost.commit(3)
    other_root = f"other/{STATION}"
    with (
        Confirmer(mosquitto.port, ROOT, how=None) as silent,
        Confirmer(mosquitto.port, other_root, how="ids", every=3, name="other") as other,
    ):
        ours = asking(outpost, mosquitto, 30)
        theirs = outpost.upstream(
            mosquitto.url,
            name="other",
            prefix="other",
            client_id="other-gateway",
            ack="required",
        )
        async with running(ours, theirs):
            await drained(theirs)
            await silent.until(lambda: len(silent.records) == len(committed))
            assert outpost.store.cursor("platform") == 0
            assert outpost.store.cursor("other") == len(committed)
    assert other.records == bodies(committed)


async def test_pacing_counts_a_record_once_however_long_it_waits_for_its_word(
    outpost: Outpost, mosquitto: Mosquitto
) -> None:
    committed = await outpost.commit(2 * ACK_WINDOW)
    with Confirmer(mosquitto.port, ROOT, how="ids", every=20) as platform:
        upstream = outpost.upstream(
            mosquitto.url, ack="required", ack_within_s=30, records_per_s=len(committed)
        )
        async with running(upstream):
            await drained(upstream)  # One second's worth goes at once; fourfold would take seconds.
    assert platform.records == bodies(committed)


async def test_alarms_that_overtake_are_confirmed_like_all(
    outpost: Outpost, mosquitto: Mosquitto
) -> None:
    committed = await outpost.commit(BATCH_MAX + 20)
    committed += await outpost.commit(2, "alarm")
    with Confirmer(mosquitto.port, ROOT, how="ids", every=1) as platform:
        upstream = asking(outpost, mosquitto, 30)
        async with running(upstream):
            await drained(upstream)
    assert sorted(platform.records) == sorted(bodies(committed))


async def test_a_broker_that_forgets_what_it_acknowledged_loses_nothing(
    outpost: Outpost, tmp_path: Path
) -> None:
    """Mosquitto writes its file at the end or now and then: a kill forgets what it said yes to."""
    committed: list[Record] = []
    disk = tmp_path / "platform.jsonl"
    with (
        Mosquitto(tmp_path, persistent=True) as broker,
        Confirmer(broker.port, ROOT, how="ids", every=1, disk=disk) as platform,
    ):
        upstream = asking(outpost, broker)
        async with running(upstream):
            for _ in range(KILLS):
                broker.kill()
                committed += await outpost.commit(3 * BATCH_MAX)
                before = len(platform.records)
                await asyncio.to_thread(broker.start)
                await platform.more_than(before + BATCH_MAX)
            async with asyncio.timeout(60):
                await upstream.drained()
    on_disk = first_arrivals(disk.read_bytes().splitlines())
    assert sorted(on_disk) == sorted(bodies(committed))
    assert on_disk == bodies(committed)


# Acks by themselves


def record(sequence: int) -> Record:
    return Record(sequence, f"id-{sequence}", "fill", "rig-1", "{}")


def say(acks: Acks, said: object, *, retained: bool = False) -> None:
    acks.hear(Heard(acks.topic, json.dumps(said).encode(), retained=retained))


def test_a_late_confirmation_counts_when_its_record_comes_up_again() -> None:
    acks = Acks("platform", "p/ack")
    batch = [record(1), record(2), record(3)]
    acks.offer(batch)
    assert acks.confirmed(batch) == frozenset()
    say(acks, {"id": "id-2"})
    assert acks.confirmed(batch) == {2}
    say(acks, {"through_sequence": 2})
    assert acks.confirmed(batch) == {1, 2}
    acks.settled(batch)
    assert acks.confirmed(batch) == frozenset()
    assert acks.foreign == 0


def test_strangers_are_counted() -> None:
    acks = Acks("platform", "p/ack")
    acks.offer([record(1)])
    say(acks, {"ids": ["id-7", "id-8", "id-1"]})
    assert acks.foreign == 2
    assert acks.confirmed([record(1)]) == {1}
    acks.offer([record(2)])
    say(acks, {"id": "id-2"}, retained=True)
    acks.hear(Heard("p/ack", b"{" + b" " * ACK_BYTES_MAX + b"}", retained=False))
    assert acks.foreign == 4
    assert acks.confirmed([record(2)]) == frozenset()


def test_what_may_still_be_confirmed_has_a_limit() -> None:
    acks = Acks("platform", "p/ack")
    acks.offer(record(sequence) for sequence in range(1, OFFERED_MAX + 2))
    say(acks, {"ids": ["id-1", "id-2"]})
    assert acks.confirmed([record(1), record(2)]) == {2}


class Wire:
    """A connection that takes everything, and a platform that confirms what `confirms` names."""

    def __init__(self, acks: Acks) -> None:
        self.gone = asyncio.Event()
        self.acks = acks
        self.confirms: set[str] = set()
        self.offers: list[list[int]] = []

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        del alone
        self.offers.append([one.sequence for one in batch])
        say(self.acks, {"ids": sorted(self.confirms & {one.id for one in batch})})
        return Outcome(frozenset(self.offers[-1]))


async def test_what_was_settled_is_sent_when_it_is_asked_for_again() -> None:
    """A platform that lost records asks for them: its confirmation of then is no answer to that."""
    acks = Acks("platform", "p/ack")
    wire = Wire(acks)
    sink = ConfirmedSink(wire, acks, 0.05)
    batch = [record(sequence) for sequence in range(1, 5)]
    wire.confirms = {"id-1", "id-2", "id-4"}
    outcome = await sink.deliver(batch, alone=False)
    assert outcome.kept
    assert outcome.accepted == {1, 2}, "none is told behind a gap"
    for one in batch[:2]:
        assert (await sink.deliver([one], alone=True)).accepted == {one.sequence}
    assert wire.offers[1:] == [[1], [2]]
    wire.confirms = {"id-3"}
    assert (await sink.deliver(batch[2:], alone=False)).accepted == {3, 4}
    assert wire.offers[3:] == [[3]], "a late word on the fourth counts when it comes up again"
    assert acks.confirmed(batch) == frozenset(), "nothing is remembered for ever"
