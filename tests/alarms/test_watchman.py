"""What stays wrong for long becomes an alarm, and what comes back by itself does not."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gatewayd.alarms.alarms import AGAIN_S
from gatewayd.alarms.watchman import (
    DEVICE_LOST_S,
    STORE_ILL_S,
    UPSTREAM_DOWN_S,
    WEIGHT_UNKNOWN_S,
    Watchman,
)
from tests.alarms.control_room import ControlRoom, control_room
from tests.support.stores import draft
from tests.support.waiting import until


class Watch:
    """The watchman at his window."""

    def __init__(self, room: ControlRoom) -> None:
        self.room = room
        self.man = Watchman(room.alarms, room.store, room.board, room.clock)

    def post(self, topic: str, payload: Mapping[str, Any]) -> None:
        self.room.board.post(topic, payload)

    def device(self, state: str, *troubles: str, error: str | None = None) -> None:
        told = [{"kind": kind, "message": {"zh": "重", "en": "raw 0x7FFF"}} for kind in troubles]
        self.post("devices/gate-1/status", {"state": state, "error": error, "troubles": told})

    def upstream(self, state: str, dead: int | None = 0) -> None:
        said = {"state": state, "error": "no route", "dead_letters": dead}
        self.post("upstreams/platform/status", said)

    async def pass_s(self, seconds: int) -> set[str]:
        """Look once a second; the kinds that stand then."""
        for _ in range(seconds):
            self.man.look()
            await self.room.pass_s(1)
        return {alarm.kind for alarm in self.room.alarms.standing}


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    async with control_room(tmp_path) as room:
        yield Watch(room)


async def test_a_device_that_comes_back_in_time_is_no_alarm(watch: Watch) -> None:
    for _ in range(3):
        watch.device("down", error="no answer")
        assert await watch.pass_s(DEVICE_LOST_S - 1) == set()
        watch.device("up")
        assert await watch.pass_s(2) == set()


async def test_a_device_that_stays_away_is_one_until_it_is_back(watch: Watch) -> None:
    watch.device("connecting", error="refused")
    assert await watch.pass_s(DEVICE_LOST_S + 2) == {"device_lost"}
    assert await watch.pass_s(3 * AGAIN_S) == {"device_lost"}
    assert len(watch.room.told()) == 1
    watch.device("up")
    assert await watch.pass_s(2) == set()
    assert [action for _, action in watch.room.told()] == ["raised", "cleared"]


@pytest.mark.parametrize("kind", ["weight_unknown", "total_unknown"])
async def test_a_broken_driver_and_an_unknown_weight_or_total(watch: Watch, kind: str) -> None:
    watch.device("fault", error="KeyError")
    assert await watch.pass_s(1) == {"device_fault"}
    watch.device("up", kind)
    assert kind not in await watch.pass_s(WEIGHT_UNKNOWN_S)
    assert kind in await watch.pass_s(2)
    (alarm,) = (a for a in watch.room.alarms.standing if a.kind == kind)
    assert (alarm.subject, alarm.detail) == ("gate-1", "重 / raw 0x7FFF"), "in both languages"


async def test_an_upstream_that_is_down_for_long_and_dead_letters(watch: Watch) -> None:
    watch.upstream("down")
    assert await watch.pass_s(UPSTREAM_DOWN_S - 1) == set()
    assert await watch.pass_s(3) == {"upstream_down"}
    watch.upstream("up", dead=2)
    assert await watch.pass_s(AGAIN_S) == {"dead_letters"}
    watch.upstream("up", dead=None)
    assert await watch.pass_s(AGAIN_S + 2) == {"dead_letters"}, "not known is not none"
    watch.upstream("up", dead=0)
    assert await watch.pass_s(2) == set()


async def test_a_store_that_cannot_commit_is_on_the_board_and_recorded_once_it_can(
    watch: Watch,
) -> None:
    room = watch.room
    room.block()
    room.alarms.raise_("device_lost", "gate-1")
    await room.alarms.flush()
    assert not room.store.healthy
    assert await watch.pass_s(STORE_ILL_S + 2) == {"device_lost", "store_ill"}
    assert "locked by another process" in (room.shown("store_ill", "store") or {})["detail"]
    assert room.told() == []
    room.free()
    await until(lambda: room.store.healthy)
    await watch.pass_s(AGAIN_S + 2)
    assert room.told()[:2] == [("device_lost", "raised"), ("store_ill", "raised")]
    assert room.shown("store_ill", "store") is None


async def test_a_store_that_fills_says_so_step_by_step(tmp_path: Path) -> None:
    async with control_room(tmp_path, quota_mb=32) as room:
        watch = Watch(room)
        assert await watch.pass_s(1) == set()
        for percent, kind in ((80, "store_filling"), (95, "store_nearly_full")):
            while room.store.used_percent < percent:
                await room.store.append(draft("alarm", data={"text": "x" * 100_000}))
            await watch.pass_s(AGAIN_S + 1)
            assert await watch.pass_s(1) == {kind}
        while room.store.healthy:
            await room.store.append(draft("alarm", data={"text": "x" * 100_000}))
        await watch.pass_s(AGAIN_S + 1)
        assert await watch.pass_s(1) == {"store_full"}


async def test_a_full_store_says_so_with_room_for_its_alarm(tmp_path: Path) -> None:
    async with control_room(tmp_path, quota_mb=16) as room:
        watch = Watch(room)
        while room.store.healthy:
            await room.store.append(draft("alarm", data={"text": "x" * 100_000}))
        assert await watch.pass_s(1) == {"store_full"}
        assert room.told()[-1] == ("store_full", "raised")
