"""`gatewayd drivers`: what can be connected, and every setting with its default."""

import json
from typing import Any

import click
from rich.console import Console

from drivers.contract import DriverType
from gatewayd.cli.common import config_option, json_option, print_json, reports_errors
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.schema import SettingRow, setting_rows
from gatewayd.settings.table import PluginError, Table


@click.command()
@config_option
@json_option
@reports_errors
def drivers(*, as_json: bool) -> None:
    """List the installed device drivers with their settings.

    \b
    gatewayd drivers
    gatewayd drivers --json
    """  # noqa: D301 - click wants the backspace character itself
    rows = [_row(driver_table(), name) for name in driver_table().names]
    if as_json:
        print_json({"drivers": rows})
    else:
        _print(rows)


def _row(table: Table[DriverType], name: str) -> dict[str, Any]:
    """One driver as JSON; one that cannot be imported says why instead of hiding the others."""
    try:
        driver = table.get(name)
    except PluginError as exc:
        return {"name": name, "error": str(exc)}
    return {
        "name": name,
        "summary": driver.summary,
        "capabilities": sorted(driver.capabilities),
        "shares_wire": driver.shares_wire,
        "settings": [_setting(row) for row in setting_rows(driver.settings)],
        "error": None,
    }


def _setting(row: SettingRow) -> dict[str, Any]:
    default = {} if row.required else {"default": row.default}
    return {
        "name": row.name,
        "type": row.type,
        "required": row.required,
        **default,
        "description": row.description,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for row in rows:
        if row["error"] is not None:
            console.print(f"{row['name']}: {row['error']}\n", style="red", markup=False)
            continue
        can = ", ".join(row["capabilities"])
        console.print(row["name"], style="bold", markup=False, end="")
        console.print(f"  [{can}]  {row['summary']}", markup=False)
        for item in row["settings"]:
            console.print(f"    {item['name']:<20} {_meaning(item)}", markup=False)
        console.print()


def _meaning(item: dict[str, Any]) -> str:
    default = "required" if item["required"] else f"default {json.dumps(item['default'])}"
    doc = f"  {item['description']}" if item["description"] else ""
    return f"{item['type']}  ({default}){doc}"
