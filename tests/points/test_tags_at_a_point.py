"""What tags hold, read at a scan point: it has one moment, and nothing that was taken is lost."""

from pathlib import Path
from typing import Any

from drivers.contract import TagContents
from gatewayd.points.point import TOLD_WITHIN_S
from tests.points.gate import JUDGED, standing
from tests.rigs.bench import LEGAL, UID
from tests.support import tag_layouts

ASKS: dict[str, Any] = {**JUDGED, "asks": True}


def held(data: bytes) -> TagContents:
    return TagContents("user", 0, data)


async def test_a_finding_in_a_tag_is_refused_at_a_point_and_kept(tmp_path: Path) -> None:
    async with standing(tmp_path, "receiving", **ASKS) as gate:
        gate.tag(UID)
        gate.tag(UID, contents=held(tag_layouts.memory("涉嫌")))
        (record,) = await gate.recorded(1)
    data = record["data"]
    rules = [found["rule"] for found in data["verdict"]["findings"]]
    assert (data["accepted"], rules) == (False, ["cn-lpg.tag-finding"])
    assert data["cylinder"]["tag_memory"][0]["finding"] == "涉嫌"


async def test_a_clean_tag_passes_a_point_once(tmp_path: Path) -> None:
    async with standing(tmp_path, "receiving", **ASKS) as gate:
        for told in (None, held(tag_layouts.memory()), None, held(tag_layouts.memory())):
            gate.tag(UID, contents=told)
        (record,) = await gate.recorded(1)
        assert record["data"]["accepted"]
        gate.clock.advance(seconds=TOLD_WITHIN_S + 1)
        gate.tag(UID)
        await gate.rests()
        assert len(gate.records()) == 1


async def test_a_tag_whose_memory_is_never_told_is_recorded_and_does_not_pass(
    tmp_path: Path,
) -> None:
    """It has gone by and will not be seen again: nothing that was taken is lost."""
    async with standing(tmp_path, "receiving", **ASKS) as gate:
        gate.tag(UID)
        await gate.rests()
        assert gate.records() == []
        gate.clock.advance(seconds=TOLD_WITHIN_S)
        gate.point.device("gun-9", "up")  # Whatever wakes it.
        (record,) = await gate.recorded(1)
    data = record["data"]
    rules = [found["rule"] for found in data["verdict"]["findings"]]
    assert (data["accepted"], rules) == (False, ["rig.tag_memory"])
    assert data["cylinder"]["tag_memory"][0]["lack"] == "pending"


async def test_a_label_at_such_a_point_is_judged_without_a_tag(tmp_path: Path) -> None:
    async with standing(tmp_path, "receiving", **ASKS) as gate:
        gate.scan(LEGAL.code)
        (record,) = await gate.recorded(1)
    assert record["data"]["accepted"]
    assert "tag_memory" not in record["data"]["cylinder"]


async def test_a_stop_takes_a_tag_that_waits_as_it_is(tmp_path: Path) -> None:
    async with standing(tmp_path, "receiving", **ASKS) as gate:
        gate.tag(UID)
        gate.point.stop()
        (record,) = await gate.recorded(1)
    assert not record["data"]["accepted"]
