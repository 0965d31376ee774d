"""What speaks against a clock: the table around every limit, both ways."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewayd.clock import SECOND
from gatewayd.timekeeping.doubts import STEP_S_MIN, Doubt, Known, Limits, Look, doubt, step_s
from rules_engine.clock_words import DOUBTS
from rules_engine.vocabulary import CLOCK_DOUBTS

BUILT = date(2026, 7, 1)
NOON = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
LATEST = NOON - timedelta(hours=1)
SET = Limits(jump_s_max=120, require_ntp=False)
STRICT = Limits(jump_s_max=120, require_ntp=True)


def known(
    *, latest_at: datetime | None = LATEST, moved_s: float = 0.0, ntp: bool | None = False
) -> Known:
    return Known(BUILT, latest_at, moved_s, ntp)


def kind(found: Doubt | None) -> str | None:
    return None if found is None else found.kind


@pytest.mark.parametrize(
    ("wall", "wanted"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), "before_build"),
        (datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC), "before_build"),
        (datetime(2026, 7, 1, tzinfo=UTC), None),
        (datetime(2026, 7, 1, 7, 59, tzinfo=timezone(timedelta(hours=8))), "before_build"),
        (datetime(2026, 7, 1, 8, 0, tzinfo=timezone(timedelta(hours=8))), None),
    ],
)
def test_no_clock_is_right_before_the_program_was_made(wall: datetime, wanted: str | None) -> None:
    assert kind(doubt(wall, known(latest_at=None), SET)) == wanted


@pytest.mark.parametrize(
    ("behind_s", "wanted"),
    [
        (-3_600, None),
        (0, None),
        (120, None),
        (120.001, "before_last_record"),
        (86_400, "before_last_record"),
    ],
)
def test_a_clock_may_lag_behind_the_newest_record_by_the_limit(
    behind_s: float, wanted: str | None
) -> None:
    found = doubt(LATEST - timedelta(seconds=behind_s), known(), SET)
    assert kind(found) == wanted
    if found is not None:
        assert found.against == "2026-08-01T11:00:00+00:00"


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("moved_s", "wanted"), [(0, None), (120, None), (120.5, "jumped")])
def test_a_clock_may_be_set_by_the_limit_either_way(
    sign: int, moved_s: float, wanted: str | None
) -> None:
    found = doubt(NOON, known(moved_s=sign * moved_s), SET)
    assert kind(found) == wanted
    if found is not None:
        assert found.against[0] == "+-"[sign < 0]


@pytest.mark.parametrize(
    ("ntp", "limits", "wanted"),
    [
        (True, SET, None),
        (False, SET, None),
        (None, SET, None),
        (True, STRICT, None),
        (False, STRICT, "not_synchronised"),
        (None, STRICT, "not_synchronised"),
    ],
)
def test_a_time_server_is_needed_only_where_it_is_asked_for(
    *, ntp: bool | None, limits: Limits, wanted: str | None
) -> None:
    assert kind(doubt(NOON, known(ntp=ntp), limits)) == wanted


def test_the_gravest_reason_is_told() -> None:
    everything = known(moved_s=999, ntp=None)
    assert kind(doubt(datetime(2000, 1, 1, tzinfo=UTC), everything, STRICT)) == "before_build"
    assert kind(doubt(LATEST - timedelta(days=1), everything, STRICT)) == "before_last_record"
    assert kind(doubt(NOON, everything, STRICT)) == "jumped"


def test_every_reason_has_its_words() -> None:
    assert set(DOUBTS) == CLOCK_DOUBTS
    for words in DOUBTS.values():
        assert words.zh
        assert words.en


def look(wall_s: float, ran_s: float) -> Look:
    return Look(NOON + timedelta(seconds=wall_s), round((1_000 + ran_s) * SECOND))


@given(st.floats(0, 1e6), st.floats(-0.9, 0.9))
def test_a_clock_that_runs_or_is_slewed_or_sleeps_was_not_set(
    ran_s: float, slewed_s: float
) -> None:
    assert step_s(look(0, 0), look(ran_s + slewed_s, ran_s)) == 0.0


@given(st.floats(0, 1e6), st.floats(STEP_S_MIN + 0.001, 1e8), st.sampled_from([1, -1]))
def test_a_step_is_measured_whatever_time_passed(ran_s: float, step: float, sign: int) -> None:
    found = step_s(look(0, 0), look(ran_s + sign * step, ran_s))
    assert found == pytest.approx(sign * step, abs=0.01)
