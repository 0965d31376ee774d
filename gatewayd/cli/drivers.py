"""`gatewayd drivers`: what can be connected, with every setting, caveat and an example."""

import json
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from drivers.contract import DriverType, Hello
from gatewayd.cli.common import (
    config_option,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
)
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.schema import SettingRow, setting_rows
from gatewayd.settings.table import PluginError, Table
from gatewayd.texts import Language
from gatewayd.texts import text as say

TYPES_ZH = (("whole number", "整数"), ("list of text", "文本列表"), (" | none", " | 无"))
"""Words of `setting_rows` in Chinese."""


@click.command()
@click.argument("name", required=False)
@lang_option
@config_option
@json_option
@reports_errors
def drivers(name: str | None, *, lang: Language | None, as_json: bool) -> None:
    """List the installed device drivers with their settings; NAME tells everything of one.

    \b
    gatewayd drivers
    gatewayd drivers rfid.uhfreader --lang en
    gatewayd drivers --json
    """  # noqa: D301 - click wants the backspace character itself
    table = driver_table()
    if name is not None and name not in table.names:
        raise click.UsageError(_unknown(table, name))
    rows = [_row(table, each) for each in ([name] if name else table.names)]
    if as_json:
        print_json({"drivers": rows})
        return
    console = Console(highlight=False, soft_wrap=True)
    for row in rows:
        _print(console, row, language(lang), whole=name is not None)


def _unknown(table: Table[DriverType], name: str) -> str:
    try:
        table.get(name)
    except PluginError as exc:
        return str(exc)
    raise AssertionError(name)


def _row(table: Table[DriverType], name: str) -> dict[str, Any]:
    """One driver as JSON; one that cannot be imported says why instead of hiding the others."""
    try:
        driver = table.get(name)
    except PluginError as exc:
        return {"name": name, "error": str(exc)}
    return {
        "name": name,
        "summary": driver.summary,
        "summary_zh": driver.summary_zh or driver.summary,
        "capabilities": sorted(driver.capabilities),
        "shares_wire": driver.shares_wire,
        "settings": [_setting(row) for row in setting_rows(driver.settings)],
        "models": list(driver.models),
        "caveats": [{"zh": zh, "en": en} for zh, en in driver.caveats],
        "example": driver.example,
        "formats": list(driver.formats),
        "own_formats": [row.name for row in driver.own_formats],
        "hellos": [_hello(hello) for hello in driver.hellos],
        "tcp_ports": list(driver.tcp_ports),
        "usb_ids": [f"{vendor:04x}:{product:04x}" for vendor, product in driver.usb_ids],
        "error": None,
    }


def _hello(hello: Hello) -> dict[str, Any]:
    return {"baud": hello.baud, "question": hello.question.hex(), "format": hello.format}


def _setting(row: SettingRow) -> dict[str, Any]:
    default = {} if row.required else {"default": row.default}
    return {
        "name": row.name,
        "type": row.type,
        "required": row.required,
        **default,
        "description": row.description,
    }


def _print(console: Console, row: dict[str, Any], lang: Language, *, whole: bool) -> None:
    if row["error"] is not None:
        console.print(f"{row['name']}: {row['error']}\n", style="red", markup=False)
        return
    can = ", ".join(row["capabilities"])
    summary = row["summary_zh"] if lang == "zh" else row["summary"]
    console.print(Text.assemble((row["name"], "bold"), f"  [{can}]  {summary}"))
    if whole:
        _print_found_by(console, row, lang)
    for item in row["settings"]:
        console.print(Text(f"    {item['name']:<20} {_meaning(item, lang)}"))
    for caveat in row["caveats"]:
        console.print(Text.assemble(("    ! ", "yellow"), caveat[lang]))
    if whole and row["example"]:
        console.print(Text(f"\n  {say('drivers.example', lang)}", style="dim"))
        for line in row["example"].strip().splitlines():
            console.print(Text(f"    {line}"))
    console.print()


def _print_found_by(console: Console, row: dict[str, Any], lang: Language) -> None:
    """What is known of the devices themselves, where the driver says it."""
    hellos = {f"{hello['baud']}" for hello in row["hellos"]}
    ports = [str(port) for port in row["tcp_ports"]]
    for key, values in (
        ("models", row["models"]),
        ("formats", row["formats"]),
        ("bauds", sorted(hellos, key=int)),
        ("tcp_ports", ports),
        ("usb_ids", row["usb_ids"]),
    ):
        if values:
            console.print(Text(f"  {say(f'drivers.{key}', lang)}: {', '.join(values)}"))


def _meaning(item: dict[str, Any], lang: Language) -> str:
    must = say("drivers.required", lang)
    usual = "" if item["required"] else json.dumps(item["default"])
    default = must if item["required"] else say("drivers.default", lang, value=usual)
    doc = f"  {item['description']}" if item["description"] else ""
    return f"{_type(item['type'], lang)}  ({default}){doc}"


def _type(text: str, lang: Language) -> str:
    """The type of a setting; choices and keys stay as they are written in a file."""
    for en, zh in TYPES_ZH if lang == "zh" else ():
        text = text.replace(en, zh)
    return text
