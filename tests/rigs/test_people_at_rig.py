"""People at a real rig: facts from a real store, refusals and permits, cards, records, the board."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import CodeRead, TagRead
from gatewayd.rigs.assess import Bench, assess, at_rig, gather
from gatewayd.rigs.model import Identity
from gatewayd.rigs.people import People
from gatewayd.settings.model import RigSettings
from gatewayd.settings.people import OperatorSettings, PostcheckSettings, PrecheckSettings
from gatewayd.store import people
from gatewayd.store.model import RecordDraft
from gatewayd.store.people_model import Check, Operator, Session, Stage
from gatewayd.store.reads import Reader
from gatewayd.store.store import Store
from rules_engine.engine import judge
from rules_engine.verdict import Message
from tests.desk.front import LI, WANG, employ
from tests.rigs.bench import LEGAL, OTHER, RIG, STATION, standing
from tests.rigs.desk import START, Desk, at_desk
from tests.support.rules import cn_lpg
from tests.support.stores import draft

ASKS: dict[str, Any] = {
    "operator": OperatorSettings(device="card-1", required=True),
    "precheck": PrecheckSettings(form="lpg-prefill", required=True),
    "postcheck": PostcheckSettings(form="lpg-postfill", required=True),
}
HOUR = timedelta(hours=1)


async def log_in(store: Store, operator: Operator = LI, *, hours: int = 1) -> None:
    name = (operator.name, operator.certificate)
    session = Session("rig-1", operator.id, *name, START, START + hours * HOUR, "card")
    await store.commit(
        lambda connection, issuer: people.log_in(connection, issuer, session, draft("session"))
    )


async def check(store: Store, *failed: str, form: str = "lpg-prefill", **about: Any) -> None:
    record: RecordDraft = draft("check")
    stage: Stage = "postfill" if form == "lpg-postfill" else "prefill"
    answered = Check(
        subject=LEGAL.code,
        form=form,
        stage=stage,
        rig_id="rig-1",
        record_id=record.id,
        answered_at=START,
        valid_until=START + HOUR,
        failed=failed,
        facts={},
        operator=LI.shown(),
        **about,
    )
    await store.commit(
        lambda connection, issuer: people.answer(connection, issuer, answered, "cylinder", record)
    )


def reasons(store: Store, *, after: timedelta = timedelta(), **asks: Any) -> set[str]:
    rig = RIG.model_copy(update=asks or ASKS)
    bench = Bench("rig-1", rig, STATION, (cn_lpg(),), (People(store),))
    who = Identity("one", LEGAL, uid="E2806801")
    verdict, _ = assess(bench, gather(bench, who, standing(), START + after))
    return {found.code for found in verdict.findings if found.severity == "deny"}


async def test_reasons_come_and_go_with_people_and_time(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        store = desk.store
        await employ(store, LI, WANG)
        assert reasons(store) == {"NO_OPERATOR", "NO_PRECHECK"}
        await log_in(store)
        assert reasons(store) == {"NO_PRECHECK"}
        await check(store)
        assert reasons(store) == set()
        assert reasons(store, after=HOUR - timedelta(seconds=1)) == set()
        assert reasons(store, after=HOUR) == {"NO_OPERATOR", "NO_PRECHECK"}
        assert reasons(store, after=-timedelta(seconds=1)) == {"NO_OPERATOR", "NO_PRECHECK"}
        await check(store, "valve")
        assert reasons(store) == {"PRECHECK_FAILED", "BODY_DEFECT"}
        assert reasons(store, after=HOUR) == {"NO_OPERATOR", "PRECHECK_FAILED", "BODY_DEFECT"}


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, set()),
        ({"certificate_until": START.date() - timedelta(days=1)}, {"OPERATOR_CERT"}),
        ({"certificate_until": START.date()}, set()),
        ({"certificate_until": None}, {"DATA_MISSING"}),
        ({"media": ("O2",)}, {"OPERATOR_CERT"}),
        ({"media": ()}, {"DATA_MISSING"}),
        ({"active": False}, {"NO_OPERATOR"}),
    ],
)
async def test_a_certificate_counts_as_the_list_has_it_now(
    tmp_path: Path, changes: dict[str, Any], codes: set[str]
) -> None:
    async with at_desk(tmp_path) as desk:
        await employ(desk.store, LI)
        await log_in(desk.store)
        await employ(desk.store, replace(LI, **changes))
        asks = {"operator": ASKS["operator"]}
        assert reasons(desk.store, **asks) == codes


async def test_a_rig_that_does_not_ask_asks_nobody_but_heeds_a_failed_check(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        assert reasons(desk.store, operator=None) == set()
        optional: dict[str, Any] = {
            "operator": OperatorSettings(device="card-1"),
            "precheck": PrecheckSettings(form="lpg-prefill"),
        }
        assert reasons(desk.store, **optional) == set()
        await check(desk.store, "stamp")
        assert reasons(desk.store, operator=None) == {"PRECHECK_FAILED", "STAMP_BAD"}


async def test_an_open_post_fill_check_holds_up_the_next_permit(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        data = {"net_g": 1, "postcheck": {"form": "lpg-postfill", "required": True}}
        fill = draft(data=data, counts_fill_of=LEGAL.code)
        await desk.store.append(fill)
        asks = {"postcheck": ASKS["postcheck"]}
        assert reasons(desk.store, **asks) == {"DATA_MISSING"}
        assert reasons(desk.store, postcheck=None) == set()
        later: dict[str, Any] = {
            "postcheck": PostcheckSettings(form="lpg-postfill", required=True, open_max=1)
        }
        assert reasons(desk.store, **later) == set()
        await check(desk.store, form="lpg-postfill", fill_id=fill.id)
        assert reasons(desk.store, **asks) == set()


async def test_a_check_that_is_open_goes_with_its_cylinder_to_the_gate(tmp_path: Path) -> None:
    """Rig 1 asked for it; the scan point, and a rig that asks for none, have to know."""
    async with at_desk(tmp_path) as desk:
        nobody = RIG.model_copy(update={"postcheck": PostcheckSettings(form="lpg-postfill")})
        who = Identity("one", LEGAL, uid="E2806801")

        def passes(place: str, rig: RigSettings) -> bool:
            bench = Bench(place, rig, STATION, (cn_lpg(),), (People(desk.store),))
            facts = gather(bench, who, None, START) | {"scale.net_g": 1}
            return judge(bench.packs, facts, "dispatch").allowed

        places = (("points/gate", RIG), ("rig-2", nobody))
        assert [passes(*each) for each in places] == [True, True]
        data = {"net_g": 1, "postcheck": {"form": "lpg-postfill", "required": True}}
        fill = draft(data=data, counts_fill_of=LEGAL.code)
        await desk.store.append(fill)
        assert [passes(*each) for each in places] == [False, False]
        await check(desk.store, form="lpg-postfill", fill_id=fill.id)
        assert [passes(*each) for each in places] == [True, True]


async def test_a_store_that_cannot_be_read_denies(tmp_path: Path) -> None:
    """Also at a rig that asks for nobody: a failed check, which speaks everywhere, is not seen."""
    async with at_desk(tmp_path) as desk:
        await check(desk.store, "stamp")
        with Reader.open(tmp_path / "gatewayd.db") as other:
            facts = People(other)
        for asks in (ASKS, {}):
            bench = Bench("rig-1", RIG.model_copy(update=asks), STATION, (cn_lpg(),), (facts,))
            verdict, plan = at_rig(bench, Identity("one", LEGAL), standing(), START)
            assert {found.code for found in verdict.findings} == {"STORE_UNAVAILABLE"}
            assert plan is None


async def brought(desk: Desk) -> None:
    await desk.bring()
    await desk.look()


async def test_a_card_at_the_identifying_reader_is_no_cylinder(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await employ(desk.store, LI)
        await brought(desk)
        at_ns = desk.clock.monotonic_ns()
        desk.rig.take(TagRead("gun-1", "04A1B2C3", 1, None, at_ns))
        desk.rig.take(CodeRead("qr-1", "OP 1", at_ns))
        desk.rig.take(CodeRead("qr-1", "GW:CHECK:lpg-prefill:OK", at_ns))
        desk.rig.take(CodeRead("qr-1", "gw:logout", at_ns))
        await desk.phase("permitted")


async def test_what_is_a_card_and_a_cylinder_is_neither(tmp_path: Path) -> None:
    """One list is wrong: it names nobody, and hides no second cylinder."""
    async with at_desk(tmp_path) as desk:
        await employ(desk.store, replace(LI, cards=OTHER.tag_uids))
        await desk.bring(OTHER.tag_uids[0])
        await desk.phase("refused")
        assert desk.rig.state.findings == ("AMBIGUOUS",)
        await desk.bring()
        await desk.phase("permitted")
        at_ns = desk.clock.monotonic_ns()
        desk.rig.take(TagRead("gun-1", OTHER.tag_uids[0], 1, None, at_ns))
        await desk.phase("refused")
        assert desk.kinds() == ["refusal", "not_started", "refusal"]


async def test_an_unknown_card_there_is_another_cylinder(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await brought(desk)
        desk.rig.take(TagRead("gun-1", "04A1B2C9", 1, None, desk.clock.monotonic_ns()))
        await desk.phase("refused")
        assert desk.rig.state.findings == ("AMBIGUOUS",)


async def test_records_and_the_board_say_who_was_there(tmp_path: Path) -> None:
    async with at_desk(tmp_path, operator=OperatorSettings(device="card-1")) as desk:
        await employ(desk.store, LI)
        await log_in(desk.store)
        desk.rig.people.changed()
        await brought(desk)
        await desk.phase("permitted")
        shown = desk.picture()["operator"]
        assert (shown["id"], shown["until"]) == ("op-1", "2026-08-01T13:00:00.000+08:00")
        desk.gate.start()
        await desk.phase("filling")
        desk.gate.flow(14_800)
        await desk.look()
        desk.gate.end()
        await desk.phase("locked")
        fill = desk.records()[-1]["data"]
        assert fill["operator"] == {"id": "op-1", "name": "李四", "certificate": "T-370100-1"}
        assert (fill["precheck"], fill["postcheck"], fill["batch"]) == (None, None, None)


async def test_a_notice_is_shown_and_goes(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        desk.rig.people.notice("unknown_card", Message("不在名册", "not listed"))
        await desk.look()
        assert desk.picture()["notice"]["message"] == {"zh": "不在名册", "en": "not listed"}
        await desk.look(seconds=30)
        assert desk.picture()["notice"] is None
