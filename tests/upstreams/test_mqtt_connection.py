"""One connection: what waits is ended by its loss at once, and nothing piles up in it."""

import asyncio

import pytest

from gatewayd.errors import UpstreamError
from gatewayd.upstreams.mqtt_connection import Connection
from gatewayd.upstreams.mqtt_terms import Dial, Will, packet_bytes
from tests.support.brokers import Mosquitto
from tests.support.relay import Relay
from tests.support.scripted_broker import ScriptedBroker, Silence

SOON_S = 2.0
FLOOD_MAX = 20_000
WEIGHT = b"x" * 1000


def connection_to(port: int, *, in_flight_max: int = 4) -> Connection:
    dial = Dial("127.0.0.1", port, True, "gw", 30, Will("status", b"offline"))  # noqa: FBT003 - v5
    return Connection(dial, in_flight_max=in_flight_max)


async def test_a_lost_link_ends_every_wait_at_once(mosquitto: Mosquitto) -> None:
    async with Relay(mosquitto.port) as relay:
        connection = connection_to(relay.port)
        await connection.open()
        mosquitto.freeze()
        answers = [await connection.send("a", b"1") for _ in range(4)]
        beyond_the_window = asyncio.ensure_future(connection.send("a", b"2"))
        relay.cut()
        async with asyncio.timeout(SOON_S):
            ended = await asyncio.gather(*answers, beyond_the_window, return_exceptions=True)
        mosquitto.thaw()
    assert [type(one) for one in ended] == [UpstreamError] * 5
    assert connection.why == "connection lost"
    assert connection.lost_in_flight == 4
    connection.abort()


async def test_a_congested_link_drops_weights_and_keeps_nothing(mosquitto: Mosquitto) -> None:
    connection = connection_to(mosquitto.port)
    await connection.open()
    mosquitto.freeze()
    sent = 0
    while connection.flash("weight", WEIGHT):
        sent += 1
        assert sent < FLOOD_MAX, "nothing ever said that the link is full"
    assert not any(connection.flash("weight", WEIGHT) for _ in range(1000))
    assert len(connection._client._out_packet) == 1
    mosquitto.thaw()
    async with asyncio.timeout(SOON_S):
        assert (await (await connection.send("record", b"{}"))).accepted
    await connection.close()
    assert not connection.flash("weight", WEIGHT)


async def test_a_weight_behind_a_state_or_record_of_the_same_turn_is_no_congestion(
    mosquitto: Mosquitto,
) -> None:
    """What was sent at QoS 1 waits for the next turn of the loop; a weight was dropped for that."""
    connection = connection_to(mosquitto.port)
    await connection.open()
    answer = await connection.send("state", b"{}")
    assert connection.flash("weight", WEIGHT)
    assert not connection._client.want_write(), "both are on their way"
    async with asyncio.timeout(SOON_S):
        assert (await answer).accepted
    await connection.close()


async def test_no_matching_subscriber_is_no_refusal(mosquitto: Mosquitto) -> None:
    connection = connection_to(mosquitto.port)
    await connection.open()
    answer = await (await connection.send("nobody", b"{}"))
    assert (answer.code, answer.accepted) == (0x10, True)
    await connection.close()


async def test_a_connection_that_is_gone_takes_nothing(mosquitto: Mosquitto) -> None:
    connection = connection_to(mosquitto.port)
    await connection.open()
    connection.abort("enough")
    with pytest.raises(UpstreamError, match="enough"):
        await connection.send("a", b"{}")


async def test_alone_means_that_nothing_flies_beside_it() -> None:
    async with ScriptedBroker(lambda _: Silence()) as broker:
        connection = connection_to(broker.port)
        await connection.open()
        await connection.send("records/alone", b"{}", alone=True)
        beside = asyncio.ensure_future(connection.send("rigs/state", b"{}"))
        await broker.until_seen(1)
        await asyncio.sleep(0)
        assert not beside.done()
        connection.abort()
        with pytest.raises(UpstreamError):
            await beside
    assert [seen.topic for seen in broker.seen] == ["records/alone"]


@pytest.mark.parametrize(
    ("payload", "size"), [(0, 8), (121, 129), (122, 131), (16_377, 16_386), (16_378, 16_388)]
)
def test_the_size_of_a_packet_is_known_to_the_byte(payload: int, size: int) -> None:
    topic_and_no_properties = 1 + 1
    assert packet_bytes(topic_and_no_properties, payload) == size
