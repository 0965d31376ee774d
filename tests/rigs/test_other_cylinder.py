"""Another cylinder in the place of the permitted one, where neither an empty scale nor a tag tells."""

from dataclasses import replace
from pathlib import Path

import pytest

from drivers.contract import CodeRead
from gatewayd.rigs.people import People
from gatewayd.rigs.soft_model import HUNG_ON_G_MAX, LEFT_BELOW_G, swapped
from gatewayd.settings.model import IdentifySettings
from gatewayd.settings.people import OperatorSettings
from tests.desk.front import LI, employ
from tests.rigs.bench import LEGAL, OTHER_UID, UID, bench
from tests.rigs.desk import Desk, ScriptedGate, at_desk, living, open_store
from tests.rigs.test_before_start import ended
from tests.rigs.test_people_at_rig import log_in

LABEL = (IdentifySettings(device="qr-1", require=True),)
TARE_G = 16_600
LOOKS = 4


def _scan(desk: Desk) -> None:
    desk.rig.take(CodeRead("qr-1", LEGAL.code, desk.clock.monotonic_ns()))


async def _permitted(desk: Desk) -> None:
    """By a label alone, as where cylinders have no tags."""
    await desk.look()
    desk.gate.stand(TARE_G)
    _scan(desk)
    await desk.phase("permitted")


async def _looks(desk: Desk) -> None:
    for _ in range(LOOKS):
        await desk.look()


@pytest.mark.parametrize("gross_g", [TARE_G - LEFT_BELOW_G - 1, TARE_G + HUNG_ON_G_MAX + 1, 31_000])
async def test_who_stands_there_with_another_weight_gets_no_gas(
    tmp_path: Path, gross_g: int
) -> None:
    """Put on before the first was taken off: the scale was never empty."""
    async with at_desk(tmp_path, identify=LABEL) as desk:
        await _permitted(desk)
        desk.gate.stand(gross_g)
        await _looks(desk)
        assert desk.gate.sample.permit_echo == 0
        await desk.until(lambda: bool(ended(desk)))
        assert ended(desk) == [("not_started", "cylinder_left", 0)]
        await _looks(desk)
        assert desk.rig.state.phase == "locked", "it is lifted off before anything begins again"
        assert len(desk.gate.orders) == 1


@pytest.mark.parametrize("gross_g", [TARE_G - LEFT_BELOW_G, TARE_G + HUNG_ON_G_MAX])
async def test_a_gun_that_is_hung_on_takes_no_permit_back(tmp_path: Path, gross_g: int) -> None:
    async with at_desk(tmp_path, identify=LABEL) as desk:
        await _permitted(desk)
        desk.gate.stand(gross_g)
        await _looks(desk)
        desk.gate.start()
        desk.gate.flow(100)
        await desk.phase("filling")


async def test_a_fill_that_begins_with_another_weight_is_closed_at_the_first_look(
    tmp_path: Path,
) -> None:
    """Started before the scale stood still for two looks."""
    async with at_desk(tmp_path, identify=LABEL) as desk:
        await _permitted(desk)
        desk.gate.stand(TARE_G + 5_000)
        desk.gate.start()
        desk.gate.flow(100)
        await desk.look()
        assert not desk.gate.sample.valve_open
        await desk.until(lambda: bool(ended(desk)))
        assert ended(desk) == [("aborted", "cylinder_left", 100)]


async def test_what_is_lifted_in_mid_fill_is_the_gates_own_business(tmp_path: Path) -> None:
    async with at_desk(tmp_path, identify=LABEL) as desk:
        await _permitted(desk)
        desk.gate.start()
        desk.gate.flow(100)
        await desk.phase("filling")
        desk.gate.flow(9_000)
        await _looks(desk)
        assert desk.rig.state.phase == "filling"


async def test_a_permit_ends_when_nobody_knows_any_more_who_stands_there(tmp_path: Path) -> None:
    """This process stood still for longer than a cylinder takes to be changed."""
    async with at_desk(tmp_path, identify=LABEL) as desk:
        await _permitted(desk)
        await desk.look(seconds=1.5)
        assert desk.gate.sample.permit_echo == 0
        await desk.until(lambda: bool(ended(desk)))
        assert ended(desk) == [("not_started", "verdict_changed", 0)]
        await desk.phase("identifying")
        _scan(desk)
        await desk.phase("permitted")
        assert len(desk.gate.orders) == 2


