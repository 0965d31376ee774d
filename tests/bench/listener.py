"""The daemon with a stop-watch at every rig: when each tag report reached it.

    python -m tests.bench.listener CONFIG LOG

Everything is the real house of `gatewayd run`; only `Rig.take` is timed on its way in. LOG gets
int64 pairs: the ns since the tag was sent, and when it was. Prints `up` once all readers are.
"""

import asyncio
import signal
import sys
from array import array
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic_ns
from zoneinfo import ZoneInfo

from drivers.contract import Reading, TagRead
from drivers.suite import until
from gatewayd import app, logs
from gatewayd.clock import SystemClock
from gatewayd.house import House, build
from gatewayd.reload.keeper import Bell
from gatewayd.reload.reading import take
from gatewayd.store.store import Store

STAMP_AT = 8
"""Where the time stands in a uid, in hex digits."""


def timed(take: Callable[[Reading], None], log: "array[int]") -> Callable[[Reading], None]:
    """`take`, with the age of every tag noted once it has been taken."""

    def timing(reading: Reading) -> None:
        take(reading)
        if isinstance(reading, TagRead):
            sent_ns = int(reading.uid[STAMP_AT:], 16)
            log.extend((monotonic_ns() - sent_ns, sent_ns))

    return timing


async def _run(directory: Path, log: "array[int]") -> None:
    taken = take(directory)
    settings = taken.settings()
    clock = SystemClock()
    zone = ZoneInfo(settings.station.timezone)
    store = Store.open(settings.store_path, station_id=settings.station.id, zone=zone, clock=clock)
    house = build(settings, store, clock)
    for rig in house.rigs.values():
        vars(rig)["take"] = timed(rig.take, log)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with asyncio.TaskGroup() as group:
        group.create_task(_say_up(house))
        await app.serve(house, stop, Bell(), taken, partial(take, directory))


async def _say_up(house: House) -> None:
    await until(lambda: all(each.status.state == "up" for each in house.supervisors))
    sys.stdout.write("up\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until told to stop, then write what was noted."""
    directory, path = (Path(word) for word in sys.argv[1:])
    logs.setup(format="json", level="warning")
    log = array("q")
    asyncio.run(_run(directory, log))
    path.write_bytes(log.tobytes())


if __name__ == "__main__":
    main()
