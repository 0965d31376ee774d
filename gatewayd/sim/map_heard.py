"""What the real driver tells of a device on trial, and how it ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from drivers.contract import Context, Driver, DriverError, Reading
from gatewayd.clock import SystemClock
from gatewayd.sim.map_lies import Sample, Subject, grams_of
from gatewayd.sim.wires import TcpWire

POLL_MS = 20
TIMEOUT_MS = 80


@dataclass(slots=True)
class Heard:
    """What the driver told, and how it ended."""

    samples: list[Sample] = field(default_factory=list)
    error: str = ""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def context(self) -> Context:
        """What the driver runs in."""
        return Context(self._emit, _nothing, no_noise, SystemClock().monotonic_ns)

    def _emit(self, reading: Reading) -> None:
        assert isinstance(reading, Sample), reading
        self.samples.append(reading)
        self.news.set()

    async def until(self, true: Callable[[], bool], within_s: float) -> bool:
        """Whether it came true in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not true():
                    self.news.clear()
                    await self.news.wait()
        return true()

    async def told(self, mass_g: int | None, within_s: float) -> bool:
        """Whether exactly this mass was told last, in time."""
        return mass_g is not None and await self.until(
            lambda: bool(self.samples) and grams_of(self.samples[-1]) == mass_g, within_s
        )

    @property
    def last(self) -> str:
        """The end, or the latest sample, for people."""
        if self.error or not self.samples:
            return self.error or "no sample"
        return shown(self.samples[-1])


@contextlib.asynccontextmanager
async def heard(
    subject: Subject, driver: Callable[[Subject, dict[str, object]], Driver]
) -> AsyncIterator[Heard]:
    """The driver, reading a device over loopback."""
    told, wire = Heard(), TcpWire(subject.device.device)
    await wire.plug()
    asked = {
        "link": {"tcp": wire.address},
        "profile": subject.device.profile.id,
        "poll_ms": POLL_MS,
        "timeout_ms": TIMEOUT_MS,
        "mass_unit": subject.site.unit,
        "decimals": subject.site.decimals,
    }
    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(_run(driver(subject, asked), told))
            yield told
            running.cancel()
    finally:
        wire.unplug()


async def _run(driver: Driver, told: Heard) -> None:
    try:
        await driver.run(told.context())
    except DriverError as exc:
        told.error = str(exc)
        told.news.set()


def shown(sample: Sample) -> str:
    """A sample, for people."""
    return sample.why or f"{grams_of(sample)} g"


def no_noise(_reason: str, _raw: bytes) -> None:
    """Nobody counts noise."""


def _nothing(_text: str) -> None:
    """Nobody listens to `up`."""
