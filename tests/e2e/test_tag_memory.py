"""An inspector's finding in a tag, read by the daemon itself from a reader that speaks real frames."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.e2e.house import House
from tests.support import tag_layouts

pytestmark = pytest.mark.e2e


def asks_for_memory(config: Path) -> None:
    """The gun of the rig reads every tag by the site's layout; JSON is YAML."""
    path = config / "devices" / "rig-1.yaml"
    devices = YAML(typ="safe").load(path)
    devices["devices"]["rig-1-gun"]["memory"] = tag_layouts.NAME
    path.write_text(json.dumps(devices))
    (config / "tags").mkdir()
    tags = {"tags": {tag_layouts.NAME: tag_layouts.settings()}}
    (config / "tags" / "site.yaml").write_text(json.dumps(tags))


def denied(refusal: dict[str, Any]) -> list[tuple[str, str]]:
    return [(f["code"], f["rule"]) for f in refusal["verdict"]["findings"]]


async def test_a_finding_refuses_its_absence_fills_and_what_is_not_known_refuses(
    tmp_path: Path,
) -> None:
    clean, written = tag_layouts.memory(), tag_layouts.memory("涉嫌")
    async with House(tmp_path, edit=asks_for_memory) as house:
        (rig,) = house.station.rigs
        rig.bring(replace(house.legal[0], tag_user=written))
        await house.rig_state(rig.name, "refused")
        rig.take_away()
        await house.rig_state(rig.name, "locked")

        rig.reader.faults.unreadable = True
        rig.bring(replace(house.legal[1], tag_user=clean))
        await house.rig_state(rig.name, "refused")
        rig.take_away()
        await house.rig_state(rig.name, "locked")

        rig.reader.faults.unreadable = False
        await house.fill(replace(house.legal[2], tag_user=clean))
        await house.until(lambda: len(house.fills()) == 1)
        found, unread = house.refusals()
        (fill,) = house.fills()

    assert denied(found) == [("REGULATOR_LOCK", "cn-lpg.tag-finding")]
    assert "涉嫌" in found["verdict"]["findings"][0]["message"]["zh"]
    (kept,) = found["cylinder"]["tag_memory"]
    assert (kept["layout"], kept["hex"]) == (tag_layouts.NAME, written.hex().upper())
    assert kept["layout_hash"] == tag_layouts.layout().hash

    assert denied(unread) == [("DATA_MISSING", "rig.tag_memory")]
    message = unread["verdict"]["findings"][0]["message"]
    assert "0xFB" in message["zh"]
    assert "clean the tag" in message["en"]

    assert fill["outcome"] == "completed"
    assert fill["cylinder"]["tag_memory"][0]["hex"] == clean.hex().upper()
