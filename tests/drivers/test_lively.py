"""A reader driver that promises to move does: it asks while nobody shows it a tag, for ever."""

import asyncio
from itertools import pairwise

from drivers.contract import Context, DriverError
from drivers.dialog import ASKED_TIMES_MAX, now
from drivers.rfid.rounds import LIVELY_S, PUSH_SILENT_S_MAX
from drivers.rfid.thingmagic import HEARTBEATS_MISSED_S
from drivers.suite.kit import Kit
from drivers.suite.stage import on_stage
from drivers.suite.wires import on_tcp
from tests.drivers.kits import KITS

LOOK_S = 1.5
"""A round takes a fraction of a second; one that listens asks after PUSH_SILENT_S_MAX."""
LIVELY = [kit for kit in KITS if kit.driver.lively_s]


async def _frames(kit: Kit) -> list[float]:
    """When it asked or heard since it was up, with nothing before it."""
    frames: list[float] = []
    ups: list[str] = []
    async with on_stage(kit, on_tcp) as stage:
        context = Context(
            emit=lambda _: None,
            up=ups.append,
            noise=lambda _reason, _raw: None,
            monotonic_ns=lambda: 0,
            frame=lambda _way, _raw: frames.append(now()) if ups else None,
        )

        async def run() -> None:
            try:
                await kit.make(stage.link).run(context)
            except DriverError as exc:
                raise AssertionError(kit.name) from exc

        async with asyncio.TaskGroup() as group:
            task = group.create_task(run())
            await asyncio.sleep(LOOK_S)  # The time in which it must have moved.
            task.cancel()
    return frames


async def test_every_driver_that_polls_moves_much_sooner_than_it_promises() -> None:
    polling = [kit for kit in LIVELY if not kit.name.endswith("push")]
    assert len(polling) >= 4, LIVELY
    found = await asyncio.gather(*(_frames(kit) for kit in polling))
    for kit, frames in zip(polling, found, strict=True):
        assert len(frames) > 1, kit.name
        gaps = [after - before for before, after in pairwise(frames)]
        assert max(gaps) < kit.driver.lively_s / 4, kit.name


def test_one_that_only_listens_asks_in_time() -> None:
    assert max(PUSH_SILENT_S_MAX, HEARTBEATS_MISSED_S) + ASKED_TIMES_MAX < LIVELY_S
    assert {kit.driver.name for kit in LIVELY} >= {"rfid.uhfreader", "rfid.m100", "rfid.r2000"}


def test_the_longest_pause_between_two_rounds_is_no_hang() -> None:
    for kit in LIVELY:
        longest_ms = kit.driver.settings.model_json_schema()["properties"]["poll_ms"]["maximum"]
        assert longest_ms / 1000 < kit.driver.lively_s / 2, kit.name
