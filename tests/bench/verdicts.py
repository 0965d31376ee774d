"""How long the rig itself takes from a read to a verdict, in process, 100,000 cylinders stored.

A real `Rig` on a real store with the shipped rules and everyone who knows facts for them; only its
gate is played here, and time is a clock that is moved, so that cylinders may come and go as fast as the disk commits. Timed is from
`Rig.take` of a tag until the rig has its verdict: look-up by tag, facts, every rule. And until another
task can see it, which is when the permit was handed to the thread that commits it.
"""

import asyncio
import gc
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter_ns

from drivers.contract import GateOrder, GateSample, TagRead
from gatewayd.alarms.alarms import Alarms
from gatewayd.board import Board
from gatewayd.clock import MS, ManualClock
from gatewayd.house import seen_before, suppliers
from gatewayd.rigs.assess import Bench
from gatewayd.rigs.clock_facts import ClockTrust
from gatewayd.rigs.machine import step
from gatewayd.rigs.means import Means
from gatewayd.rigs.model import Phase, State
from gatewayd.rigs.moves import Event, Judged
from gatewayd.rigs.rig import Rig
from gatewayd.rigs.steps import Step
from gatewayd.rigs.vouched import Vouchers
from gatewayd.settings.load import load
from gatewayd.settings.model import RigSettings, Settings
from gatewayd.store.model import Cylinder
from gatewayd.store.store import Store
from gatewayd.timekeeping.keeper import Timekeeper
from tests.bench import house
from tests.bench.figures import Figures
from tests.rigs.bench import QUIET

TARE_G = 45_200
PAUSE_S = 0.001
LOOKS_MAX = 10_000
CONFIG = {
    "gateway.yaml": f'station: {{id: "{house.STATION}", region: "370100", media: [LPG]}}\n'
    "archive: {stale_after_h: 24}\n",
    "devices/all.yaml": "devices:\n"
    "  gun: {driver: rfid.uhfreader, link: {tcp: 'gun:6000'}}\n"
    "  door: {driver: rfid.uhfreader, link: {tcp: 'door:6000'}}\n"
    "  plc: {driver: plc.modbus, link: {tcp: 'plc:502'}, unit: 1, profile: reference-gate-v1}\n",
    "rigs/all.yaml": "rigs:\n  rig-0: {medium: LPG, identify: [{device: gun}], scale: plc, "
    "gate: plc, rules: [cn-lpg]}\n",
    "points/all.yaml": "points:\n  out: {kind: dispatch, identify: [{device: door}], "
    "rules: [cn-lpg]}\n",
}
"""Nothing of it is opened: the gate is played here."""

SAMPLE = replace(QUIET, device="plc", total_g=0)


class Gate:
    """A gate that obeys at once."""

    def __init__(self) -> None:
        self.permit_no = 0

    async def open(self, order: GateOrder) -> None:
        """Permitted."""
        self.permit_no = order.permit_no

    async def renew(self) -> None:
        """Nothing to do: time stands still here."""

    async def lock(self) -> None:
        """Closed."""
        self.permit_no = 0


class Bay:
    """One rig with its gate, and the cylinders that somebody carries past."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.clock = ManualClock(datetime.now(UTC))
        self.gate = Gate()
        board, clock = Board(), self.clock
        station, rig = settings.station, settings.rigs["rig-0"]
        packs = tuple(settings.packs[name] for name in rig.rules)
        trust = ClockTrust(Timekeeper(clock, settings.clock, store))
        sources = (*suppliers(settings, store, trust), Vouchers())
        bench = Bench("rig-0", rig, station, packs, sources)
        alarms = Alarms(station.id, store=store, board=board, clock=clock, zone=UTC)
        sightings = seen_before(settings, store, clock)
        self.rig = Rig(bench, self.gate, Means(store, board, alarms, clock, sightings))
        self.rig.machine = self._listening
        self._judged_ns = 0
        for name in ("gun", "plc"):
            self.rig.device(name, "up")

    def _listening(self, state: State, event: Event, rig: RigSettings) -> Step:
        """The rig's machine, with the time at which it has a verdict."""
        stepped = step(state, event, rig)
        if isinstance(event, Judged):
            self._judged_ns = perf_counter_ns()
        return stepped

    async def judge_ms(self, cylinder: Cylinder) -> tuple[float, float]:
        """Bring a cylinder and read its tag: how long the verdict took, and until it was seen."""
        self.weigh(on=True)
        await _until(lambda: self.rig.state.phase is Phase.IDENTIFYING)
        self.weigh(on=True)  # two stable samples make a tare
        read = TagRead("gun", cylinder.tag_uids[0], 1, None, self.clock.monotonic_ns())
        began_ns = perf_counter_ns()
        self.rig.take(read)
        await _until(lambda: self.rig.state.verdict is not None, pause_s=0)
        seen_ms, took_ms = ((at - began_ns) / MS for at in (perf_counter_ns(), self._judged_ns))
        verdict = self.rig.state.verdict
        assert verdict is not None, self.rig.state
        assert verdict.allowed, verdict
        await self.leave()
        return took_ms, seen_ms

    async def leave(self) -> None:
        """Take the cylinder away and wait until its permit is settled."""
        await _until(lambda: self.gate.permit_no != 0)

        def settled() -> bool:
            self.weigh(on=False)
            return self.rig.state.permit is None

        await _until(settled)

    def weigh(self, *, on: bool) -> None:
        """One sample of the gate."""
        self.clock.advance(seconds=0.1)
        self.rig.take(self.sample(on=on))

    def sample(self, *, on: bool) -> GateSample:
        """A healthy, closed gate with or without a cylinder on its scale."""
        return replace(
            SAMPLE,
            at_ns=self.clock.monotonic_ns(),
            cylinder_on=on,
            permit_echo=self.gate.permit_no if on else 0,
            gross_g=TARE_G if on else 0,
        )


async def _until(holds: Callable[[], bool], pause_s: float = PAUSE_S) -> None:
    """Look again and again; without a pause this starves the thread that commits."""
    for _ in range(LOOKS_MAX):
        await asyncio.sleep(pause_s)
        if holds():
            return
    raise AssertionError(f"looked {LOOKS_MAX} times in vain")


def _settings(directory: Path) -> Settings:
    """Every source of facts has something to say: a gate that is watched, an age of the archive."""
    folder = directory / "verdicts"
    for name, text in CONFIG.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return load(folder)


async def measure(directory: Path, cylinders: Sequence[Cylinder], figures: Figures) -> None:
    """One run over `cylinders`, added to `figures`."""
    store = house.open_store(directory)
    try:
        async with asyncio.TaskGroup() as group:
            bay = Bay(store, _settings(directory))
            task = group.create_task(bay.rig.run())
            bay.weigh(on=False)
            await _until(lambda: bay.rig.state.gate_known)
            bay.weigh(on=False)
            await _until(lambda: bay.rig.state.phase is Phase.LOCKED and bay.rig.state.total_g == 0)
            gc.collect()
            gc.freeze()  # as the daemon does
            times_ms = [await bay.judge_ms(cylinder) for cylinder in cylinders]
            task.cancel()
    finally:
        gc.unfreeze()
        await store.close()
    took_ms, seen_ms = zip(*times_ms, strict=True)
    figures.add_times("read to verdict, 100,000 cylinders", took_ms, aim_p99="< 1")
    figures.add_times("read to verdict as another task sees it", seen_ms)
