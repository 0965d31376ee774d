"""The gate of a rig whose scale and valve are devices of their own: SoftGate with hands and a clock.

It stands before its rig: what the two devices say becomes samples of one gate, everything else
goes through. What the rig orders is held in SoftGate and carried out here: closing has a task of
its own, so that it never waits for an opening, a commit or a store that hangs.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from drivers.contract import (
    DriverError,
    Filler,
    FillerSample,
    GateOrder,
    GateSample,
    Output,
    OutputSample,
    Reading,
    Trouble,
    WeightSample,
)
from drivers.troubles import weight_unknown
from gatewayd.clock import Clock
from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.rigs.front import RigBehind
from gatewayd.rigs.soft_memory import Keeper, recall, spelled
from gatewayd.rigs.soft_model import SoftSettings, Valve, of_filler, of_output, unknown, weight_of
from gatewayd.rigs.softgate import SoftGate

CHECK_S = 0.05
"""How often lease and freshness are looked at when no device speaks."""
CLOSE_AGAIN_S = 0.1
"""How soon closing is tried again when the device did not confirm it."""
KEEP_S = 1.0
"""How often the totaliser is kept while it moves: what is lost at most with the process."""


class Composite:
    """One such gate. Create, `stand_before` its rig, feed it as a rig is fed, and `run` it."""

    def __init__(
        self,
        rig_id: str,
        settings: SoftSettings,
        hand: Output | Filler,
        *,
        scale: str,
        store: Keeper,
        clock: Clock,
        tell: Callable[[str, Trouble], None],
    ) -> None:
        self._rig_id = rig_id
        self._gate, self._scale = settings.device, scale
        self._hand = hand
        self._store = store
        self._clock = clock
        self.looked_ns = clock.monotonic_ns()
        self._tell = tell
        self._log = logger("rigs").bind(rig=rig_id)
        self.soft = SoftGate(settings, recall(store, rig_id))
        self._rig: RigBehind | None = None
        self._states: dict[str, str] = {}
        self._state = ""
        self._kept = self.soft.memory
        self._maybe_open = True  # Nobody knows what the process before this one left.
        self._opening = False
        self._broken = False
        self._unsaid = ""
        self._wake_opener, self._wake_closer = asyncio.Event(), asyncio.Event()

    def stand_before(self, rig: RigBehind) -> None:
        """Deliver the gate's samples to this rig, and let everything else through."""
        self._rig = rig

    # --- what the devices say ---

    def take(self, reading: Reading) -> None:
        """One reading of one of the rig's devices."""
        assert self._rig is not None, "stands before nobody"
        match reading:
            case WeightSample(device=device) if device == self._scale:
                self._weigh(reading)
            case OutputSample(device=device) if device == self._gate:
                self._hear(of_output(reading))
            case FillerSample(device=device) if device == self._gate:
                self._weigh(weight_of(reading))
                self._hear(of_filler(reading))
            case GateSample() | WeightSample() | OutputSample() | FillerSample():
                return  # Of no device of this gate: nothing that may move it.
            case _:
                self._rig.take(reading)
                return
        sample = self._look()
        if sample is not None:
            self._rig.take(sample)

    def _weigh(self, sample: WeightSample) -> None:
        self.soft.weigh(sample)
        if sample.gross_g is None:
            self._tell(sample.device, weight_unknown(unknown(sample)))

    def _hear(self, valve: Valve) -> None:
        self.soft.hear(valve)
        self._maybe_open = self._maybe_open or valve.shows_open

    def device(self, name: str, state: str) -> None:
        """A device changed its state; the gate is up while both of its devices are."""
        assert self._rig is not None, "stands before nobody"
        if name not in (self._gate, self._scale):
            self._rig.device(name, state)
            return
        self._states[name] = state
        if state != "up":
            if name == self._scale:
                self.soft.lose_scale()
            if name == self._gate:
                self.soft.lose_valve()
            self._look()
        states = [self._states.get(each, "connecting") for each in (self._gate, self._scale)]
        worst = next((each for each in states if each != "up"), "up")
        if worst != self._state:
            self._state = worst
            self._rig.device(self._gate, worst)

    def _look(self) -> GateSample | None:
        """Look at everything at this moment, wake whoever has to act; the sample if there is one."""
        now_ns = self._clock.monotonic_ns()
        was_held, why = self.soft.holding, self.soft.why
        self.soft.look(now_ns)
        if was_held and not self.soft.holding:
            self._log.info("gate.closes", why=self.soft.why)
        elif why != self.soft.why:
            self._log.info("gate.refuses", why=self.soft.why)
        self._wake_hands()
        return self.soft.sample(now_ns)

    def _wake_hands(self) -> None:
        if self.soft.wants_open is None:
            self._wake_closer.set()
        else:
            self._wake_opener.set()

    # --- what the rig asks for (FillGate) ---

    async def open(self, order: GateOrder) -> None:
        """Hold this permit; raises DriverError when anything speaks against it.

        Everything that permits was looked at in this call; the valve itself opens when somebody
        starts, and is read back then.
        """
        if self._broken:
            raise DriverError(f"{self._gate}: its driver broke, restart after the cause is found")
        refused = self.soft.order(order, self._clock.monotonic_ns())
        self._wake_hands()
        if refused:
            raise DriverError(f"{self._gate}: not opened: {refused}")

    async def renew(self) -> None:
        """Move the lease; raises DriverError when no permit is in force."""
        if not self.soft.renew(self._clock.monotonic_ns()):
            self._wake_hands()
            raise DriverError(f"{self._gate}: no permit is in force: {self.soft.why}")

    async def lock(self) -> None:
        """Hold nothing, close the device and have it read back; raises DriverError."""
        self.soft.lock(self._clock.monotonic_ns())
        await self._close()

    def doubt(self) -> None:
        """Hold nothing; the device may be open, and is closed as soon as `run` runs again."""
        self._maybe_open = True
        self.soft.lock(self._clock.monotonic_ns())
        self._wake_closer.set()

    def fall(self, bug: Exception) -> None:
        """What it was told could not be taken: closed, and its rig begins anew."""
        assert self._rig is not None, "stands before nobody"
        self.doubt()
        self._rig.fall(bug)

    # --- the actor ---

    async def run(self) -> None:
        """Carry out what the gate wants, until cancelled. A bug ends it: `doubt`, and again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_closed())
            group.create_task(self._keep_open())
            group.create_task(self._watch())
            group.create_task(self._remember())

    async def _watch(self) -> None:
        """The timer of lease and freshness, for devices that have stopped to speak."""
        while True:
            await asyncio.sleep(CHECK_S)
            self._look()
            self.looked_ns = self._clock.monotonic_ns()

    async def _keep_closed(self) -> None:
        """Close whatever may be open and is not wanted, again and again until it is confirmed.

        A device that is lost is closed by its driver before it is up again.
        """
        while True:
            await self._wake_closer.wait()
            self._wake_closer.clear()
            while self._to_close():
                try:
                    await self._close()
                except DriverError as exc:
                    self._complain("close", str(exc))
                except Exception as exc:  # noqa: BLE001 - a bug in one driver must not stop the other rigs
                    self._break("close", exc)
                if self._maybe_open:
                    await asyncio.sleep(CLOSE_AGAIN_S)

    def _to_close(self) -> bool:
        up = self._states.get(self._gate) == "up"
        return up and self._maybe_open and self.soft.wants_open is None

    async def _close(self) -> None:
        """Tell the device to close; it confirms, or this raises DriverError."""
        if isinstance(self._hand, Output):
            await self._hand.release()
        else:
            await self._hand.stop()
        self._unsaid = ""
        # An opening under way may still open: it is closed again when that has ended.
        self._maybe_open = self._opening

    async def _keep_open(self) -> None:
        """Open once for each start, after what must survive was kept."""
        opened: GateOrder | None = None
        while True:
            await self._wake_opener.wait()
            self._wake_opener.clear()
            wanted = self.soft.wants_open
            if wanted is None or wanted == opened:
                opened = wanted
                continue
            opened = wanted
            self._maybe_open = self._opening = True
            try:
                await self._open(wanted)
            except (DriverError, StoreError) as exc:
                self._complain("open", str(exc))
                self.soft.failed(str(exc), self._clock.monotonic_ns())
            except Exception as exc:  # noqa: BLE001 - a bug in one driver must not stop the other rigs
                self._break("open", exc)
                self.soft.failed(str(exc), self._clock.monotonic_ns())
            finally:
                self._opening = False
            self._look()

    async def _open(self, wanted: GateOrder) -> None:
        """Durable first: a crash from here on is a fill that was cut short, not one unknown.

        Looked at anew after that: this process may have been stopped, for however long.
        """
        await self._save()
        self._look()
        if self.soft.wants_open != wanted:
            return
        if isinstance(self._hand, Output):
            await self._hand.energise()
        else:
            await self._hand.start(wanted)

    async def _remember(self) -> None:
        """Keep the totaliser while it moves; a store that fails makes the rig ill by itself."""
        while True:
            await asyncio.sleep(KEEP_S)
            if self._moved():
                with suppress(StoreError):
                    await self._save()

    def _moved(self) -> bool:
        """Whether there is news: while nothing flows, the gross weight alone is none."""
        new, old = self.soft.memory, self._kept
        counted = (new.total_g, new.fills, new.flowing) != (old.total_g, old.fills, old.flowing)
        return counted or (new.flowing and new.gross_g != old.gross_g)

    async def _save(self) -> None:
        memory = self.soft.memory
        await self._store.keep(self._rig_id, spelled(memory))
        self._kept = memory

    def _break(self, what: str, exc: Exception) -> None:
        """The driver broke: nothing opens here again in this process."""
        if not self._broken:
            self._log.error("gate.fault", write=what, error=str(exc), exc_info=exc)
        self._broken = True

    def _complain(self, what: str, error: str) -> None:
        """Say why the device did not obey, once for as long as it fails in the same way."""
        if error != self._unsaid:
            self._unsaid = error
            self._log.warning("gate.failed", write=what, error=error)
