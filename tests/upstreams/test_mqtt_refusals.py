"""A platform that refuses: kept for ever, or a visible dead letter, and never in others' way."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from gatewayd.store.model import Record
from gatewayd.upstreams.backoff import Pace
from gatewayd.upstreams.mqtt_terms import packet_bytes
from tests.support.brokers import Mosquitto
from tests.support.outpost import QUICK, ROOT, Outpost, bodies, drained, first_arrivals, running
from tests.support.scripted_broker import (
    HangUp,
    Puback,
    Published,
    Reply,
    ScriptedBroker,
    Silence,
)
from tests.support.subscribers import Subscriber

ALLOWED = f"topic readwrite {ROOT}/#\n"
NO_FILLS = f"topic write {ROOT}/status\ntopic write {ROOT}/records/alarm\ntopic read #\n"


def poisoned(record: Record, reply: Reply) -> Callable[[Published], Reply]:
    """Take everything but one record."""
    body = record.body.encode()
    return lambda published: reply if published.payload == body else Puback()


async def test_a_record_the_broker_may_not_take_is_kept_until_it_may(
    outpost: Outpost, tmp_path: Path
) -> None:
    with Mosquitto(tmp_path, acl=NO_FILLS) as broker:
        upstream = outpost.upstream(broker.url)
        committed = await outpost.commit(3)
        committed += await outpost.commit(1, "alarm")
        async with running(upstream):
            await outpost.until_state("refused", error="Not authorized (0x87)")
            assert outpost.store.cursor("platform") == 0
            assert outpost.store.dead_letters("platform") == ()
            with Subscriber(broker.port, f"{ROOT}/records/#") as seen:
                broker.set_acl(ALLOWED)
                await drained(upstream)
                await seen.until(lambda: len(seen.messages()) >= len(committed))
            await outpost.until_state("up")
    assert [message.payload for message in seen.messages()] == bodies(committed)


@pytest.mark.parametrize("code", [0x80, 0x83, 0x87, 0x91, 0x97])
async def test_a_passing_refusal_is_tried_again_with_the_same_bytes_and_skips_nothing(
    outpost: Outpost, code: int
) -> None:
    committed = await outpost.commit(5)
    second = committed[1].body.encode()
    refusals = 3

    def reply(published: Published) -> Reply:
        tried = broker.records().count(second)
        return Puback(code if published.payload == second and tried <= refusals else 0)

    async with ScriptedBroker(reply) as broker:
        upstream = outpost.upstream(broker.url, in_flight_max=1)
        async with running(upstream):
            await drained(upstream)
    assert broker.records().count(second) == refusals + 1
    assert first_arrivals(broker.records()) == bodies(committed)
    assert outpost.store.dead_letters("platform") == ()


@pytest.mark.parametrize("code", [0x90, 0x99])
async def test_a_refusal_for_good_is_a_dead_letter_and_others_pass(
    outpost: Outpost, code: int
) -> None:
    committed = await outpost.commit(5)
    async with ScriptedBroker(poisoned(committed[2], Puback(code))) as broker:
        upstream = outpost.upstream(broker.url)
        async with running(upstream):
            await drained(upstream)
            await outpost.until(lambda: outpost.state()["dead_letters"] == 1)
    (dead,) = outpost.store.dead_letters("platform")
    assert (dead.sequence, dead.record_id) == (3, committed[2].id)
    assert f"0x{code:02x}" in dead.reason
    assert broker.records() == bodies(committed)


async def test_a_record_the_broker_hangs_up_on_is_found_and_others_pass(outpost: Outpost) -> None:
    committed = await outpost.commit(5)
    async with ScriptedBroker(poisoned(committed[2], HangUp(0x95))) as broker:
        upstream = outpost.upstream(broker.url)
        async with running(upstream):
            await drained(upstream)
    (dead,) = outpost.store.dead_letters("platform")
    assert dead.sequence == 3
    assert "hung up" in dead.reason
    assert first_arrivals(broker.records()) == bodies(committed)


async def test_an_answer_outside_the_standard_keeps_the_record_and_says_so(
    outpost: Outpost,
) -> None:
    (record,) = await outpost.commit(1)
    async with ScriptedBroker(poisoned(record, Puback(0x95))) as broker:
        upstream = outpost.upstream(broker.url)
        async with running(upstream):
            await outpost.until_state("down", error="Protocol error")
            assert outpost.store.cursor("platform") == 0
            broker.reply = lambda _: Puback()
            await drained(upstream)
    assert outpost.store.dead_letters("platform") == ()


async def test_a_second_client_of_our_id_is_named_when_the_broker_names_it(
    outpost: Outpost,
) -> None:
    (record,) = await outpost.commit(1)
    async with ScriptedBroker(poisoned(record, HangUp(0x8E))) as broker:
        upstream = outpost.upstream(broker.url)
        async with running(upstream):
            await outpost.until_state("down", error="Session taken over (0x8e)")


async def test_a_broker_that_hangs_up_for_its_own_reasons_loses_nothing(outpost: Outpost) -> None:
    committed = await outpost.commit(3)
    body = committed[1].body.encode()

    def reply(published: Published) -> Reply:
        busy = published.payload == body and broker.records().count(body) <= 3
        return HangUp(0x89) if busy else Puback()

    async with ScriptedBroker(reply) as broker:
        upstream = outpost.upstream(broker.url)
        async with running(upstream):
            await drained(upstream)
    assert outpost.store.dead_letters("platform") == ()
    assert first_arrivals(broker.records()) == bodies(committed)


async def test_a_packet_too_large_for_the_broker_is_a_dead_letter_to_the_byte(
    outpost: Outpost, tmp_path: Path
) -> None:
    fits, large = await outpost.commit(1, note="x") + await outpost.commit(1, note="xx")
    assert len(large.body) == len(fits.body) + 1
    content_type = 1 + 1 + 2 + len("application/cloudevents+json")
    header = len(f"{ROOT}/records/fill") + content_type
    limit = packet_bytes(header, len(fits.body.encode()))
    with Mosquitto(tmp_path, extra=[f"max_packet_size {limit}"]) as broker:
        upstream = outpost.upstream(broker.url)
        with Subscriber(broker.port, f"{ROOT}/records/#") as seen:
            async with running(upstream):
                await drained(upstream)
            await seen.until(lambda: bool(seen.messages()))
    (dead,) = outpost.store.dead_letters("platform")
    assert dead.sequence == large.sequence
    assert f"{limit + 1} bytes, the broker takes {limit}" in dead.reason
    assert [message.payload for message in seen.messages()] == [fits.body.encode()]


async def test_a_dead_letter_that_a_person_releases_is_sent_again(outpost: Outpost) -> None:
    (record,) = await outpost.commit(1)
    codes = [Puback(0x99), Puback(0x99), Puback()]

    def reply(published: Published) -> Reply:
        return codes.pop(0) if "/records/" in published.topic else Puback()

    async with ScriptedBroker(reply) as broker:
        upstream = outpost.upstream(broker.url)
        async with running(upstream):
            await drained(upstream)
            await outpost.store.retry_dead("platform")
            await broker.until_records(2)
            while not await outpost.store.retry_dead("platform"):
                assert len(outpost.store.dead_letters("platform")) == 1
            await outpost.until(lambda: outpost.state()["dead_letters"] == 0)
    assert broker.records() == bodies([record] * 3)


async def test_a_broker_that_never_answers_a_record_is_left_and_called_again(
    outpost: Outpost,
) -> None:
    (record,) = await outpost.commit(1)
    pace = Pace(first_s=0.02, max_s=0.05, answer_s_max=0.1)

    def reply(published: Published) -> Reply:
        silent = "/records/" in published.topic and broker.connections < 3
        return Silence() if silent else Puback()

    async with ScriptedBroker(reply) as broker:
        upstream = outpost.upstream(broker.url, pace=pace)
        async with running(upstream):
            await drained(upstream)
    assert broker.records() == bodies([record] * 3)


async def test_no_more_records_wait_for_an_answer_than_the_broker_takes(outpost: Outpost) -> None:
    committed = await outpost.commit(50)
    receive_maximum_4 = b"\x21\x00\x04"
    async with ScriptedBroker(limits=receive_maximum_4, hold=0) as broker:
        broker.reply = lambda p: Silence() if "/records/" in p.topic else Puback()
        pace = Pace(first_s=0.02, max_s=0.05, answer_s_max=0.2)
        upstream = outpost.upstream(broker.url, pace=pace, in_flight_max=32)
        async with running(upstream):
            await outpost.until_state("down", error="no answer")
            unanswered = len(broker.records())
            broker.reply = lambda _: Puback()
            await drained(upstream)
    assert unanswered == 4
    assert first_arrivals(broker.records()) == bodies(committed)


async def test_answers_in_the_wrong_order_settle_the_right_records(outpost: Outpost) -> None:
    committed = await outpost.commit(8)
    dead = committed[2].body.encode()
    async with ScriptedBroker() as broker:

        def reply(published: Published) -> Reply:
            broker.hold = 8 if "/records/" in published.topic else 0
            return Puback(0x99 if published.payload == dead else 0)

        broker.reply = reply
        upstream = outpost.upstream(broker.url)
        async with running(upstream):
            await drained(upstream)
    assert [letter.sequence for letter in outpost.store.dead_letters("platform")] == [3]
    assert broker.most_waiting == 8


async def test_refused_board_topics_do_not_hold_records_up(
    outpost: Outpost, tmp_path: Path
) -> None:
    committed = await outpost.commit(3)
    outpost.board.post("info", {"version": "0.1.0"})
    with Mosquitto(tmp_path, acl=f"topic write {ROOT}/records/#\n") as broker:
        upstream = outpost.upstream(broker.url, pace=QUICK)
        async with running(upstream):
            await drained(upstream)
    assert outpost.store.cursor("platform") == committed[-1].sequence


async def test_garbage_from_a_broker_ends_the_connection_and_nothing_else(
    outpost: Outpost,
) -> None:
    (record,) = await outpost.commit(1)
    garbage = [b"\xff" * 40, b"\x20\x01\x00", b"\x00" * 9, b"HTTP/1.1 400 Bad Request\r\n\r\n"]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if garbage:
            writer.write(garbage.pop())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    upstream = outpost.upstream(f"mqtt://127.0.0.1:{port}")
    async with running(upstream):
        await outpost.until(lambda: not garbage)
        server.close()
        await server.wait_closed()
        async with ScriptedBroker(port=port) as broker:
            await drained(upstream)
    assert broker.records() == bodies([record])
