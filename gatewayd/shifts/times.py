"""When shifts begin, by the station's wall clock. Pure; a day may have 23 or 25 hours."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def begun_at(starts: Sequence[str], zone: ZoneInfo, now: datetime) -> datetime:
    """When the shift of `now` began, UTC. `starts` are times of a day such as 08:00, not empty.

    A time that the clocks skip begins as far behind the skip; one they show twice, the first time.
    """
    assert starts, "no shift ever begins"
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=days) for days in (-1, 0, 1))
    return max(at for day in days for at in _begins(starts, zone, day) if at <= now)


def _begins(starts: Sequence[str], zone: ZoneInfo, day: date) -> list[datetime]:
    local = (datetime.combine(day, time.fromisoformat(start), tzinfo=zone) for start in starts)
    return [at.astimezone(UTC) for at in local]
