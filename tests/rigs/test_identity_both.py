"""Tag and printed code must agree where a rig asks for both (issue 5.4, cylinders.md §3.2)."""

from pathlib import Path

import pytest

from drivers.contract import CodeRead, TagRead
from gatewayd.clock import SECOND
from gatewayd.rigs.assess import gather
from gatewayd.rigs.findings import reason_at_rig
from gatewayd.rigs.identity import identify
from gatewayd.rigs.model import Clash, Identity
from gatewayd.rigs.presence import Presence
from tests.rigs.bench import LEGAL, OTHER, OTHER_UID, RIG, STATION, UID, bench, standing
from tests.rigs.desk import START, at_desk
from tests.rigs.test_identity import Shelf

BOTH = RIG.model_copy(
    update={"identify": tuple(each.model_copy(update={"require": True}) for each in RIG.identify)}
)
STRANGE_TAG, STRANGE_CODE = "E280FFFF", "0110100077"


def _seen(tags: tuple[str, ...], codes: tuple[str, ...]) -> Identity:
    presence = Presence(BOTH)
    presence.weigh(standing())
    for uid in tags:
        presence.saw(TagRead("gun-1", uid, 1, None, 2 * SECOND))
    for text in codes:
        presence.saw(CodeRead("qr-1", text, 2 * SECOND))
    return identify(presence, Shelf(), region=STATION.region)


def test_both_naming_one_cylinder_agree() -> None:
    who = _seen((UID,), (LEGAL.code,))
    assert (who.status, who.cylinder, who.agrees) == ("one", LEGAL, True)
    facts = gather(bench(BOTH), who, standing(), START)
    assert facts["tag.agrees"] is True


@pytest.mark.parametrize(
    ("tag", "code", "by_uid", "by_code"),
    [
        (UID, OTHER.code, LEGAL.code, OTHER.code),
        (OTHER_UID, "0110100001", OTHER.code, LEGAL.code),
        (STRANGE_TAG, LEGAL.code, None, LEGAL.code),
        (UID, STRANGE_CODE, LEGAL.code, None),
    ],
)
def test_a_tag_and_a_label_of_two_cylinders_are_a_mismatch(
    tag: str, code: str, by_uid: str | None, by_code: str | None
) -> None:
    who = _seen((tag,), (code,))
    assert (who.status, who.cylinder, who.objection) == ("many", None, "TAG_MISMATCH")
    assert who.clash == Clash(tag, code, by_uid, by_code)
    found = reason_at_rig(who.objection, who, None)
    for message in (found.message.zh, found.message.en):
        assert tag in message
        assert code in message
    assert ("未建档" in found.message.zh) == (None in (by_uid, by_code))
    assert (found.code, found.severity) == ("TAG_MISMATCH", "deny")
    assert found.values["cylinder_of_tag"] == by_uid
    assert found.values["cylinder_of_code"] == by_code


def test_both_unknown_are_one_unknown_cylinder() -> None:
    who = _seen((STRANGE_TAG,), (STRANGE_CODE,))
    assert (who.status, who.cylinder, who.agrees) == ("one", None, False)
    assert "tag.agrees" not in gather(bench(BOTH), who, standing(), START)


@pytest.mark.parametrize(
    ("tags", "codes"),
    [
        ((UID, OTHER_UID), (LEGAL.code,)),
        ((UID,), (LEGAL.code, OTHER.code)),
        ((UID, STRANGE_TAG), (LEGAL.code,)),
        ((STRANGE_TAG, "E280EEEE"), (LEGAL.code,)),
        (("E2806899",), (LEGAL.code,)),
        ((UID,), (STRANGE_CODE, "0110100078")),
    ],
)
def test_two_tags_or_two_labels_stay_ambiguous(
    tags: tuple[str, ...], codes: tuple[str, ...]
) -> None:
    who = _seen(tags, codes)
    assert (who.status, who.clash, who.objection) == ("many", None, "AMBIGUOUS")


def test_a_label_told_in_two_spellings_is_one_label() -> None:
    who = _seen((OTHER_UID,), ("0110100001", LEGAL.code))
    assert who.objection == "TAG_MISMATCH"


def test_a_rig_that_asks_for_one_of_them_says_ambiguous_as_before() -> None:
    presence = Presence(RIG)
    presence.weigh(standing())
    presence.saw(TagRead("gun-1", UID, 1, None, 2 * SECOND))
    presence.saw(CodeRead("qr-1", OTHER.code, 2 * SECOND))
    assert identify(presence, Shelf(), region=STATION.region).objection == "AMBIGUOUS"


async def test_a_rig_refuses_a_mismatch_and_opens_nothing(tmp_path: Path) -> None:
    async with at_desk(tmp_path, identify=BOTH.identify) as desk:
        await desk.bring(UID)
        await desk.phase("identifying")
        desk.rig.take(CodeRead("qr-1", OTHER.code, desk.clock.monotonic_ns()))
        await desk.phase("refused")
        await desk.until(lambda: bool(desk.records()))
        (refusal,) = desk.records()
        (finding,) = refusal["data"]["verdict"]["findings"]
        assert finding["code"] == "TAG_MISMATCH"
        assert refusal["data"]["cylinder"]["seen"] == [UID, OTHER.code]
        assert desk.picture()["findings"][0]["code"] == "TAG_MISMATCH"
        assert desk.gate.orders == []


async def test_a_rig_permits_when_both_agree(tmp_path: Path) -> None:
    async with at_desk(tmp_path, identify=BOTH.identify) as desk:
        await desk.bring(UID)
        await desk.phase("identifying")
        desk.rig.take(CodeRead("qr-1", "0110100001", desk.clock.monotonic_ns()))
        await desk.phase("permitted")
        assert len(desk.gate.orders) == 1
