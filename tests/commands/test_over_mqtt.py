"""Requests over a real broker, by a client that knows nothing of ours."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gatewayd.commands.table import SMALL_BYTES_MAX
from gatewayd.upstreams.mqtt import MqttUpstream
from gatewayd.upstreams.mqtt_commands import reply_topic
from gatewayd.upstreams.mqtt_settings import MqttSettings
from gatewayd.upstreams.pump import BATCH_MAX
from tests.commands.counter import Counter, at_counter, code
from tests.support.brokers import Mosquitto
from tests.support.callers import Caller
from tests.support.outpost import QUICK, ROOT, running
from tests.support.stores import draft
from tests.support.subscribers import Subscriber
from tests.support.waiting import until

ALL: dict[str, Any] = {"commands": "all"}


@asynccontextmanager
async def served(
    folder: Path, broker: Mosquitto, **settings: Any
) -> AsyncIterator[tuple[Counter, Caller]]:
    """A counter behind a running upstream, and somebody who asks."""
    async with at_counter(folder, within_s=30) as counter:
        made = MqttSettings.model_validate_json(json.dumps({"url": broker.url, **settings}))
        upstream = MqttUpstream("platform", made, counter.context, QUICK)
        with Caller(broker.port, ROOT) as caller:
            async with running(upstream):
                await until(
                    lambda: f"Received SUBSCRIBE from gatewayd-{ROOT[-10:]}" in broker.log()
                )
                yield counter, caller


def body(counter: Counter, **fields: Any) -> bytes:
    return json.dumps({"id": counter.fresh(), "expires": counter.soon(), **fields}).encode()


async def asked(caller: Caller, name: str, payload: bytes, **more: Any) -> dict[str, Any]:
    return await asyncio.to_thread(partial(caller.ask, name, payload, **more))


@pytest.fixture
def mosquitto(tmp_path: Path) -> Any:
    with Mosquitto(tmp_path) as made:
        yield made


async def test_the_reply_goes_where_the_request_says_with_its_correlation_data(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with served(tmp_path, mosquitto, **ALL) as (counter, caller):
        lock = body(counter, rig="rig-1", reason="x")
        reply = await asked(caller, "rig.lock", lock, respond="answers/me", correlation=b"\0\xff7")
        assert reply["ok"], reply
        assert caller.replies[-1][:2] == ("answers/me", b"\0\xff7")
        again = await asked(caller, "rig.lock", lock)
        assert code(again) == "repeated"
        assert again["first"] == reply
        assert caller.replies[-1][:2] == (f"{ROOT}/cmd/rig.lock/reply", None)


async def test_without_a_word_in_the_settings_only_a_ping_is_answered_with_yes(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with served(tmp_path, mosquitto) as (counter, caller):
        assert (await asked(caller, "ping", body(counter)))["ok"]
        lock = body(counter, rig="rig-1", reason="x")
        assert code(await asked(caller, "rig.lock", lock)) == "not_allowed"
        assert counter.store.rig_locks() == ()


@pytest.mark.parametrize("came", ["before", "now"])
async def test_a_retained_request_is_refused_whether_it_waited_or_came_just_now(
    tmp_path: Path, mosquitto: Mosquitto, came: str
) -> None:
    if came == "before":
        with Caller(mosquitto.port, ROOT) as before:
            lock = {"id": "r", "expires": "2026-08-01T23:00:00+08:00", "rig": "rig-1"}
            before.publish("rig.lock", json.dumps({**lock, "reason": "x"}).encode(), retain=True)
    async with served(tmp_path, mosquitto, **ALL) as (counter, caller):
        if came == "now":
            lock_now = body(counter, rig="rig-1", reason="x")
            await asyncio.to_thread(partial(caller.publish, "rig.lock", lock_now, retain=True))
        (reply,) = await asyncio.to_thread(caller.wait, 1)
        assert code(reply[2]) == "retained"
        assert counter.store.rig_locks() == ()


async def test_ten_megabytes_of_garbage_are_refused_and_the_connection_stays(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with served(tmp_path, mosquitto, **ALL) as (counter, caller):
        for garbage in (b"{" * 10_000_000, b"\xff" * SMALL_BYTES_MAX, b"", b"null", b'"x"'):
            assert (await asked(caller, "rig.lock", garbage))["ok"] is False
        assert (await asked(caller, "ping", body(counter)))["ok"]
        connects = mosquitto.log().count(f"as gatewayd-{ROOT[-10:]}")
        assert connects == 1, "one connection all along"


async def test_replies_overtake_a_backlog_of_records(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with served(tmp_path, mosquitto, records_per_s=50, **ALL) as (counter, caller):
        for _ in range(3 * BATCH_MAX):
            await counter.store.append(draft())
        assert (await asked(caller, "ping", body(counter)))["ok"]
        waiting = counter.store.last_sequence() - counter.store.cursor("platform")
        assert waiting > BATCH_MAX, "they are still on their way"


async def test_records_of_commands_reach_the_platform_as_others_do(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with Subscriber(mosquitto.port, f"{ROOT}/records/#") as seen:
        async with served(tmp_path, mosquitto, **ALL) as (counter, caller):
            await asked(caller, "rig.lock", body(counter, rig="rig-1", reason="x"))
            await seen.until(lambda: len(seen.messages()) >= 2)
    assert {m.topic for m in seen.messages()} == {
        f"{ROOT}/records/lock",
        f"{ROOT}/records/command",
    }


async def test_records_are_sent_again_with_the_same_bytes_to_who_asked(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with Subscriber(mosquitto.port, f"{ROOT}/records/fill") as seen:
        async with served(tmp_path, mosquitto, **ALL) as (counter, caller):
            for _ in range(5):
                await counter.store.append(draft())
            await seen.until(lambda: len(seen.messages()) >= 5)
            reply = await asked(caller, "records.resend", body(counter, from_seq=2, to_seq=4))
            assert reply["result"]["records"] == 3
            await seen.until(lambda: len(seen.messages()) >= 8)
    payloads = [message.payload for message in seen.messages()]
    assert payloads[5:] == payloads[1:4]


@pytest.mark.skipif(shutil.which("mosquitto_rr") is None, reason="mosquitto-clients is missing")
async def test_the_tools_of_mosquitto_get_an_answer(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with served(tmp_path, mosquitto) as (counter, _caller):
        process = await asyncio.create_subprocess_exec(
            "mosquitto_rr",
            *("-p", str(mosquitto.port), "-t", f"{ROOT}/cmd/ping", "-e", "answers/rr"),
            *("-m", body(counter).decode(), "-W", "10"),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        assert json.loads(said)["ok"]


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        (None, "p/1/cmd/ping/reply"),
        ("", "p/1/cmd/ping/reply"),
        ("x/y", "x/y"),
        ("p/1/cmd/ping/reply", "p/1/cmd/ping/reply"),
        ("p/1/cmd/rig.unlock", "p/1/cmd/ping/reply"),
        ("p/1/records/fill", "p/1/cmd/ping/reply"),
        ("p/1", "p/1/cmd/ping/reply"),
        ("x/+/y", "p/1/cmd/ping/reply"),
        ("x/#", "p/1/cmd/ping/reply"),
        ("$SYS/x", "p/1/cmd/ping/reply"),
        ("x" * 1_025, "p/1/cmd/ping/reply"),
    ],
)
def test_a_request_cannot_make_us_speak_on_topics_of_ours(wanted: str | None, goes_to: str) -> None:
    assert reply_topic("p/1", "ping", wanted) == goes_to
