"""Crashes: what was acknowledged is there, whole and in order, whenever the power goes."""

import asyncio
import random
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gatewayd.store.store import Store
from tests.support.stores import chain_breaks, draft, open_store

KILLS = 8
CHILD = "tests.store.committing_child"


def _acknowledged_before_kill(folder: Path, *, after_s: float) -> list[list[str]]:
    child = subprocess.Popen(
        [sys.executable, "-m", CHILD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    first = child.stdout.readline()
    timer = threading.Timer(after_s, child.kill)
    timer.start()
    said = [first, *child.stdout]
    child.wait()
    child.stdout.close()
    timer.join()
    return [line.split() for line in said if line.endswith("\n")]


async def test_kill_9_at_any_moment_loses_nothing_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(2)
    records: dict[int, str] = {}
    cursor = 0
    for _ in range(KILLS):
        said = _acknowledged_before_kill(tmp_path, after_s=chance.uniform(0.0, 0.25))
        records |= {int(words[1]): words[2] for words in said if words[0] == "record"}
        cursor = max([cursor, *(int(words[1]) for words in said if words[0] == "cursor")])
        permits = {words[1] for words in said if words[0] == "permit"}
        store = open_store(tmp_path)
        assert chain_breaks(store) == []
        committed = {record.sequence: record.id for record in store.records(limit=1_000_000)}
        assert committed.items() >= records.items()
        assert list(committed) == list(range(1, len(committed) + 1))
        assert cursor <= store.cursor("platform") <= store.last_sequence()
        assert await _end_what_began(store, permits) >= 0
        await store.close()
    assert len(records) > KILLS


async def _end_what_began(store: Store, permits: set[str]) -> int:
    """Every permit acknowledged but not ended is pending, and can be ended once."""
    ended = {record.id for record in store.records(limit=1_000_000)}
    pending = [right for n in range(4) for right in store.pending_permits(f"rig-{n}")]
    assert all(right.record_id not in ended for right in pending)
    for right in pending:
        await store.resolve(right.id, "voided", draft(record_id=right.record_id))
    assert len({right.id for right in pending} & permits) <= 4
    return len(pending)


def _power_off(folder: Path, into: Path) -> None:
    """What the disk holds right now, as another machine would find it."""
    for name in ("gatewayd.db", "gatewayd.db-wal"):
        if (folder / name).exists():
            shutil.copy(folder / name, into / name)


async def test_a_log_torn_at_any_byte_opens_as_a_whole_prefix(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for _ in range(6):
        await store.append(draft())
    copy = tmp_path / "copy"
    copy.mkdir()
    _power_off(tmp_path, copy)
    await store.close()
    log = (copy / "gatewayd.db-wal").read_bytes()
    base = (copy / "gatewayd.db").read_bytes()
    chance, seen = random.Random(5), set()
    for cut in [0, len(log), *(chance.randrange(len(log)) for _ in range(25))]:
        (copy / "gatewayd.db").write_bytes(base)
        (copy / "gatewayd.db-wal").write_bytes(log[:cut])
        (copy / "gatewayd.db-shm").unlink(missing_ok=True)
        torn = open_store(copy)
        assert chain_breaks(torn) == []
        seen.add(torn.last_sequence())
        await torn.append(draft())
        assert chain_breaks(torn) == []
        await torn.close()
    assert {0, 6} <= seen


OUTBOX = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 4)),
        st.tuples(st.just("acknowledge"), st.integers(0, 3)),
        st.tuples(st.just("refuse"), st.integers(1, 3)),
        st.tuples(st.just("retry"), st.just(0)),
        st.tuples(st.just("settle"), st.integers(0, 2)),
        st.tuples(st.just("crash"), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=25)
@given(OUTBOX)
def test_the_outbox_agrees_with_a_naive_model_over_crashes(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_walk(Path(folder), steps))


class _Model:
    """The outbox as one would write it in a minute: lists in memory that never crash."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.cursor = 0
        self.dead: dict[int, bool] = {}


async def _walk(folder: Path, steps: list[tuple[str, int]]) -> None:
    model, store, boot = _Model(), open_store(folder), 0
    for step, count in steps:
        if step == "crash":
            boot += 1
            after = folder / str(boot)
            after.mkdir()
            _power_off(store.path.parent, after)
            await store.close()
            store = open_store(after)
        else:
            await _step(model, store, step, count)
        _agree(model, store)
    assert chain_breaks(store) == []
    await store.close()


async def _step(model: _Model, store: Store, step: str, count: int) -> None:
    through = min(model.cursor + count, len(model.ids))
    if step == "append":
        made = await asyncio.gather(*(store.append(draft()) for _ in range(count)))
        model.ids += [record.id for record in made]
    elif step == "acknowledge":
        await store.acknowledge("platform", through)
        model.cursor = through
    elif step == "refuse" and through > model.cursor:
        await store.acknowledge("platform", through, dead=[(through, "no such cylinder")])
        model.cursor = through
        model.dead[through] = False
    elif step == "retry":
        asked = await store.retry_dead("platform")
        assert asked == sum(not retrying for retrying in model.dead.values())
        model.dead = dict.fromkeys(model.dead, True)
    elif step == "settle":
        retrying = [sequence for sequence in sorted(model.dead) if model.dead[sequence]]
        done, again = retrying[:count], retrying[count:]
        await store.settle_retried("platform", done, dead=[(n, "again") for n in again])
        model.dead = {n: n not in again and r for n, r in model.dead.items() if n not in done}


def _agree(model: _Model, store: Store) -> None:
    assert [record.id for record in store.records(limit=1_000)] == model.ids
    assert store.cursor("platform") == model.cursor
    waiting = store.records(after_sequence=store.cursor("platform"), limit=1_000)
    assert [record.id for record in waiting] == model.ids[model.cursor :]
    letters = {letter.sequence: letter.retrying for letter in store.dead_letters("platform")}
    assert letters == model.dead
    retrying = [record.sequence for record in store.dead_to_retry("platform")]
    assert retrying == sorted(n for n, asked in model.dead.items() if asked)
