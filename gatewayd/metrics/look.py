"""One look at the daemon: everything that a scrape tells, taken at one moment on its loop.

It only reads what is there anyway: milliseconds of the loop with 64 rigs. The text is written in a
thread.
"""

import asyncio
import platform
from collections.abc import Callable, Iterable
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from drivers.plc.wire import Wire
from gatewayd.alarms.alarms import Alarms
from gatewayd.clock import SECOND
from gatewayd.counting import QUICK_S, Spread
from gatewayd.errors import StoreError
from gatewayd.metrics import catalogue
from gatewayd.metrics.tally import Tally
from gatewayd.metrics.terms import Metric, Sheet
from gatewayd.parts import Parts
from gatewayd.rigs.model import Phase
from gatewayd.store.chain import parse
from gatewayd.store.room import ballast_file

FRESH_S = 1.0
"""Who asks again sooner gets the same text: a flood of scrapes costs no more than one a second."""
LAG_EVERY_S = 0.1
DEVICE_STATES = ("connecting", "up", "down", "fault")
UPSTREAM_STATES = ("connecting", "up", "refused", "down")
CLOCK_STATES = ("ntp", "gateway", "untrusted")


Write: TypeAlias = Callable[[Sheet, str], tuple[bytes, str]]


class Monitor:
    """One a daemon. `run` it, and ask `scrape`, on one loop."""

    def __init__(self, parts: Parts, alarms: Alarms) -> None:
        self._parts = parts
        self._alarms = alarms
        self._context = parts.context
        self._tally = Tally(parts.context.store)
        self._lag = Spread(QUICK_S)
        self._started = parts.context.clock.wall()
        self._write: Write | None = None
        self._turn = asyncio.Lock()
        self._looked_ns: int | None = None
        self._told: dict[str, tuple[bytes, str]] = {}

    async def run(self) -> None:
        """Count records and how late the loop is, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tally.run())
            group.create_task(self._measure_lag())

    async def scrape(self, accept: str = "") -> tuple[bytes, str]:
        """All metrics as text, and its content type; `accept` as HTTP says it."""
        async with self._turn:
            now_ns = self._context.clock.monotonic_ns()
            if self._looked_ns is None or now_ns - self._looked_ns >= FRESH_S * SECOND:
                self._looked_ns = now_ns
                self._told.clear()
            kind = "openmetrics" if "openmetrics" in accept else ""
            if kind not in self._told:
                if self._write is None:
                    self._write = await asyncio.to_thread(_writer)
                self._told[kind] = await asyncio.to_thread(self._write, self.look(), accept)
            return self._told[kind]

    def look(self) -> Sheet:
        """Everything as it is now; what the store cannot tell is left out."""
        sheet = Sheet()
        self._tally.catch_up()
        self._daemon(sheet)
        self._rigs(sheet)
        self._tally.enter(sheet, self._parts.rigs)
        for name in self._parts.upstreams:
            self._upstream(sheet, name)
        self._devices(sheet)
        self._of_wires(sheet)
        self._of_alarms(sheet)
        self._store(sheet)
        return sheet

    # --- parts of a look ---

    def _daemon(self, sheet: Sheet) -> None:
        sheet.put(catalogue.BUILD, 1, self._context.version, platform.python_version())
        sheet.put(catalogue.STARTED, self._started.timestamp())
        sheet.put(catalogue.LAG, self._lag)
        shown = self._context.board.get("clock") or {}
        _one_of(sheet, catalogue.CLOCK, (), str(shown.get("state")), CLOCK_STATES)

    def _rigs(self, sheet: Sheet) -> None:
        for name, rig in self._parts.rigs.items():
            state = rig.state
            _one_of(sheet, catalogue.PHASE, (name,), state.phase.value, Phase)
            live = state.permit is not None and state.withdrawn is None
            sheet.put(catalogue.PERMIT, live, name)
            timing = self._parts.timings.of(name)
            sheet.put(catalogue.SCAN, timing.scan_to_permit, name)
            sheet.put(catalogue.RENEWAL, timing.renewals, name)
            if state.total_g is not None:
                sheet.put(catalogue.TOTALISER, state.total_g, name)

    def _upstream(self, sheet: Sheet, name: str) -> None:
        shown = self._context.board.get(f"upstreams/{name}/status") or {}
        _one_of(sheet, catalogue.UPSTREAM, (name,), str(shown.get("state")), UPSTREAM_STATES)
        flow = self._context.flows.of(name)
        sheet.put(catalogue.DELIVERED, flow.delivered, name)
        sheet.put(catalogue.REJECTED, flow.rejected, name)
        sheet.put(catalogue.RETRIED, flow.retried, name)
        sheet.put(catalogue.RESENT, flow.resent, name)
        sheet.put(catalogue.SESSIONS, flow.connections, name)
        try:
            backlog, oldest_s, dead = self._waiting(name)
        except StoreError:
            return
        sheet.put(catalogue.BACKLOG, backlog, name)
        sheet.put(catalogue.OLDEST, oldest_s, name)
        sheet.put(catalogue.DEAD, dead, name)

    def _waiting(self, name: str) -> tuple[int, float, int]:
        """How many records wait, how old the oldest of them is, and how many are dead letters."""
        store = self._context.store
        through = store.cursor(name)
        oldest_s = 0.0
        for record in store.records(after_sequence=through, limit=1):
            made = datetime.fromisoformat(str(parse(record.body)["time"]))
            oldest_s = max(0.0, (self._context.clock.wall() - made).total_seconds())
        dead = sum(store.dead_count(name, retrying=again) for again in (False, True))
        return store.last_sequence() - through, oldest_s, dead

    def _devices(self, sheet: Sheet) -> None:
        for name, device in self._parts.devices.items():
            status, counts = device.supervisor.status, device.supervisor.counters
            _one_of(sheet, catalogue.DEVICE, (name,), status.state, DEVICE_STATES)
            sheet.put(catalogue.READINGS, device.audience.readings, name)
            sheet.put(catalogue.ATTEMPTS, counts.attempts, name)
            sheet.put(catalogue.LOSSES, counts.losses, name)
            sheet.put(catalogue.MISSED, counts.missed, name)
            sheet.put(catalogue.GARBLED, counts.noises - counts.missed, name)
            for standing in device.supervisor.troubles.standing:
                sheet.put(catalogue.TROUBLES, 1, name, standing.trouble.kind)

    def _of_wires(self, sheet: Sheet) -> None:
        for wire, units in Wire.totals().items():
            for unit, total in units.items():
                sheet.put(catalogue.POLLS, total.asked, wire, str(unit))
                sheet.put(catalogue.UNANSWERED, total.misses, wire, str(unit))
                sheet.put(catalogue.BUSY, total.used_s, wire, str(unit))

    def _of_alarms(self, sheet: Sheet) -> None:
        counts: dict[tuple[str, str], list[int]] = {}
        for alarm in self._alarms.standing:
            both = counts.setdefault((alarm.kind, alarm.severity), [0, 0])
            both[0] += 1
            both[1] += alarm.acknowledged_at is None
        for (kind, severity), (stand, unanswered) in counts.items():
            sheet.put(catalogue.ALARMS, stand, kind, severity)
            sheet.put(catalogue.UNANSWERED_ALARMS, unanswered, kind, severity)

    def _store(self, sheet: Sheet) -> None:
        store, path = self._context.store, self._context.store.path
        files = {
            "file": path,
            "log": path.with_name(f"{path.name}-wal"),
            "ballast": ballast_file(path),
        }
        for part, file in files.items():
            sheet.put(catalogue.STORE, _bytes(file), part)
        sheet.put(catalogue.QUOTA, store.quota_bytes)
        sheet.put(catalogue.USED, store.used_percent / 100)
        sheet.put(catalogue.HEALTHY, store.healthy)
        sheet.put(catalogue.STUCK, store.stuck_ms() / 1_000)
        sheet.put(catalogue.COMMIT, store.commits)
        try:
            sheet.put(catalogue.SEQUENCE, store.last_sequence())
            confirmed = store.archive_confirmed_at()
        except StoreError:
            return
        if confirmed is not None:
            sheet.put(catalogue.ARCHIVE, confirmed.timestamp())

    async def _measure_lag(self) -> None:
        clock = self._context.clock
        while True:
            due_ns = clock.monotonic_ns() + int(LAG_EVERY_S * SECOND)
            await asyncio.sleep(LAG_EVERY_S)
            self._lag.note(max(0, clock.monotonic_ns() - due_ns) / SECOND)


def _writer() -> Write:
    """The library costs 50 ms: only a daemon that is asked loads it, and not on the loop."""
    write: Write = import_module("gatewayd.metrics.exposition").Exposition().write
    return write


def _one_of(
    sheet: Sheet, metric: Metric, names: tuple[str, ...], now: str, states: Iterable[str]
) -> None:
    """1 for the state that is, 0 for the others."""
    for state in states:
        sheet.put(metric, state == now, *names, str(state))


def _bytes(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
