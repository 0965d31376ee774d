"""Every kind of upstream speaks by a mapping: nothing is lost, doubled, or said out of its order."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Upstream
from gatewayd.upstreams.kafka import partition_of
from gatewayd.upstreams.pump import BATCH_MAX
from tests.support.mapped_platforms import (
    KAFKA_TOPIC,
    MAPPED,
    TOPIC,
    MappedKafka,
    MappedMqttPlatform,
    MappedTable,
)
from tests.support.outpost import ROOT, STATION, Outpost, drained, first_arrivals, running
from tests.support.platforms import ANSWERS, DOUBLES, Platform
from tests.support.postgres_server import GATEWAY
from tests.support.subscribers import Subscriber
from tests.support.waiting import LOOK_EVERY_S, until


@pytest.fixture
async def platform(request: pytest.FixtureRequest, outpost: Outpost) -> AsyncIterator[Platform]:
    async with request.param(outpost.directory) as made:
        yield made


def to(platform: Platform, outpost: Outpost) -> Upstream:
    return outpost.upstream_of(platform.kind, mapping=platform.mapping, **platform.settings())


@pytest.mark.parametrize("platform", MAPPED, indirect=True, ids=lambda kind: kind.__name__)
async def test_the_platform_gets_its_own_words_and_nothing_is_silently_lost(
    platform: Platform, outpost: Outpost
) -> None:
    committed = await outpost.commit(25)
    await outpost.commit(2, "session")
    (unfit,) = await outpost.commit(1, "check")
    wanted = platform.wanted(committed + await outpost.commit(3, "refusal"))
    if ANSWERS in platform.can:
        platform.lose_answers(70)
    upstream = to(platform, outpost)
    async with running(upstream):
        await drained(upstream)
        await outpost.until(lambda: outpost.state()["dead_letters"] == 1)
    await until(lambda: len(first_arrivals(platform.arrived())) >= len(wanted))
    assert first_arrivals(platform.arrived()) == wanted
    if DOUBLES not in platform.can:
        assert platform.arrived() == wanted
    assert outpost.store.cursor("platform") == 31
    (letter,) = outpost.store.dead_letters("platform")
    assert letter.record_id == unfit.id
    assert letter.reason == "mapping plant: WHAT: the record has no stage"


@pytest.mark.parametrize("platform", [MappedMqttPlatform], indirect=True)
async def test_over_mqtt_only_the_mapping_speaks_and_the_id_is_beside_it(
    platform: MappedMqttPlatform, outpost: Outpost
) -> None:
    committed = await outpost.commit(2)
    outpost.board.post("rigs/rig-1/state", {"state": "locked"})
    upstream = to(platform, outpost)
    async with running(upstream):
        await drained(upstream)
        await outpost.until_state("up")
    await until(lambda: len(platform.all.messages()) >= len(committed))
    seen = [(one.content_type, one.user, one.retain) for one in platform.all.messages()]
    assert seen == [("application/json", (("id", one.id),), False) for one in committed]
    assert not platform.all.messages(ROOT)


@pytest.mark.parametrize("platform", [MappedKafka], indirect=True)
async def test_over_kafka_the_mapping_names_the_key_and_the_id_is_a_header(
    platform: MappedKafka, outpost: Outpost
) -> None:
    (record,) = await outpost.commit(1)
    upstream = to(platform, outpost)
    async with running(upstream):
        await drained(upstream)
    (found,) = platform.server.messages(partition_of(STATION, 3), KAFKA_TOPIC)
    assert found.key() == b"fill"
    headers = dict(found.headers() or [])
    assert (headers["id"], headers["content-type"]) == (record.id.encode(), b"application/json")


@pytest.mark.parametrize("platform", [MappedMqttPlatform], indirect=True)
async def test_words_may_be_confirmed_too_by_the_ids_beside_them(
    platform: MappedMqttPlatform, outpost: Outpost
) -> None:
    wanted = await outpost.commit(150)
    await outpost.commit(3, "session")
    more: dict[str, Any] = {"ack": "required", "ack_within_s": 5}
    with Subscriber(platform.broker.port, TOPIC) as seen:
        upstream = outpost.upstream_of(
            platform.kind, mapping=platform.mapping, **platform.settings(), **more
        )
        async with running(upstream):
            await seen.until(lambda: len(seen.messages()) >= BATCH_MAX)
            assert outpost.store.cursor("platform") == 0
            async with asyncio.TaskGroup() as tasks:
                confirming = tasks.create_task(confirm(seen))
                await drained(upstream)
                confirming.cancel()
    assert [one.payload for one in seen.messages()] == platform.wanted(wanted)
    assert outpost.store.cursor("platform") == 153


async def confirm(seen: Subscriber) -> None:
    """Confirm by the user property what has come, as it comes."""
    done = 0
    while True:
        for one in seen.messages()[done:]:
            seen.say(f"{ROOT}/ack", json.dumps(dict(one.user)).encode())
            done += 1
        await asyncio.sleep(LOOK_EVERY_S)


# Two places in one batch


TWO = """\
id: two
title: {zh: 二, en: two}
source: made up for a test
verified: false
messages:
  - {records: [fill], to: plant_fills, fields: {ID: record.id, NO: record.sequence}}
  - {records: [refusal], to: plant_no, fields: {ID: record.id, NO: record.sequence}}
