"""The vocabulary of records is true of the records that the rigs make."""

from typing import Any

import pytest

from gatewayd.mapping.words import KINDS, WORDS, values
from tests.mapping.records import event, fill, unauthorised

NOT_OFFERED = {
    "postcheck",
    "postfill.findings",
    "postfill.packs",
    "postfill.decision",
    "postfill",
    "verdict",
    "verdict.findings",
    "verdict.packs",
    "cylinder.seen",
    "cylinder.tag_uids",
    "operator",
    "precheck",
    "device_time",
    "fill_count",
    "overfilled_above_g",
    "underfilled_below_g",
}
"""What is in a fill and no variable: lists of objects, what is always null, and inner limits."""


def test_no_word_names_a_kind_that_is_none() -> None:
    for name, word in WORDS.items():
        assert set(word.kinds) <= set(KINDS), name


def test_everything_in_a_fill_is_a_variable_or_is_left_out_on_purpose() -> None:
    names = {name for name in _names(fill()) if name not in NOT_OFFERED}
    assert names <= WORDS.keys()
    readable = values(event("fill", fill()), frozenset(WORDS))
    known = {name for name in names if _at(fill(), name) is not None}
    assert known <= readable.keys()
    assert readable["net_g"] == 14_800
    assert readable["seconds"] == 62
    assert readable["record.kind"] == "fill"


@pytest.mark.parametrize("wrong", [True, "12", 1.5, [1], {"a": 1}, 2**64])
def test_a_value_of_another_type_is_absent(wrong: Any) -> None:
    found = values(event("fill", fill(net_g=wrong)), frozenset({"net_g"}))
    assert found == {}


@pytest.mark.parametrize("wrong", ["2026-01-01", "2026-01-01T00:00:00", "noon", 5, None])
def test_a_time_without_a_zone_is_absent(wrong: Any) -> None:
    assert values(event("fill", fill(ended_at=wrong)), frozenset({"ended_at"})) == {}


def test_a_date_is_a_whole_day_or_absent() -> None:
    data = fill()
    data["cylinder"] |= {"made_on": "2019-04", "next_inspection_on": "2027-04-30"}
    names = frozenset({"cylinder.made_on", "cylinder.next_inspection_on"})
    assert values(event("fill", data), names) == {"cylinder.next_inspection_on": "2027-04-30"}


def test_what_two_packs_say_alike_is_said_once() -> None:
    findings = [{"code": code} for code in ("OVERDUE", "NOT_OWN", "OVERDUE")]
    found = values(
        event("refusal", {"verdict": {"findings": findings}}), frozenset({"verdict.codes"})
    )
    assert found == {"verdict.codes": ["OVERDUE", "NOT_OWN"]}
    wrong = event("refusal", {"verdict": {"findings": [{"code": None}]}})
    assert values(wrong, frozenset({"verdict.codes"})) == {}


def test_gas_without_a_permit_has_no_permit() -> None:
    found = values(event("fill", unauthorised()), frozenset(WORDS))
    assert "permit_id" not in found
    assert found["outcome"] == "unauthorised"


def _names(data: dict[str, Any], before: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in data.items():
        found |= _names(value, f"{before}{key}.") if isinstance(value, dict) else {before + key}
    return found


def _at(data: Any, path: str) -> Any:
    for key in path.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data
