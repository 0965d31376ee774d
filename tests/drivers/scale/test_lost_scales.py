"""A scale that cannot be weighed is lost with what to look at; all of them at once, for they wait."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from drivers.contract import Driver
from drivers.scale.line import MISSED_POLLS_MAX
from drivers.suite import Bench, Faults, on_pty, running
from tests.drivers.scale.bench import Scale, kinds, of_sics, of_toledo, of_yaohua, sending
from tests.support.devices.scales import SicsScale, ToledoScale, YaohuaScale

Make = Callable[[dict[str, Any]], Driver]


@dataclass
class Case:
    """A scale, the driver that is set for it, and what a person is told."""

    scale: Scale
    make: Make
    kind: str
    said: str
    faults: Faults = field(default_factory=Faults)


def misread() -> bytes:
    """What a port of another speed makes of a frame."""
    rng = random.Random(1)
    return bytes(rng.choice((0x00, 0x80, 0xF8, 0xE0, 0xFF, 0xFE)) for _ in range(60))


def continuous(link: dict[str, Any]) -> Driver:
    return of_yaohua(link, variant="continuous_0")


def slow(link: dict[str, Any]) -> Driver:
    return of_yaohua({**link, "baud": 4800}, variant="continuous_0")


async def test_every_lost_scale_is_told_with_what_to_look_at() -> None:
    silent = YaohuaScale(silent=True), YaohuaScale(variant="continuous_0", silent=True)
    speed = YaohuaScale(variant="continuous_0")
    nothing = "nothing is heard of the scale"
    cases = (
        Case(silent[0], of_yaohua, "silent", f"{nothing}; check cable and power, check address"),
        Case(silent[1], continuous, "silent", nothing),
        Case(ToledoScale(silent=True), of_toledo, "silent", nothing),
        Case(SicsScale(silent=True), of_sics, "silent", nothing),
        Case(YaohuaScale(address="B"), of_yaohua, "silent", "check address"),
        Case(YaohuaScale(address="B", echoes=True), of_yaohua, "echo", "only our own commands"),
        Case(YaohuaScale(variant="keli"), of_yaohua, "wrong_variant", "variant: keli"),
        Case(
            speed,
            slow,
            "wrong_baud",
            "baud 4800 is probably wrong; try 9600, 2400",
            Faults(instead=misread()),
        ),
    )
    async with AsyncExitStack() as stack:
        benches: list[Bench] = []
        await stack.enter_async_context(sending(speed))
        for case in cases:
            link = await stack.enter_async_context(on_pty(case.scale.plugged, case.faults))
            benches.append(await stack.enter_async_context(running(case.make(link))))
        for case, bench in zip(cases, benches, strict=True):
            await bench.until(lambda b=bench: b.error)  # type: ignore[misc]
            assert kinds(bench) == {case.kind}, bench.error
            assert case.said in str(bench.error)
            assert bench.readings == []
            assert bench.ups == []
    assert len(silent[0].heard) == MISSED_POLLS_MAX
    assert silent[1].heard == []
    assert len(asyncio.all_tasks()) == 1
