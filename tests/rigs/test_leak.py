"""A valve that leaks at a gate whose totaliser does not count it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import GateSample
from gatewayd.alarms.alarms import AGAIN_S
from gatewayd.clock import MS, SECOND
from gatewayd.rigs.ending import AGREE_G
from gatewayd.rigs.leak import LEAK_AGAIN_G, LEAK_G_MIN, Leak
from gatewayd.rigs.overfull import ALARM as OVERFILLED
from tests.rigs.bench import LEGAL, OVERDUE, QUIET, UID, standing
from tests.rigs.desk import Desk, ScriptedGate, at_desk, living, open_store
from tests.rigs.test_before_start import ended

POLL_MS = 100


class Scale:
    """A cylinder on the scale of a gate without a meter."""

    def __init__(self) -> None:
        self.leak = Leak()
        self.sample = standing()
        self.speak(times=10)

    def speak(self, *, times: int, rises_g: int = 0, **changes: Any) -> int:
        """So many samples, each so much heavier; what is told then."""
        for _ in range(times):
            now: GateSample = self.sample
            gross_g = now.gross_g + rises_g
            at_ns = now.at_ns + POLL_MS * MS
            self.sample = replace(now, at_ns=at_ns, gross_g=gross_g, stable=not rises_g)
            self.sample = replace(self.sample, **changes)
            self.leak.feed(self.sample)
        return self.leak.told_g


def test_a_slope_of_gas_is_told_at_once_and_in_the_end_whole() -> None:
    scale = Scale()
    assert scale.speak(times=15, rises_g=10) == 0, "two seconds make a slope"
    first_g = scale.speak(times=15, rises_g=10)
    assert LEAK_G_MIN <= first_g <= 300
    assert scale.speak(times=30, rises_g=10) == first_g
    assert scale.speak(times=60, rises_g=10) > first_g + LEAK_AGAIN_G - 1
    assert 0 <= 1_200 - scale.speak(times=20) <= AGREE_G


def test_less_than_the_limit_is_not_told() -> None:
    scale = Scale()
    assert scale.speak(times=33, rises_g=3) == 0
    assert scale.speak(times=20) == 0
    assert scale.speak(times=34, rises_g=3) >= LEAK_G_MIN


@pytest.mark.parametrize("step_g", [-900, 900, 16_000])
def test_a_gun_a_hand_or_a_second_cylinder_is_no_gas(step_g: int) -> None:
    scale = Scale()
    scale.speak(times=1, rises_g=step_g)
    assert scale.speak(times=50) == 0


def test_another_cylinder_that_came_while_nobody_weighed_is_no_gas() -> None:
    scale = Scale()
    later_ns = scale.sample.at_ns + 30 * SECOND
    scale.sample = replace(scale.sample, at_ns=later_ns, gross_g=scale.sample.gross_g + 3_000)
    assert scale.speak(times=30) == 0


def test_what_leaked_while_nobody_weighed_is_told_when_it_goes_on() -> None:
    scale = Scale()
    scale.speak(times=1, rises_g=10)
    later_ns = scale.sample.at_ns + 30 * SECOND
    scale.sample = replace(scale.sample, at_ns=later_ns, gross_g=scale.sample.gross_g + 3_000)
    assert scale.speak(times=30, rises_g=10) >= 3_000 + LEAK_G_MIN


@pytest.mark.parametrize(
    "counted", [{"filling": True}, {"valve_open": True}, {"permit_echo": 7}, {"cylinder_on": False}]
)
def test_what_somebody_else_counts_is_not_told(counted: dict[str, Any]) -> None:
    assert Scale().speak(times=100, rises_g=10, **counted) == 0


def test_a_totaliser_that_moves_counts_it_itself() -> None:
    scale = Scale()
    for _ in range(100):
        total_g = scale.sample.total_g + 10
        assert scale.speak(times=1, rises_g=10, total_g=total_g) == 0


async def _leaks(desk: Desk, looks: int) -> None:
    for _ in range(looks):
        gross_g = desk.gate.sample.gross_g + 10
        desk.gate.sample = replace(desk.gate.sample, gross_g=gross_g, stable=False)
        await desk.look()


async def _filled(desk: Desk, net_g: int = 14_500) -> None:
    await desk.bring()
    await desk.phase("permitted")
    desk.gate.start()
    await desk.phase("filling")
    desk.gate.flow(net_g)
    desk.gate.end()
    await desk.until(lambda: bool(ended(desk)))
    await desk.look()


def _told(desk: Desk, code: str) -> list[str]:
    alarms = (r["data"] for r in desk.records() if r["type"] == "gatewayd.alarm.v1")
    return [alarm["detail"] for alarm in alarms if alarm["code"] == code]


async def test_gas_into_a_cylinder_that_was_filled_is_an_alarm(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await _filled(desk)
        await _leaks(desk, 60)
        desk.gate.sample = replace(desk.gate.sample, stable=True)
        for _ in range(10):
            await desk.look()
        told = _told(desk, "unauthorised_flow")
        assert len(told) == 2, "when it begins and when it has ended"
        assert "600 g" in told[-1]
        assert desk.store.alarm_stands(OVERFILLED, LEGAL.code), "and it may not leave"


async def test_so_is_gas_that_the_totaliser_counts(tmp_path: Path) -> None:
    """Its alarm comes first: a crash behind it finds that gas once more."""
    async with at_desk(tmp_path) as desk:
        await _filled(desk)
        desk.gate.flow(AGREE_G + 1)
        await desk.until(lambda: bool(_told(desk, "unauthorised_flow")))
        assert desk.store.alarm_stands(OVERFILLED, LEGAL.code)
        assert desk.kinds()[-3:] == [OVERFILLED, "unauthorised", "unauthorised_flow"]
        (alarm,) = (each for each in desk.store.alarms(standing=True) if each.kind == OVERFILLED)
        assert alarm.values == {"safe_net_g": 14_500}, "what it may leave with once it is answered"
        assert desk.store.life(LEGAL.code).filled_g == 14_500 + AGREE_G + 1


async def test_gas_behind_an_overfill_does_not_hide_by_how_much_it_was(tmp_path: Path) -> None:
    """Who answers for it lets the cylinder go, at what is safe (`alarms/words.py`)."""
    async with at_desk(tmp_path) as desk:
        await _filled(desk, 15_200)
        await _leaks(desk, 60)
        desk.clock.advance(seconds=AGAIN_S)
        desk.gate.flow(500)
        await desk.until(lambda: len(_told(desk, OVERFILLED)) == 2)
        (alarm,) = (each for each in desk.store.alarms(standing=True) if each.kind == OVERFILLED)
        assert alarm.values["safe_net_g"] == 14_810


async def test_so_is_gas_that_came_while_nobody_watched(tmp_path: Path) -> None:
    """The daemon begins again with the cylinder still there; its tag is read only then."""
    store, clock = await open_store(tmp_path)
    gate = ScriptedGate(QUIET)
    async with living(store, clock, gate) as desk:
        await _filled(desk)
    gate.flow(500)
    async with living(store, clock, gate) as desk:
        await desk.look()
        desk.tags = [UID]
        await desk.until(lambda: bool(_told(desk, "unauthorised_flow")))
        assert store.alarm_stands(OVERFILLED, LEGAL.code)
    await store.close()


async def test_gas_that_leaks_into_nobody_we_filled_is_the_rigs_alone(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await _filled(desk)
        desk.gate.leave()
        await desk.look()
        await desk.bring(OVERDUE.tag_uids[0])
        await desk.phase("refused")
        await _leaks(desk, 60)
        desk.gate.flow(AGREE_G + 1)
        await desk.until(lambda: len(_told(desk, "unauthorised_flow")) == 2)
        assert _told(desk, OVERFILLED) == []
