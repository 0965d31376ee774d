"""Parts of the upstream tests: an outpost, and each real broker."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.brokers import Broker, IotCore, Mosquitto
from tests.support.outpost import Outpost


@pytest.fixture
async def outpost(tmp_path: Path) -> AsyncIterator[Outpost]:
    async with Outpost(tmp_path) as made:
        yield made


@pytest.fixture(params=["mosquitto", "iotcore"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Each real broker in turn, running."""
    made = Mosquitto(tmp_path) if request.param == "mosquitto" else IotCore(tmp_path)
    with made:
        yield made


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as made:
        yield made
