"""`gatewayd profiles`: the register maps that are there, whose they are, and what they serve."""

import json
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from drivers.contract import DriverType
from gatewayd.cli.common import (
    NO,
    config_option,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.cli.profile_test import no_profile, site_directory, test_profiles
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.examples import settings_of
from gatewayd.settings.library import Library, load_profiles
from gatewayd.settings.report import Report
from gatewayd.settings.shipped import shipped_dir
from gatewayd.settings.table import PluginError
from gatewayd.texts import Language
from gatewayd.texts import text as say
from protocols.documents import parse
from protocols.registers import Point, Profile

PROFILE_KEY = "profile"


class _ShowUnlessNamed(click.Group):
    """`profiles` and `profiles NAME` show; only a subcommand by its name is another one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `show` in front unless a subcommand or help is asked for."""
        named = next((word for word in _words(args)), None)
        if named not in self.commands and not set(args) & {"-h", "--help"}:
            args = ["show", *args]
        return super().parse_args(ctx, args)


def _words(args: list[str]) -> Iterator[str]:
    """What is neither an option nor the value of one that stands before a subcommand."""
    value_next = False
    for arg in args:
        if not value_next and not arg.startswith("-"):
            yield arg
        value_next = arg in {"-c", "--config", "--lang"}


@click.group(cls=_ShowUnlessNamed)
@config_option
def profiles() -> None:
    """Register maps: `profiles [NAME]` shows them, `profiles test` puts them on trial.

    \b
    gatewayd profiles
    gatewayd profiles reference-gate-v1
    gatewayd profiles test my-scale.yaml
    """  # noqa: D301 - click wants the backspace character itself


profiles.add_command(test_profiles, "test")


@profiles.command()
@click.argument("name", required=False)
@lang_option
@config_option
@json_option
@reports_errors
def show(name: str | None, *, lang: Language | None, as_json: bool) -> None:
    """List the register maps, shipped and of the site; NAME shows its registers.

    \b
    gatewayd profiles
    gatewayd profiles reference-gate-v1
    """  # noqa: D301 - click wants the backspace character itself
    report = Report()
    library = load_profiles(site_directory(), report)
    if name is not None and name not in library.names:
        raise no_profile(name, library)
    rows = [_row(library, each) for each in sorted(library.values) if name in {None, each}]
    problems = [str(problem) for problem in sorted(set(report.problems))]
    if as_json:
        print_json({"profiles": rows, "problems": problems})
    else:
        _print(rows, language(lang), whole=name is not None)
    if problems:
        stop(NO, "\n".join(problems))


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
        "roles": list(profile.serves),
        "verified": profile.verified,
        "unverified": list(profile.unverified),
        "incomplete": profile.incomplete or None,
        "example": profile.example or None,
        "base": profile.base,
        "limits": profile.limits.model_dump(mode="json"),
        "commands": {name: command.doc for name, command in profile.commands.items()},
        "registers": [_register(p) for p in sorted(profile.points.values(), key=_direction)],
    }


def _direction(point: Point) -> bool:
    """What is read comes before what is written."""
    return point.writable


def _register(point: Point) -> dict[str, Any]:
    return {
        "address": point.address,
        "number": point.number,
        "direction": "write" if point.writable else "read",
        "name": point.name,
        "type": point.type,
        "table": point.table,
        "word_order": "low_first" if point.low_first else "high_first",
        "bits": {bit: mask.bit_length() - 1 for bit, mask in point.bits},
        "fields": {
            field: [shift, (mask >> shift).bit_length() + shift - 1]
            for field, shift, mask in point.fields
        },
        "inverted": sorted(point.inverted),
        "mass": point.mass,
        "stored": point.stored,
        "verified": point.verified,
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
    """Whether the map's example, else the driver's own, would work with this map."""
    own = parse(profile.example, "example").value if profile.example else {}
    if own and own.pop("driver", "") != driver.name:
        return False
    example = own or settings_of(driver)
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
            ("example", row["example"] or "-"),
            ("from", where),
            ("source", row["source"]),
        ):
            console.print(Text(f"    {say(f'profiles.{key}', lang)}: {value}"), soft_wrap=True)
        if row["incomplete"]:
            what = f"{say('profiles.incomplete', lang)}: {row['incomplete']}"
            console.print(Text(f"    {what}", "red"), soft_wrap=True)
        for doubt in row["unverified"]:
            what = f"{say('profiles.unverified', lang)}: "
            console.print(Text.assemble(("    ? ", "yellow"), what, doubt), soft_wrap=True)
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
        bits += "".join(f"\n  {low}-{high}: {n}" for n, (low, high) in point["fields"].items())
        row = (str(point["number"]), arrow, point["name"], point["type"])
        table.add_row(*row, Text(point["meaning"] + bits))
    return table
