"""The demo, without its screen: broker, simulated station, the real daemon, and an audience.

Nothing is short-cut: the daemon is its own process that knows only its config directory, devices
are on sockets and ptys, and the summary is made from what the subscriber received and what the
plant really let flow.
"""

import asyncio
import contextlib
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt

from gatewayd.errors import GatewayError
from gatewayd.sim.audience import Audience
from gatewayd.sim.broker import EmbeddedBroker
from gatewayd.sim.station import SimStation, StationSpec
from gatewayd.store.reads import Reader

AGREE_G = 20
"""Grams a fill by which net masses and totaliser may differ (contract §10)."""

PAGE_PORT = 8080
READY_WITHIN_S = 20.0
FINISH_WITHIN_S = 60.0
DELIVERED_WITHIN_S = 15.0
STOP_WITHIN_S = 8.0
LOOK_EVERY_S = 0.2
QUIET_LOOKS = 4
"""So often in a row everything must be at rest and delivered before the daemon is stopped."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What contract §10 asks for, and where the evidence lies."""

    fills: int
    refusals: int
    records_received: int
    sequence_gap_free: bool
    sum_net_g: int
    totaliser_g: int
    ok: bool
    reasons: dict[str, int]
    outcomes: dict[str, int] = field(default_factory=dict)
    redelivered: int = 0
    problems: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """One object for `--json`."""
        return {**asdict(self), "problems": list(self.problems)}


