"""In a person's name from afar: an alarm answered for, a batch opened and closed; guarded like all."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gatewayd.settings.people import BatchSettings
from tests.commands.counter import Counter, Reply, at_counter, code

ALARM: dict[str, Any] = {"kind": "totaliser_went_back", "subject": "rig-1"}
SAID: dict[str, Any] = {"by": "Zhang San", "reason": "PLC was replaced"}
WHO = "upstream platform: Zhang San"


@dataclass(frozen=True)
class Kind:
    """One command: a good request, what it changes, and what makes it possible."""

    name: str
    fields: dict[str, Any]
    changed: Callable[[Counter], object]
    ready: Callable[[Counter], Awaitable[object]]


async def alarmed(counter: Counter) -> None:
    counter.alarms.raise_(ALARM["kind"], ALARM["subject"], detail="9 g -> 3 g")
    await counter.alarms.flush()


async def free(_counter: Counter) -> None:
    """No batch is open."""


async def opened(counter: Counter) -> Reply:
    return await counter.ask("batch.open", rig="rig-1", number="B1")


def standing(counter: Counter) -> object:
    return [(alarm.kind, alarm.acknowledged_by) for alarm in counter.alarms.standing]


def batch(counter: Counter) -> object:
    found = counter.store.open_batch("rig-1")
    return None if found is None else found.number


KINDS = [
    Kind("alarms.acknowledge", {**ALARM, **SAID}, standing, alarmed),
    Kind("batch.open", {"rig": "rig-1", "number": "B1", **SAID}, batch, free),
    Kind("batch.close", {"rig": "rig-1", "number": "B1", **SAID}, batch, opened),
]
EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@EACH
async def test_it_is_done_once_with_who_and_why_and_its_record(tmp_path: Path, kind: Kind) -> None:
    async with at_counter(tmp_path) as counter:
        await kind.ready(counter)
        before = kind.changed(counter)
        first = await counter.ask(kind.name, id="c-1", **kind.fields)
        assert first["ok"] is True
        after = kind.changed(counter)
        assert after != before
        record = counter.records()[-1]
        assert record["by"] == {"who": WHO, "how": "mqtt", "why": SAID["reason"]}
        assert (record["command"], record["outcome"]) == (kind.name, "done")
        again = await counter.ask(kind.name, id="c-1", **kind.fields)
        assert code(again) == "repeated"
        assert again["first"] == first
        assert kind.changed(counter) == after


@EACH
async def test_what_does_not_count_changes_nothing_and_is_answered(
    tmp_path: Path, kind: Kind
) -> None:
    async with at_counter(tmp_path) as counter:
        await kind.ready(counter)
        before = kind.changed(counter)
        body = json.dumps({"id": "x", "expires": counter.soon(), **kind.fields}).encode()
        assert code(await counter.give(kind.name, body, retained=True)) == "retained"
        assert code(await counter.give(kind.name, body, allowed=False)) == "not_allowed"
        late = await counter.ask(kind.name, **{**kind.fields, "expires": counter.soon(-1)})
        assert code(late) == "expired"
        assert code(await counter.ask(kind.name, **kind.fields, more=1)) == "wrong"
        for field in set(kind.fields) - {"by", "reason"}:
            rest = {name: value for name, value in kind.fields.items() if name != field}
            assert code(await counter.ask(kind.name, **rest)) == "wrong"
        counter.clock._wall = counter.clock.wall().replace(year=2020)
        doubted = await counter.ask(kind.name, **kind.fields)
        assert code(doubted) == "clock_untrusted"
        assert kind.changed(counter) == before


async def test_an_alarm_is_answered_for_by_a_named_person_only(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        await alarmed(counter)
        for lacks in ("by", "reason"):
            fields = {**ALARM, **SAID}
            del fields[lacks]
            assert code(await counter.ask("alarms.acknowledge", **fields)) == "wrong"
        assert (await counter.ask("alarms.acknowledge", **ALARM, **SAID))["ok"] is True
        answered = counter.front.records("gatewayd.alarm")[-1]
        assert answered["action"] == "acknowledged"
        assert answered["acknowledged"]["by"] == WHO
        assert answered["acknowledged"]["note"] == SAID["reason"]
        assert standing(counter) == []
        gone = await counter.ask("alarms.acknowledge", **ALARM, **SAID)
        assert code(gone) == "no_alarm"
        assert counter.records()[-1]["error"] == "no_alarm"


async def test_batches_are_refused_for_the_reasons_of_the_desk(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        nothing = await counter.ask("batch.close", rig="rig-1", number="B1")
        assert code(nothing) == "no_open_batch"
        assert code(await counter.ask("batch.open", rig="rig-9", number="B1")) == "no_rig"
        assert code(await counter.ask("batch.open", rig="rig-1", number="a b")) == "bad_batch"
        assert (await opened(counter))["result"] == {"rig": "rig-1", "batch": "B1"}
        assert code(await opened(counter)) == "batch_open"
        other = await counter.ask("batch.close", rig="rig-1", number="B2")
        assert code(other) == "other_batch"
        assert batch(counter) == "B1"
        follows = await counter.ask("batch.open", rig="rig-1", number="B2")
        assert follows["ok"] is True
        events = [(b["event"], b["batch"]) for b in counter.front.records("gatewayd.batch")]
        assert events == [("opened", "B1"), ("closed", "B1"), ("opened", "B2")]


async def test_a_rig_that_numbers_its_batches_by_itself_is_left_alone(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        floor = counter.front.hall
        rigs = dict(floor.settings.rigs)
        numbers = BatchSettings(number="{date}-{medium}-{shift}", shifts={"day": "08:00"})
        rigs["rig-1"] = rigs["rig-1"].model_copy(update={"batch": numbers})
        floor.settings = replace(floor.settings, rigs=rigs)
        assert code(await opened(counter)) == "automatic_batch"
