"""What a scrape of `/metrics` costs the CPU: the look on the daemon's loop, and the text in a thread.

The house is the real one with 64 rigs, a PLC and a scanner each, built and not started.
"""

import gc
import json
from pathlib import Path
from time import thread_time_ns

from gatewayd.clock import MS, SystemClock
from gatewayd.house import build
from gatewayd.metrics.exposition import Exposition
from gatewayd.metrics.look import Monitor
from gatewayd.settings.load import load
from tests.bench import house
from tests.bench.figures import Figures

RIGS = 64
TIMES = 50


async def measure(directory: Path, figures: Figures) -> None:
    """Scrape a large station `TIMES` times."""
    firsts = {"plcs": 20_000, "scanners": 30_000}
    ports = json.dumps({name: list(range(at, at + RIGS)) for name, at in firsts.items()})
    house.write_config(directory, ports, "mqtt://127.0.0.1:1")
    store = house.open_store(directory)
    built = build(load(directory), store, SystemClock())
    monitor, exposition = Monitor(built.parts, built.alarms), Exposition()
    looks_ms, texts_ms, text = [], [], b""
    gc.collect()
    gc.freeze()  # as the daemon does
    for _ in range(TIMES):
        began_ns = thread_time_ns()
        sheet = monitor.look()
        looked_ns = thread_time_ns()
        text, _kind = exposition.write(sheet)
        looks_ms.append((looked_ns - began_ns) / MS)
        texts_ms.append((thread_time_ns() - looked_ns) / MS)
    gc.unfreeze()
    await store.close()
    figures.add_times(f"a scrape of {RIGS} rigs, on the loop", looks_ms, aim_p99="< 10")
    figures.add_times(f"a scrape of {RIGS} rigs, in a thread", texts_ms)
    figures.add(f"a scrape of {RIGS} rigs", len(text) / 1_024, "KiB", digits=0)
