"""How long a scan takes: from the scanner to a permit that the PLC confirmed, black box.

The daemon is the real process with its real store (synchronous=FULL) and 100,000 cylinders. The
scanner and the PLC are one other process, which takes both times itself: a code leaves the
scanner; the permit is in the PLC and the gateway has read it back. In between: identity, verdict,
commit 1 with its fsync, limits written, permit written, all of it read back.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter_ns

from gatewayd.clock import MS
from tests.bench import house, machine
from tests.bench.figures import Figures
from tests.bench.polling import records
from tests.support.brokers import Mosquitto

RIGS = 16
BLOCK = bytes(4096)
SYNCS = 200


async def measure(
    directory: Path, store: Path, codes: Sequence[str], seconds: float, figures: Figures
) -> None:
    """One run with a copy of the filled `store`, added to `figures`."""
    shutil.copy(store, directory / store.name)
    figures.add_times("fsync of 4 KiB on this disk", _syncs_ms(directory))
    async with AsyncExitStack() as stack:
        plcs = await stack.enter_async_context(house.plcs(directory, "turnover", RIGS, codes))
        broker = stack.enter_context(Mosquitto(directory, extra=["log_type none"]))
        house.write_config(directory, await house.line(plcs), broker.url)
        daemon = await stack.enter_async_context(house.daemon(directory))
        who = {"daemon": daemon.pid, "broker": broker.pid, "PLCs": plcs.pid}
        assert await house.line(plcs) == "turnover"
        cost = await machine.watch(who, seconds)
    scans = [each[1:] for each in records(directory / "replied", 4)]
    good = [(scanned, written, seen) for scanned, written, seen in scans if written and seen]
    figures.add("scan to permit: scans", len(scans), "", digits=0)
    figures.add("scan to permit: no permit", len(scans) - len(good), "", aim="0", digits=0)
    written_ms = [(written - scanned) / MS for scanned, written, _ in good]
    seen_ms = [(seen - scanned) / MS for scanned, _, seen in good]
    figures.add_times("scan to permit: written in the PLC", written_ms)
    figures.add_times("scan to permit: written and read back", seen_ms, aim_p99="< 10")
    others = 100 * cost.others_s / cost.seconds
    figures.add("scan to permit: CPU of everything else meanwhile", others, "% of a core")


def _syncs_ms(directory: Path) -> list[float]:
    """What one durable write costs here, whoever does it."""
    times_ms = []
    with (directory / "synced").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(BLOCK)
            began_ns = perf_counter_ns()
            os.fdatasync(file.fileno())
            times_ms.append((perf_counter_ns() - began_ns) / MS)
    return times_ms
