"""When a shift began, on every day of the year, with clocks that are set."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewayd.shifts.times import begun_at

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def _at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("now", "begun"),
    [
        ("2026-08-01 07:59:59", "2026-07-31 20:00"),
        ("2026-08-01 08:00:00", "2026-08-01 08:00"),
        ("2026-08-01 19:59:59", "2026-08-01 08:00"),
        ("2026-08-01 20:00:00", "2026-08-01 20:00"),
        ("2026-01-01 00:00:00", "2025-12-31 20:00"),
    ],
)
def test_a_shift_begins_by_the_clock_on_the_wall(now: str, begun: str) -> None:
    assert begun_at(("08:00", "20:00"), SHANGHAI, _at(now)) == _at(begun)


@pytest.mark.parametrize(
    ("utc", "begun"),
    [
        ("2026-03-29 00:59", "2026-03-28 01:30+00:00"),  # 01:59 in Berlin; 02:30 does not exist
        ("2026-03-29 01:30", "2026-03-29 01:30+00:00"),  # 03:30: as far behind the skip
        ("2026-10-25 00:30", "2026-10-25 00:30+00:00"),  # the first 02:30
        ("2026-10-25 01:30", "2026-10-25 00:30+00:00"),  # the second is the same shift
    ],
)
def test_a_time_that_is_skipped_or_shown_twice_begins_one_shift(utc: str, begun: str) -> None:
    now = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert begun_at(("02:30",), BERLIN, now) == datetime.fromisoformat(begun)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - made aware below
    st.lists(st.times().map(lambda t: f"{t:%H:%M}"), min_size=1, max_size=4, unique=True),
    st.sampled_from(("Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe")),
)
def test_the_last_shift_began_within_a_day_and_does_not_jump_back(
    moment: datetime, starts: list[str], name: str
) -> None:
    now, zone = moment.replace(tzinfo=UTC), ZoneInfo(name)
    begun = begun_at(sorted(starts), zone, now)
    assert timedelta(0) <= now - begun <= timedelta(hours=25)
    assert begun_at(sorted(starts), zone, begun) == begun
    assert begun_at(sorted(starts), zone, now + timedelta(minutes=1)) >= begun
