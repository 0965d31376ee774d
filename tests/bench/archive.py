"""A million cylinders: importing them while fills commit, looking them up, holding them in memory.

The import is the real command in its own process; this process is the store of the daemon, commits
COMMITS_HZ fills a second meanwhile and notes how long each commit takes.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter_ns

from gatewayd.archive import writing
from gatewayd.clock import MS, SECOND
from gatewayd.store.model import Cylinder
from gatewayd.store.store import Store
from tests.bench import house, machine
from tests.bench.figures import Figures
from tests.support.stores import draft

COMMITS_HZ = 100
LOOKS = 20_000
IMPORT_S_MAX = 600
UP_S = 3.0
"""After this long the daemon is up and quiet."""
IMPORTS: tuple[tuple[str, str, writing.FileFormat], ...] = (
    ("first", "import", "csv"),
    ("second", "replace", "csv"),
    ("third", "replace", "xlsx"),
)
"""Who made the cylinders, so that every entry changes, and the file that they come in."""
CONFIG = f'station: {{id: "{house.STATION}", region: "370100", media: [LPG]}}\n'


def cylinders(count: int, *, maker: str) -> Iterator[Cylinder]:
    """Cylinders in no order of code or tag, as files of the field have them."""
    order = list(range(count))
    random.Random(count).shuffle(order)
    known = list(house.archive(house.FLEET))
    for number in order:
        yield replace(
            known[number % house.FLEET],
            code=_code(number),
            tag_uids=(_uid(number),),
            serial_no=f"S{number}",
            maker=maker,
        )


def _code(number: int) -> str:
    return f"370100{number:010d}"


def _uid(number: int) -> str:
    return f"E280{number * 2_654_435_761 % 2**64:020X}"


async def measure(directory: Path, count: int, figures: Figures) -> None:
    """Import `count` cylinders, replace every one of them, look them up, start a daemon on them."""
    (directory / "gateway.yaml").write_text(CONFIG, encoding="utf-8")
    name = f"{count:,} cylinders"
    for maker, what, how in IMPORTS:
        file = directory / f"{maker}.{how}"
        with file.open("wb") as out:
            writing.write(out, how, cylinders(count, maker=maker), lambda _count: None)
        await _import(directory, file, f"{what} {name}, {how.upper()}", figures)
        file.unlink()
    store = house.open_store(directory)
    assert store.cylinder_count() == count
    _look(store, count, figures, f"look up by code, {name}", lambda n: store.cylinder(_code(n)))
    _look(
        store, count, figures, f"look up by tag, {name}", lambda n: store.cylinders_by_uid(_uid(n))
    )
    await store.close()
    async with house.daemon(directory) as process:
        await asyncio.sleep(UP_S)
        assert process.returncode is None
        figures.add(f"daemon with {name}, RSS", machine.rss_mb(process.pid), "MB", digits=0)


async def _import(directory: Path, file: Path, name: str, figures: Figures) -> None:
    store = house.open_store(directory)
    words = ("-c", str(directory), "import", "cylinders", str(file), "--replace")
    began_ns = perf_counter_ns()
    async with (
        asyncio.timeout(IMPORT_S_MAX),
        house.python("gatewayd", *words, log=directory / "import.log") as process,
    ):
        commits_ms, rss_mb = await _commit_until(process, store)
    took_s = (perf_counter_ns() - began_ns) / SECOND
    assert process.returncode == 0, (directory / "import.log").read_text()
    figures.add(f"{name}: took", took_s, "s", aim="< 60" if "1,000,000" in name else "", digits=1)
    figures.add(f"{name}: RSS of the import at most", rss_mb, "MB", digits=0)
    figures.add_times(f"{name}: commits meanwhile", commits_ms)
    figures.add(f"{name}: commits meanwhile, latest", max(commits_ms), "ms", aim="< 5000")
    assert store.healthy
    await store.close()


async def _commit_until(
    process: asyncio.subprocess.Process, store: Store
) -> tuple[list[float], float]:
    """Commit fills until a process ends; how long each took, and the most memory it had."""
    commits_ms, rss_mb = [], 0.0
    while process.returncode is None:
        began_ns = perf_counter_ns()
        await store.append(draft(counts_fill_of=_code(7)))
        commits_ms.append((perf_counter_ns() - began_ns) / MS)
        await asyncio.sleep(1 / COMMITS_HZ)
        if process.returncode is None:
            with suppress(FileNotFoundError):  # It ended between the question and the look.
                rss_mb = max(rss_mb, machine.rss_mb(process.pid))
    return commits_ms, rss_mb


def _look(
    store: Store, count: int, figures: Figures, name: str, look: Callable[[int], object]
) -> None:
    assert store.healthy
    chance = random.Random(1)
    times_ms = []
    for _ in range(min(count, LOOKS)):
        number = chance.randrange(count)
        began_ns = perf_counter_ns()
        found = look(number)
        times_ms.append((perf_counter_ns() - began_ns) / MS)
        assert found, number
    figures.add_times(name, times_ms, aim_p99="< 0.2")
