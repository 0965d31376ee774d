"""Records reach a real broker: all of them, in order, byte for byte, with one id each."""

from pathlib import Path

import pytest

from gatewayd.upstreams.pump import BATCH_MAX
from tests.support.brokers import Broker, IotCore, Mosquitto
from tests.support.outpost import (
    QUICK,
    ROOT,
    Outpost,
    bodies,
    drained,
    first_arrivals,
    ids,
    running,
)
from tests.support.relay import Relay
from tests.support.subscribers import Seen, Subscriber

RECORDS = f"{ROOT}/records/#"


def payloads(seen: Subscriber) -> list[bytes]:
    return [message.payload for message in seen.messages("/records/")]


async def test_records_arrive_in_order_with_their_exact_bytes(
    outpost: Outpost, broker: Broker
) -> None:
    committed = await outpost.commit(2 * BATCH_MAX + 1)
    upstream = outpost.upstream(broker.url)
    with Subscriber(broker.port, RECORDS) as seen:
        async with running(upstream):
            await drained(upstream)
        await seen.until(lambda: len(payloads(seen)) >= len(committed))
    assert payloads(seen) == bodies(committed)


async def test_a_record_says_its_kind_and_type_and_is_not_retained(
    outpost: Outpost, broker: Broker
) -> None:
    upstream = outpost.upstream(broker.url)
    with Subscriber(broker.port, RECORDS) as seen:
        async with running(upstream):
            (record,) = await outpost.commit(1, "refusal")
            await seen.until(lambda: bool(seen.messages()))
    message = seen.messages()[0]
    content_type = "application/cloudevents+json"
    assert message == Seen(
        topic=f"{ROOT}/records/refusal",
        payload=record.body.encode(),
        qos=1,
        retain=False,
        content_type=content_type,
        at_ns=message.at_ns,
    )


@pytest.mark.parametrize("make", [Mosquitto, lambda path: IotCore(path, version="3.1.1")])
async def test_a_broker_of_the_old_version_is_served_when_chosen(
    outpost: Outpost, tmp_path: Path, make: type[Broker]
) -> None:
    committed = await outpost.commit(30)
    with make(tmp_path) as broker, Subscriber(broker.port, RECORDS, version="3.1.1") as seen:
        upstream = outpost.upstream(broker.url, version="3.1.1")
        async with running(upstream):
            await seen.until(lambda: len(payloads(seen)) >= len(committed))
    assert payloads(seen) == bodies(committed)


async def test_a_broker_that_was_down_all_day_gets_everything(
    outpost: Outpost, broker: Broker
) -> None:
    broker.stop()
    upstream = outpost.upstream(broker.url)
    async with running(upstream):
        await outpost.until_state("down", error="refused")
        committed = await outpost.commit(50)
        broker.start()
        await drained(upstream)
    assert outpost.store.cursor("platform") == committed[-1].sequence


async def test_a_killed_broker_gets_every_unacknowledged_record_again_in_order(
    outpost: Outpost, broker: Broker
) -> None:
    async with Relay(broker.port) as relay:
        upstream = outpost.upstream(relay.url)
        async with running(upstream):
            await outpost.until_state("up")
            committed = await outpost.commit(40)
            broker.kill()
            relay.close()
            committed += await outpost.commit(40)
            await outpost.until_state("down")
            acknowledged = outpost.store.cursor("platform")
            broker.start()
            with Subscriber(broker.port, RECORDS) as seen:
                relay.open()
                await drained(upstream)
                missing = bodies(committed[acknowledged:])
                await seen.until(lambda: len(payloads(seen)) >= len(missing))
    assert payloads(seen) == missing


@pytest.mark.parametrize("answered_bytes", [60, 61, 100, 333])
async def test_a_link_cut_at_any_byte_loses_nothing_and_repeats_the_same_id(
    outpost: Outpost, broker: Broker, answered_bytes: int
) -> None:
    committed = await outpost.commit(120)
    async with Relay(broker.port) as relay:
        upstream = outpost.upstream(relay.url)
        relay.answers_left = answered_bytes
        with Subscriber(broker.port, RECORDS) as seen:
            async with running(upstream):
                await drained(upstream)
            last = committed[-1].body.encode()
            await seen.until(lambda: last in payloads(seen))
    assert first_arrivals(payloads(seen)) == bodies(committed)
    assert len(set(ids(payloads(seen)))) == len(committed)


async def test_a_new_process_goes_on_where_the_last_one_was_acknowledged(
    tmp_path: Path, broker: Broker
) -> None:
    async with Outpost(tmp_path) as before:
        upstream = before.upstream(broker.url)
        async with running(upstream):
            await before.commit(5)
            await drained(upstream)
        committed = await before.commit(5)
    with Subscriber(broker.port, RECORDS) as seen:
        async with Outpost(tmp_path) as after:
            upstream = after.upstream(broker.url)
            async with running(upstream):
                await drained(upstream)
        await seen.until(lambda: len(payloads(seen)) >= len(committed))
    assert payloads(seen) == bodies(committed)


async def test_two_upstreams_have_their_own_cursors(outpost: Outpost, broker: Broker) -> None:
    committed = await outpost.commit(10)
    here = outpost.upstream(broker.url, name="here", client_id="here")
    nowhere = outpost.upstream("mqtt://127.0.0.1:1", name="nowhere", pace=QUICK)
    async with running(here, nowhere):
        await drained(here)
        await outpost.until_state("down", name="nowhere")
    assert outpost.store.cursor("here") == committed[-1].sequence
    assert outpost.store.cursor("nowhere") == 0
