"""`gatewayd records salvage`: what can be read out of a damaged store."""

from pathlib import Path

import click

from gatewayd.cli.common import (
    NO,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.store import salvage as salvaging
from gatewayd.store.salvage import Salvaged
from gatewayd.texts import Language, text

SHOWN_MAX = 20
"""Stretches named on a terminal; the report has all."""


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write records.jsonl, spoilt.jsonl and report.json there.",
)
@lang_option
@json_option
@reports_errors
def salvage(file: Path, *, out: Path | None, lang: Language | None, as_json: bool) -> None:
    """Read what is left in a damaged store, such as one that was put aside; FILE is only read.

    Each record must prove itself by its hash. Nothing is put back into any store: hand records.jsonl
    to the platform that lacks them. Exit 1 when anything is missing or was changed.

    \b
    gatewayd records salvage gatewayd.db.damaged-20260801T040000Z --out salvaged
    """  # noqa: D301 - click wants the backspace character itself
    found = salvaging.salvage(file, out)
    if as_json:
        print_json(salvaging.as_json(found))
    else:
        _show(found, language(lang))
        if found.lacks_log:
            click.echo(text("salvage.lacks_log", language(lang), file=file), err=True)
        _say_where(out, language(lang))
    if not found.whole:
        stop(NO)


def _show(found: Salvaged, lang: Language) -> None:
    if found.nothing:
        click.echo(text("salvage.nothing", lang, file=found.file))
        return
    pages = found.from_pages
    click.echo(text("salvage.proven", lang, records=found.records, from_pages=pages))
    ends = "salvage.ends" if found.last_sure else "salvage.ends_unsure"
    click.echo(text(ends, lang, first=found.first, last=found.last))
    shown = found.missing[:SHOWN_MAX]
    for first, last in shown:
        missing = "salvage.missing" if last > first else "salvage.missing_one"
        click.echo(text(missing, lang, first=first, last=last))
    if len(found.missing) > len(shown):
        click.echo(text("salvage.missing_more", lang, count=len(found.missing) - len(shown)))
    for name, sequences in (("changed", found.spoilt), ("unlinked", found.unlinked)):
        if sequences:
            numbers = " ".join(str(number) for number in sequences[:SHOWN_MAX])
            click.echo(text(f"salvage.{name}", lang, count=len(sequences), sequences=numbers))


def _say_where(out: Path | None, lang: Language) -> None:
    if out is None:
        click.echo(text("salvage.not_written", lang), err=True)
    else:
        files = ", ".join(str(out / name) for name in salvaging.WRITTEN)
        click.echo(text("salvage.written", lang, files=files), err=True)
