"""A real broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.brokers import Mosquitto


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as made:
        yield made