async def _flowing(desk: Desk, *, tag: str = "") -> None:
    await desk.look()
    desk.gate.stand(TARE_G)
    if tag:
        desk.tags = [tag]
    else:
        _scan(desk)
    await desk.phase("permitted")
    desk.gate.start()
    desk.gate.flow(100)
    await desk.phase("filling")


async def test_who_is_filled_stays_known_when_nobody_looked_for_a_while(tmp_path: Path) -> None:
    """The label is read once: the bureau's hold must find its cylinder all the same."""
    async with at_desk(tmp_path, identify=LABEL) as desk:
        await _flowing(desk)
        await desk.look(seconds=1.5)
        await _looks(desk)
        assert desk.rig.state.phase == "filling"
        await desk.store.hold(LEGAL.code, "leak", by="bureau")
        desk.rig.store_changed(None, archive=True)
        await desk.until(lambda: bool(ended(desk)))
        assert ended(desk) == [("aborted", "cylinder_held", 100)]


async def test_a_second_tag_is_one_also_when_nobody_looked_for_a_while(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await _flowing(desk, tag=UID)
        desk.tags = [OTHER_UID]
        await desk.look(seconds=1.5)
        await desk.until(lambda: bool(ended(desk)))
        assert ended(desk) == [("aborted", "second_tag", 100)]


@pytest.mark.parametrize("tags", [[], [OTHER_UID]])
async def test_a_fill_that_began_while_nobody_looked_is_of_nobody_known(
    tmp_path: Path, tags: list[str]
) -> None:
    async with at_desk(tmp_path) as desk:
        await desk.look()
        desk.gate.stand(TARE_G)
        desk.tags = [UID]
        await desk.phase("permitted")
        desk.gate.start()
        desk.gate.flow(100)
        desk.tags = tags
        await desk.look(seconds=1.5)
        assert not desk.gate.sample.valve_open
        await desk.until(lambda: bool(ended(desk)))
        assert ended(desk) == [("aborted", "verdict_changed", 100)]


@pytest.mark.parametrize(
    ("gross_g", "phase"),
    [
        (TARE_G - LEFT_BELOW_G - 1, "refused"),
        (TARE_G - LEFT_BELOW_G, "permitted"),
        (TARE_G + HUNG_ON_G_MAX, "permitted"),
        (TARE_G + HUNG_ON_G_MAX + 1, "refused"),
    ],
)
async def test_what_stands_there_when_somebody_logs_in_is_what_was_scanned(
    tmp_path: Path, gross_g: int, phase: str
) -> None:
    """Waiting for an operator takes longer than it takes to put another one in its place."""
    store, clock = await open_store(tmp_path)
    await employ(store, LI)
    asks = OperatorSettings(device="card-1", required=True, wait_s=60)
    at = replace(bench(operator=asks, identify=LABEL), sources=(People(store),))
    async with living(store, clock, ScriptedGate(), at=at) as desk:
        await desk.look()
        desk.gate.stand(TARE_G)
        _scan(desk)
        await desk.until(lambda: desk.rig.state.waiting == ("operator",))
        await _looks(desk)
        desk.gate.stand(TARE_G + 20_000)
        await _looks(desk)
        assert desk.rig.state.phase == "identifying", "a hand, while somebody looks it over"
        desk.gate.stand(gross_g)
        await _looks(desk)
        await log_in(store)
        desk.rig.people.changed()
        await desk.phase(phase)
        assert desk.rig.state.findings == (("TARE_UNKNOWN",) if phase == "refused" else ())
        assert len(desk.gate.orders) == (phase == "permitted")
    await store.close()


@pytest.mark.parametrize(
    ("permitted_g", "lightest_g", "heaviest_g"),
    [(16_600, 16_100, 19_600), (30_000, 29_400, 33_000), (800_000, 784_000, 816_000)],
)
def test_the_scale_of_a_large_container_may_swing_by_more(
    permitted_g: int, lightest_g: int, heaviest_g: int
) -> None:
    around = (lightest_g - 1, lightest_g, heaviest_g, heaviest_g + 1)
    assert [g for g in around if not swapped(permitted_g, g)] == [lightest_g, heaviest_g]
