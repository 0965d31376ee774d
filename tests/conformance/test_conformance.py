"""The kit tells a subscriber that does its work from one that does not."""

import asyncio
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from gatewayd.conformance.material import board, records
from gatewayd.store.chain import Head, broken, head_of
from tests.support import node
from tests.support.brokers import Mosquitto
from tests.support.confirmers import Confirmer
from tests.support.shapes import against_message, against_record
from tests.support.subscribers import Subscriber

ROOT = "gatewayd/v1/conformance"
SUBSCRIBER = Path(__file__).parents[1] / "node" / "subscriber.js"


def test_the_fixed_set_is_fixed_whole_and_has_every_shape() -> None:
    made = records("conformance")
    assert made == records("conformance")
    head = Head()
    for record in made:
        assert broken(record, head) is None
        assert against_record(record.body) == []
        head = head_of(record)
    for topic, payload in board().items():
        assert against_message(topic, json.dumps(payload).encode()) == []


async def run(broker: Mosquitto, *words: str) -> tuple[int, dict[str, Any]]:
    command = (sys.executable, "-m", "gatewayd", "conformance", broker.url, "--json", *words)
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out)


async def test_a_subscriber_has_what_the_kit_says(mosquitto: Mosquitto) -> None:
    with Subscriber(mosquitto.port, f"{ROOT}/#") as seen:
        code, told = await run(mosquitto)
        await seen.until(lambda: len(seen.messages("/records/")) == told["published"])
        bodies = {json.loads(m.payload)["sequence"]: m.payload for m in seen.messages("/records/")}
        states = [json.loads(m.payload)["state"] for m in seen.messages(f"{ROOT}/status")]
    assert code == 0
    assert told["published"] > told["expected"]["records"] == len(bodies)
    digest = hashlib.sha256(b"".join(bodies[key] + b"\n" for key in sorted(bodies)))
    assert digest.hexdigest() == told["expected"]["sha256_bodies"]
    assert states == ["online", "offline", "online", "offline"]
    with Subscriber(mosquitto.port, f"{ROOT}/#") as later:
        await later.until(lambda: len(later.messages()) == len(told["retained"]))
        assert {m.topic: json.loads(m.payload) for m in later.messages()} == told["retained"]


async def test_confirmations_are_counted(mosquitto: Mosquitto) -> None:
    with Confirmer(mosquitto.port, ROOT):
        code, told = await run(mosquitto, "--ack-within", "5")
    assert (code, told["ok"], told["confirmed"]) == (0, True, told["expected"]["records"])


async def test_a_subscriber_that_loses_one_is_found_out(mosquitto: Mosquitto) -> None:
    with Confirmer(mosquitto.port, ROOT, forgets="0198f3a0-0000-7000-8000-000000000007"):
        code, told = await run(mosquitto, "--ack-within", "1")
    assert (code, told["ok"], told["confirmed"]) == (1, False, told["expected"]["records"] - 1)


async def test_clients_of_other_people_count_and_hash_the_same(mosquitto: Mosquitto) -> None:
    node.modules()
    wanted, port = len(records("conformance")), str(mosquitto.port)
    words = node.command(SUBSCRIBER, port, f"{ROOT}/records/#", str(wanted))
    js = await asyncio.create_subprocess_exec(
        *words, stdout=subprocess.PIPE, env=node.environment()
    )
    assert js.stdout is not None
    assert await js.stdout.readline() == b"subscribed\n"
    with Subscriber(mosquitto.port, f"{ROOT}/records/#") as seen:
        sub = await asyncio.create_subprocess_exec(
            *(
                "mosquitto_sub",
                "-p",
                port,
                "-V",
                "5",
                "-q",
                "1",
                "-t",
                f"{ROOT}/records/#",
                "-F",
                "%x",
            ),
            *("-C", str(told_times())),
            stdout=subprocess.PIPE,
        )
        await seen.until(lambda: mosquitto.log().count("Sending SUBACK") >= 3)
        _, told = await run(mosquitto)
        out, _ = await sub.communicate()
        said = json.loads(await js.stdout.readline())
        await js.wait()
        arrived = [m.payload for m in seen.messages()]
    assert [bytes.fromhex(line) for line in out.decode().split()] == arrived
    assert len(arrived) == told["published"] == told_times()
    first = dict.fromkeys(arrived)
    assert said["records"] == told["expected"]["records"] == len(first)
    assert said["sha256"] == hashlib.sha256(b"".join(one + b"\n" for one in first)).hexdigest()


def told_times() -> int:
    """How many messages of records the kit publishes."""
    return len(records("conformance")) + 2 * 12 + 1
