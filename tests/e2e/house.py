"""The whole house for end-to-end tests: simulated station, real broker, the daemon as a process.

async with House(tmp_path) as house:
    rig = house.station.rigs[0]
    rig.bring(house.legal[0])
    await house.rig_state("rig-1", "permitted")
"""

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gatewayd.sim.cylinders import SimCylinder
from gatewayd.sim.rig import SimRig
from gatewayd.sim.station import SimStation, StationSpec
from gatewayd.store.reads import Reader
from tests.support import shapes
from tests.support.brokers import Broker, Mosquitto
from tests.support.subscribers import Subscriber
from tests.support.waiting import LOOK_EVERY_S, WITHIN_S, until

_KEPT = tempfile.TemporaryDirectory(prefix="gatewayd-houses-")
_STORES: dict[tuple[str, bytes], Path] = {}
"""Settings and archive of a house, and the folder with the store that an import made of them."""
WAIT_S = WITHIN_S
STOP_S = 6.0
UNDER_WAY_S = 2.0
"""So long what a daemon said before it ended may need through the broker."""
LAST_WORDS_CHARS = 4_000
LOOP_LATE_MS = 500
"""So late a PLC may take what was sent in time, when nothing of its wires waits for its process."""
WIRE_TURNS = 5
"""Turns of the loop in which what lies in the wires reaches the PLCs, however long a turn takes."""


