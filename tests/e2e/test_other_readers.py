"""The main job with every family of UHF reader: its own protocol identifies, the rig fills."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drivers.suite import Kit, on_tcp
from tests.drivers.kits import KITS
from tests.e2e.house import WAIT_S, House, started

pytestmark = pytest.mark.e2e

FAMILIES = ("m100-push", "chafon-poll", "r2000-poll", "thingmagic-push", "llrp-push")
SERVED = {kit.name: kit for kit in KITS}
GUN = "rig-1-gun"
OTHER = "rig-1-other"
SHOW_EVERY_S = 2.0


def instead_of_the_gun(config: Path, kit: Kit, link: dict[str, Any]) -> None:
    """One more device, and the rig identifies with it."""
    device = {"driver": kit.driver.name, **kit.settings, "link": link}
    (config / "devices/other.yaml").write_text(json.dumps({"devices": {OTHER: device}}))
    for path in (config / "rigs").iterdir():
        path.write_text(path.read_text("utf-8").replace(GUN, OTHER), "utf-8")


async def _shown_until(house: House, state: str, show: Callable[[], None]) -> None:
    """A reader that says a tag once has said it too early when its field was not yet read."""
    within_s = WAIT_S
    while within_s > 0:
        show()
        with suppress(AssertionError):
            return await house.rig_state("rig-1", state, within_s=SHOW_EVERY_S)
        within_s -= SHOW_EVERY_S
    return await house.rig_state("rig-1", state)


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_legal_cylinder_is_filled_and_an_illegal_one_refused(
    tmp_path: Path, family: str
) -> None:
    kit = SERVED[family]
    reader = kit.device()
    async with (
        on_tcp(reader.plugged) as link,
        House(tmp_path, edit=lambda config: instead_of_the_gun(config, kit, link)) as house,
    ):
        rig = house.station.rigs[0]
        overdue = house.illegal("OVERDUE")
        for cylinder in (overdue, house.legal[0]):
            rig.bring(cylinder)
            await house.rig_state("rig-1", "identifying")
            uid, state = (
                cylinder.entry.tag_uids[0],
                "refused" if cylinder is overdue else "permitted",
            )
            await _shown_until(house, state, partial(kit.show, reader, (uid,)))
            if cylinder is overdue:
                rig.take_away()
                kit.show(reader, ())
                await house.rig_state("rig-1", "locked")
        await started(rig)
        await house.rig_state("rig-1", "filling")
        await house.rig_state("rig-1", "locked")
        refused, filled = await house.settled()
    assert refused["data"]["cylinder"]["code"] == overdue.code
    assert filled["data"]["outcome"] == "completed"
    assert filled["data"]["cylinder"]["tag_uid"] == house.legal[0].entry.tag_uids[0]
