"""What a record's `data` holds (contract §7)."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gatewayd.rigs import evidence
from gatewayd.rigs.findings import finding
from gatewayd.rigs.model import NOBODY, Ending, Identity
from rules_engine.verdict import Verdict
from tests.rigs.bench import LEGAL, QUIET, planned
from tests.support.stores import NOON, ZONE, permit

FILL_KEYS = frozenset(
    re.findall(
        r"\w+",
        "station_id rig_id cylinder batch operator permit_id permit_no verdict precheck postcheck "
        "tare_stamped_g tare_g residual_g target_g gross_end_g net_g started_at ended_at seconds "
        "outcome end_reason total_before_g total_after_g device_time time_quality fill_count",
    )
)
CYLINDER_KEYS = frozenset(
    re.findall(
        r"\w+",
        "code tag_uid serial_no owner medium model water_capacity_ml next_inspection_on",
    )
)
MASSES = {key for key in FILL_KEYS if key.endswith("_g")}
WHO = Identity("one", LEGAL, uid="e2:80:68:01", code="0110100001")
DENIED = Verdict("deny", (finding("AMBIGUOUS", seen="A, B"),), ())
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+08:00\Z")


def fill(started_at: datetime | None = NOON) -> dict[str, Any]:
    base = evidence.judged("3701000042", "rig-1", WHO, Verdict("allow", (), ()))
    judged = evidence.permitted(base, WHO, planned(16_600, 100, 14_810, 31_510), "gate-1")
    ending = Ending(
        outcome="completed",
        resolution="posted",
        end_reason="target",
        net_g=14_800,
        gross_end_g=31_400,
        total_after_g=15_800,
        mismatch_g=0,
        stray_g=0,
        started_at=started_at,
        ended_at=NOON,
        seconds=61.5,
    )
    return evidence.filled(replace(permit(), judged=judged), ending, ZONE)


def unauthorised(who: Identity) -> dict[str, Any]:
    base = evidence.judged("3701000042", "rig-1", who, None)
    at = evidence.stamp(NOON, ZONE)
    return evidence.unauthorised(base, QUIET, net_g=500, before_g=500, ended_at=at)


@pytest.mark.parametrize("data", [fill(), unauthorised(WHO)], ids=["fill", "unauthorised"])
def test_a_fill_has_every_key_of_the_contract(data: dict[str, Any]) -> None:
    assert FILL_KEYS - set(data) == set()
    assert CYLINDER_KEYS - set(data["cylinder"]) == set()


def test_every_kind_of_fill_has_the_same_keys() -> None:
    assert set(fill()) == set(unauthorised(NOBODY))


def test_a_refusal_has_identity_and_verdict_and_no_masses() -> None:
    data = evidence.judged("3701000042", "rig-1", WHO, DENIED)
    assert not MASSES & set(data)
    assert set(data) <= FILL_KEYS
    assert data["cylinder"]["code"] == LEGAL.code
    assert data["verdict"]["decision"] == "deny"
    assert data["verdict"]["findings"][0]["code"] == "AMBIGUOUS"


def test_the_cylinder_is_told_as_judged_and_as_identified() -> None:
    shown = evidence.shown(WHO)
    assert (shown["code"], shown["tag_uid"]) == (LEGAL.code, "e2:80:68:01")
    assert (shown["next_inspection_on"], shown["owner"]) == ("2027-01-01", LEGAL.owner)
    assert (shown["water_capacity_ml"], shown["serial_no"]) == (35_500, None)


def test_nobody_known_is_told_by_what_was_seen() -> None:
    shown = evidence.shown(Identity("many", shown=("A", "B")))
    assert (shown["code"], shown["tag_uid"], shown["seen"]) == (None, None, ["A", "B"])
    assert evidence.shown(Identity("one", None, uid="AA", code="C"))["code"] == "C"


def test_times_carry_the_offset_of_the_station() -> None:
    data = fill()
    for key in ("issued_at", "started_at", "ended_at"):
        assert RFC3339.match(data[key]), (key, data[key])
    assert data["ended_at"] == "2026-08-01T12:00:00.000+08:00"
    assert evidence.stamp(datetime(2026, 1, 1, tzinfo=UTC), ZONE).startswith("2026-01-01T08:00")


def test_a_start_that_nobody_saw_is_unknown() -> None:
    assert fill(started_at=None)["started_at"] is None
