"""A whole archive in chunks: cut anywhere and resumed, refused whole, switched over at once."""

import asyncio
import hashlib
import json
import os
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest

from gatewayd.commands.shelf import IDLE_S_MAX
from gatewayd.desk.terms import By
from gatewayd.store.rows import CONTRACT_COLUMNS
from tests.commands.counter import Counter, Reply, at_counter, code
from tests.rigs.bench import LEGAL, OTHER
from tests.support.waiting import until

COLUMNS = list(CONTRACT_COLUMNS)


def row(number: int, **more: Any) -> list[Any]:
    known = replace(LEGAL, code=f"{number:010}", tag_uids=(f"{number:08X}",)).known() | more
    return [known.get(name) for name in COLUMNS]


def chunks_of(rows: Sequence[Any], count: int) -> list[list[Any]]:
    size = -(-len(rows) // count)
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)]


def sha256(rows: Sequence[Any]) -> str:
    text = json.dumps(rows, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


async def send(
    counter: Counter, parts: list[list[Any]], number: int, *, upstream: str = "p", **more: Any
) -> Reply:
    """Send one chunk, counting from 1."""
    rows = parts[number - 1]
    fields = {
        "snapshot_id": "s-1",
        "chunk": number,
        "chunks": len(parts),
        "columns": COLUMNS,
        "rows": rows,
        "sha256": sha256(rows),
        "source_version": 10,
        **more,
    }
    return await counter.ask_as(upstream, "cylinders.snapshot", **fields)


def codes(counter: Counter) -> set[str]:
    return {cylinder.code for cylinder in counter.store.cylinders()}


async def test_the_last_chunk_switches_the_archive_over(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        chunks = chunks_of([row(n) for n in range(25)], 3)
        before = codes(counter)
        for number in (3, 1):
            reply = await send(counter, chunks, number)
            assert reply["ok"], reply
            assert reply["result"]["switched"] is False
            assert codes(counter) == before, "nothing yet"
        assert reply["result"]["missing"] == [[2, 2]]
        reply = await send(counter, chunks, 2)
        assert reply["result"]["switched"] is True
        assert reply["result"]["counts"]["added"] == 25
        assert reply["result"]["counts"]["removed"] == len(before)
        assert codes(counter) == {f"{n:010}" for n in range(25)}
        assert counter.store.archive().confirmed_at == counter.clock.wall()
        (record,) = counter.records()
        assert (record["command"], record["outcome"]) == ("cylinders.snapshot", "done")
        assert not counter.clerk.office.shelf.folder.exists(), "tidied up"


@pytest.mark.parametrize("seed", range(4))
async def test_cut_and_restarted_anywhere_it_resumes_with_what_is_missing(
    tmp_path: Path, seed: int
) -> None:
    coin = random.Random(seed)
    chunks = chunks_of([row(n) for n in range(60)], 8)
    waiting = list(range(1, len(chunks) + 1))
    switched = False
    while not switched:
        async with at_counter(tmp_path) as counter:
            for _ in range(coin.randint(1, 4)):
                reply = await send(counter, chunks, coin.choice(waiting))
                assert reply["ok"], reply
                result = reply["result"]
                switched = result["switched"]
                ranges = result["missing"]
                waiting = [n for first, last in ranges for n in range(first, last + 1)]
                assert len(waiting) == result["missing_count"]
                if switched:
                    assert codes(counter) == {f"{n:010}" for n in range(60)}
                    break


async def test_a_bad_row_in_the_middle_refuses_the_whole_until_it_is_corrected(
    tmp_path: Path,
) -> None:
    async with at_counter(tmp_path) as counter:
        rows = [row(n) for n in range(30)]
        rows[14] = row(14, medium="LPGG", stamped_tare_g="16500")
        chunks = chunks_of(rows, 3)
        before = codes(counter)
        assert (await send(counter, chunks, 1))["ok"]
        refused = await send(counter, chunks, 2)
        assert code(refused) == "chunk_refused"
        named = [(m["chunk"], m["row"], m["column"]) for m in refused["error"]["mistakes"]]
        assert named == [(2, 5, "medium"), (2, 5, "stamped_tare_g")]
        last = await send(counter, chunks, 3)
        assert last["result"]["missing"] == [[2, 2]]
        assert codes(counter) == before
        chunks[1][4] = row(14)
        assert (await send(counter, chunks, 2))["result"]["switched"]


async def test_what_two_chunks_have_twice_refuses_the_whole(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        rows = [row(n) for n in range(30)]
        rows[25] = row(3)
        chunks = chunks_of(rows, 3)
        before = codes(counter)
        await send(counter, chunks, 1)
        await send(counter, chunks, 2)
        refused = await send(counter, chunks, 3)
        assert code(refused) == "snapshot_refused"
        named = [(m["chunk"], m["row"], m["column"]) for m in refused["error"]["mistakes"]]
        assert named == [(3, 6, "code"), (3, 6, "tag_uids")]
        assert "chunk 1, row 4" in refused["error"]["mistakes"][0]["error"]
        assert codes(counter) == before
        chunks[2][5] = row(25)
        assert (await send(counter, chunks, 3))["result"]["switched"]


async def test_an_older_snapshot_overrides_nothing_newer(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        newer = {"code": f"{1:010}", "maker": "newer"}
        await counter.ask_as("p", "cylinders.upsert", rows=[newer], source_version=12)
        chunks = chunks_of([row(n) for n in range(5)], 1)
        reply = await send(counter, chunks, 1)
        assert reply["result"]["counts"]["outdated"] == 1
        found = counter.store.cylinder(f"{1:010}")
        assert found is not None
        assert found.maker == "newer"
        again = await send(counter, chunks, 1, snapshot_id="s-0", source_version=9)
        assert code(again) == "snapshot_old"
        gone = [{"code": OTHER.code, "maker": "x"}]
        late = await counter.ask_as("p", "cylinders.upsert", rows=gone, source_version=8)
        assert late["result"]["rows"][0]["outcome"] == "outdated", "it left with the snapshot"
        assert counter.store.cylinder(OTHER.code) is None


async def test_holds_stay_and_what_is_held_meanwhile_too(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        chunks = chunks_of([row(n) for n in range(5)], 1)
        by = By("li", "page", "recall")
        await counter.front.desk.hold(f"{2:010}", by=by)
        switching = asyncio.ensure_future(send(counter, chunks, 1))
        await counter.front.desk.hold(f"{3:010}", by=by)
        assert (await switching)["ok"]
        held = {c.code for c in counter.store.cylinders() if c.hold == "recall"}
        assert held == {f"{2:010}", f"{3:010}"}


async def test_while_it_is_switched_over_no_chunk_comes_in_and_the_id_counts_once(
    tmp_path: Path,
) -> None:
    async with at_counter(tmp_path) as counter:
        chunks = chunks_of([row(n) for n in range(5)], 1)
        other = apsw.Connection(str(counter.store.path))
        other.execute("BEGIN IMMEDIATE")  # so that the switch waits
        switching = asyncio.ensure_future(send(counter, chunks, 1, id="s"))
        await until(lambda: counter.clerk.office.shelf.busy)
        assert code(await send(counter, chunks, 1, id="s")) == "under_way"
        other.execute("ROLLBACK")
        first = await switching
        assert first["result"]["switched"]
        assert (await send(counter, chunks, 1, id="s"))["first"] == first


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sha256": "0" * 64}, "sha256_differs"),
        ({"sha256": "X" * 64}, "wrong"),
        ({"chunk": 4}, "no_such_chunk"),
        ({"columns": COLUMNS[:-1]}, "columns_wrong"),
        ({"columns": [*COLUMNS, "code"]}, "columns_wrong"),
        ({"columns": [*COLUMNS, "colour"]}, "columns_wrong"),
        ({"chunks": 0}, "wrong"),
        ({"source_version": -1}, "wrong"),
    ],
)
async def test_a_chunk_that_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    async with at_counter(tmp_path) as counter:
        chunks = chunks_of([row(n) for n in range(6)], 3)
        assert code(await send(counter, chunks, 1, **changes)) == why
        assert not counter.clerk.office.shelf.folder.exists()


async def test_another_platform_waits_until_the_first_has_long_been_silent(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        chunks = chunks_of([row(n) for n in range(6)], 2)
        await send(counter, chunks, 1)
        folder = counter.clerk.office.shelf.folder
        now_s = counter.clock.wall().timestamp()
        os.utime(folder, (now_s, now_s))
        assert code(await send(counter, chunks, 2, upstream="q")) == "shelf_taken"
        counter.clock.advance(seconds=IDLE_S_MAX + 1)
        reply = await send(counter, chunks, 2, upstream="q")
        assert reply["result"]["missing"] == [[1, 1]], "the other one's chunk is gone"


async def test_chunks_of_one_snapshot_agree_and_one_that_does_not_throws_nothing_away(
    tmp_path: Path,
) -> None:
    async with at_counter(tmp_path) as counter:
        chunks = chunks_of([row(n) for n in range(6)], 3)
        await send(counter, chunks, 1)
        differs = await send(counter, chunks, 2, chunks=4)
        assert code(differs) == "snapshot_differs"
        assert code(await send(counter, chunks, 2, source_version=11)) == "snapshot_differs"
        assert (await send(counter, chunks, 2))["result"]["missing"] == [[3, 3]]


async def test_nothing_comes_in_while_one_is_switched_over(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        counter.clerk.office.shelf.busy = True
        assert code(await send(counter, [[row(1)]], 1)) == "switching"


async def test_objects_are_rows_too(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        rows = [{"code": "1", "medium": "LPG"}, {"code": "2", "tag_uids": ["AABB"]}]
        text = json.dumps(rows, separators=(",", ":"), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        reply = await send(counter, [rows], 1, columns=None, sha256=digest)
        assert reply["result"]["switched"], reply
        assert codes(counter) == {"1", "2"}
