"""The live feed: everything first, then what changed, at most five times a second; nobody waits."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from gatewayd.board import Board
from gatewayd.clock import SystemClock
from gatewayd.web.feed import LOOK_EVERY_MS, PAGES_MAX, WAITING_MAX, Client, Feed


@asynccontextmanager
async def feeding(board: Board, more: Callable[[], Any] = dict) -> AsyncIterator[Feed]:
    feed = Feed(board, SystemClock(), stamp=lambda: "now", more=more)
    task = asyncio.get_running_loop().create_task(feed.run())
    await asyncio.sleep(0)
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.wait([task])


async def heard(client: Client) -> tuple[str, dict[str, Any]]:
    """The next message of a page."""
    async with asyncio.timeout(5):
        lines = (await client.waiting.get()).decode().split("\n")
    return lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))


async def test_a_page_hears_everything_then_what_changes() -> None:
    board = Board()
    board.post("rigs/rig-1/state", {"state": "locked"})
    async with feeding(board) as feed:
        client = feed.join(lambda: None)
        assert client is not None
        name, told = await heard(client)
        assert (name, told["topics"]) == ("all", {"rigs/rig-1/state": {"state": "locked"}})
        board.post("alarms/a.b", {"kind": "a"})
        name, told = await heard(client)
        while "topics" not in told:
            name, told = await heard(client)
        assert (name, told["topics"]) == ("some", {"alarms/a.b": {"kind": "a"}})
        board.remove("alarms/a.b")
        _, told = await heard(client)
        while "topics" not in told:
            _, told = await heard(client)
        assert told["topics"] == {"alarms/a.b": None}


async def test_weights_are_told_newest_only_and_five_times_a_second_at_most() -> None:
    board = Board()
    async with feeding(board) as feed:
        client = feed.join(lambda: None)
        assert client is not None
        await heard(client)
        loop = asyncio.get_running_loop()
        began_s, gross_g, told = loop.time(), 0, []
        while loop.time() < began_s + 1:
            gross_g += 1
            board.flash("rigs/rig-1/weight", {"gross_g": gross_g})
            await asyncio.sleep(0.01)  # as often as a scale tells
            while not client.waiting.empty():
                told.append(await heard(client))
        weights = [one["weights"]["rig-1"]["gross_g"] for _, one in told if "weights" in one]
        assert 1 <= len(weights) <= 1_000 / LOOK_EVERY_MS
        assert weights == sorted(set(weights))
        late = feed.join(lambda: None)
        assert late is not None
        assert (await heard(late))[1]["weights"]["rig-1"]["gross_g"] >= weights[-1]


async def test_a_page_that_does_not_listen_is_cut_off_and_counted_and_the_others_hear_on() -> None:
    cut: list[str] = []
    async with feeding(Board()) as feed:
        slow, good = feed.join(lambda: cut.append("slow")), feed.join(lambda: cut.append("good"))
        assert slow is not None
        assert good is not None
        for number in range(WAITING_MAX):
            assert (cut, feed.dropped, feed.pages) == ([], 0, 2), number
            await heard(good)
            feed._tell(b"event: some\ndata: {}\n\n")
        assert (cut, feed.dropped, feed.pages) == (["slow"], 1, 1)
        assert await slow.waiting.get() == b""
        assert (await heard(good)) == ("some", {})
    assert cut == ["slow", "good"]


async def test_no_more_pages_than_there_may_be_and_one_that_leaves_makes_room() -> None:
    async with feeding(Board()) as feed:
        clients = [feed.join(lambda: None) for _ in range(PAGES_MAX)]
        assert None not in clients
        assert feed.full()
        assert feed.join(lambda: None) is None
        first = clients[0]
        assert first is not None
        feed.leave(first)
        feed.leave(first)
        assert feed.join(lambda: None) is not None


async def test_nobody_asks_the_store_while_no_page_is_live() -> None:
    asked = 0

    def more() -> dict[str, int]:
        nonlocal asked
        asked += 1
        return {"asked": 1}

    board = Board()
    async with feeding(board, more) as feed:
        await asyncio.sleep(3 * LOOK_EVERY_MS / 1_000)
        assert asked == 0
        assert feed.join(lambda: None) is not None
        assert asked == 1
