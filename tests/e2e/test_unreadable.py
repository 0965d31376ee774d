"""The running daemon, a cylinder that stands there, and a reader and a scanner that cannot read it."""

import asyncio
from pathlib import Path

import pytest

from gatewayd.sim.rig import SimRig
from tests.e2e.house import House
from tests.e2e.test_people import gone

pytestmark = pytest.mark.e2e

GARBLED = bytes.fromhex("1500ee01010ce20068010000111122223333ffff")
"""A tag as a UHFReader18 tells it, with a checksum that is not its own."""
AGAIN_S = 0.1
"""How soon a worker scans again: what comes right after a cylinder may be of the one before."""


def soon(config: Path) -> None:
    """A rig that does not wait for long; both of its devices may name a cylinder."""
    path = next((config / "rigs").iterdir())
    path.write_text(path.read_text("utf-8").rstrip("\n") + "\n    identify_within_s: 4\n", "utf-8")


def garble(rig: SimRig) -> None:
    """In each round: what comes between two is dropped."""
    rig.reader.faults.noise_before = GARBLED


def fail_to_scan(rig: SimRig) -> None:
    assert rig.scanner is not None
    rig.reader.faults.noise_before = b""
    rig.scanner.scan("NoRead")


async def test_a_tag_and_a_label_that_cannot_be_read_are_refused_as_that(tmp_path: Path) -> None:
    async with House(tmp_path, edit=soon) as house:
        (rig,) = house.station.rigs
        for count, fails in enumerate((garble, fail_to_scan), start=1):
            rig.bring(house.legal[0], show_tag=False)
            while len(house.refusals()) < count:
                fails(rig)
                await asyncio.sleep(AGAIN_S)
            await gone(rig)
            await house.rig_state("rig-1", "locked")
        found = [each["verdict"]["findings"][0] for each in house.refusals()]
    assert [each["code"] for each in found] == ["UNREADABLE", "UNREADABLE"]
    assert [each["values"]["device"] for each in found] == ["rig-1-gun", "rig-1-qr"]
    assert bytes.fromhex(found[0]["values"]["raw_hex"]) in 50 * GARBLED
    assert found[1]["values"]["seen"] == "NoRead"
