"""Cards and printed codes as devices read them: what counts as one showing, and what is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.contract import CodeRead, TagRead, WeightSample
from gatewayd.clock import SECOND
from gatewayd.desk.printed import LOGOUT, PrintedCode, printed_codes
from gatewayd.desk.reception import AWAY_S, HEARD_MAX, Reception
from gatewayd.settings.forms import load_forms
from gatewayd.settings.report import Report
from gatewayd.store.model import Cylinder
from tests.desk.front import ASKS, Front, at_front
from tests.desk.test_desk_checks import fill
from tests.rigs.bench import LEGAL, OTHER, UID
from tests.support.waiting import until

CARD = "04A1B2C3"
ALONE = ASKS.replace("device: qr-1", "device: gun-3, antenna: 2")
FORMS = load_forms((), Report())
READER = 'devices: {gun-3: {driver: rfid.uhfreader, link: {tcp: "192.168.1.39:6000"}}}'


@asynccontextmanager
async def open_reception(folder: Path, asks: str = ASKS) -> AsyncIterator[tuple[Front, Reception]]:
    async with at_front(folder, asks, devices=READER) as front, asyncio.TaskGroup() as group:
        reception = Reception(front.desk, front.store, front.clock)
        task = group.create_task(reception.run())
        try:
            yield front, reception
        finally:
            task.cancel()


def events(front: Front) -> list[str]:
    return [str(data["event"]) for data in front.records("session")]


async def test_a_card_that_lies_there_is_shown_once_until_it_was_away(tmp_path: Path) -> None:
    async with open_reception(tmp_path, ALONE) as (front, reception):
        for tenth in range(30):
            reception.take(TagRead("gun-3", CARD, 2, None, tenth * SECOND // 10))
        await until(lambda: events(front) == ["logged_in"])
        reception.take(TagRead("gun-3", CARD, 2, None, (3 + AWAY_S) * SECOND))
        await until(lambda: events(front) == ["logged_in", "extended"])
        reception.take(TagRead("gun-3", CARD, 1, None, 60 * SECOND))
        reception.take(WeightSample("gun-3", 61 * SECOND, 1, 0, stable=True))
        reception.take(TagRead("gun-3", "04A1B2C4", 2, None, 62 * SECOND))
        await until(lambda: events(front) == ["logged_in", "extended", "taken_over"])


async def test_at_a_device_that_also_identifies_only_listed_cards_count(tmp_path: Path) -> None:
    async with open_reception(tmp_path) as (front, reception):
        reception.take(CodeRead("qr-1", LEGAL.code, 0))
        reception.take(CodeRead("qr-1", "unknown", 0))
        reception.take(CodeRead("qr-1", "OP 1", 0))
        await until(lambda: events(front) == ["logged_in"])
        assert front.rig.people.notices == []
        assert front.records("session")[0]["by"] == {"who": "…OP 1", "how": "code", "why": ""}


async def test_at_a_reader_for_cards_alone_anything_else_is_told_at_the_rig(tmp_path: Path) -> None:
    async with open_reception(tmp_path, ALONE) as (front, reception):
        reception.take(TagRead("gun-3", "FFFFFFFF", 2, None, 0))
        reception.take(TagRead("gun-3", UID, 2, None, 0))
        await until(lambda: front.rig.people.notices == ["unknown_card", "unknown_card"])
        assert events(front) == []


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("GW:CHECK:lpg-prefill:OK", ""),
        ("gw:check:LPG-PREFILL:ok", ""),
        ("GW:CHECK:lpg-prefill:valve:no", ""),
        ("GW:CHECK:lpg-prefill:valve:yes", "unanswered"),
        ("GW:CHECK:lpg-prefill:paint:no", "unknown_item"),
        ("GW:CHECK:nothing:OK", "no_form"),
        ("GW:CHECK:industrial-prefill:OK", "not_by_code"),
        ("GW:CHECK:lpg-prefill", "bad_code"),
        ("GW:CHECK:lpg-prefill:a:b:c", "bad_code"),
        ("GW:OPEN", "bad_code"),
        ("GW:LOGOUT", "nobody_logged_in"),
    ],
)
async def test_a_printed_code_answers_or_says_why_not(tmp_path: Path, code: str, told: str) -> None:
    async with open_reception(tmp_path) as (front, reception):
        front.rig.stand()
        reception.take(CodeRead("qr-1", code, 0))
        expected = [told] if told else []
        await until(lambda: bool(front.records("check")) or bool(front.rig.people.notices))
        assert front.rig.people.notices == expected
        assert len(front.records("check")) == (not told)


PRINTED = [
    (name, code)
    for name, form in FORMS.items()
    for code in printed_codes(name, form)
    if code.text != LOGOUT
]


@pytest.mark.parametrize(("name", "code"), PRINTED, ids=lambda each: getattr(each, "text", each))
async def test_every_code_that_is_printed_is_taken_as_it_says(
    tmp_path: Path, name: str, code: PrintedCode
) -> None:
    asks = ASKS.replace("lpg-", f"{name.partition('-')[0]}-")
    async with open_reception(tmp_path, asks) as (front, reception):
        front.rig.stand()
        if FORMS[name].stage == "postfill":
            await fill(front, form=name)
        reception.take(CodeRead("qr-1", code.text, 0))
        await until(lambda: bool(front.records("check")) or bool(front.rig.people.notices))
        assert front.rig.people.notices == []
        (check,) = front.records("check")
        assert (check["form"], check["failed"] == []) == (name, code.good)


@pytest.mark.parametrize("before", [LEGAL, None])
async def test_a_code_speaks_of_who_stood_there_when_it_was_scanned(
    tmp_path: Path, before: Cylinder | None
) -> None:
    """Cards are served before it, and the cylinders are exchanged meanwhile."""
    async with open_reception(tmp_path, ALONE) as (front, reception):
        if before is not None:
            front.rig.stand(before)
        reception.take(TagRead("gun-3", CARD, 2, None, 0))
        reception.take(CodeRead("qr-1", "GW:CHECK:lpg-prefill:OK", 0))
        front.rig.stand(OTHER)
        await until(lambda: bool(front.records("check")) or bool(front.rig.people.notices))
        assert front.store.checks(OTHER.code) == ()
        assert len(front.store.checks(LEGAL.code)) == (before is not None)


async def test_a_post_fill_check_is_answered_by_code_for_the_fill_that_waits(
    tmp_path: Path,
) -> None:
    async with open_reception(tmp_path) as (front, reception):
        fill_id = await fill(front)
        reception.take(CodeRead("qr-1", "GW:CHECK:lpg-postfill:OK", 0))
        await until(lambda: bool(front.records("check")))
        assert front.records("check")[0]["fill_id"] == fill_id


async def test_more_than_may_wait_is_dropped_and_comes_when_shown_again(tmp_path: Path) -> None:
    async with at_front(tmp_path, ALONE, devices=READER) as front:
        reception = Reception(front.desk, front.store, front.clock)
        for number in range(HEARD_MAX):
            reception.take(TagRead("gun-3", f"{number:08X}", 2, None, 0))
        reception.take(TagRead("gun-3", CARD, 2, None, 0))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(reception.run())
            await until(lambda: len(front.rig.people.notices) == HEARD_MAX)
            assert events(front) == []
            reception.take(TagRead("gun-3", CARD, 2, None, AWAY_S * SECOND))
            await until(lambda: events(front) == ["logged_in"])
            task.cancel()
