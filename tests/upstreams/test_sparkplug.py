"""Sparkplug B: what we say is decoded by somebody else's library and held against the standard."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewayd.store.model import Record
from gatewayd.upstreams.sparkplug import UPSTREAM
from gatewayd.upstreams.sparkplug_metrics import BDSEQ, REBIRTH
from gatewayd.upstreams.sparkplug_wire import Metric, Type, encode
from tests.support import node
from tests.support.brokers import Mosquitto
from tests.support.outpost import STATION, Outpost, drained, running
from tests.support.subscribers import Seen, Subscriber

GROUP = "spBv1.0/Jinan"
DECODER = Path(__file__).parents[1] / "node" / "sparkplug_decode.js"
RIG: dict[str, Any] = {
    "state": "locked",
    "since": "2026-08-01T12:00:00.000+08:00",
    "gross_g": None,
    "findings": [],
}


@dataclass(frozen=True)
class Told:
    """One message as the other implementation reads it."""

    kind: str
    device: str
    payload: dict[str, Any]
    seen: Seen

    @property
    def metrics(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.payload["metrics"]
        return found

    def value(self, name: str) -> Any:
        return next(one["value"] for one in self.metrics if one.get("name") == name)


def decode(messages: Sequence[Seen]) -> list[Told]:
    """Everything that the edge node said, by `sparkplug-payload` of Eclipse Tahu."""
    ours = [seen for seen in messages if "CMD/" not in seen.topic]
    lines = "\n".join(seen.payload.hex() for seen in ours)
    done = subprocess.run(
        node.command(DECODER),
        input=lines,
        env=node.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    told = []
    for seen, line in zip(ours, done.stdout.splitlines(), strict=True):
        _, _, kind, _, *device = seen.topic.split("/")
        told.append(Told(kind, "".join(device), json.loads(line), seen))
    return told


def rules(told: Sequence[Told]) -> dict[int, str]:
    """The rules of Eclipse Sparkplug 3.0.0, one session; returns the names of the aliases."""
    seq, born, names = None, set[str](), dict[int, str]()
    bdseq = None
    for one in told:
        assert one.seen.retain is False, one
        assert one.payload["timestamp"] > 0
        if one.kind == "NDEATH":
            assert "seq" not in one.payload
            assert one.value(BDSEQ) == bdseq, "the death belongs to another birth"
            continue
        if one.kind == "NBIRTH":
            assert one.payload["seq"] == 0
            assert one.value(REBIRTH) is False
            bdseq, born = one.value(BDSEQ), set()
        else:
            assert seq is not None, f"{one.kind} before NBIRTH"
            assert one.payload["seq"] == (seq + 1) % 256, "a gap in seq"
        seq = one.payload["seq"]
        if one.kind in {"NBIRTH", "DBIRTH"}:
            born.add(one.device)
            for metric in one.metrics:
                assert metric["name"]
                assert metric["type"]
                alias = metric.get("alias")
                if alias is not None:
                    full = f"{one.device} {metric['name']}"
                    assert names.setdefault(alias, full) == full, "an alias has two meanings"
        elif one.kind == "DDEATH":
            born.discard(one.device)
        else:
            assert one.device in born, f"{one.kind} of {one.device!r} before its birth"
            for metric in one.metrics:
                assert not metric.get("name")
                assert names[metric["alias"]].startswith(f"{one.device} ")
    return names


def records_in(told: Sequence[Told], names: dict[int, str]) -> list[tuple[str, bool]]:
    """Records and whether they were told as historical."""
    return [
        (metric["value"], bool(metric.get("isHistorical")))
        for one in told
        if one.kind == "NDATA"
        for metric in one.metrics
        if names[metric["alias"]].startswith(" Records/")
    ]


def to(outpost: Outpost, broker: Mosquitto) -> Any:
    return outpost.upstream_of(UPSTREAM, url=broker.url, group="Jinan")


async def test_births_data_and_deaths_follow_the_rules(
    outpost: Outpost, mosquitto: Mosquitto
) -> None:
    node.modules()
    outpost.board.post("rigs/rig-1/state", RIG)
    outpost.board.post("devices/gun-1/status", {"state": "connecting"})
    with Subscriber(mosquitto.port, "spBv1.0/#") as seen:
        upstream = to(outpost, mosquitto)
        async with running(upstream):
            await outpost.until_state("up")
            outpost.board.post("devices/gun-1/status", {"state": "up"})
            await seen.until(lambda: bool(seen.messages("DBIRTH/3701000042/devices.gun-1")))
            outpost.board.flash(
                "rigs/rig-1/weight", {"t": RIG["since"], "gross_g": -50, "net_g": 0, "stable": True}
            )
            outpost.board.post("rigs/rig-1/state", {**RIG, "state": "filling", "gross_g": 16_500})
            outpost.board.post("alarms/store_ill.store", {"kind": "store_ill"})
            await seen.until(lambda: len(seen.messages("DDATA")) >= 2)
            outpost.board.post("devices/gun-1/status", {"state": "down"})
            await seen.until(lambda: bool(seen.messages("DDEATH")))
            committed = await outpost.commit(300)
            await drained(upstream)
        await seen.until(lambda: bool(seen.messages("NDEATH")))
        told = decode(seen.messages())
    names = rules(told)
    assert [body for body, _ in records_in(told, names)] == [one.body for one in committed]
    births = {one.device: one for one in told if one.kind == "DBIRTH"}
    assert births["rigs.rig-1"].value("state/state") == "locked"
    assert births["rigs.rig-1"].value("state/gross_g") is None
    data = [m for one in told if one.kind == "DDATA" for m in one.metrics]
    values = {names[metric["alias"]]: metric["value"] for metric in data}
    assert values["rigs.rig-1 state/gross_g"] == 16_500
    assert values["rigs.rig-1 weight/gross_g"] == -50
    assert "rigs.rig-1 state/since" not in values, "what did not change is not told again"


async def test_a_rebirth_says_everything_anew(outpost: Outpost, mosquitto: Mosquitto) -> None:
    node.modules()
    outpost.board.post("rigs/rig-1/state", RIG)
    with Subscriber(mosquitto.port, "spBv1.0/#") as seen:
        upstream = to(outpost, mosquitto)
        async with running(upstream):
            await outpost.commit(3)
            await drained(upstream)
            command = f"{GROUP}/NCMD/{STATION}"
            for body in (b"\xff\xff", b"x" * 100_000, _asks(value=False)):
                seen.say(command, body)
            seen.say(command, _asks(value=True))
            await seen.until(lambda: len(seen.messages("NBIRTH")) == 2)
            await seen.until(lambda: len(seen.messages("DBIRTH")) == 2)
            await outpost.commit(3)
            await drained(upstream)
        await seen.until(lambda: bool(seen.messages("NDEATH")))
        told = decode(seen.messages())
    names = rules(told)
    assert len(records_in(told, names)) == 6
    first, second = (one for one in told if one.kind == "NBIRTH")
    assert [m["name"] for m in first.metrics] == [m["name"] for m in second.metrics]


async def test_a_cut_is_told_by_the_will_and_a_backlog_is_historical(
    outpost: Outpost, mosquitto: Mosquitto
) -> None:
    node.modules()
    old = await _yesterday(outpost)
    with Subscriber(mosquitto.port, "spBv1.0/#") as seen:
        upstream = to(outpost, mosquitto)
        async with running(upstream):
            await drained(upstream)
            new = await outpost.commit(1)
            await drained(upstream)
            # A second client of the same id throws the first one out: the broker says its will.
            other = outpost.upstream_of(
                UPSTREAM, name="twin", url=mosquitto.url, group="Other", node="twin"
            )
            async with running(other):
                await outpost.until_state("up", name="twin")
                await seen.until(lambda: bool(seen.messages(f"{GROUP}/NDEATH")))
            await seen.until(lambda: len(seen.messages(f"{GROUP}/NBIRTH")) >= 2)
        await seen.until(lambda: len(seen.messages(f"{GROUP}/NDEATH")) >= 2)
        told = decode(seen.messages(f"{GROUP}/"))
    deaths = [number for number, one in enumerate(told) if one.kind == "NDEATH"]
    assert len(deaths) >= 2
    first, rest = told[: deaths[0] + 1], told[deaths[0] + 1 :]
    names = rules(first)
    rules(rest[: rest.index(next(one for one in rest if one.kind == "NDEATH")) + 1])
    births = [one for one in told if one.kind == "NBIRTH"]
    assert births[0].value(BDSEQ) != births[1].value(BDSEQ)
    assert records_in(first, names) == [(old.body, True), (new[0].body, False)]


def _asks(*, value: bool) -> bytes:
    return encode([Metric(Type.BOOLEAN, value, 1, REBIRTH)], at_ms=1, seq=None)


async def _yesterday(outpost: Outpost) -> Record:
    draft = outpost.draft(hours_ago=24)
    return await outpost.store.append(draft)
