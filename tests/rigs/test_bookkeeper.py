"""Permit numbers, and drafts that a failing store keeps waiting: nothing is lost, nothing twice."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
from structlog.testing import capture_logs

from gatewayd.alarms.alarms import AGAIN_S
from gatewayd.clock import ManualClock
from gatewayd.errors import StoreError
from gatewayd.rigs.bookkeeper import RETRY_MS, UNSAVED_MAX, Bookkeeper
from gatewayd.rigs.findings import finding
from gatewayd.rigs.model import Identity
from gatewayd.rigs.moves import Issue, Unauthorised
from gatewayd.store.model import PERMIT_NO_MAX
from gatewayd.store.store import Store
from rules_engine.verdict import Verdict
from tests.rigs.bench import LEGAL, QUIET, bench, planned, standing
from tests.rigs.desk import means_of, open_store
from tests.support.stores import permit

WHO = Identity("one", LEGAL, uid="e2:80:68:01")
DENIED = Verdict("deny", (finding("NO_TAG"),), ())


class Office:
    """A bookkeeper with its store, and a second connection that can keep the store from writing."""

    def __init__(self, store: Store, clock: ManualClock, path: Path) -> None:
        self.store, self.clock = store, clock
        self.books = Bookkeeper(bench(), means_of(store, clock))
        self.blocker = apsw.Connection(str(path))

    def block(self) -> None:
        self.blocker.execute("BEGIN IMMEDIATE")

    def free(self) -> None:
        self.blocker.execute("ROLLBACK")

    def close(self) -> None:
        self.blocker.close()

    async def retry(self) -> None:
        self.clock.advance(seconds=RETRY_MS / 1_000)
        await self.books.retry()

    def records(self) -> list[tuple[str, str]]:
        bodies = [json.loads(r.body) for r in self.store.records()]
        return [(r["type"].split(".")[1], r["data"].get("code", "")) for r in bodies]

    def issue(self, last_permit: int = 0, echo: int = 0) -> int:
        sample = standing(last_permit=last_permit, permit_echo=echo)
        plan = planned(16_600, 100, 14_810, 31_510)
        return self.books.permit(Issue(WHO, Verdict("allow", (), ()), plan, sample)).permit_no


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    store, clock = await open_store(tmp_path)
    made = Office(store, clock, tmp_path / "gatewayd.db")
    yield made
    made.close()
    await store.close()


@pytest.mark.parametrize(
    ("last", "last_permit", "echo", "expected"),
    [
        (0, 0, 0, 1),
        (0, 1, 0, 2),
        (0, 1, 2, 3),
        (0, 2, 1, 3),
        (41, 41, 0, 42),
        (PERMIT_NO_MAX - 1, 0, 0, PERMIT_NO_MAX),
        (PERMIT_NO_MAX, 0, 0, 1),
        (PERMIT_NO_MAX, 1, 0, 2),
        (PERMIT_NO_MAX - 1, PERMIT_NO_MAX, 1, 2),
    ],
)
async def test_a_permit_number_is_new_to_the_plc_and_never_zero(
    office: Office, last: int, last_permit: int, echo: int, expected: int
) -> None:
    if last:
        earlier = permit(permit_no=last)
        await office.store.issue(earlier)
    assert office.issue(last_permit, echo) == expected


async def test_a_permit_carries_what_was_judged_and_measured(office: Office) -> None:
    plan = planned(16_600, 100, 14_810, 31_510)
    made = office.books.permit(Issue(WHO, Verdict("allow", (), ()), plan, standing()))
    assert made.id != made.record_id
    assert (made.total_before_g, made.fills_before, made.lease_ms) == (1_000, 3, 2_000)
    assert (made.expires_at - made.issued_at).total_seconds() == 30
    assert made.judged["cylinder"]["code"] == LEGAL.code


async def test_a_failing_store_keeps_drafts_and_commits_each_once_in_order(office: Office) -> None:
    office.block()
    await office.books.refuse(WHO, DENIED)
    await office.books.unauthorised(Unauthorised(WHO, 500, 500, QUIET))
    assert (office.books.healthy, office.books.saved) == (False, False)
    ids = [each.id for draft in office.books._unsaved for each in (draft, *draft.also)]
    await office.retry()
    assert office.records() == []
    office.free()
    await office.books.alarm("totaliser_mismatch", "21 g")
    assert office.records() == [], "what is new waits behind what is older"
    await office.retry()
    assert [kind for kind, _ in office.records()] == ["refusal", "fill", "alarm", "alarm"]
    assert [record.id for record in office.store.records()][:3] == ids
    await office.retry()
    assert len(office.records()) == 4
    assert office.books.healthy


async def test_a_retry_comes_once_a_second(office: Office) -> None:
    office.block()
    await office.books.refuse(WHO, DENIED)
    await office.retry()
    office.free()
    await office.books.retry()
    assert not office.books.saved
    await office.retry()
    assert office.books.saved


async def test_a_store_that_fails_for_long_is_not_logged_every_second(office: Office) -> None:
    with capture_logs() as seen:
        office.block()
        await office.books.refuse(WHO, DENIED)
        for _ in range(5):
            await office.retry()
        office.free()
        await office.retry()
    events = [line["event"] for line in seen if line["event"].startswith(("record.", "store."))]
    assert events == ["record.waiting", "store.still_failing"]


async def test_a_draft_that_was_committed_after_all_is_not_written_twice(office: Office) -> None:
    office.block()
    await office.books.refuse(WHO, DENIED)
    office.free()
    (draft,) = office.books._unsaved
    await office.store.append(draft)
    await office.retry()
    assert [record.id for record in office.store.records()] == [draft.id]


async def test_a_full_store_takes_no_refusal_until_there_is_room(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path, quota_mb=2)
    office = Office(store, clock, tmp_path / "gatewayd.db")
    filler = replace(QUIET, device="x" * 40_000)
    while store.healthy:
        await office.books.unauthorised(Unauthorised(WHO, 1, 1, filler))
    await office.books.refuse(WHO, DENIED)
    assert not office.books.saved
    assert "refusal" not in [kind for kind, _ in office.records()]
    office.close()
    await store.close()


async def test_a_closed_store_raises_nothing_but_keeps_the_draft(office: Office) -> None:
    await office.store.close()
    await office.books.refuse(WHO, DENIED)
    await office.books.baseline(500, None)
    await office.retry()
    assert len(office.books._unsaved) == 1


async def test_more_drafts_than_a_closed_rig_can_make_end_the_process(office: Office) -> None:
    office.block()
    for _ in range(UNSAVED_MAX):
        await office.books.refuse(WHO, DENIED)
    with pytest.raises(AssertionError, match="more drafts"):
        await office.books.refuse(WHO, DENIED)
    office.free()


async def test_an_alarm_that_flaps_is_recorded_once_a_minute_and_counted(office: Office) -> None:
    for _ in range(50):
        await office.books.alarm("open_without_permit", "")
        office.clock.advance(seconds=0.1)
    assert office.records() == [("alarm", "open_without_permit")]
    await office.books.alarm("totaliser_mismatch", "21 g")
    await office.books.alarm("totaliser_mismatch", "22 g")
    assert len(office.records()) == 3, "an alarm about one fill is always recorded"
    office.clock.advance(seconds=AGAIN_S)
    await office.books.alarm("open_without_permit", "")
    last = json.loads(office.store.records()[-1].body)
    assert last["data"]["detail"] == "(+49)"
    assert last["data"]["message"]["zh"]


async def test_alarms_that_flap_do_not_pile_up_while_the_store_fails(office: Office) -> None:
    office.block()
    for _ in range(3):
        await office.books.alarm("open_without_permit", "")
        office.clock.advance(seconds=AGAIN_S + 1)
    assert len(office.books._unsaved) == 1
    office.free()
    await office.retry()
    assert office.records() == [("alarm", "open_without_permit")]


async def test_a_totaliser_that_went_back_becomes_the_new_baseline(office: Office) -> None:
    await office.books.baseline(900, 1_000)
    assert office.store.last_total_g("rig-1") == 900
    await office.books.baseline(800, 900)
    assert office.store.last_total_g("rig-1") == 800, "also when its alarm was told just now"
    assert office.records() == [("alarm", "totaliser_went_back")]


async def test_a_store_that_cannot_be_read_issues_nothing(office: Office) -> None:
    await office.store.close()
    with pytest.raises(StoreError):
        office.issue()


async def test_a_permit_that_cannot_say_which_check_it_needs_is_none(office: Office) -> None:
    """Its fill would leave without its post-fill check, and nobody would know."""
    office.blocker.execute("ALTER TABLE sessions RENAME TO elsewhere")
    with pytest.raises(StoreError):
        office.issue()
    await office.books.refuse(WHO, DENIED)
    assert office.records() == [("refusal", "")], "a refusal is told all the same"
