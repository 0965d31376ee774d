"""A running scale driver with what it weighed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

from drivers.contract import WeightSample
from drivers.scale import mt_sics, toledo, yaohua
from drivers.suite import Bench
from tests.support.devices.scales import SicsScale, ToledoScale, YaohuaScale, streaming

Wire: TypeAlias = Callable[..., AbstractAsyncContextManager[dict[str, Any]]]
Scale: TypeAlias = YaohuaScale | ToledoScale | SicsScale


def of_yaohua(link: dict[str, Any], **settings: Any) -> yaohua.Yaohua:
    """A driver of one Yaohua indicator."""
    told = {"link": link, "variant": "command", "unit": "kg", "poll_ms": 50, **settings}
    if told["variant"] == "a12e":
        told["unit"] = None
    return yaohua.Yaohua("scale-1", yaohua.Settings.model_validate(told))


def of_toledo(link: dict[str, Any], **settings: Any) -> toledo.Toledo:
    """A driver of one Toledo indicator."""
    return toledo.Toledo("scale-1", toledo.Settings.model_validate({"link": link, **settings}))


def of_sics(link: dict[str, Any], **settings: Any) -> mt_sics.MtSics:
    """A driver of one MT-SICS scale."""
    told = {"link": link, "poll_ms": 50, **settings}
    return mt_sics.MtSics("scale-1", mt_sics.Settings.model_validate(told))


def weights(bench: Bench) -> list[WeightSample]:
    """Every weight so far."""
    return [reading for reading in bench.readings if isinstance(reading, WeightSample)]


def gross(bench: Bench) -> int | None:
    """The newest gross weight; -1 when there is none yet."""
    found = weights(bench)
    return found[-1].gross_g if found else -1


def why(bench: Bench) -> str:
    """Why the newest weight is unknown."""
    found = weights(bench)
    return found[-1].why if found else ""


def kinds(bench: Bench) -> set[str]:
    """Troubles told while running or with the error."""
    told = {trouble.kind for trouble in bench.troubles}
    if bench.error is not None and bench.error.trouble is not None:
        told.add(bench.error.trouble.kind)
    return told


@asynccontextmanager
async def sending(
    scale: Scale, *, every_s: float = 0.02, only: Callable[[], bool] = lambda: True
) -> AsyncIterator[None]:
    """The scale sends its weight by itself while the block runs, and only while it may."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(streaming(scale, every_s=every_s, only=only))
        try:
            yield
        finally:
            task.cancel()