class Daemon:
    """`gatewayd run` as its own process; what it says goes to a file."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log_path = directory / "daemon.log"
        self.process: Process | None = None

    async def start(self) -> Self:
        """Start it; it is up when its devices are, which the caller waits for."""
        assert self.process is None, "already running"
        with self.log_path.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command("run", "--log", "json"), stdin=DEVNULL, stdout=log, stderr=log
            )
        return self

    def command(self, *words: str) -> tuple[str, ...]:
        """`gatewayd -c DIR words`."""
        return (sys.executable, "-m", "gatewayd", "-c", str(self.directory), *words)

    async def say(self, *words: str) -> tuple[int, str, str]:
        """Run another command beside the daemon: exit code, stdout, stderr."""
        process = await asyncio.create_subprocess_exec(
            *self.command(*words), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    def send(self, number: signal.Signals) -> None:
        """A signal: SIGSTOP, SIGCONT."""
        assert self.process is not None
        self.process.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL: as a power cut."""
        assert self.process is not None
        assert self.end is None, self.last_words()
        await self.bury()

    async def bury(self) -> None:
        """Leave no process behind, whatever became of it."""
        if self.process is None:
            return
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        self.process = None

    async def stop(self) -> int:
        """SIGTERM; contract §10 allows five seconds."""
        assert self.process is not None
        self.process.terminate()
        async with asyncio.timeout(STOP_S):
            code = await self.process.wait()
        self.process = None
        return code

    async def ended(self) -> int:
        """Wait for it to end by itself."""
        assert self.process is not None
        async with asyncio.timeout(WAIT_S):
            code = await self.process.wait()
        self.process = None
        return code

    @property
    def end(self) -> int | None:
        """The exit code of a daemon that ended and was not told to by `stop` or `kill`."""
        return None if self.process is None else self.process.returncode

    async def until(
        self,
        holds: Callable[[], object],
        within_s: float = WAIT_S,
        *,
        instead: Callable[[], object] = lambda: "",
    ) -> None:
        """Wait for what it brings about; fails with its last words, soon when it ended by itself."""

        def told() -> str:
            return f"{instead()}\n{self.last_words()}"

        await until(lambda: holds() or self.end is not None, within_s, instead=told)
        if self.end is not None:
            await until(holds, UNDER_WAY_S, instead=told)

    def last_words(self) -> str:
        """The end of what it said, and whether it still lives, for a wait that was in vain."""
        ended = "" if self.end is None else f"it ended by itself with {self.end}\n"
        return f"--- daemon ---\n{ended}{self.log()[-LAST_WORDS_CHARS:]}"

    def log(self) -> str:
        """Everything it said."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        lines = (json.loads(line) for line in self.log().splitlines() if line.startswith("{"))
        return [line for line in lines if line.get("event") == name]


class House:
    """Station, broker, subscriber and daemon; `start=False` leaves the daemon to the test.

    At the end every message that was seen must have the shape that its schema promises.
    """

    def __init__(
        self,
        directory: Path,
        *,
        rigs: int = 1,
        start: bool = True,
        broker: Callable[[Path], Broker] = Mosquitto,
        broker_up: bool = True,
        edit: Callable[[Path], None] | None = None,
        lease_ms: int = 2000,
        start_within_s: int = 120,
        speed: float = 20.0,
    ) -> None:
        self.directory = directory
        self.config = directory / "config"
        self.config.mkdir()
        self.broker = broker(directory)
        self.daemon = Daemon(self.config)
        self.station = SimStation(
            StationSpec(
                today=datetime.now(UTC).astimezone().date(),
                rigs=rigs,
                seed=7,
                lease_ms=lease_ms,
                start_within_s=start_within_s,
                speed=speed,
            )
        )
        self.seen: Subscriber | None = None
        self._start = start
        self._broker_up = broker_up
        self._edit = edit

    @property
    def legal(self) -> Sequence[SimCylinder]:
        """Cylinders that may be filled."""
        return self.station.fleet.legal

    def illegal(self, reason: str) -> SimCylinder:
        """The cylinder that must be refused for this reason."""
        return next(one for one in self.station.fleet.illegal if one.reason == reason)

    async def __aenter__(self) -> Self:
        await self.station.__aenter__()
        try:
            await self._open()
        except BaseException as exc:  # Whatever it was: a broker that is left would run for ever.
            await self.__aexit__(type(exc), exc, exc.__traceback__)
            raise
        return self

    async def _open(self) -> None:
        if self._broker_up:
            await asyncio.to_thread(self.broker.start)
            self.watch()
        self.station.write_config(self.config, self.broker.url)
        if self._edit is not None:
            self._edit(self.config)
        await self._import()
        if self._start:
            await self.daemon.start()
            await self.ready()

    async def _import(self) -> None:
        """The archive, by the real command; a house that is like an earlier one gets its store."""
        told = (self.config / "gateway.yaml").read_text().replace(self.broker.url, "")
        key = told, (self.config / "cylinders.csv").read_bytes()
        if key not in _STORES:
            kept = Path(tempfile.mkdtemp(dir=_KEPT.name))
            before = set(self.config.iterdir())
            code, out, err = await self.daemon.say(
                "import", "cylinders", f"{self.config}/cylinders.csv"
            )
            assert code == 0, (out, err)
            for made in set(self.config.iterdir()) - before:
                shutil.copy2(made, kept)
            _STORES[key] = kept
        else:
            shutil.copytree(_STORES[key], self.config, dirs_exist_ok=True)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.daemon.bury()
        if self.seen is not None:
            self.seen.__exit__(None, None, None)
        await asyncio.to_thread(self.broker.__exit__, kind, error, trace)
        await self.station.__aexit__(kind, error, trace)
        if kind is None and self.seen is not None:
            shapes.all_well(f"gatewayd/v1/{self.station.spec.station_id}", self.seen.messages())

    def watch(self) -> None:
        """Subscribe to everything with a client that is not ours."""
        self.seen = Subscriber(self.broker.port, "#").__enter__()

    async def ready(self) -> None:
        """Every rig shows `locked`: its devices are up and its gate was locked."""
        for rig in self.station.rigs:
            await self.rig_state(rig.name, "locked")

    # What the platform sees.

    def newest(self, topic: str) -> dict[str, Any]:
        """The last payload of a topic below the station, {} before the first."""
        assert self.seen is not None
        last = self.seen.last(f"gatewayd/v1/{self.station.spec.station_id}/{topic}")
        found: dict[str, Any] = json.loads(last.payload) if last and last.payload else {}
        return found

    def records(self, kind: str = "") -> list[dict[str, Any]]:
        """Every record that arrived, first copies only, by sequence."""
        assert self.seen is not None
        bodies = [json.loads(m.payload) for m in self.seen.messages(f"/records/{kind}")]
        unique = {body["id"]: body for body in bodies}
        return sorted(unique.values(), key=lambda body: int(body["sequence"]))

    def fills(self) -> list[dict[str, Any]]:
        """The `data` of every fill that arrived."""
        return [body["data"] for body in self.records("fill")]

    def refusals(self) -> list[dict[str, Any]]:
        """The `data` of every refusal that arrived."""
        return [body["data"] for body in self.records("refusal")]

    async def until(self, holds: Callable[[], bool], within_s: float = WAIT_S) -> None:
        """Wait for something at the subscriber; a daemon that ends by itself ends the wait."""
        assert self.seen is not None
        await self.daemon.until(holds, within_s, instead=self.seen.summary)

    async def rig_state(self, rig: str, *states: str, within_s: float = WAIT_S) -> None:
        """Wait until a rig shows one of these states."""
        await self.until(lambda: self.newest(f"rigs/{rig}/state").get("state") in states, within_s)

    async def settled(self) -> list[dict[str, Any]]:
        """Wait until the subscriber has every record of the store; returns them."""
        with Reader.open(self.config / "gatewayd.db") as store:
            await self.until(lambda: len(self.records()) == store.last_sequence())
        return self.records()

    def stored(self) -> list[dict[str, Any]]:
        """Every record in the store."""
        with Reader.open(self.config / "gatewayd.db") as store:
            return [json.loads(record.body) for record in store.records(limit=10_000)]

    async def fill(self, cylinder: SimCylinder, rig_index: int = 0) -> None:
        """Bring a legal cylinder, wait for the permit, press start, wait until gas flows."""
        rig = self.station.rigs[rig_index]
        rig.bring(cylinder)
        await self.rig_state(rig.name, "permitted")
        await started(rig)
        await self.rig_state(rig.name, "filling")


async def started(rig: SimRig) -> None:
    """Press start until gas flows."""
    assert await rig.start_fill(WAIT_S), rig.plc.status


async def drained_ms(rig: SimRig) -> int:
    """The clock of a rig's PLC when what a daemon that is silent now had sent has been taken."""
    for _ in range(WIRE_TURNS):
        await asyncio.sleep(LOOK_EVERY_S)
    return now_ms(rig)


def now_ms(rig: SimRig) -> int:
    """The clock of a rig's PLC, on which it says when its lease moved and when it shut."""
    rig.plc.advance()
    return rig.plc.ran_ms
