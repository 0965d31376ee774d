"""Entries by request: each row judged by itself, older news never undoes newer, holds stay."""

from pathlib import Path
from typing import Any

import pytest

from gatewayd.desk.terms import By
from tests.commands.counter import Counter, at_counter, code
from tests.rigs.bench import LEGAL


def outcomes(reply: dict[str, Any]) -> list[str]:
    return [row["outcome"] for row in reply["result"]["rows"]]


async def upsert(counter: Counter, *rows: Any, **more: Any) -> dict[str, Any]:
    return await counter.ask("cylinders.upsert", rows=list(rows), **more)


async def test_rows_are_added_changed_or_left(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        new = {
            "code": "3701000119999999",
            "tag_uids": ["E2:00:11:22", "e2001133"],
            "medium": "LPG",
            "stamped_tare_g": 16_400,
            "next_inspection_on": "2027-08",
            "refurbished": False,
        }
        same = {"code": LEGAL.code, "owner": LEGAL.owner}
        changed = {"code": "3701000110100002", "status": "scrapped"}
        reply = await upsert(counter, new, same, changed)
        assert reply["ok"], reply
        assert outcomes(reply) == ["added", "unchanged", "updated"]
        assert reply["result"]["counts"] == {"added": 1, "unchanged": 1, "updated": 1}
        added = counter.store.cylinder("3701000119999999")
        assert added is not None
        assert added.known()["next_inspection_on"] == "2027-08-31"
        assert added.refurbished is False
        assert counter.store.cylinders_by_uid("E2001133") == (added,)
        kept = counter.store.cylinder("3701000110100002")
        assert kept is not None
        assert (kept.status, kept.owner) == ("scrapped", LEGAL.owner), "unnamed columns stay"
        (record,) = counter.records()
        assert record["asked"]["rows"] == 3


async def test_a_row_with_mistakes_is_refused_alone_and_all_of_them_are_named(
    tmp_path: Path,
) -> None:
    async with at_counter(tmp_path) as counter:
        reply = await upsert(
            counter,
            {"code": "1", "medium": "lpg", "stamped_tare_g": 16.4, "refurbished": "no"},
            {"code": "2"},
            {"medium": "LPG"},
            {"code": "4", "oner": "x"},
            {"code": "2"},
            "text",
            {"code": "7", "tag_uids": ["XY"], "stamped_tare_g": 10**400, "made_on": 5},
        )
        assert code(reply) == "rows_refused"
        assert outcomes(reply) == ["refused", "added", *["refused"] * 5]
        named = [(m["row"], m["column"]) for m in reply["error"]["mistakes"]]
        assert named == [
            *((1, name) for name in ("medium", "stamped_tare_g", "refurbished")),
            (3, "code"),
            (4, None),
            (5, "code"),
            (6, None),
            *((7, name) for name in ("tag_uids", "stamped_tare_g", "made_on")),
        ]
        assert counter.store.cylinder("2") is not None
        assert counter.store.cylinder("1") is None


async def test_older_news_never_undoes_newer(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        await upsert(counter, {"code": "1", "maker": "new"}, source_version=7)
        reply = await upsert(counter, {"code": "1", "maker": "old"}, source_version=6)
        assert outcomes(reply) == ["outdated"]
        found = counter.store.cylinder("1")
        assert found is not None
        assert found.maker == "new"


async def test_a_hold_stays_whatever_is_upserted_and_one_platform_ends_it(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        await counter.ask("cylinders.hold", code=LEGAL.code, reason="recall")
        await upsert(counter, {"code": LEGAL.code, "hold": None, "maker": "x"})
        held = counter.store.cylinder(LEGAL.code)
        assert held is not None
        assert held.hold == "recall"
        body = {"code": LEGAL.code, "reason": "inspected"}
        other = await counter.ask_as("other", "cylinders.release", **body)
        assert code(other) == "not_yours"
        assert (await counter.ask("cylinders.release", **body))["ok"]
        assert code(await counter.ask("cylinders.release", **body)) == "not_held"


async def test_a_platform_neither_unlocks_nor_replaces_what_a_person_locked(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        await counter.front.desk.lock("rig-1", by=By("li", "page", "hands inside"))
        body = {"rig": "rig-1", "reason": "go on"}
        assert code(await counter.ask("rig.lock", **body)) == "not_yours"
        assert code(await counter.ask("rig.unlock", **body)) == "not_yours"
        (lock,) = counter.store.rig_locks()
        assert (lock.locked_by, lock.reason) == ("li", "hands inside")
        assert counter.records()[-1]["error"] == "not_yours"


NINTH = {"id": "op-9", "name": "周九"}


async def test_operators_are_listed_and_a_card_belongs_to_one(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        row = {"id": "op-77", "name": "赵六", "cards": ["AABBCCDD"], "roles": ["filler"]}
        reply = await counter.ask("operators.upsert", rows=[row, {"id": "op-1", "active": False}])
        assert outcomes(reply) == ["added", "updated"]
        barred = counter.store.operator("op-1")
        assert barred is not None
        assert barred.barred
        assert barred.cards, "unnamed columns stay"
        taken = await counter.ask("operators.upsert", rows=[NINTH | {"cards": ["AABBCCDD"]}])
        assert code(taken) == "card_taken"
        assert counter.store.operator("op-9") is None


@pytest.mark.parametrize(
    ("nameless", "said"),
    [
        ({"id": "op-9"}, "missing; a new entry needs its name"),
        ({"id": "op-9", "name": None}, "empty; expected the name of each"),
        ({"id": "op-9", "name": " "}, "empty; expected the name of each"),
        ({"id": "op-1", "name": ""}, "empty; expected the name of each"),
    ],
)
async def test_a_row_of_nobodys_name_is_refused_and_named(
    tmp_path: Path, nameless: dict[str, Any], said: str
) -> None:
    async with at_counter(tmp_path) as counter:
        before = counter.store.operator("op-1")
        reply = await counter.ask("operators.upsert", rows=[{"id": "op-8", "name": "孙"}, nameless])
        assert (code(reply), outcomes(reply)) == ("rows_refused", ["added", "refused"])
        wrong = {"row": 2, "column": "name", "error": said}
        assert reply["error"]["mistakes"] == [wrong]
        assert reply["result"]["rows"][1]["mistakes"] == [wrong]
        assert counter.store.operator("op-9") is None
        assert counter.store.operator("op-1") == before


@pytest.mark.parametrize(("first", "last"), [(0, 1), (3, 2), (1, 99), (1, 2**60)])
async def test_a_range_that_does_not_exist_is_not_sent_again(
    tmp_path: Path, first: int, last: int
) -> None:
    async with at_counter(tmp_path) as counter:
        await counter.ask("rig.lock", rig="rig-1", reason="a")
        reply = await counter.ask("records.resend", from_seq=first, to_seq=last)
        assert code(reply) in {"no_such_records", "wrong"}
        assert counter.store.next_resend("platform") is None


async def test_a_range_waits_to_be_sent_again_to_who_asked(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        await counter.ask("rig.lock", rig="rig-1", reason="a")
        reply = await counter.ask("records.resend", from_seq=1, to_seq=2)
        assert reply["result"] == {"from_seq": 1, "to_seq": 2, "records": 2}
        waiting = counter.store.next_resend("platform")
        assert waiting is not None
        assert (waiting.next_sequence, waiting.to_sequence) == (1, 2)
        assert counter.store.next_resend("other") is None


async def test_a_plan_before_the_reloader_is_there_is_refused(tmp_path: Path) -> None:
    async with at_counter(tmp_path) as counter:
        assert code(await counter.ask("config.plan")) == "starting"
