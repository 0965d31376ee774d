"""What every test of shifts stands in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.alarms.control_room import ControlRoom, control_room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[ControlRoom]:
    async with control_room(tmp_path) as made:
        yield made
