"""A rig that asks for a voucher fills nothing without a yes, whatever its packs say."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gatewayd.rigs.assess import assess, gather
from gatewayd.rigs.attended import lacking
from gatewayd.rigs.model import Identity
from gatewayd.rigs.vouched import CODE, Answer, Vouchers, record
from gatewayd.settings.vouchers import OfflineVoucherSettings, VoucherSettings
from rules_engine.verdict import Verdict
from tests.rigs.bench import LEGAL, OTHER, QUIET, bench
from tests.support.stores import NOON, ZONE

WHO = Identity("one", LEGAL, uid="E2806801")
ASKED = VoucherSettings(upstream="city", within_s=5)
LENIENT = OfflineVoucherSettings(
    allow_until="2026-12-31", reason="the line is cut by road works", approved_by="李四"
)
STANDING = replace(QUIET, cylinder_on=True, stable=True, gross_g=16_600)
SILENT = Answer(valid=False, reason="no answer within 5 s", offline=True)


class Rig:
    """One rig's bench with its vouchers, and no packs that speak of them when told so."""

    def __init__(self, settings: VoucherSettings | None = ASKED, *, packs: bool = True) -> None:
        made = bench()
        self.vouchers = Vouchers()
        rig = made.rig.model_copy(update={"voucher": settings})
        self.bench = replace(
            made, rig=rig, sources=(self.vouchers,), packs=made.packs if packs else ()
        )

    def judge(self, who: Identity = WHO, at: datetime = NOON, **facts: Any) -> Verdict:
        return assess(self.bench, gather(self.bench, who, STANDING, at) | facts)[0]

    def answer(self, answer: Answer) -> None:
        (ask,) = self.vouchers.waiting()
        assert self.vouchers.answered(ask, answer, NOON)

    def record(self, who: Identity = WHO) -> dict[str, Any]:
        rig = self.bench
        return record(rig.rig_id, rig.rig, rig.sources, who, ZONE)


def codes(verdict: Verdict, severity: str = "deny") -> list[str]:
    return [each.code for each in verdict.findings if each.severity == severity]


def test_a_rig_that_asks_for_none_is_asked_for_none() -> None:
    rig = Rig(None)
    assert rig.judge().allowed
    assert list(rig.vouchers.waiting()) == []
    assert rig.record() == {}


@pytest.mark.parametrize("packs", [True, False])
def test_nothing_is_filled_before_the_platform_has_answered(packs: bool) -> None:  # noqa: FBT001 - a parameter of the test
    rig = Rig(packs=packs)
    verdict = rig.judge()
    if packs:
        assert codes(verdict) == [CODE]
        assert lacking(verdict) == ("voucher",)
    assert not verdict.allowed


def test_it_is_asked_once_for_a_presence_and_again_for_the_next() -> None:
    rig = Rig()
    for _ in range(3):
        rig.judge()
    (ask,) = rig.vouchers.waiting()
    assert (ask.code, list(rig.vouchers.waiting())) == (LEGAL.code, [])
    rig.vouchers.answered(ask, Answer(valid=True, number="7", code="200"), NOON)
    assert rig.judge().allowed
    assert list(rig.vouchers.waiting()) == []
    rig.vouchers.only({rig.bench.rig_id: LEGAL.code})
    assert rig.judge().allowed
    rig.vouchers.only({rig.bench.rig_id: None})
    assert not rig.judge().allowed
    (again,) = rig.vouchers.waiting()
    assert again.id != ask.id


def test_an_answer_for_a_cylinder_that_left_is_nobodys() -> None:
    rig = Rig()
    rig.judge()
    (ask,) = rig.vouchers.waiting()
    rig.judge(Identity("one", OTHER, uid="E2"))
    assert not rig.vouchers.answered(ask, Answer(valid=True), NOON)
    assert not rig.judge(Identity("one", OTHER, uid="E2")).allowed


def test_a_yes_is_kept_in_the_record_with_its_number() -> None:
    rig = Rig()
    assert rig.judge().allowed is False
    assert rig.record()["voucher"]["valid"] is None
    rig.answer(Answer(valid=True, number="1d32", code="200", reason="code 200"))
    assert codes(rig.judge()) == []
    assert rig.record()["voucher"] == {
        "upstream": "city",
        "valid": True,
        "number": "1d32",
        "code": "200",
        "reason": "code 200",
        "asked_at": "2026-08-01T12:00:00.000+08:00",
        "answered_at": "2026-08-01T12:00:00.000+08:00",
        "offline": False,
    }
    assert rig.record(Identity("one", OTHER))["voucher"]["valid"] is None


def test_a_no_is_a_refusal_with_the_platforms_reasons() -> None:
    rig = Rig()
    rig.judge()
    rig.answer(Answer(valid=False, reason="code 206: 超期未检", code="206", codes=("OVERDUE",)))
    verdict = rig.judge()
    assert codes(verdict) == [CODE, "OVERDUE"]
    assert lacking(verdict) == ()
    for found in verdict.findings:
        assert "code 206: 超期未检" in found.message.zh
        assert "code 206: 超期未检" in found.message.en
    assert verdict.findings[1].rule == "platform.overdue"


def test_a_pack_without_the_rule_changes_nothing() -> None:
    """`checks.voucher_valid` is false and no pack speaks of it: the rig does."""
    rig = Rig()
    rig.judge()
    rig.answer(SILENT)
    told = tuple(
        replace(pack, rules=tuple(rule for rule in pack.rules if rule.code != CODE))
        for pack in rig.bench.packs
    )
    rig.bench = replace(rig.bench, packs=told)
    verdict = rig.judge()
    assert codes(verdict) == [CODE]
    assert "no answer within 5 s" in verdict.findings[0].message.en


@pytest.mark.parametrize(
    ("answer", "at", "allowed"),
    [
        (SILENT, NOON, True),
        (SILENT, datetime(2026, 12, 31, 15, 59, tzinfo=UTC), True),
        (SILENT, datetime(2026, 12, 31, 16, 1, tzinfo=UTC), False),
        (Answer(valid=False, reason="code 206", code="206"), NOON, False),
        (Answer(valid=False, reason="upstream city cannot be asked"), NOON, False),
    ],
)
def test_a_site_goes_on_without_the_platform_only_in_writing(
    answer: Answer,
    at: datetime,
    allowed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    rig = Rig(ASKED.model_copy(update={"offline": LENIENT}))
    far: dict[str, Any] = {"cylinder.next_inspection_on": datetime(2030, 1, 1, tzinfo=UTC).date()}
    rig.judge(at=at, **far)
    rig.answer(answer)
    verdict = rig.judge(at=at, **far)
    assert verdict.allowed is allowed, codes(verdict)
    if allowed:
        (found,) = [each for each in verdict.findings if each.code == CODE]
        assert (found.severity, found.rule) == ("warn", "site.voucher_invalid")
        for words in ("the line is cut by road works", "李四", "2026-12-31", answer.reason):
            assert words in found.message.zh
            assert words in found.message.en
        assert rig.record()["voucher"]["offline"] is True
        assert rig.record()["voucher"]["valid"] is False


def test_in_theory_nobody_is_asked() -> None:
    """`gatewayd verdict`, and a fill that is over: nothing stands there."""
    rig = Rig()
    gather(rig.bench, WHO, None, NOON)
    assert list(rig.vouchers.waiting()) == []
    assert not assess(rig.bench, gather(rig.bench, WHO, STANDING, NOON))[0].allowed
    given = gather(replace(rig.bench, sources=()), WHO, STANDING, NOON)
    assert assess(rig.bench, given | {"checks.voucher_valid": True})[0].allowed
