"""Two gateways with one client id: the broker throws each out for the other, and nothing is lost."""

from pathlib import Path

import pytest

from tests.support.brokers import Mosquitto
from tests.support.outpost import ROOT, Outpost, bodies, drained, first_arrivals, running
from tests.support.subscribers import Subscriber


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_twins_that_throw_each_other_out_are_visible_and_lose_nothing(
    outpost: Outpost, tmp_path: Path, version: str
) -> None:
    with Mosquitto(tmp_path) as broker, Subscriber(broker.port, f"{ROOT}/records/#") as seen:
        upstream = outpost.upstream(broker.url, client_id="one", version=version)
        twin = outpost.upstream(
            broker.url, name="twin", client_id="one", version=version, prefix="gatewayd/twin"
        )
        async with running(upstream):
            await outpost.until_state("up")
            async with running(twin):
                await outpost.until_state("down", error="client id one?")
                committed = await outpost.commit(50)
            await drained(upstream)
            await outpost.until_state("up")
        await seen.until(
            lambda: len(first_arrivals([m.payload for m in seen.messages()])) == len(committed)
        )
        assert first_arrivals([m.payload for m in seen.messages()]) == bodies(committed)
