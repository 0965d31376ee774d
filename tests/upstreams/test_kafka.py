"""What is peculiar to Kafka; what every kind must do is in test_contract.py.

The cluster is librdkafka's mock, a fake that speaks the protocol (tests/support/kafka_mock.py).
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from gatewayd.upstreams.contract import Upstream
from gatewayd.upstreams.kafka import UPSTREAM, partition_of
from gatewayd.upstreams.kafka_settings import KafkaSettings
from tests.support.kafka_mock import KafkaMock
from tests.support.outpost import STATION, Outpost, bodies, drained, running

NOT_ENOUGH_REPLICAS, MESSAGE_TOO_LARGE = 19, 10
"""Error codes of the Kafka protocol."""
PARTITIONS = 3


@pytest.fixture
def cluster() -> Iterator[KafkaMock]:
    with KafkaMock() as cluster:
        yield cluster


def to(cluster: KafkaMock, outpost: Outpost, **more: Any) -> Upstream:
    settings = {"brokers": (cluster.address,), "answer_within_s": 2, **more}
    return outpost.upstream_of(UPSTREAM, **settings)


async def test_all_records_are_in_one_partition_with_key_and_headers(
    cluster: KafkaMock, outpost: Outpost
) -> None:
    committed = await outpost.commit(20)
    upstream = to(cluster, outpost)
    async with running(upstream):
        await drained(upstream)
    mine = partition_of(STATION, PARTITIONS)
    found = {number: cluster.messages(number) for number in range(PARTITIONS)}
    assert [message.value() for message in found[mine]] == bodies(committed)
    assert all(not found[number] for number in found if number != mine)
    (first, *_) = found[mine]
    assert first.key() == f"/stations/{STATION}/rigs/rig-1".encode()
    assert dict(first.headers() or []) == {
        "content-type": b"application/cloudevents+json",
        "id": committed[0].id.encode(),
        "kind": b"fill",
    }


async def test_the_producers_own_repetition_leaves_no_doubles(
    cluster: KafkaMock, outpost: Outpost
) -> None:
    committed = await outpost.commit(10)
    cluster.refuse(NOT_ENOUGH_REPLICAS, times=3)
    upstream = to(cluster, outpost)
    async with running(upstream):
        await drained(upstream)
    found = cluster.messages(partition_of(STATION, PARTITIONS))
    assert [message.value() for message in found] == bodies(committed)


async def test_what_the_cluster_finds_too_large_is_a_dead_letter_and_only_that(
    cluster: KafkaMock, outpost: Outpost
) -> None:
    committed = await outpost.commit(2)
    cluster.refuse(MESSAGE_TOO_LARGE, times=2)  # the batch, then its first record alone
    upstream = to(cluster, outpost)
    async with running(upstream):
        await drained(upstream)
    (letter,) = outpost.store.dead_letters("platform")
    assert letter.record_id == committed[0].id
    found = cluster.messages(partition_of(STATION, PARTITIONS))
    assert [message.value() for message in found] == bodies(committed[1:])


async def test_nobody_there_is_down_with_a_reason(outpost: Outpost) -> None:
    await outpost.commit(1)
    upstream = outpost.upstream_of(UPSTREAM, brokers=("127.0.0.1:1",), answer_within_s=1)
    async with running(upstream):
        await outpost.until_state("down", error="Unable to bootstrap")
    assert outpost.store.cursor("platform") == 0


def test_a_station_keeps_its_partition() -> None:
    """The value is CRC-32 (zlib), not Python's hash, which changes with every process."""
    assert partition_of("3701000042", 12) == partition_of("3701000042", 12) == 0xA32101A0 % 12
    assert {partition_of(str(number), 5) for number in range(100)} == set(range(5))


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"brokers": []}, "at least 1"),
        ({"brokers": ["kafka://h:9092"]}, "expected host:9092"),
        ({"brokers": ["h"]}, "at least 3"),
        ({"brokers": ["host"]}, "expected host:9092"),
        ({"brokers": ["h:70000"]}, "expected host:9092"),
        ({"topic": "a/b"}, "pattern"),
        ({"username": "u"}, "both or neither"),
        ({"username": "u", "password": "p", "sasl": "PLAIN"}, "expected tls"),
    ],
)
def test_wrong_settings_are_refused_with_what_was_expected(
    wrong: dict[str, Any], hint: str
) -> None:
    with pytest.raises(ValidationError, match=hint):
        KafkaSettings.model_validate_json(json.dumps({"brokers": ["h:9092"], **wrong}))
