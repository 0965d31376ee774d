"""`gatewayd shifts`: whether records and totalisers agree, shift by shift."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import click

from gatewayd.cli.common import (
    config_option,
    directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
)
from gatewayd.settings.site import load_site
from gatewayd.store.model import Record
from gatewayd.store.reads import Reader
from gatewayd.texts import Language, text

SHIFTS_DEFAULT = 20
SHIFTS_MAX = 10_000
MASSES = ("net_g", "flowed_g", "difference_g", "limit_g")


@click.command()
@click.option("--rig", metavar="RIG", help="Only this rig.")
@click.option(
    "--limit", type=click.IntRange(1, SHIFTS_MAX), default=SHIFTS_DEFAULT, show_default=True
)
@lang_option
@config_option
@json_option
@reports_errors
def shifts(rig: str | None, *, limit: int, lang: Language | None, as_json: bool) -> None:
    """Show closed shifts, the newest last: grams of the records against the gate's totaliser.

    Below them what a tank scale or a flow meter says of all rigs that it feeds, where there is one.

    \b
    gatewayd shifts --rig rig-1
    """  # noqa: D301 - click wants the backspace character itself
    settings = load_site(directory())
    with Reader.open(settings.store_path) as store:
        found = _data(store.newest_records(limit=limit, kind="reconciliation", rig=rig))
        seen = _data(store.newest_records(limit=limit, kind="witness"))
    seen = [data for data in seen if rig is None or rig in data["rigs"]]
    if as_json:
        print_json({"shifts": found, "witnesses": seen})
        return
    spoken = language(lang)
    for data in found:
        for line in _lines(data, spoken):
            click.echo(line)
    for data in seen:
        for line in _seen(data, spoken):
            click.echo(line)
    click.echo(text("shifts.count", spoken, count=len(found)), err=True)


def _data(records: Iterable[Record]) -> list[dict[str, Any]]:
    return [json.loads(record.body)["data"] for record in records]


def _seen(data: Mapping[str, Any], spoken: Language) -> Iterator[str]:
    """What a second witness says; what cannot be compared is marked `?`, with why."""
    mark = {True: " ", False: "!", None: "?"}[data["agrees"]]
    head = text("shifts.head", spoken, rig=data["device"], span=_span(data), fills=data["fills"])
    yield f"{mark} {head}"
    why = data["why"]
    values = {name: data[name] for name in (*MASSES, "risen_g", "silent_s")}
    values |= {name: data.get(name, 0) for name in ("jumped_g", "step_g")}
    said = text(f"shifts.why.{why}" if why else "shifts.masses", spoken, **values)
    yield f"    {said}"


def _lines(data: Mapping[str, Any], spoken: Language) -> Iterator[str]:
    """Which shift, and its grams below it: side by side they would not fit a terminal."""
    mark = " " if data["agrees"] else "!"
    head = text("shifts.head", spoken, rig=data["rig_id"], span=_span(data), fills=data["fills"])
    yield f"{mark} {head}"
    yield f"    {text('shifts.masses', spoken, **{name: data[name] for name in MASSES})}"


def _span(data: Mapping[str, Any]) -> str:
    """From when until when in the station's time; the day once where it is the same."""
    begun, ended = (datetime.fromisoformat(data[key]) for key in ("from", "to"))
    shape = "%H:%M" if begun.date() == ended.date() else "%Y-%m-%d %H:%M"
    return f"{begun:%Y-%m-%d %H:%M} - {ended.strftime(shape)}"
