"""`gatewayd trace`: one cylinder's life, oldest first, from records, holds and the archive."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
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
from gatewayd.cli.record_screen import gist_of, kind_of
from gatewayd.cli.records import store_option
from gatewayd.rigs.identity import by_code, by_uid, plain_uid
from gatewayd.settings.load import load
from gatewayd.store.model import Cylinder, Hold
from gatewayd.store.reads import Reader, Reads
from gatewayd.texts import TEXTS, Language, text

EVENTS_MAX = 10_000
"""The newest events shown; older ones are counted."""
RECORDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a cylinder; `record` None = not a record, `at` aware or unknown."""

    at: datetime | None
    kind: str
    gist: str
    sequence: int | None
    detail: dict[str, Any]


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
        settings = load(directory())
        store_file, region = settings.store_path, settings.station.region
        zone = ZoneInfo(settings.station.timezone)
    chosen = language(lang)
    with Reader.open(store_file) as store, store.at_one_moment():
        codes = tuple(_codes(store, code, region))
        told = {each: sorted(_life(store, each, chosen), key=_order) for each in codes}
        entries = {each: store.cylinder(each) for each in codes}
    if as_json:
        print_json({"cylinders": [_as_json(one, told[one], entries[one], zone) for one in codes]})
    for one in () if as_json else codes:
        _show(one, told[one], chosen, zone)
    if not any(told.values()):
        stop(NO, f"{code}: {text('trace.nothing', chosen)}")


def _codes(store: Reads, given: str, region: str | None) -> Iterator[str]:
    """The cylinders meant: by code, by what was scanned, by tag; else the text as a code."""
    found = [each.code for each in by_code(store, given, region)]
    found += [each.code for each in by_uid(store, plain_uid(given))]
    yield from dict.fromkeys(found or [given])


def _life(store: Reads, code: str, lang: Language) -> Iterator[Event]:
    recorded: set[tuple[str, str]] = set()
    after = 0
    while batch := store.records_of(code, after_sequence=after, limit=RECORDS_AT_ONCE):
        for record in batch:
            envelope = json.loads(record.body)
            after, kind, data = record.sequence, kind_of(envelope), envelope["data"]
            at = datetime.fromisoformat(envelope["time"])
            if kind == "hold":
                recorded.add((data["event"], data["reason"]))
            yield Event(at, kind, gist_of(envelope, lang), record.sequence, envelope)
    for hold in store.holds(code):
        yield from _hold(hold, recorded, lang)
    if (cylinder := store.cylinder(code)) is not None:
        yield _entry(store, cylinder, lang)


def _hold(hold: Hold, recorded: set[tuple[str, str]], lang: Language) -> Iterator[Event]:
    """Holds of older programs, and those that came with an import, have no record."""
    if ("held", hold.reason) not in recorded:
        said = f"{text('event.held', lang)}  {hold.held_by}: {hold.reason}"
        yield Event(hold.held_at, "hold", said, None, {"by": hold.held_by, "reason": hold.reason})
    released = ("released", hold.release_reason or "")
    if hold.released_at is not None and released not in recorded:
        by, why = hold.released_by, hold.release_reason
        said = f"{text('event.released', lang)}  {by}: {why}"
        yield Event(hold.released_at, "hold", said, None, {"by": by, "reason": why})


def _entry(store: Reads, cylinder: Cylinder, lang: Language) -> Event:
    """The archive entry as it is now, where it changed last."""
    version, at = store.entry_version(cylinder.code)
    said = text("trace.entry", lang, version=version)
    return Event(at, "archive", said, None, {"version": version, **cylinder.known()})


def _order(event: Event) -> tuple[float, int]:
    """By time, records that share one by their sequence; what nobody timed comes first."""
    return (event.at.timestamp() if event.at else 0.0, event.sequence or 0)


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
