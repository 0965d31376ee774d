"""The daemon's event loop in a simulated history: time jumps to what comes next, nothing waits.

No sockets and no threads: connections land on simulated wires, what is handed to an executor runs
on the loop a moment later. One life of the daemon has one loop. When the life ends by violence the
loop raises `Died`; what is left of the process is then unwound beside the world, where nothing it
does reaches anybody.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import Any

from gatewayd.clock import SECOND
from tests.histories.ground import Ground
from tests.histories.wires import Network, connect

EXECUTOR_S = 0.001
TURNS_AT_ONE_MOMENT_MAX = 20_000
"""A loop that turns so often without time passing is one that will never wait again."""
GHOST_S_MAX = 120.0
"""How long a dead process may take to unwind, on its own clock."""


class Died(BaseException):
    """The process was killed."""


class VirtualLoop(asyncio.BaseEventLoop):
    """`dead` ends the life at once; `stall` lets the world go on alone."""

    _ready: deque[asyncio.Handle]  # What asyncio's base loop will run in this turn.

    def __init__(self, ground: Ground, network: Network) -> None:
        super().__init__()
        self.ground = ground
        self.network = network
        self.dead = False
        self.errors: list[dict[str, Any]] = []
        self.slept_ns = 0
        self._ghost = False
        self._ghost_s = 0.0
        self._stalled_until_ns = 0
        self._turns = 0
        self._selector = self
        self._clock_resolution = 1e-9
        self.set_exception_handler(lambda _loop, context: self.errors.append(context))

    # Faults.

    def die(self) -> None:
        """Nothing runs any more, from the next turn on."""
        self.dead = True

    def stall(self, seconds: float) -> None:
        """The process stands still (swapped out, stopped) while the world goes on."""
        until_ns = self.ground.now_ns + round(seconds * SECOND)
        self._stalled_until_ns = max(self._stalled_until_ns, until_ns)

    def sleep_through(self, seconds: float) -> None:
        """The computer sleeps: its loop time stands still, the clock that ages goes on."""
        self.stall(seconds)
        self.slept_ns += round(seconds * SECOND)

    @property
    def stalled(self) -> bool:
        """Whether it stands still now."""
        return self._stalled_until_ns > self.ground.now_ns

    def unwind(self) -> None:
        """Let what is left of a dead process end, beside the world."""
        self._ghost = True
        self._ghost_s = self.time()
        end_s = self._ghost_s + GHOST_S_MAX
        while (tasks := asyncio.all_tasks(self)) and self._ghost_s < end_s:
            for task in tasks:
                task.cancel()
            self.run_until_complete(asyncio.wait(tasks, timeout=GHOST_S_MAX / 4))
        assert not asyncio.all_tasks(self), "a ghost that never rests"
        self.run_until_complete(self.shutdown_asyncgens())
        self.close()

    # What asyncio's base loop asks of its clock and its selector.

    def time(self) -> float:
        """Seconds of this process's life."""
        if self._ghost:
            return self._ghost_s
        return (self.ground.now_ns - self.slept_ns) / SECOND

    def select(self, timeout: float | None) -> list[Any]:
        """Let the world go on until the loop has something to do, at most for `timeout` seconds."""
        if self._ghost:
            self._ghost_s += timeout or 0.0
            return []
        ground = self.ground
        began_ns = ground.now_ns
        until_ns = None if timeout is None else began_ns + math.ceil(max(timeout, 0) * SECOND)
        while not (self.dead or self._ready):
            next_ns = ground.next_ns()
            if next_ns is None or (until_ns is not None and next_ns > until_ns):
                assert until_ns is not None, "nothing will ever happen again"
                ground.now_ns = until_ns
                break
            ground.turn()
        if (
            self._ready and not self.dead
        ):  # The world does not wait for us: what is due now happens.
            ground.run_until(ground.now_ns)
        while self.stalled and not self.dead:
            ground.run_until(self._stalled_until_ns)
        if self.dead:
            raise Died
        self._turns = self._turns + 1 if ground.now_ns == began_ns else 0
        assert self._turns < TURNS_AT_ONE_MOMENT_MAX, "the loop spins and time stands still"
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        assert not event_list

    def _write_to_self(self) -> None:
        """Nobody sleeps in a system call."""

    # The world outside.

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Callable[[], asyncio.Protocol], host: str, port: int, **_: Any
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """A TCP connection to a simulated device."""
        return await connect(self, self.network, f"{host}:{port}", protocol_factory)

    async def create_serial_connection(
        self, factory: Callable[[], asyncio.Protocol], path: str, **_: Any
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        """A serial port with a simulated device on it."""
        return await connect(self, self.network, path, factory)

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run it on the loop, a moment later."""
        assert executor is None, executor
        done: asyncio.Future[Any] = self.create_future()

        def run() -> None:
            if done.cancelled():
                return
            try:
                done.set_result(func(*args))
            except Exception as exc:  # noqa: BLE001 - whoever waits learns of it
                done.set_exception(exc)

        self.call_later(EXECUTOR_S, run)
        return done
