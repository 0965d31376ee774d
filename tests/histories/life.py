"""One life of the daemon, from opening its store to its end, by order, by violence or by a bug."""

import asyncio
import gc
import random
import uuid
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from drivers.plc import polling
from gatewayd import app, chance, house
from gatewayd.clock import SECOND
from gatewayd.errors import StoreError
from gatewayd.reload.keeper import Bell
from gatewayd.settings.load import ConfigProblemsError
from gatewayd.upstreams.plain import PlainUpstream
from tests.histories import disk as disks
from tests.histories.ground import BEGIN_NS, Ground
from tests.histories.hand import LoopHand
from tests.histories.loop import Died, VirtualLoop
from tests.histories.pairs import listening
from tests.histories.platform import upstream
from tests.histories.settings import BEGIN

if TYPE_CHECKING:
    from tests.histories.world import World

End: TypeAlias = Literal["killed", "stopped", "no_store", "no_config", "bug"]
STORE = "gatewayd.db"


@dataclass(slots=True)
class VirtualClock:
    """The machine's clocks: wall time may jump, the clock that ages never does.

    `kept` is what the kernel says of time servers; as on a machine without network, at first.
    """

    ground: Ground
    jumped: timedelta = timedelta()
    kept: bool | None = False

    def wall(self) -> datetime:
        """Now, aware, UTC."""
        passed = timedelta(microseconds=(self.ground.now_ns - BEGIN_NS) / 1000)
        return BEGIN + passed + self.jumped

    def monotonic_ns(self) -> int:
        """Nanoseconds."""
        return self.ground.now_ns

    def synchronised(self) -> bool | None:
        """Whether a time server keeps it; a clock that was set is kept by nobody for now."""
        return self.kept and not self.jumped


@dataclass(slots=True)
class Life:
    """`number` counts lives from 1; `folder` is the disk that it finds and leaves."""

    world: "World"
    number: int
    folder: Path
    loop: VirtualLoop = field(init=False)
    disk: disks.Disk = field(init=False)
    hand: LoopHand = field(init=False)
    house: "house.House | None" = None
    stop: asyncio.Event | None = None
    bell: Bell | None = None
    error: BaseException | None = None
    began_ns: int = 0
    found: frozenset[str] = frozenset()
    mishaps: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A loop and a disk; nothing runs."""
        self.loop = VirtualLoop(self.world.ground, self.world.network)
        self.disk = disks.Disk(self.folder, self.world.on_disk)
        self.began_ns = self.world.ground.now_ns

    @property
    def path(self) -> Path:
        """The store."""
        return self.folder / STORE

    def run(self) -> End:
        """Live; returns how it ended."""
        world = self.world
        rng = random.Random(f"{world.seed}/{self.number}")
        while polling.next_slot() % polling.SLOTS != polling.SLOTS - 1:
            pass  # A new process counts its devices from 0.
        with ExitStack() as stack:
            stack.enter_context(disks.mounted(self.disk))
            stack.enter_context(chance.governed(rng, _uuids(world.ground, rng)))
            try:
                self.loop.run_until_complete(self._main())
            except Died:
                self._vanish()
                return "bug" if self._contained() else "killed"
            except StoreError as exc:
                self.error = exc
                return "no_store"
            except ConfigProblemsError as exc:
                self.error = exc
                return "no_config"
            except BaseException as exc:  # noqa: BLE001 - whatever it is, it is the history's news
                self.error = exc
                return "bug"
            else:
                return "bug" if self._contained() else "stopped"
            finally:
                self._bury()

    def _contained(self) -> bool:
        """What the daemon survived is the history's news all the same: it is a bug."""
        caught = self.house.bugs.caught if self.house is not None else []
        self.error = caught[0] if caught else self.error
        return bool(caught)

    async def _main(self) -> None:
        world = self.world
        self.hand = LoopHand(self.loop, self._committed)
        taken = world.config.take(starting=self.path)
        settings = replace(taken.settings(), store_path=self.path)
        store = app.open_store(settings, world.clock, hand=self.hand)
        self.house = house.build(settings, store, world.clock, ask_ntp=world.clock.synchronised)
        self.stop, self.bell = asyncio.Event(), Bell()
        platform = upstream(world.platform, self.house.context)
        if not self.loop.dead:  # It may have died while it opened its store: nobody saw that one.
            world.began(self)
        for rig in self.house.rigs.values():
            rig.machine = listening(rig.machine, world.pairs)
        async with asyncio.TaskGroup() as group:
            flows = group.create_task(platform.run())
            group.create_task(_drain(self.stop, platform, flows))
            await app.serve(self.house, self.stop, self.bell, taken, world.config.take)

    def _committed(self) -> None:
        if not self.loop.dead and self.path.exists():
            self.world.committed(self)

    def _vanish(self) -> None:
        """The kernel closes what the process held; what is left of it unwinds beside the world."""
        for wire in self.world.network.values():
            for end in tuple(wire.ends):
                end.vanish()
        self.world.platform.cut()

    def _bury(self) -> None:
        self.loop.dead = True
        self.loop.unwind()
        gc.unfreeze()

    def errors(self) -> list[dict[str, Any]]:
        """What the loop was told that nobody handled."""
        return self.loop.errors


async def _drain(stop: asyncio.Event, platform: PlainUpstream, flows: "asyncio.Task[None]") -> None:
    """At the stop what waits may still go, as long as the daemon allows its own upstreams."""
    await stop.wait()
    with suppress(TimeoutError, StoreError):
        async with asyncio.timeout(app.UPSTREAMS_DRAIN_WITHIN_S):
            await platform.drained()
    flows.cancel()


def _uuids(ground: Ground, rng: random.Random) -> Any:
    """UUIDv7 of the ground's time; a counter keeps those of one millisecond in order."""
    made = 0

    def make() -> uuid.UUID:
        nonlocal made
        made += 1
        ms = ground.now_ns // (SECOND // 1000)
        value = ms << 80 | 7 << 76 | (made & 0xFFF) << 64 | 2 << 62 | rng.getrandbits(62)
        return uuid.UUID(int=value)

    return make
