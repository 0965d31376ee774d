"""`gatewayd clock`: whether the clock of this machine is believed, and a person's word for it."""

from typing import Any
from zoneinfo import ZoneInfo

import click

from gatewayd.cli.common import (
    NO,
    OK,
    config_option,
    directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.cli.usage import misused
from gatewayd.clock import SystemClock
from gatewayd.errors import RejectedError
from gatewayd.ids import new_id
from gatewayd.rigs.evidence import stamp
from gatewayd.settings.load import load
from gatewayd.settings.model import Settings
from gatewayd.store import beside
from gatewayd.store.chain import Issuer
from gatewayd.store.model import RecordDraft
from gatewayd.store.reads import Reader
from gatewayd.texts import Language, text
from gatewayd.timekeeping.doubts import behind_build
from gatewayd.timekeeping.keeper import BUILT_ON, Timekeeper
from gatewayd.timekeeping.watch import explained


@click.group(invoke_without_command=True)
@lang_option
@config_option
@json_option
@click.pass_context
@reports_errors
def clock(context: click.Context, *, lang: Language | None, as_json: bool) -> None:
    """Whether the clock of this machine is believed, and why not; exit 0 it is, 1 it is not.

    \b
    gatewayd clock
    gatewayd clock accept --by "Zhang San" --reason "compared with the radio"
    """  # noqa: D301 - click wants the backspace character itself
    if context.invoked_subcommand is not None:
        return
    settings = load(directory())
    told = _picture(settings)
    if as_json:
        print_json(told)
    else:
        click.echo(_sentence(told, language(lang)))
    stop(OK if told["trusted"] else NO)


def _picture(settings: Settings) -> dict[str, Any]:
    own = SystemClock()
    with Reader.open(settings.store_path) as store:
        found = Timekeeper(own, settings.clock, store).look()
        latest_at = store.clock_mark().latest_at
    zone = ZoneInfo(settings.station.timezone)
    shows = own.wall().astimezone(zone).isoformat(timespec="seconds")
    doubt = found.doubt
    words = None if doubt is None else explained(doubt, shows)
    return {
        "trusted": doubt is None,
        "now": shows,
        "quality": found.quality,
        "synchronised": found.ntp,
        "built_on": BUILT_ON.isoformat(),
        "newest_record": None if latest_at is None else stamp(latest_at, zone),
        "doubt": None if doubt is None else doubt.kind,
        "message": None if words is None else {"zh": words.zh, "en": words.en},
    }


def _sentence(told: dict[str, Any], spoken: Language) -> str:
    if not told["trusted"]:
        return str(told["message"][spoken])
    return text(f"clock.{told['quality']}", spoken, now=told["now"])


@clock.command()
@click.option("--by", required=True, help="Who compared it.")
@click.option("--reason", required=True, help="With what, and what was wrong.")
@lang_option
@config_option
@json_option
@reports_errors
def accept(*, by: str, reason: str, lang: Language | None, as_json: bool) -> None:
    """Say that date and time of this machine are right, after comparing them with another clock.

    Older records and a clock that was set no longer speak against it; who said so is recorded. The
    running daemon believes it within seconds. A time before this program was made stays refused.

    \b
    gatewayd clock accept --by "Zhang San" --reason "set by hand, compared with the radio"
    """  # noqa: D301 - click wants the backspace character itself
    settings = load(directory())
    by, reason = by.strip(), reason.strip()
    if not by or not reason:
        raise misused("by_and_reason")
    now, zone = SystemClock().wall(), ZoneInfo(settings.station.timezone)
    if behind_build(now, BUILT_ON):
        raise RejectedError(text("clock.before_build", language(lang), now=stamp(now, zone)))
    draft = RecordDraft(
        id=new_id(),
        kind="clock",
        rig_id="",
        time=now,
        data={
            "station_id": settings.station.id,
            "event": "accepted",
            "by": by,
            "reason": reason,
            "now": stamp(now, zone),
        },
    )
    issuer = Issuer(settings.station.id, zone)
    record = beside.vouch_for_clock(
        settings.store_path, draft, issuer=issuer, quota_mb=settings.store.quota_mb
    )
    if as_json:
        print_json({"accepted": True, "sequence": record.sequence})
        return
    click.echo(text("clock.accepted", language(lang), now=stamp(now, zone)))
