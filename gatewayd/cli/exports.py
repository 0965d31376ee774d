"""`gatewayd export`: the archive as a file that `import` takes back unchanged."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from gatewayd.archive import writing
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
from gatewayd.errors import GatewayError
from gatewayd.settings.load import load
from gatewayd.store.reads import Reader
from gatewayd.texts import Language, text

ROWS_PER_REPORT = 1_000


@click.command()
@click.argument("kind", type=click.Choice(["cylinders", "operators", "retired"]))
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "xlsx"]),
    help="Default: as FILE is called, else csv.",
)
@click.option(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Default: stdout.",
)
@click.option(
    "--all-columns", is_flag=True, help="Also the columns that no cylinder has a value in."
)
@lang_option
@config_option
@json_option
@reports_errors
def exports(
    kind: str,
    file_format: writing.FileFormat | None,
    file: Path | None,
    *,
    all_columns: bool,
    lang: Language | None,
    as_json: bool,
) -> None:
    """Export KIND, by code, as CSV or an Excel workbook; `import` takes it back unchanged.

    FILE is there whole or not at all, and is replaced when it exists. Works while the daemon runs.
    Columns beyond those of `import --template` are there when any cylinder has a value in them.

    \b
    gatewayd export cylinders -o cylinders.xlsx
    gatewayd export cylinders > cylinders.csv
    gatewayd export operators -o operators.xlsx
    gatewayd export retired -o retired.csv
    """  # noqa: D301 - click wants the backspace character itself
    if as_json and file is None:
        raise misused("json_needs_file")
    named = "xlsx" if file is not None and file.suffix.lower() == ".xlsx" else "csv"
    chosen: writing.FileFormat = file_format or ("xlsx" if named == "xlsx" else "csv")
    stdout = sys.stdout.buffer
    if file is None and chosen == "xlsx" and stdout.isatty():
        raise misused("workbook_to_terminal", how=f"-o {kind}.xlsx")
    path = load(directory()).store_path
    with shown({"write": text(f"export.writing.{kind}", language(lang))}) as report:

        def put(out: BinaryIO, *, bom: bool) -> int:
            if kind == "operators":
                return operators.give_out(path, out, chosen, bom=bom)
            if kind == "retired":
                return retired_file.give_out(path, out, chosen, bom=bom)
            return _write(path, out, chosen, report, all_columns=all_columns, bom=bom)

        if file is None:
            count = put(stdout, bom=False)
            stdout.flush()
        else:
            with _whole(file) as out:
                count = put(out, bom=True)
    if as_json:
        print_json({"kind": kind, "file": str(file), "format": chosen, kind: count})
    elif file is not None:
        click.echo(text(f"export.done.{kind}", language(lang), file=file, count=count))


def _write(
    path: Path,
    out: BinaryIO,
    chosen: writing.FileFormat,
    report: Report,
    *,
    all_columns: bool,
    bom: bool,
) -> int:
    """Write every cylinder of the store as it is at this moment; returns how many."""
    written = 0

    def progress(count: int) -> None:
        nonlocal written
        written = count
        if count % ROWS_PER_REPORT == 0:
            report("write", count, total)

    with Reader.open(path) as store, store.at_one_moment():
        total = store.cylinder_count()
        every = all_columns or store.has_further_columns()
        writing.write(out, chosen, store.cylinders(), progress, all_columns=every, bom=bom)
    return written


@contextmanager
def _whole(file: Path) -> Iterator[BinaryIO]:
    """A file that takes its name once it is complete."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(file)
    except OSError as exc:
        raise GatewayError(f"{file}: cannot be written: {exc.strerror or exc}") from exc
    finally:
        part.unlink(missing_ok=True)
