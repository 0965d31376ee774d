"""A scale that says nothing is a lost scale, with what to look at."""

import asyncio
from contextlib import AsyncExitStack

from drivers.contract import Driver
from drivers.scale.line import MISSED_POLLS_MAX
from drivers.suite import Bench, on_pty, running
from tests.drivers.scale.bench import kinds, of_sics, of_toledo, of_yaohua
from tests.support.devices.scales import SicsScale, ToledoScale, YaohuaScale


async def test_silence_is_told_whether_a_scale_is_asked_or_sends() -> None:
    asked, sent = YaohuaScale(silent=True), YaohuaScale(variant="continuous_0", silent=True)
    toledo, sics = ToledoScale(silent=True), SicsScale(silent=True)
    async with AsyncExitStack() as stack:

        async def link(scale: YaohuaScale | ToledoScale | SicsScale) -> dict[str, object]:
            return await stack.enter_async_context(on_pty(scale.plugged))

        drivers: list[Driver] = [
            of_yaohua(await link(asked)),
            of_yaohua(await link(sent), variant="continuous_0"),
            of_toledo(await link(toledo)),
            of_sics(await link(sics)),
        ]
        benches: list[Bench] = [await stack.enter_async_context(running(each)) for each in drivers]
        for bench in benches:
            await bench.until(lambda b=bench: b.error)  # type: ignore[misc]
    for bench in benches:
        assert kinds(bench) == {"silent"}
        assert "nothing is heard of the scale" in str(bench.error)
        assert (bench.ups, bench.readings) == ([], [])
    assert len(asked.heard) == MISSED_POLLS_MAX
    assert sent.heard == []
    assert len(asyncio.all_tasks()) == 1
