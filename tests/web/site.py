"""A simulated station with the real daemon and its page, for tests of the page. No broker.

async with Site(tmp_path) as site:
    site.rig.bring(site.legal[0])
    await site.rig_state("rig-1", "permitted")
"""

import asyncio
import json
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from click.testing import CliRunner

from gatewayd.cli.root import main
from gatewayd.sim.cylinders import SimCylinder
from gatewayd.sim.rig import SimRig
from gatewayd.sim.station import SimStation, StationSpec
from tests.e2e.house import Daemon
from tests.support.waiting import WITHIN_S

ASK_EVERY_S = 0.05
"""How often the page is asked again for what must come."""
SUPERVISOR = "without_login: supervisor"
ASKS = (
    "    operator: {required: true}\n"
    "    precheck: {form: lpg-prefill, required: true, wait_s: 60}\n"
    "    postcheck: {form: lpg-postfill, required: true}\n"
)
CARD = "04A1B2C3D4"
OPERATORS = (
    f"id,name,certificate,certificate_until,media,cards\nop-1,李四,T-1,2099-12-31,LPG,{CARD}\n"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """Station, daemon and page; `asks` lets rig-1 ask for people and checks.

    With a `port`, nobody waits until the page answers there.
    """

    def __init__(
        self,
        directory: Path,
        *,
        rigs: int = 1,
        web: str = SUPERVISOR,
        asks: bool = True,
        port: int | None = None,
        edit: Callable[[Path], None] | None = None,
    ) -> None:
        self.config = directory / "config"
        self.config.mkdir()
        self.port = port or free_port()
        self._waits = port is None
        self.daemon = Daemon(self.config)
        self.station = SimStation(
            StationSpec(today=datetime.now(UTC).astimezone().date(), rigs=rigs, seed=7)
        )
        self._web = web
        self._asks = asks
        self._edit = edit
        self.session: aiohttp.ClientSession

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def rig(self) -> SimRig:
        return self.station.rigs[0]

    @property
    def legal(self) -> Sequence[SimCylinder]:
        return self.station.fleet.legal

    def illegal(self, reason: str) -> SimCylinder:
        return next(one for one in self.station.fleet.illegal if one.reason == reason)

    async def __aenter__(self) -> Self:
        await self.station.__aenter__()
        self.session = aiohttp.ClientSession(self.base, cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.station.write_config(self.config, None)
        gateway = self.config / "gateway.yaml"
        web = f'web: {{listen: "127.0.0.1:{self.port}", {self._web}}}\n'
        gateway.write_text(gateway.read_text("utf-8") + web, "utf-8")
        if self._asks:
            path = self.config / "rigs" / "rig-1.yaml"
            path.write_text(path.read_text("utf-8").rstrip("\n") + "\n" + ASKS, "utf-8")
        if self._edit is not None:
            self._edit(self.config)
        people = self.config.parent / "operators.csv"
        people.write_text(OPERATORS, "utf-8")
        for kind, file in (("cylinders", self.config / "cylinders.csv"), ("operators", people)):
            words = ["-c", str(self.config), "import", kind, str(file)]
            done = await asyncio.to_thread(CliRunner().invoke, main, words)
            assert done.exit_code == 0, done.output
        await self.daemon.start()
        if self._waits:
            await self.up()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.session.close()
        await self.daemon.bury()
        await self.station.__aexit__(kind, error, trace)

    async def up(self) -> None:
        """Wait until the page answers and every rig is locked."""

        async def answers() -> bool:
            try:
                return (await self.get("/texts"))[0] == 200
            except aiohttp.ClientError:
                return False

        async with asyncio.timeout(WITHIN_S):
            while not await answers():
                assert self.daemon.end is None, self.daemon.last_words()
                await asyncio.sleep(ASK_EVERY_S)
        if not self._web.startswith("users"):
            for rig in self.station.rigs:
                await self.rig_state(rig.name, "locked")

    async def get(self, path: str, **more: Any) -> tuple[int, Any]:
        async with self.session.get(f"/api/v1{path}", **more) as response:
            return response.status, await response.json()

    async def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        heads = {"Origin": self.base, "Content-Type": "application/json", **headers}
        data = json.dumps({} if body is None else body)
        async with self.session.post(f"/api/v1{path}", data=data, headers=heads) as response:
            return response.status, await response.json()

    async def topic(self, name: str) -> dict[str, Any]:
        _, told = await self.get("/state")
        found: dict[str, Any] = told["topics"].get(name, {})
        return found

    async def rig_state(self, rig: str, *states: str) -> dict[str, Any]:
        """Wait until a rig shows one of these states."""
        seen: dict[str, Any] = {}
        async with asyncio.timeout(WITHIN_S):
            while seen.get("state") not in states:
                seen = await self.topic(f"rigs/{rig}/state")
                await asyncio.sleep(ASK_EVERY_S)
        return seen

    async def records(self, kind: str = "") -> list[dict[str, Any]]:
        """Lines of the list of records, newest first."""
        _, told = await self.get(f"/records?kind={kind}")
        found: list[dict[str, Any]] = told["records"]
        return found


async def gone(site: Site) -> None:
    """Take the cylinder away, and wait until the daemon has seen the empty scale."""
    site.rig.take_away()
    await site.rig_state(site.rig.name, "locked")


__all__ = ["CARD", "Site", "gone"]
