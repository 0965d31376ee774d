"""`gatewayd profiles`: the register maps that are there, whose they are, and what they serve."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from drivers.contract import DriverType
from gatewayd.cli.common import (
    NO,
    config_option,
    directory,
    given_directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.cli.words import say
from gatewayd.errors import ConfigError
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.examples import settings_of
from gatewayd.settings.library import Library, load_profiles
from gatewayd.settings.report import Report
from gatewayd.settings.shipped import shipped_dir
from gatewayd.settings.table import PluginError
from gatewayd.texts import Language
from protocols.documents import nearest_hint
from protocols.registers import Block, Profile

PROFILE_KEY = "profile"


@click.command()
@click.argument("name", required=False)
@lang_option
@config_option
@json_option
@reports_errors
def profiles(name: str | None, *, lang: Language | None, as_json: bool) -> None:
    """List the register maps, shipped and of the site; NAME shows its registers.

    \b
    gatewayd profiles
    gatewayd profiles reference-gate-v1
    """  # noqa: D301 - click wants the backspace character itself
    report = Report()
    library = load_profiles(_site(), report)
    if name is not None and name not in library.names:
        known = ", ".join(sorted(library.values))
        hint = nearest_hint(name, library.values)
        raise click.UsageError(f"no profile {name!r}; known: {known}; {hint}".rstrip("; "))
    rows = [_row(library, each) for each in sorted(library.values) if name in {None, each}]
    problems = [str(problem) for problem in sorted(set(report.problems))]
    if as_json:
        print_json({"profiles": rows, "problems": problems})
    else:
        _print(rows, language(lang), whole=name is not None)
    if problems:
        stop(NO, "\n".join(problems))


def _site() -> Path:
    """The config directory; without one the shipped maps stand alone."""
    try:
        return directory()
    except ConfigError:
        if given_directory() is not None:
            raise
        return shipped_dir()


def _row(library: Library, name: str) -> dict[str, Any]:
    profile: Profile = library.values[name]
    path = library.paths[name]
    return {
        "id": name,
        "title": {"zh": profile.title.zh, "en": profile.title.en},
        "file": str(path),
        "shipped": path.is_relative_to(shipped_dir()),
        "source": profile.source,
        "caveats": list(profile.caveats),
        "serves": _serves(profile),
        "registers": [*_registers(profile.reads, "read"), *_registers(profile.writes, "write")],
    }


def _registers(block: Block, direction: str) -> Iterator[dict[str, Any]]:
    for point in block.points:
        yield {
            "address": point.address,
            "direction": direction,
            "name": point.name,
            "type": point.type,
            "table": point.table,
            "word_order": "low_first" if point.low_first else "high_first",
            "bits": {bit: mask.bit_length() - 1 for bit, mask in point.bits},
            "meaning": point.doc,
        }


def _serves(profile: Profile) -> list[dict[str, Any]]:
    """The drivers that take this map without an objection, and what they then are."""
    table = driver_table()
    found = []
    for name in table.names:
        try:
            driver = table.get(name)
        except PluginError:
            continue
        if _takes(driver, profile):
            found.append({"driver": name, "capabilities": sorted(driver.capabilities)})
    return found


def _takes(driver: DriverType, profile: Profile) -> bool:
    """Whether the driver's own example would work with this map."""
    example = settings_of(driver)
    if PROFILE_KEY not in driver.settings.model_fields or not example:
        return False
    try:
        changed = json.dumps({**example, PROFILE_KEY: profile.id})
        settings = driver.settings.model_validate_json(changed)
    except ValueError:
        return False
    return not driver.objections(settings, {profile.id: profile})


def _print(rows: list[dict[str, Any]], lang: Language, *, whole: bool) -> None:
    console = Console(highlight=False)
    for row in rows:
        where = say("profiles.shipped", lang) if row["shipped"] else row["file"]
        console.print(Text.assemble((row["id"], "bold"), f"  {row['title'][lang]}"))
        for key, value in (
            ("serves", ", ".join(_served(each) for each in row["serves"]) or "-"),
            ("from", where),
            ("source", row["source"]),
        ):
            console.print(Text(f"    {say(f'profiles.{key}', lang)}: {value}"), soft_wrap=True)
        for caveat in row["caveats"]:
            console.print(Text.assemble(("    ! ", "yellow"), caveat), soft_wrap=True)
        if whole:
            console.print(_table(row["registers"], lang))


def _served(each: dict[str, Any]) -> str:
    return f"{each['driver']} [{', '.join(each['capabilities'])}]"


def _table(registers: list[dict[str, Any]], lang: Language) -> Table:
    heads = ("register", "direction", "name", "type", "meaning")
    table = Table(*(say(f"profiles.{head}", lang) for head in heads), box=None)
    for point in registers:
        arrow = "-> PLC" if point["direction"] == "write" else "PLC ->"
        bits = "".join(f"\n  {number}: {bit}" for bit, number in point["bits"].items())
        row = (str(point["address"]), arrow, point["name"], point["type"])
        table.add_row(*row, Text(point["meaning"] + bits))
    return table
