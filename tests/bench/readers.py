"""What busy readers cost: eight pushing readers, three protocols, over 5,000 tag reports a second.

Two processes: the readers (`antennas.py`), and the daemon with a stop-watch at each rig
(`listener.py`). No two reports are alike, so none is saved by being a repeat. Beside it: how many
frames a second each codec takes by itself.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic_ns, perf_counter_ns

from gatewayd.clock import MS, SECOND
from protocols.decode import FORMATS
from protocols.formats import Format
from tests.bench import house, machine
from tests.bench.figures import Figures, percentile
from tests.bench.polling import records

READERS = 8
RATE = 5_200
LATE_MS = 20
FRAMES = 2_000
SETTLE_S = 2.0
"""From everything being up to the first report that counts."""
GOLDEN = Path(__file__).parents[1] / "golden/readers.json"


async def measure(directory: Path, seconds: float, figures: Figures, rate: int = RATE) -> None:
    """One run, added to `figures`."""
    async with AsyncExitStack() as stack:
        asked = ("--readers", str(READERS), "--rate", str(rate))
        antennas = await stack.enter_async_context(house.python("tests.bench.antennas", *asked))
        plcs = await stack.enter_async_context(house.plcs(directory, "empty", READERS, ["0"]))
        devices = json.loads(await house.line(antennas))
        house.write_config(directory, await house.line(plcs), "mqtt://127.0.0.1:9")
        _add_readers(directory, devices)
        log = directory / "taken"
        words = (str(directory), str(log))
        daemon = await stack.enter_async_context(
            house.python("tests.bench.listener", *words, log=directory / "daemon.log")
        )
        assert await house.line(daemon) == "up", (directory / "daemon.log").read_text()[-2000:]
        await asyncio.sleep(SETTLE_S)
        began_ns = monotonic_ns()
        cost = await machine.watch({"daemon": daemon.pid, "readers": antennas.pid}, seconds)
        ended_ns = monotonic_ns()
    taken = [(age, sent) for age, sent in records(log, 2) if began_ns <= sent < ended_ns]
    ages_ms = [age / MS for age, _ in taken]
    times = [sent for _, sent in taken]
    a_second = len(times) * SECOND / (max(times) - min(times))
    name = f"{READERS} readers"
    figures.add(f"{name}: reports a second", a_second, "1/s", aim=">= 5000", digits=0)
    figures.add(f"{name}: report at its rig, p50", percentile(ages_ms, 50), "ms")
    figures.add(f"{name}: report at its rig, p99", percentile(ages_ms, 99), "ms")
    figures.add(f"{name}: report at its rig, latest", max(ages_ms), "ms", aim=f"< {LATE_MS}")
    late = sum(age > LATE_MS for age in ages_ms)
    figures.add(f"{name}: later than {LATE_MS} ms", late, "", aim="0", digits=0)
    for who, cpu_s in cost.cpu_s.items():
        aim = "< 50" if who == "daemon" else ""
        figures.add(f"{name}: CPU of {who}", 100 * cpu_s / cost.seconds, "% of a core", aim=aim)
    others = 100 * cost.others_s / cost.seconds
    figures.add(f"{name}: CPU of everything else meanwhile", others, "% of a core")
    figures.add(f"{name}: memory of daemon", cost.rss_mb, "MB", digits=1)


def _add_readers(directory: Path, devices: list[dict[str, object]]) -> None:
    """One more device for each rig, and the rig listens to it first."""
    named = {f"gun-{number}": device for number, device in enumerate(devices)}
    (directory / "devices/readers.yaml").write_text(json.dumps({"devices": named}))
    path = directory / "rigs/all.yaml"
    rigs = json.loads(path.read_text())
    for number, rig in enumerate(rigs["rigs"].values()):
        rig["identify"] = [{"device": f"gun-{number}"}]
    path.write_text(json.dumps(rigs))


def codecs(figures: Figures) -> None:
    """Frames a second of every codec that has a framer: cut, proven, and laid out in fields."""
    vectors = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for name, row in FORMATS.items():
        frames = [
            bytes.fromhex(vector["hex"])
            for vector in vectors
            if vector["protocol"] == name and vector["valid"] and "hex" in vector
        ]
        if row.framer is not None and frames:
            figures.add(f"frames of {name} cut and proven", _cut(row, frames), "1/s", digits=0)
            figures.add(f"frames of {name} decoded", _decoded(row, frames), "1/s", digits=0)


def _cut(row: Format, frames: list[bytes]) -> float:
    assert row.framer is not None
    framer = row.framer()
    stream = b"".join(frames) * (FRAMES // len(frames))
    chunks = [stream[at : at + 256] for at in range(0, len(stream), 256)]
    cut = 0

    def run() -> None:
        nonlocal cut
        for chunk in chunks:
            cut += sum(isinstance(piece, bytes) for piece in framer.feed(chunk))

    took_s = _took_s(run)
    return cut / took_s


def _decoded(row: Format, frames: list[bytes]) -> float:
    texts = [frame.hex() for frame in frames] * (FRAMES // len(frames) // 4 or 1)

    def run() -> None:
        for text in texts:
            row.read(text)

    return len(texts) / _took_s(run)


def _took_s(run: Callable[[], None]) -> float:
    began_ns = perf_counter_ns()
    run()
    return (perf_counter_ns() - began_ns) / SECOND
