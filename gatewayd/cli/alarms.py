"""`gatewayd alarms`: what stands, what it means and what to do; and to answer for it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from gatewayd.alarms import words
from gatewayd.alarms.catalogue import KINDS
from gatewayd.cli.common import (
    NO,
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
from gatewayd.settings.site import load_site
from gatewayd.store import beside
from gatewayd.store.chain import Issuer
from gatewayd.store.model import StoredAlarm
from gatewayd.store.reads import Reader
from gatewayd.texts import Language, text


@click.group(invoke_without_command=True)
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@lang_option
@config_option
@json_option
@click.pass_context
@reports_errors
def alarms(ctx: click.Context, *, every: bool, lang: Language | None, as_json: bool) -> None:
    """Show the alarms that stand, each with its cause and what to do.

    \b
    gatewayd alarms
    gatewayd alarms --all --json
    gatewayd alarms ack unauthorised_flow rig-1 --by 王工 --note "valve seat changed"
    """  # noqa: D301 - click wants the backspace character itself
    if ctx.invoked_subcommand is not None:
        return
    settings = load_site(directory())
    with Reader.open(settings.store_path) as store:
        found = store.alarms(standing=not every)
    zone = ZoneInfo(settings.station.timezone)
    if as_json:
        print_json({"alarms": [_as_json(alarm, zone) for alarm in found]})
    else:
        _show(found, zone, language(lang))


def _as_json(alarm: StoredAlarm, zone: ZoneInfo) -> dict[str, Any]:
    if alarm.kind in KINDS:
        shown = words.picture(alarm, zone, gone_at=None)
        return {key: value for key, value in shown.items() if key != "gone_at"}
    known = asdict(alarm)
    return {key: str(v) if isinstance(v, datetime) else v for key, v in known.items()}


def _show(found: Sequence[StoredAlarm], zone: ZoneInfo, lang: Language) -> None:
    for alarm in found:
        seen = _as_json(alarm, zone)
        times = seen.get("since") or seen["raised_at"]
        over = f" - {seen['cleared_at']}" if seen["cleared_at"] else ""
        severity = text(f"severity.{alarm.severity}", lang)
        click.echo(f"{severity:<8} {alarm.kind} {alarm.subject}  {times}{over}")
        for key in ("title", "cause", "todo"):
            if key in seen:
                click.echo(f"         {seen[key][lang]}")
        detail = f"{alarm.detail}  " if alarm.detail else ""
        click.echo(f"         {detail}x{alarm.count}{_answer(seen)}")
    click.echo(text("alarms.count", lang, count=len(found)), err=True)


def _answer(seen: dict[str, Any]) -> str:
    answer = seen.get("acknowledged")
    return f"  {answer['by']} {answer['at']} {answer['note']}" if answer else ""


@alarms.command()
@click.argument("kind")
@click.argument("subject")
@click.option("--by", required=True, metavar="NAME", help="Who answers for it.")
@click.option("--note", default="", help="What was found and done.")
@lang_option
@config_option
@json_option
@reports_errors
def ack(
    kind: str, subject: str, *, by: str, note: str, lang: Language | None, as_json: bool
) -> None:
    """Answer for an alarm, also while the daemon runs. What merely happened is over with that.

    \b
    gatewayd alarms ack totaliser_mismatch rig-2 --by 王工 --note "scale calibrated"
    """  # noqa: D301 - click wants the backspace character itself
    settings = load_site(directory())
    with Reader.open(settings.store_path) as store:
        found = [a for a in store.alarms(standing=True) if (a.kind, a.subject) == (kind, subject)]
    if not found or kind not in KINDS:
        stop(NO, text("alarms.none", language(lang), kind=kind, subject=subject))
    if not by.strip():
        raise misused("by")
    now = SystemClock().wall()
    station = settings.station
    answered = words.answer(found[0], by=by.strip(), note=note, at=now)
    record = beside.answer_alarm(
        settings.store_path,
        words.draft(answered, "acknowledged", station_id=station.id, at=now),
        issuer=Issuer(station.id, ZoneInfo(station.timezone)),
        quota_mb=settings.store.quota_mb,
    )
    if as_json:
        print_json({"sequence": record.sequence, "over": answered.cleared_at is not None})
        return
    said = {"kind": kind, "subject": subject, "by": by.strip(), "sequence": record.sequence}
    click.echo(text("alarms.answered", language(lang), **said))
