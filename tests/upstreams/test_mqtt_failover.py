"""Several brokers of one platform: the first that answers, in the order of the list."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gatewayd.upstreams.broker_settings import BROKERS_MAX
from gatewayd.upstreams.contract import Upstream
from gatewayd.upstreams.mqtt import UPSTREAM
from gatewayd.upstreams.mqtt_settings import MqttSettings
from tests.support.brokers import Mosquitto
from tests.support.outpost import ROOT, Outpost, bodies, drained, running
from tests.support.subscribers import Subscriber
from tests.support.waiting import until


def to(outpost: Outpost, *brokers: Mosquitto) -> Upstream:
    return outpost.upstream_of(UPSTREAM, url=[broker.url for broker in brokers])


async def test_the_next_broker_takes_over_and_the_first_is_first_again(
    outpost: Outpost, tmp_path: Path
) -> None:
    with Mosquitto(tmp_path) as first, Mosquitto(tmp_path) as second:
        upstream = to(outpost, first, second)
        async with running(upstream):
            await heard_by(first, outpost, upstream)
            first.kill()
            await heard_by(second, outpost, upstream)
            first.start()
            await heard_by(second, outpost, upstream)
            second.kill()
            await heard_by(first, outpost, upstream)
            second.start()


async def heard_by(broker: Mosquitto, outpost: Outpost, upstream: Upstream) -> None:
    """What is committed now arrives at that broker."""
    with Subscriber(broker.port, f"{ROOT}/records/#") as seen:
        committed = await outpost.commit(3)
        await drained(upstream)
        await until(lambda: len(seen.messages()) == len(committed))
        assert [message.payload for message in seen.messages()] == bodies(committed)


async def test_when_none_is_there_each_is_named_with_its_reason(outpost: Outpost) -> None:
    urls = ["mqtt://127.0.0.1:1", "mqtt://127.0.0.1:2"]
    async with running(outpost.upstream_of(UPSTREAM, url=urls)):
        await outpost.until_state("down", error="mqtt://127.0.0.1:1: ")
        assert "; mqtt://127.0.0.1:2: " in outpost.state()["error"]


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ((), "at least 1"),
        (("mqtt://a",) * (BROKERS_MAX + 1), "at most"),
        (("mqtt://a", "mqtts://b"), "all alike"),
        (("mqtt://a", "mqtt://u:p@b"), "!secret"),
    ],
)
def test_a_wrong_list_is_refused_with_what_was_expected(url: Any, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        MqttSettings(url=url)
