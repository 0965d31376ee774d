"""Single histories by hand: what the judge must allow, and how a failing one is told."""

from collections.abc import Iterator

import pytest

from tests.histories.everywhere import RIG, story
from tests.histories.faults import FAULTS, Fault
from tests.histories.history import live
from tests.histories.shrink import shrink, told
from tests.histories.world import World

SHIFTED_PART = 0.55
"""For 1.55 s, as in the history where the judge was too strict."""


def test_a_lock_cannot_reach_a_plc_that_answers_with_other_registers() -> None:
    killed = Fault(0.1, "process.kill", RIG, 0.0, 1, moment="opens", nth=1)
    shifted = Fault(0.0, "plc.shifted", RIG, SHIFTED_PART, 2, moment="starts", nth=2)
    result = live(story(killed, shifted))
    assert result.faults.keys() >= {"process.kill", "plc.shifted"}
    assert not result.wrong, told(result)


def test_a_rule_that_denies_everything_is_taken_up_between_two_fills() -> None:
    closed = Fault(0.2, "config.closed", RIG, 0.9, 4, moment="opens", nth=1)
    result = live(story(closed))
    assert any("rules.changed" in line for line in result.story)
    assert not result.wrong, told(result)


def test_a_daemon_that_finds_a_mistake_in_its_files_starts_when_they_are_mended() -> None:
    invalid = Fault(0.1, "config.invalid", RIG, 0.9, 3, moment="opens", nth=1)
    killed = Fault(0.4, "process.kill", RIG, 0.0, 1, moment="opens", nth=1)
    result = live(story(invalid, killed))
    assert any("ended: no_config" in line for line in result.story)
    assert not result.wrong, told(result)


def test_a_page_that_rots_is_put_aside_and_the_rig_fills_again() -> None:
    found = []
    for seed in range(1, 7):
        rots = Fault(0.3, "disk.rots", RIG, 0.3, seed, moment="opens", nth=1)
        result = live(story(rots))
        assert not result.wrong, told(result)
        found += [line for line in result.story if "store.quarantined" in line]
    assert found


@pytest.fixture
def _forgetful_platform() -> Iterator[None]:
    def forgets(world: World, fault: Fault) -> str:
        del fault
        world.platform.taken.pop(max(world.platform.taken))
        return "the platform forgets what it took last"

    FAULTS["platform.forgets"] = forgets
    yield
    del FAULTS["platform.forgets"]


@pytest.mark.usefixtures("_forgetful_platform")
def test_a_failing_history_is_shortened_to_what_it_needs_and_told() -> None:
    needed = Fault(5.5, "platform.forgets", RIG, 0.0, 1)
    noise = (
        Fault(0.5, "config.reader", RIG, 0.4, 2),
        Fault(1.0, "tag.second", RIG, 0.1, 3),
        Fault(2.0, "process.stall", RIG, 0.2, 4),
    )
    failed = live(story(*noise, needed))
    assert [wrong.invariant for wrong in failed.wrong] == [3]
    short = shrink(failed)
    assert [fault.kind for fault in short.plan.faults] == ["platform.forgets"]
    text = told(short)
    assert "the platform forgets what it took last" in text
    assert "never reached the platform" in text