examples:
  - {in: {kind: fill, id: "1", sequence: 2}, out: {to: plant_fills, body: {ID: "1", NO: 2}}}
"""
ROUNDS = 5


async def mixed(outpost: Outpost) -> tuple[list[int], list[int]]:
    """Fills and refusals in turn, by sequence."""
    fills: list[Record] = []
    refusals: list[Record] = []
    for _ in range(ROUNDS):
        fills += await outpost.commit(1)
        refusals += await outpost.commit(1, "refusal")
    return [each.sequence for each in fills], [each.sequence for each in refusals]


@pytest.mark.parametrize("platform", [MappedKafka], indirect=True)
async def test_each_topic_of_a_batch_has_its_own_in_order(
    platform: MappedKafka, outpost: Outpost
) -> None:
    for topic in ("plant_fills", "plant_no"):
        platform.server.make_topic(topic)
    fills, refusals = await mixed(outpost)
    upstream = outpost.upstream_of(platform.kind, mapping=TWO, **platform.settings())
    async with running(upstream):
        await drained(upstream)
    for topic, wanted in (("plant_fills", fills), ("plant_no", refusals)):
        found = platform.server.messages(partition_of(STATION, 3), topic)
        assert [json.loads(each.value() or b"")["NO"] for each in found] == wanted


@pytest.mark.parametrize("platform", [MappedTable], indirect=True)
async def test_tables_of_a_batch_get_their_rows_once_or_say_why_not(
    platform: MappedTable, outpost: Outpost
) -> None:
    fills, refusals = await mixed(outpost)
    wrong, sql = refusals[2], platform.server.sql
    sql(f'CREATE TABLE plant_no ("ID" uuid, "NO" bigint CHECK ("NO" <> {wrong}))')
    sql(f'GRANT SELECT ("ID"), INSERT ON plant_no TO {GATEWAY}')
    upstream = outpost.upstream_of(platform.kind, mapping=TWO, **platform.settings())
    async with running(upstream):
        await outpost.until_state("refused", error="record.id needs a unique index")
        assert sql('SELECT "NO" FROM plant_fills').split() in ([], [str(fills[0])])
        sql('CREATE UNIQUE INDEX ON plant_no ("ID")')
        await drained(upstream)
    assert numbers(sql('SELECT "NO" FROM plant_fills ORDER BY n')) == fills
    taken = [each for each in refusals if each != wrong]
    assert numbers(sql('SELECT "NO" FROM plant_no ORDER BY "NO"')) == taken
    (letter,) = outpost.store.dead_letters("platform")
    assert letter.sequence == wrong
    assert "plant_no_NO_check" in letter.reason


def numbers(printed: str) -> list[int]:
    return [int(each) for each in printed.split()]


# What stands in a mapping's own place


CODES = """\
id: codes
title: {zh: 码, en: codes}
source: made up for a test
verified: false
messages:
  - {records: [movement], to: "site/{cylinder.code}/moved", fields: {ID: record.id}}
examples:
  - in: {kind: movement, id: "1", data: {cylinder: {code: "370"}}}
    out: {to: site/370/moved, body: {ID: "1"}}
"""


@pytest.mark.parametrize("platform", [MappedMqttPlatform], indirect=True)
@pytest.mark.parametrize("code", ["#", "+", "a/b", "", "a\x00b"])
async def test_a_value_of_a_record_cannot_leave_its_part_of_a_topic(
    platform: MappedMqttPlatform, outpost: Outpost, code: str
) -> None:
    await outpost.commit_data("movement", {"cylinder": {"code": code}})
    last = await outpost.commit_data("movement", {"cylinder": {"code": "370"}})
    upstream = outpost.upstream_of(platform.kind, mapping=CODES, **platform.settings())
    async with running(upstream):
        await drained(upstream)
    (letter,) = outpost.store.dead_letters("platform")
    assert ("no cylinder.code" if "\0" in code else "cannot be a part of it") in letter.reason
    await until(lambda: len(platform.all.messages()) == 1)
    (seen,) = platform.all.messages()
    assert (seen.topic, seen.user) == ("site/370/moved", (("id", last.id),))
