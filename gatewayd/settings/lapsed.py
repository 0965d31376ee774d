"""What a site was allowed only through a day that is over: said by who checks on any later day.

Reading a configuration knows no day; whoever asks on one day sees what counts on it.
"""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from gatewayd.settings.library import loosening
from gatewayd.settings.load import Examined
from gatewayd.settings.model import Settings
from gatewayd.settings.sections import unconfirmed
from protocols.documents import Problem

_ANEW = "remove it, or have it approved anew"


def warnings(examined: Examined, wall: datetime) -> tuple[Problem, ...]:
    """The warnings as they are true at `wall` (aware): what is over loosens nothing any more."""
    settings = examined.settings
    if settings is None:
        return examined.warnings
    day = wall.astimezone(ZoneInfo(settings.station.timezone)).date()
    over = {
        loosening(pack, each).what: f"{pack.id}: the override of {each.rule} ended on "
        f"{each.until.isoformat()}: the rule of law counts again; approved by {each.approved_by}"
        for pack in settings.packs.values()
        for each in pack.ref.overrides
        if not each.in_force(day)
    } | _archive(settings, day)
    return tuple(
        replace(each, what=over[each.what], expected="", hint=_ANEW) if each.what in over else each
        for each in examined.warnings
    )


def _archive(settings: Settings, day: date) -> dict[str, str]:
    """A site that went on with a stale archive in writing, through a day that is over."""
    how = settings.archive.offline
    if how.last_day is None or day <= how.last_day:
        return {}
    said = f"archive.offline: stale: warn ended on {how.until}: a stale archive refuses again"
    return {unconfirmed(settings.archive): f"{said}; approved by {how.approved_by}"}
