"""Facts: one typed table, read from text and JSON, with the end of life derived."""

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewayd.store.model import Cylinder
from rules_engine.facts import FACTS, INT_MAX, derive, from_json, group, life_ends_on, parse, sound

COLUMNS = set(
    re.findall(
        r"\w+",
        "code tag_uids serial_no maker owner model medium water_capacity_ml stamped_tare_g "
        "allowed_net_g made_on scrap_on life_extended_to last_inspection_on next_inspection_on "
        "design_standard design_life_years inspection_result status hold fills_allowed fills_done "
        "refurbished screw_shroud embossed_mark",
    )
)
NO_COLUMN = {"kind", "working_pressure_kpa", "registered", "maker_licensed", "taxi"}
"""Facts that the archive of contract §9 has no column for: `--set`, and later sources."""


def test_every_archive_column_is_a_fact_and_the_rest_is_derived() -> None:
    assert set(Cylinder.__dataclass_fields__) >= COLUMNS
    columns = {name.removeprefix("cylinder.") for name in FACTS if name.startswith("cylinder.")}
    assert columns >= COLUMNS
    assert {
        name for name in columns - COLUMNS if not FACTS[f"cylinder.{name}"].derived
    } == NO_COLUMN


def test_every_fact_is_described_in_both_languages() -> None:
    for name, fact in FACTS.items():
        assert re.search(r"[\u4e00-\u9fff]", fact.doc.zh), name
        assert fact.doc.en.isascii(), name


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("code.known", "true", True),
        ("code.known", "false", False),
        ("cylinder.fills_done", "12", 12),
        ("scale.tare_g", "-3", -3),
        ("cylinder.owner", " 3701000042 ", "3701000042"),
        ("cylinder.next_inspection_on", "2026-07-01", date(2026, 7, 1)),
        ("cylinder.next_inspection_on", "2024-02", date(2024, 2, 29)),
        ("cylinder.next_inspection_on", "2026-12", date(2026, 12, 31)),
        ("station.owners", "a; b ;", ("a", "b")),
        ("cylinder.medium", "LPG", "LPG"),
        ("cylinder.owner", "", None),
    ],
)
def test_set_reads_text_by_the_type_of_the_fact(name: str, text: str, value: object) -> None:
    assert parse(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("cylinder.next_inspektion_on", "2026-07-01", "did you mean 'cylinder.next_inspection_on'"),
        ("owner", "x", "did you mean 'cylinder.owner'"),
        ("zzz", "x", "one of cylinder.code"),
        ("code.known", "yes", "true or false"),
        ("cylinder.fills_done", "1.5", "a whole number"),
        ("cylinder.fills_done", "٣", "a whole number"),
        ("cylinder.fills_done", str(INT_MAX + 1), "a whole number"),
        ("cylinder.water_capacity_ml", "35,5", "a whole number ml"),
        ("cylinder.status", "inuse", "did you mean 'in_use'"),
        ("cylinder.scrap_on", "2026-02-30", "no such day"),
        ("cylinder.scrap_on", "2026-13", "no such day"),
        ("cylinder.scrap_on", "01.07.2026", "YYYY-MM"),
        ("cylinder.scrap_on", "20260701", "YYYY-MM"),
        ("cylinder.owner", "\udcff", "half a character"),
        ("station.owners", "a;\udcff", "half a character"),
        ("cylinder.life_ends_on", "2026-07-01", "enter life_extended_to"),
    ],
)
def test_a_wrong_set_says_what_was_expected(name: str, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse(name, text)


@given(st.sampled_from(sorted(FACTS)), st.text(max_size=12))
def test_whatever_is_set_is_sound_or_refused(name: str, text: str) -> None:
    try:
        value = parse(name, text)
    except ValueError:
        return
    assert value is None or sound(FACTS[name].type, value)


def test_an_archive_entry_becomes_facts() -> None:
    entry = Cylinder("1", tag_uids=("E200",), scrap_on=date(2030, 1, 1), refurbished=False)
    assert group("cylinder", entry.known()) == {
        "cylinder.code": "1",
        "cylinder.tag_uids": ("E200",),
        "cylinder.scrap_on": date(2030, 1, 1),
        "cylinder.refurbished": False,
    }


@pytest.mark.parametrize("value", [True, 1.5, "1", None, [1]])
def test_a_value_of_another_type_is_no_whole_number(value: object) -> None:
    with pytest.raises(ValueError, match="is int"):
        from_json("cylinder.fills_done", value)


def test_a_time_of_day_is_no_date() -> None:
    assert not sound("date", datetime(2026, 7, 1, tzinfo=UTC))
    assert not sound("text", "3701\x00000042")  # CEL would compare 3701


DAY = date(2018, 7, 1)


@pytest.mark.parametrize(
    ("columns", "ends_on"),
    [
        ({}, None),
        ({"made_on": DAY}, None),
        ({"design_life_years": 8}, None),
        ({"made_on": DAY, "design_life_years": 8}, date(2026, 7, 1)),
        ({"made_on": date(2016, 2, 29), "design_life_years": 15}, date(2031, 2, 28)),
        ({"made_on": date(2016, 2, 29), "design_life_years": 12}, date(2028, 2, 29)),
        ({"scrap_on": date(2030, 1, 1)}, date(2030, 1, 1)),
        ({"scrap_on": date(2030, 1, 1), "made_on": DAY}, date(2030, 1, 1)),
        (
            {"scrap_on": date(2030, 1, 1), "made_on": DAY, "design_life_years": 8},
            date(2026, 7, 1),
        ),
        (
            {"scrap_on": date(2025, 1, 1), "made_on": DAY, "design_life_years": 8},
            date(2025, 1, 1),
        ),
        (
            {"life_extended_to": date(2031, 1, 1), "scrap_on": date(2025, 1, 1)},
            date(2031, 1, 1),
        ),
        (
            {"life_extended_to": date(2020, 1, 1), "scrap_on": date(2025, 1, 1)},
            date(2020, 1, 1),
        ),
        ({"made_on": DAY, "design_life_years": 8_000}, None),
        ({"made_on": DAY, "design_life_years": -1}, None),
    ],
)
def test_life_ends_as_the_contract_says(columns: dict[str, Any], ends_on: date | None) -> None:
    facts = {f"cylinder.{name}": value for name, value in columns.items()}
    assert life_ends_on(facts) == ends_on
    assert derive(facts).get("cylinder.life_ends_on") == ends_on


@pytest.mark.parametrize(
    ("day", "today", "years"),
    [
        (DAY, DAY, 0),
        (DAY, date(2018, 7, 2), 1),
        (DAY, date(2022, 6, 30), 4),
        (DAY, date(2022, 7, 1), 4),
        (DAY, date(2022, 7, 2), 5),
        (date(2024, 2, 29), date(2027, 2, 28), 3),
        (date(2024, 2, 29), date(2027, 3, 1), 4),
        (date(2024, 2, 29), date(2028, 2, 28), 4),
        (date(2024, 2, 29), date(2028, 2, 29), 4),
        (date(2024, 2, 29), date(2028, 3, 1), 5),
        (DAY, date(2018, 6, 30), None),
        (DAY, None, None),
        (None, DAY, None),
    ],
)
def test_years_begun_change_on_the_day_after(
    day: date | None, today: date | None, years: int | None
) -> None:
    facts = derive(
        {"cylinder.made_on": day, "cylinder.last_inspection_on": day, "clock.today": today}
    )
    assert facts.get("cylinder.age_years") == years
    assert facts.get("cylinder.inspection_age_years") == years


def test_a_changed_base_fact_changes_what_was_derived_before() -> None:
    before = derive({"cylinder.scrap_on": DAY})
    after = derive({**before, "cylinder.scrap_on": date(2030, 1, 1)})
    assert after["cylinder.life_ends_on"] == date(2030, 1, 1)
    assert "cylinder.life_ends_on" not in derive({**before, "cylinder.scrap_on": None})


def test_no_count_of_fills_is_zero_for_a_known_cylinder_only() -> None:
    assert derive({"code.known": True})["cylinder.fills_done"] == 0
    assert derive({"code.known": True, "cylinder.fills_done": 7})["cylinder.fills_done"] == 7
    assert "cylinder.fills_done" not in derive({"code.known": False})
