"""What counts as a request: new, timely, allowed, understood; everything else is answered and harmless."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gatewayd.commands.clerk import ORDERS_WAITING_MAX
from gatewayd.commands.reading import KEPT_S, LIFE_S_MAX
from gatewayd.commands.schemas import documents
from gatewayd.commands.table import LARGE_BYTES_MAX, SMALL_BYTES_MAX
from gatewayd.upstreams.door import COMMANDS
from tests.commands.counter import Counter, at_counter, code
from tests.support.waiting import until

JUMP_S_MAX = 120
"""The default of `clock.jump_s_max`."""
LOCK: dict[str, Any] = {"rig": "rig-1", "reason": "scale out of order"}


async def test_a_ping_is_answered(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        reply = await counter.ask("ping", id="p-1")
        assert reply["id"] == "p-1"
        assert reply["ok"] is True
        assert reply["error"] is None
        assert reply["result"]["clock"] == "gateway"
        assert counter.records() == [], "a ping leaves no record"


async def test_an_order_is_carried_out_recorded_and_answered(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        reply = await counter.ask("rig.lock", id="l-1", by="Zhang San", **LOCK)
        assert reply["result"] == {"rig": "rig-1", "changed": True}
        assert [lock.rig_id for lock in counter.store.rig_locks()] == ["rig-1"]
        (record,) = counter.records()
        assert record == {
            "station_id": "3701000042",
            "rig_id": "rig-1",
            "command": "rig.lock",
            "request_id": "l-1",
            "upstream": "platform",
            "asked": {"expires": counter.soon().replace("+00:00", "Z"), "rig": "rig-1"},
            "outcome": "done",
            "error": None,
            "by": {"who": "upstream platform: Zhang San", "how": "mqtt", "why": LOCK["reason"]},
        }


async def test_an_id_is_carried_out_once_and_a_repetition_shows_the_first_reply(
    tmp_path: Path,
) -> None:
    async with at_counter(tmp_path) as counter:
        first = await counter.ask("rig.lock", id="l-1", **LOCK)
        await counter.ask("rig.unlock", id="u-1", **LOCK)
        again = await counter.ask("rig.lock", id="l-1", **LOCK)
        assert code(again) == "repeated"
        assert again["first"] == first
        assert counter.store.rig_locks() == (), "not locked again"


async def test_the_same_id_of_another_platform_is_another_request(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        body = json.dumps({"id": "x", "expires": counter.soon()}).encode()
        assert (await counter.give("ping", body, upstream="a"))["ok"]
        assert (await counter.give("ping", body, upstream="b"))["ok"]


async def test_a_reply_that_never_left_is_given_again_as_it_was(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        counter.reached = False
        first = await counter.ask("rig.lock", id="l-1", **LOCK)
    async with at_counter(tmp_path) as counter:
        again = await counter.ask("rig.lock", id="l-1", **LOCK)
        assert again == first, "the same reply, and nothing happened twice"
        assert len(counter.front.records("gatewayd.lock")) == 1
        assert code(await counter.ask("rig.lock", id="l-1", **LOCK)) == "repeated"


async def test_a_reply_that_was_taken_stays_so_over_a_restart(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        await counter.ask("ping", id="p-1")
        await until(lambda: counter.store.first_reply("platform", "p-1", None).answered)  # type: ignore[union-attr] # it is there
    async with at_counter(tmp_path) as counter:
        assert code(await counter.ask("ping", id="p-1")) == "repeated"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"expires": "2026-08-01T00:00:00+08:00"}, "expired"),
        ({"expires": "2026-09-01T00:00:00+08:00"}, "lives_too_long"),
        ({"expires": "2026-08-01T13:00:00"}, "wrong"),
        ({"expires": "20260801T130000Z"}, "wrong"),
        ({"expires": 1_785_600_000}, "wrong"),
        ({"expires": None}, "wrong"),
        ({"id": ""}, "wrong"),
        ({"id": "x" * 101}, "wrong"),
        ({"id": 7}, "wrong"),
        ({"rig": 1}, "wrong"),
        ({"rig": None}, "wrong"),
        ({"reason": "  "}, "wrong"),
        ({"more": 1}, "wrong"),
        ({"rig": "rig-9"}, "no_rig"),
        ({"reason": "a\nb"}, "bad_words"),
    ],
)
async def test_what_does_not_count_is_refused_and_changes_nothing(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    async with at_counter(tmp_path) as counter:
        assert code(await counter.ask("rig.lock", **{**LOCK, **changes})) == why
        assert counter.store.rig_locks() == ()


async def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        reply = await counter.give("rig.lock", b'{"id": "x", "rig": 1, "resaon": "y"}')
        named = {mistake["field"] for mistake in reply["error"]["mistakes"]}
        assert named == {"expires", "rig", "reason", "resaon"}
        assert reply["id"] == "x"


async def test_retained_unknown_and_forbidden_requests_are_refused_and_recorded(
    tmp_path: Path,
) -> None:
    async with at_counter(tmp_path) as counter:
        body = json.dumps({"id": "r-1", "expires": counter.soon(), **LOCK}).encode()
        reply = await counter.give("rig.lock", body, retained=True)
        assert (code(reply), reply["id"]) == ("retained", "r-1")
        assert code(await counter.give("rig.explode", body)) == "unknown"
        refused = await counter.give("rig.lock", body, allowed=False)
        assert code(refused) == "not_allowed"
        assert "upstreams.platform.commands" in refused["error"]["message"]["en"]
        assert counter.store.rig_locks() == ()
        await until(lambda: bool(counter.records()))
        assert counter.records()[0]["error"] == "retained"
        assert counter.records()[0]["request_id"] == "r-1"


async def test_a_retained_request_is_answered_each_time_and_recorded_once(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        for number in range(3):
            assert code(await counter.give("rig.lock", b"{}", retained=True)) == "retained"
            if not number:
                await until(lambda: bool(counter.records()))
        assert len(counter.records()) == 1
        assert counter.clerk._refusals.unrecorded == 0


async def test_what_was_refused_may_come_again_corrected_under_the_same_id(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        assert code(await counter.ask("rig.lock", id="x", rig="rig-1")) == "wrong"
        assert (await counter.ask("rig.lock", id="x", **LOCK))["ok"]


async def test_too_large_is_refused_unread(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        assert code(await counter.give("ping", b"x" * (SMALL_BYTES_MAX + 1))) == "too_large"
        large = b"x" * (LARGE_BYTES_MAX + 1)
        assert code(await counter.give("cylinders.upsert", large)) == "too_large"
        assert code(await counter.give("ping", b"x" * SMALL_BYTES_MAX)) == "no_json"


async def test_more_requests_than_may_wait_are_refused_at_once(tmp_path: Path) -> None:
    async with at_counter(tmp_path, running=False) as counter:
        body = json.dumps({"id": "x", "expires": counter.soon()}).encode()
        waiting = [counter.put("ping", body) for _ in range(ORDERS_WAITING_MAX)]
        reply = await counter.give("ping", body)
        assert (code(reply), reply["id"]) == ("busy", "x")
        assert not any(each.done() for each in waiting)


async def test_a_clock_in_doubt_lets_pass_only_what_takes_gas_away(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        counter.clock._wall = counter.clock.wall().replace(year=2020)
        assert code(await counter.ask("rig.unlock", **LOCK)) == "clock_untrusted"
        assert code(await counter.ask("cylinders.upsert", rows=[{"code": "1"}])) == (
            "clock_untrusted"
        )
        assert (await counter.ask("rig.lock", **LOCK))["ok"]
        assert (await counter.ask("cylinders.hold", code="1", reason="recall"))["ok"]
        assert (await counter.ask("ping"))["result"]["clock"] == "untrusted"


async def test_an_id_is_remembered_longer_than_its_request_counts_then_forgotten(
    tmp_path: Path,
) -> None:
    async with at_counter(tmp_path) as counter:
        await counter.ask("ping", id="p-1", expires=counter.soon(60))
        counter.clock.advance(seconds=60 + KEPT_S)
        await counter.ask("ping")
        assert counter.store.first_reply("platform", "p-1", None) is not None
        counter.clock.advance(seconds=200)
        await counter.ask("ping")
        assert counter.store.first_reply("platform", "p-1", None) is None


async def test_refusals_do_not_flood_the_records(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        await asyncio.gather(*(counter.give("nonsense", b"{") for _ in range(500)))
        await until(lambda: bool(counter.records()))
        assert len(counter.records()) <= 2


async def _garbage(counter: Counter, name: str, body: bytes) -> None:
    reply = await counter.give(name, body)
    assert reply["ok"] is False
    assert (await counter.ask("ping"))["ok"], "it still answers"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


FIELDS = st.dictionaries(
    st.sampled_from(
        ["id", "expires", "by", "reason", "rows", "rig", "code", "chunk", "from_seq", "to_seq"]
    ),
    JSON,
)


async def examples(test: Callable[..., None]) -> None:
    """Run a Hypothesis test in a thread, while the counter serves on the loop."""
    await asyncio.to_thread(test)


async def test_no_garbage_is_carried_out_or_ends_anything(tmp_path: Path) -> None:
    async with at_counter(tmp_path, within_s=60) as counter:
        loop = asyncio.get_running_loop()

        @settings(max_examples=150)
        @given(name=st.sampled_from(sorted(COMMANDS)), fields=FIELDS, tail=st.binary(max_size=5))
        @example(name="ping", fields={}, tail=b"[" * 9_000)
        @example(name="cylinders.upsert", fields={}, tail=b"[" * 1_000_000)
        @example(name="rig.lock", fields={}, tail=b'{"id": ' + b"9" * 9_000 + b"}")
        def check(name: str, fields: dict[str, Any], tail: bytes) -> None:
            for body in (json.dumps(fields).encode() + tail, tail):
                asyncio.run_coroutine_threadsafe(_garbage(counter, name, body), loop).result(20)

        await examples(check)


async def test_ids_are_remembered_as_a_naive_model_says(tmp_path: Path) -> None:
    """The model: an id is new, or was settled less than its life and the time it is kept ago."""
    async with at_counter(tmp_path, within_s=60) as counter:
        loop = asyncio.get_running_loop()
        ends: dict[str, float] = {}
        elapsed = 0.0

        async def step(name: str, life_s: int, pause_s: int) -> None:
            nonlocal elapsed
            reply = await counter.ask("ping", id=name, expires=counter.soon(life_s))
            if name in ends and elapsed <= ends[name]:
                assert code(reply) == "repeated", (name, elapsed, ends)
            else:
                assert reply["ok"], (name, elapsed, ends)
                ends[name] = elapsed + life_s + KEPT_S + JUMP_S_MAX
            counter.clock.advance(seconds=pause_s)
            elapsed += pause_s

        @settings(max_examples=200)
        @given(st.sampled_from("abcdef"), st.integers(10, 9_000), st.integers(0, 3_000))
        def check(name: str, life_s: int, pause_s: int) -> None:
            asyncio.run_coroutine_threadsafe(step(name, life_s, pause_s), loop).result(20)

        await examples(check)


def test_every_schema_is_one() -> None:
    made = documents()
    assert {name.partition("/")[0] for name in made} == COMMANDS
    for schema in made.values():
        Draft202012Validator.check_schema(schema)


def test_a_request_lives_a_day_at_most() -> None:
    assert LIFE_S_MAX == 86_400
