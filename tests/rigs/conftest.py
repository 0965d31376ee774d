"""A test whose other end shares its loop may name the loop on whose clock both live."""

import asyncio
from collections.abc import Callable, Mapping

import pytest


def pytest_asyncio_loop_factories(
    item: pytest.Function,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """`LOOP` of its file, by default asyncio's own."""
    return {"loop": getattr(item.module, "LOOP", asyncio.new_event_loop)}
