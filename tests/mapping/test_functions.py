"""Functions of mappings: exact, in one zone, and an error where nothing exact can be said."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewayd.mapping.functions import (
    USES,
    day,
    decimal,
    formatted,
    functions,
    left,
    lookup,
    pad,
    rounded,
    wrong_pattern,
)
from gatewayd.mapping.json_text import dumps

HOME = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 7, 9, 18, 0, 5, 512_000, UTC)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("yyyy-MM-dd HH:mm:ss", "2026-07-10 02:00:05"),
        ("yyyyMMddHHmmss", "20260710020005"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSZZ", "2026-07-10T02:00:05.512+08:00"),
        ("yy/MM", "26/07"),
        ("HH'h'''", "02h'"),
        ("", ""),
    ],
)
def test_a_time_by_a_pattern(pattern: str, text: str) -> None:
    assert formatted(AT, pattern, HOME) == text


@pytest.mark.parametrize("pattern", ["YYYY-MM-DD", "yyyy-mm-dd hh", "EEE"])
def test_letters_that_mean_something_elsewhere_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="in a pattern"):
        formatted(AT, pattern, HOME)
    assert wrong_pattern(f"format(ended_at, '{pattern}')")


@given(st.integers(-(10**9), 7 * 10**9))
def test_a_written_time_reads_back_as_the_same_moment(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    text = formatted(moment, "yyyy-MM-dd'T'HH:mm:ss.SSSZZ", HOME)
    assert abs(datetime.fromisoformat(text) - moment) < timedelta(milliseconds=1)


@given(st.integers(-(10**15), 10**15), st.integers(0, 6))
def test_a_decimal_is_exact(number: int, digits: int) -> None:
    text = decimal(number, digits)
    assert Decimal(text) * 10**digits == number
    assert "e" not in text.lower()
    assert not text.endswith(".")


@given(st.integers(-(10**9), 10**9), st.integers(0, 6), st.integers(0, 4))
def test_a_rounded_one_has_its_places_and_is_near(number: int, digits: int, places: int) -> None:
    text = rounded(number, digits, places)
    assert len(text.partition(".")[2]) == places
    assert abs(Decimal(text) * 10**digits - number) * 2 <= Decimal(10) ** (digits - places)


def test_half_is_rounded_up_as_people_do() -> None:
    assert rounded(14_485, 3, 2) == "14.49"
    assert rounded(-14_485, 3, 2) == "-14.49"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_json_text_is_json(value: object) -> None:
    assert json.loads(dumps(value)) == value


def test_a_decimal_in_json_is_a_number_as_it_was_written() -> None:
    assert dumps({"qty": Decimal("14.50"), "l": [Decimal("1E+3")]}) == '{"qty":14.50,"l":[1000]}'


def test_a_code_that_is_not_in_its_table_is_an_error() -> None:
    assert lookup({"LPG": "01"}, "LPG") == "01"
    with pytest.raises(ValueError, match="no code for 'O2'; the table has LPG"):
        lookup({"LPG": "01"}, "O2")


def test_what_does_not_fit_is_an_error() -> None:
    assert pad(7, 3) == "007"
    assert day("2026-04-30", "yyyyMM") == "202604"
    assert left("abc", 2) == "ab"
    for number in (1000, -1):
        with pytest.raises(ValueError, match="does not fit"):
            pad(number, 3)
    with pytest.raises(ValueError, match="2026-02-30"):
        day("2026-02-30", "yyyy")
    with pytest.raises(ValueError, match="expected"):
        left("a", -1)
    with pytest.raises(ValueError, match="expected"):
        decimal(1, -1)
    with pytest.raises(ValueError, match="expected"):
        rounded(1, 3, 99)


def test_the_guide_names_every_function() -> None:
    assert {function.name for function in functions(HOME)} == USES.keys()