class Demo:
    """One run. `directory` holds config, store and log of the daemon.

    Given, it must be empty or not exist yet, and is kept; else it is temporary.
    """

    def __init__(
        self, spec: StationSpec, broker_url: str | None, directory: Path | None = None
    ) -> None:
        self.spec = spec
        self.broker_url = broker_url or ""
        self.directory = directory or Path()
        self._is_kept = directory is not None
        self.station = SimStation(spec)
        self.audience = Audience("", f"gatewayd/v1/{spec.station_id}", self._refused)
        self.failure = ""
        self.page_url = ""
        self._daemon: asyncio.subprocess.Process | None = None

    @property
    def log_path(self) -> Path:
        """What the daemon says, as JSON lines."""
        return self.directory / "gatewayd.log"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything up and the workers at work; on leaving everything is taken down."""
        with ExitStack() as stack:
            if self._is_kept:
                _claim(self.directory)
            else:
                folder = tempfile.TemporaryDirectory(prefix="gatewayd-demo-")
                self.directory = Path(stack.enter_context(folder))
            if not self.broker_url:
                self.broker_url = stack.enter_context(EmbeddedBroker()).url
            self.audience.url = self.broker_url
            async with asyncio.TaskGroup() as group, self.station:
                ready = asyncio.Event()
                listening = group.create_task(self._listen(ready))
                try:
                    await _within(ready.wait(), READY_WITHIN_S, f"no broker at {self.broker_url}")
                    await self._start_daemon()
                    self.station.start_workers()
                    yield
                finally:
                    await self._stop_daemon()
                    listening.cancel()

    async def _listen(self, ready: asyncio.Event) -> None:
        """The audience, until cancelled; a broker that goes away ends the demo."""
        try:
            await self.audience.listen(ready.set)
        except aiomqtt.MqttError as exc:
            raise GatewayError(f"no broker at {self.broker_url}: {exc}") from exc

    async def _start_daemon(self) -> None:
        """Write the configuration, import the archive, start `gatewayd run` as a process."""
        self.station.write_config(self.directory, self.broker_url)
        self._add_page()
        archive = self.directory / "cylinders.csv"
        await self._gatewayd("import", "cylinders", str(archive))
        with self.log_path.open("wb") as log:
            # A group of its own: Ctrl-C in the terminal is for us, who stop the daemon last.
            self._daemon = await asyncio.create_subprocess_exec(
                *self._command("run", "--log", "json"),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def _add_page(self) -> None:
        """The station's page on loopback, at its usual port or any that is free."""
        address = f"127.0.0.1:{_free_port()}"
        with (self.directory / "gateway.yaml").open("a", encoding="utf-8") as file:
            file.write(f'web: {{listen: "{address}", without_login: supervisor}}\n')
        self.page_url = f"http://{address}/"

    def _command(self, *words: str) -> tuple[str, ...]:
        return (sys.executable, "-m", "gatewayd", "-c", str(self.directory), *words)

    async def _gatewayd(self, *words: str) -> None:
        """Run one command to its end; raises GatewayError with what it said."""
        process = await asyncio.create_subprocess_exec(
            *self._command(*words), stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
        )
        said, _ = await process.communicate()
        if process.returncode:
            raise GatewayError(f"gatewayd {' '.join(words)}: {said.decode(errors='replace')}")

    async def _stop_daemon(self) -> None:
        """SIGTERM, as systemd would; five seconds are promised (contract §10)."""
        daemon = self._daemon
        if daemon is None or daemon.returncode is not None:
            return
        daemon.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                code = await daemon.wait()
        except TimeoutError:
            daemon.kill()
            code = await daemon.wait()
            self.failure = f"the daemon did not stop within {STOP_WITHIN_S:g} s"
        if code:
            self.failure = self.failure or f"the daemon ended with exit code {code}"

    def alive(self) -> bool:
        """Whether the daemon runs."""
        return self._daemon is not None and self._daemon.returncode is None

    def _refused(self, rig_name: str) -> None:
        """The worker sees the refusal on the rig's display, which shows what MQTT shows."""
        for rig in self.station.rigs:
            if rig.name == rig_name:
                rig.tell_refused()

    async def finish(self) -> Summary:
        """Let the workers finish, wait until every record has arrived, stop, add up."""
        try:
            async with asyncio.timeout(FINISH_WITHIN_S):
                await self.station.finish()
        except TimeoutError:
            self.failure = "a worker could not finish"
        await self._delivered()
        await self._stop_daemon()
        return self._summary(self._last_sequence())

    async def _delivered(self) -> None:
        """Wait until nothing is filling and the audience has as many records as the store."""
        deadline = asyncio.get_running_loop().time() + DELIVERED_WITHIN_S
        quiet = 0
        while asyncio.get_running_loop().time() < deadline and quiet < QUIET_LOOKS:
            await asyncio.sleep(LOOK_EVERY_S)
            resting = all(rig["state"] == "locked" for rig in self.audience.rigs.values())
            same = len(self.audience.records) == self._last_sequence()
            quiet = quiet + 1 if resting and same else 0

    def _last_sequence(self) -> int:
        with Reader.open(self.directory / "gatewayd.db") as store:
            return store.last_sequence()

    def _summary(self, last_sequence: int) -> Summary:
        audience = self.audience
        fills, refusals = audience.of_kind("fill"), audience.of_kind("refusal")
        received, net_g = len(audience.records), sum(int(fill["net_g"]) for fill in fills)
        gap_free = audience.gap_free() and received == last_sequence
        totaliser_g = self.station.totaliser_g
        checks = {
            self.failure: not self.failure,
            f"{len(fills)} fills + {len(refusals)} refusals is not {received} records": (
                len(fills) + len(refusals) == received
            ),
            f"the sequence or the hash chain of 1..{last_sequence} is broken": gap_free,
            f"net masses and totaliser differ by {net_g - totaliser_g} g": (
                abs(net_g - totaliser_g) <= AGREE_G * max(1, len(fills))
            ),
        }
        problems = tuple(text for text, holds in checks.items() if not holds)
        return Summary(
            fills=len(fills),
            refusals=len(refusals),
            records_received=received,
            sequence_gap_free=gap_free,
            sum_net_g=net_g,
            totaliser_g=totaliser_g,
            ok=not problems,
            reasons=audience.reasons(),
            outcomes=dict(sorted(Counter(str(fill["outcome"]) for fill in fills).items())),
            redelivered=audience.copies,
            problems=problems,
        )


def _free_port() -> int:
    """A port of loopback that nobody listens at now; 8080 when it can be had."""
    for wanted in (PAGE_PORT, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", wanted))
            return int(probe.getsockname()[1])
    raise GatewayError("no free port at 127.0.0.1 for the page")


def _claim(directory: Path) -> None:
    """Make the directory; one that holds anything is somebody's, perhaps a real station's."""
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise GatewayError(f"{directory}: not empty; the demo writes a configuration of its own")


async def _within(waiting: Coroutine[Any, Any, object], seconds: float, else_say: str) -> None:
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError as exc:
        raise GatewayError(else_say) from exc
