"""`gatewayd demo` as a person runs it: the summary holds, and Ctrl-C ends it in order."""

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import pytest

from tests.e2e.test_main_job import REASONS
from tests.support import shapes
from tests.support.brokers import Mosquitto
from tests.support.subscribers import Subscriber
from tests.support.waiting import WITHIN_S

pytestmark = pytest.mark.e2e

AGREE_G = 20
MOMENT = "0.05"
PROMISED = {
    "fills",
    "refusals",
    "records_received",
    "sequence_gap_free",
    "sum_net_g",
    "totaliser_g",
    "ok",
    "reasons",
}


async def _demo(*words: str) -> asyncio.subprocess.Process:
    """The demo in a process group of its own, as a shell starts it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gatewayd", "demo", "--seed", "1", *words),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )


async def test_the_summary_agrees_with_a_subscriber_of_a_borrowed_broker(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, Subscriber(broker.port, "#") as seen:
        demo = await _demo("--minutes", "0", "--broker", broker.url, "--json")
        await seen.until(lambda: _codes(seen) >= set(REASONS), WITHIN_S)
        os.killpg(demo.pid, signal.SIGINT)
        out, err = await demo.communicate()
        assert demo.returncode == 0, err.decode()
        summary = json.loads(out)
        assert set(summary) >= PROMISED
        assert (summary["ok"], summary["sequence_gap_free"]) == (True, True), summary
        assert set(summary["reasons"]) >= set(REASONS)
        bodies = {r["id"]: r for r in (json.loads(m.payload) for m in seen.messages("/records/"))}
        root = "/".join(seen.messages("/records/")[0].topic.split("/")[:-2])
        shapes.all_well(root, seen.messages())
    fills = [r["data"] for r in bodies.values() if r["type"] == "gatewayd.fill.v1"]
    refusals = [r["data"] for r in bodies.values() if r["type"] == "gatewayd.refusal.v1"]
    assert len(bodies) == summary["records_received"] == summary["fills"] + summary["refusals"]
    assert (len(fills), len(refusals)) == (summary["fills"], summary["refusals"])
    assert sorted(r["sequence"] for r in bodies.values()) == list(range(1, len(bodies) + 1))
    assert sum(fill["net_g"] for fill in fills) == summary["sum_net_g"]
    assert abs(summary["sum_net_g"] - summary["totaliser_g"]) <= AGREE_G * len(fills)


def _codes(seen: Subscriber) -> set[str]:
    """Every reason that a refusal gave so far."""
    bodies = [json.loads(message.payload) for message in seen.messages("/records/refusal")]
    return {found["code"] for body in bodies for found in body["data"]["verdict"]["findings"]}


async def test_a_demo_of_a_moment_ends_by_itself() -> None:
    demo = await _demo("--minutes", MOMENT, "--json")
    async with asyncio.timeout(WITHIN_S):
        out, err = await demo.communicate()
    summary = json.loads(out)
    assert demo.returncode == (not summary["ok"]), err.decode()
    assert summary["fills"] + summary["refusals"] == summary["records_received"]


async def test_control_c_ends_an_endless_demo_in_order_with_its_summary() -> None:
    demo = await _demo("--minutes", "0", "--lang", "en")
    assert demo.stdout is not None
    said: list[str] = []
    async with asyncio.timeout(WITHIN_S):
        while not any("completed" in line for line in said):  # the other rig is filling then
            said.append((await demo.stdout.readline()).decode())
            assert said[-1], said
        os.killpg(demo.pid, signal.SIGINT)
        out, err = await demo.communicate()
    text = "".join(said) + out.decode()
    assert demo.returncode == 0, text + err.decode()
    assert err == b""
    assert "aborted" not in text, "the cylinder at hand is filled to its end"
    fills, refusals, received = (
        int(re.findall(rf"^{name}: (\d+)", text, re.MULTILINE)[0])
        for name in ("fills", "refusals", "records received")
    )
    assert fills + refusals == received
    assert received > 0
