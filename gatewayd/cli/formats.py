"""`gatewayd formats`: every format that `gatewayd decode` knows, what proves it, and who speaks it."""

from typing import Any

import click
from rich.console import Console
from rich.text import Text

from gatewayd.cli.common import (
    config_option,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
)
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.table import PluginError
from gatewayd.texts import Language
from gatewayd.texts import text as say
from protocols.decode import FORMATS, LATER


@click.command()
@lang_option
@config_option
@json_option
@reports_errors
def formats(*, lang: Language | None, as_json: bool) -> None:
    """List the formats of frames, tags and codes, what proves them, and their caveats.

    \b
    gatewayd formats
    gatewayd formats --json | jq -r '.formats[].name'
    """  # noqa: D301 - click wants the backspace character itself
    rows = _rows()
    if as_json:
        print_json({"formats": rows, "later": sorted(LATER)})
    else:
        _print(rows, language(lang))


def _rows() -> list[dict[str, Any]]:
    speakers = _speakers()
    return [
        {
            "name": name,
            "kind": row.kind,
            "summary": {"zh": row.summary_zh, "en": row.summary},
            "proof_bits": row.proof_bits,
            "stream": row.framer is not None,
            "caveats": list(row.caveats),
            "drivers": speakers.get(name, []),
        }
        for name, row in FORMATS.items()
    ]


def _speakers() -> dict[str, list[str]]:
    """Format -> the installed drivers that speak it; a broken driver speaks nothing."""
    table = driver_table()
    found: dict[str, list[str]] = {}
    for name in table.names:
        try:
            driver = table.get(name)
        except PluginError:
            continue
        for format_ in driver.formats:
            found.setdefault(format_, []).append(name)
    return found


def _print(rows: list[dict[str, Any]], lang: Language) -> None:
    """A format each, its caveats below it; readable on 80 columns."""
    console = Console(highlight=False, soft_wrap=True)
    for row in rows:
        about = [row["kind"]]
        if row["proof_bits"]:
            about.append(say("formats.bits", lang, bits=row["proof_bits"]))
        if row["drivers"]:
            about.append(", ".join(row["drivers"]))
        console.print(Text.assemble((row["name"], "bold"), f"  [{'; '.join(about)}]"))
        console.print(Text(f"    {row['summary'][lang]}"))
        for caveat in row["caveats"]:
            console.print(Text(f"    ! {caveat}", style="yellow"))
    if LATER:
        console.print(Text(f"{say('formats.later', lang)}: {', '.join(sorted(LATER))}", "dim"))
