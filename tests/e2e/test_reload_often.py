"""Fifty reloads while the station works: what a reload is not about never notices it."""

import asyncio
import itertools
import random
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from gatewayd.sim.cylinders import SimCylinder
from gatewayd.sim.gate_map import Status
from gatewayd.sim.rig import SimRig
from gatewayd.store.reads import Reader
from tests.e2e.house import House
from tests.e2e.test_reload import by_hand, take_away
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

RELOADS = 50
PAUSE_S = (0.05, 0.5)
AGREE_G = 20
START_WITHIN_S = 5.0
LEFT_ALONE = "rig-1"


class Editor:
    """A person who changes everything but rig-1: polls, masses, an upstream, and mistakes."""

    def __init__(self, config: Path, rng: random.Random) -> None:
        self.config = config
        self.rng = rng
        self.good = {p: p.read_text() for f in ("devices", "rigs") for p in (config / f).iterdir()}
        self.good[config / "gateway.yaml"] = (config / "gateway.yaml").read_text()

    def edit(self) -> None:
        """One file, in one of its forms; now and then a wrong one."""
        choices = [p for p in self.good if p.stem != LEFT_ALONE]
        path = self.rng.choice(choices)
        text = self.good[path]
        if path.name == "gateway.yaml":
            extra = f"  - &unused {self.rng.random()}\n" if self.rng.random() < 0.3 else ""
            text = text.replace("gatewayd/v1", "gatewayd/v1") + extra
        else:
            text = text.replace("poll_ms: 100", f"poll_ms: {self.rng.choice([90, 100, 110])}")
            grams = self.rng.choice([150, 200, 250])
            text = text.replace("medium: LPG", f"medium: LPG\n    tolerance_g: {grams}")
        path.write_text(text)

    def put_back(self) -> None:
        for path, text in self.good.items():
            path.write_text(text)


async def work(rig: SimRig, cylinders: Sequence[SimCylinder], closing: asyncio.Event) -> None:
    """Fill one cylinder after the other, as patiently as a person, until closing time."""
    for cylinder in itertools.cycle(cylinders):
        rig.bring(cylinder)
        if await rig.start_fill(START_WITHIN_S):
            await until(lambda: bool((Status.DONE | Status.ABORTED) & rig.plc.status))
            await until(lambda: Status.STABLE in rig.plc.status)
        await take_away(rig)
        if closing.is_set():
            return


async def test_fifty_reloads_during_fills_cost_no_permit_no_gram_and_no_lease(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, rigs=3, edit=by_hand, speed=40.0) as house:
        rng = random.Random(5)
        editor = Editor(house.config, rng)
        closing = asyncio.Event()
        async with asyncio.TaskGroup() as people:
            for index, rig in enumerate(house.station.rigs):
                people.create_task(work(rig, house.legal[index::3], closing))
            for _ in range(RELOADS):
                editor.edit()
                house.daemon.send(signal.SIGHUP)
                await asyncio.sleep(rng.uniform(*PAUSE_S))
            editor.put_back()
            house.daemon.send(signal.SIGHUP)
            closing.set()
        await house.until(
            lambda: (
                (house.newest("config").get("state"), house.newest("config").get("waiting"))
                == ("applied", [])
            )
        )
        with Reader.open(house.config / "gatewayd.db") as store:
            await until(lambda: not store.rigs_with_pending_permits())
        records = await house.settled()
        assert [r["sequence"] for r in records] == list(range(1, len(records) + 1))
        fills = [r["data"] for r in records if r["type"] == "gatewayd.fill.v1"]
        permits = Counter(fill["permit_id"] for fill in fills)
        assert set(permits.values()) == {1}
        flowed = [fill for fill in fills if fill["net_g"]]
        assert len(flowed) >= 10, "it worked all the while"
        total_g = house.station.totaliser_g
        assert sum(f["net_g"] for f in fills) == pytest.approx(total_g, abs=AGREE_G * len(flowed))
        reasons = Counter(fill["end_reason"] for fill in flowed)
        assert reasons.keys() <= {"target", "config_changed", "operator_stop"}, reasons
        alone = [f for f in fills if f["rig_id"] == LEFT_ALONE]
        assert alone
        assert {f["end_reason"] for f in alone} == {"target"}
        exchanged = house.daemon.events("reload.exchanged")
        assert len(exchanged) >= 5
        assert not any(LEFT_ALONE in event["rigs"] for event in exchanged)
        alarms = [r["data"]["code"] for r in records if r["type"] == "gatewayd.alarm.v1"]
        assert set(alarms) <= {"config_invalid"}, alarms
