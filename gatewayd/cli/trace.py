"""`gatewayd trace`: one cylinder's life, oldest first, from records, holds and the archive."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

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
from gatewayd.cli.records import store_option
from gatewayd.retelling import Event, codes, life
from gatewayd.settings.site import load_site
from gatewayd.store.model import Cylinder
from gatewayd.store.reads import Reader
from gatewayd.texts import TEXTS, Language, text

EVENTS_MAX = 10_000
"""The newest events shown; older ones are counted."""


@click.command()
@click.argument("code")
@store_option
@lang_option
@config_option
@json_option
@reports_errors
def trace(code: str, store_file: Path | None, lang: Language | None, *, as_json: bool) -> None:
    """One cylinder's life, oldest first: fills, refusals, checks, movements, holds, its entry.

    CODE is its code, what a scanner read, or a tag's uid. Exit 1 when nothing is known of it.

    \b
    gatewayd trace 3701000110100001
    gatewayd trace E280689400005005B2210861 --json
    """  # noqa: D301 - click wants the backspace character itself
    zone, region = None, None
    if store_file is None:
        settings = load_site(directory())
        store_file, region = settings.store_path, settings.station.region
        zone = ZoneInfo(settings.station.timezone)
    chosen = language(lang)
    with Reader.open(store_file) as store, store.at_one_moment():
        found = codes(store, code, region)
        told = {each: life(store, each, chosen) for each in found}
        entries = {each: store.cylinder(each) for each in found}
    if as_json:
        print_json({"cylinders": [_as_json(one, told[one], entries[one], zone) for one in found]})
    for one in () if as_json else found:
        _show(one, told[one], chosen, zone)
    if not any(told.values()):
        stop(NO, f"{code}: {text('trace.nothing', chosen)}")


def _stamp(at: datetime | None, zone: ZoneInfo | None) -> str | None:
    return None if at is None else at.astimezone(zone).isoformat(timespec="milliseconds")


def _as_json(
    code: str, events: list[Event], entry: Cylinder | None, zone: ZoneInfo | None
) -> dict[str, Any]:
    return {
        "code": code,
        "archive": None if entry is None else entry.known(),
        "events": [
            {
                "time": _stamp(event.at, zone),
                "kind": event.kind,
                "sequence": event.sequence,
                "gist": event.gist,
                "detail": event.detail,
            }
            for event in events[-EVENTS_MAX:]
        ],
        "left_out": max(0, len(events) - EVENTS_MAX),
    }


def _show(code: str, events: list[Event], lang: Language, zone: ZoneInfo | None) -> None:
    click.echo(f"{text('label.cylinder', lang)} {code}")
    for event in events[-EVENTS_MAX:]:
        key = f"record.{event.kind}"
        kind = text(key, lang) if key in TEXTS else event.kind
        number = f"#{event.sequence}" if event.sequence else "-"
        click.echo(f"{_stamp(event.at, zone) or '-':<30} {number:>8}  {kind}  {event.gist}")
    if left := max(0, len(events) - EVENTS_MAX):
        click.echo(text("trace.left_out", lang, count=left), err=True)
