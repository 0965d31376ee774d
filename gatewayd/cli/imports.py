"""`gatewayd import`: an archive file into the store, all of it or nothing."""

import io
import sys
from dataclasses import asdict
from pathlib import Path

import click

from gatewayd.archive import people, retired, sheet, small, table, writing
from gatewayd.cli import operators, retired_file
from gatewayd.cli.common import (
    config_option,
    directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
)
from gatewayd.cli.usage import misused
from gatewayd.cli.waiting import Report, shown
from gatewayd.clock import SystemClock
from gatewayd.settings.load import load
from gatewayd.store.beside import ImportOptions, import_staged
from gatewayd.store.model import ImportCounts
from gatewayd.store.staging import Staging
from gatewayd.texts import Language, text

STEPS = ("read", "compare", "cylinders", "tags")


@click.command()
@click.argument("kind", type=click.Choice(["cylinders", "operators", "retired"]))
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
@click.option("--replace", is_flag=True, help="Replace the whole archive by the file, atomically.")
@click.option("--dry-run", is_flag=True, help="Check FILE and say what would change.")
@click.option(
    "--reuse-retired", "reuse", metavar="REASON", help="Take retired codes and tags back into use."
)
@click.option("--by", default="", help="Of retired codes: who decided it; default: your login.")
@click.option("--template", is_flag=True, help="Print an empty file to fill in, and stop.")
@click.option(
    "--all-columns", is_flag=True, help="Of the template: also the columns that few need."
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "xlsx"]),
    default="csv",
    help="Of the template; FILE is known by its content.",
)
@lang_option
@config_option
@json_option
@reports_errors
def imports(
    kind: str,
    file: Path | None,
    *,
    replace: bool,
    dry_run: bool,
    reuse: str | None,
    by: str,
    template: bool,
    all_columns: bool,
    file_format: writing.FileFormat,
    lang: Language | None,
    as_json: bool,
) -> None:
    """Import KIND from FILE by code or id: known ones change, new ones are added.

    FILE is CSV (UTF-8 or GBK) or an Excel workbook (.xlsx). A mistake in any row rejects the whole
    file, with row and column of every mistake. Works while the daemon runs: its next scan sees the
    new archive. Columns that FILE does not have stay as they are; an empty cell makes the value
    unknown, except fills_done, which the station counts itself. With --replace cylinders that are
    not in FILE are removed. A code or tag of a cylinder that was scrapped, cancelled or recoded is
    retired: a row that uses it again is a mistake, unless --reuse-retired says why it may. KIND
    retired takes codes and tags out of use, each with its reason and record, as `gatewayd retire`.

    \b
    gatewayd import cylinders --template > cylinders.csv
    gatewayd import cylinders --template --format xlsx > cylinders.xlsx
    gatewayd import cylinders --template --all-columns > cylinders.csv
    gatewayd import cylinders cylinders.xlsx --dry-run
    gatewayd import operators operators.csv --replace
    gatewayd import retired retired.csv --by "Li Si"
    """  # noqa: D301 - click wants the backspace character itself
    if template:
        _template(kind, file_format, all_columns=all_columns)
        return
    if file is None:
        raise misused("file_missing")
    if kind == "operators":
        counts = operators.take_in(file, replace=replace, dry_run=dry_run)
    elif kind == "retired":
        counts = _retire(file, by, language(lang), replace=replace, dry_run=dry_run)
    else:
        with shown(_steps(language(lang))) as report:
            counts = _import(
                file, replace=replace, dry_run=dry_run, reuse=reuse or "", report=report
            )
    said = asdict(counts)
    del said["outdated"]  # a file has no version that could be older than another
    del said["retired"]  # a file with such a row is refused, or says why it may
    if as_json:
        print_json({"kind": kind, "file": str(file), **said, "dry_run": dry_run})
        return
    told = "import.would" if dry_run else "import.done"
    click.echo(text(told, language(lang), file=file, **said))


def _steps(spoken: Language) -> dict[str, str]:
    return {step: text(f"import.step.{step}", spoken) for step in STEPS}


def _retire(file: Path, by: str, spoken: Language, *, replace: bool, dry_run: bool) -> ImportCounts:
    if replace:
        raise misused("no_replace")
    return retired_file.take_in(file, by=by, dry_run=dry_run, spoken=spoken)


def _template(kind: str, file_format: writing.FileFormat, *, all_columns: bool) -> None:
    stdout = sys.stdout.buffer
    if file_format == "xlsx" and stdout.isatty():
        raise misused("workbook_to_terminal", how=f"> {kind}.xlsx")
    made = io.BytesIO()
    if kind == "operators":
        small.write_template(made, file_format, people.SHAPE)
    elif kind == "retired":
        small.write_template(made, file_format, retired.SHAPE)
    else:
        writing.write_template(made, file_format, all_columns=all_columns)
    stdout.write(made.getvalue())
    stdout.flush()


def _import(
    file: Path, *, replace: bool, dry_run: bool, reuse: str, report: Report
) -> ImportCounts:
    settings = load(directory())
    options = ImportOptions(
        settings.station.id,
        replace=replace,
        quota_mb=settings.store.quota_mb,
        dry_run=dry_run,
        origin=str(file),
        reuse=reuse,
    )
    with sheet.opened(file) as opened, Staging.open(settings.store_path) as staging:
        table.stage(
            opened,
            staging,
            whole=replace,
            progress=lambda done, total: report("read", done, total),
        )
        return import_staged(staging, options, clock=SystemClock(), progress=report)
