"""JSON Schemas of the config files, generated from the models, for editors and for `drivers`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from drivers.contract import DriverType, Strict
from gatewayd.mapping import file as mapping_file
from gatewayd.settings.checks import FormSettings
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.kinds import UpstreamType
from gatewayd.settings.model import (
    NAME,
    ClockSettings,
    LogSettings,
    ReloadSettings,
    RigSettings,
    StationSettings,
    StoreSettings,
)
from gatewayd.settings.offline import ArchiveSettings
from gatewayd.settings.points import PointSettings
from gatewayd.settings.table import PluginError, Table
from gatewayd.settings.upkeep import ShiftsSettings, WatchdogSettings
from gatewayd.settings.upstreams import upstream_table
from gatewayd.settings.web import WebSettings
from protocols import registers
from protocols.tags.layout_file import LayoutSettings
from rules_engine import pack_file

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAMES = ("gateway", "devices", "rigs", "rules", "profile", "checks", "points", "tags", "upstreams")

Kind = TypeVar("Kind", DriverType, UpstreamType)


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting for a table: its key, type in words, default (None if required), and meaning."""

    name: str
    type: str
    required: bool
    default: Any
    description: str


def schemas() -> Mapping[str, dict[str, Any]]:
    """Every schema by the name in NAMES; with every driver that is installed."""
    return {
        "gateway": _gateway(),
        "devices": _file("devices", _one_of(driver_table())),
        "rigs": _file("rigs", _models({"rig": RigSettings})),
        "rules": pack_file.json_schema(),
        "profile": registers.schema(),
        "checks": _file("checks", _models({"form": FormSettings})),
        "points": _file("points", _models({"point": PointSettings})),
        "tags": _file("tags", _models({"layout": LayoutSettings})),
        "upstreams": mapping_file.json_schema(),
    }


def as_text(schema: Mapping[str, Any]) -> str:
    """A schema as the text of its file."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def write(directory: Path) -> tuple[Path, ...]:
    """Write `<name>.schema.json` for every schema into a folder; raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas().items():
        path = directory / f"{name}.schema.json"
        path.write_text(as_text(schema), encoding="utf-8")
        written.append(path)
    return tuple(written)


def _gateway() -> dict[str, Any]:
    sections: dict[str, type[BaseModel]] = {
        "station": StationSettings,
        "store": StoreSettings,
        "archive": ArchiveSettings,
        "clock": ClockSettings,
        "log": LogSettings,
        "reload": ReloadSettings,
        "watchdog": WatchdogSettings,
        "shifts": ShiftsSettings,
        "web": WebSettings,
    }
    refs, defs = _models(sections)
    upstream, upstream_defs = _one_of(upstream_table())
    empty = {"type": ["object", "null"], "maxProperties": 0}
    properties = {
        **refs,
        "upstreams": _named({"oneOf": list(upstream.values())}),
        "web": {"anyOf": [refs["web"], empty]},
        "security": empty,
    }
    return _top("gateway.yaml", properties, ["station"], {**defs, **upstream_defs})


def _file(key: str, parts: tuple[Mapping[str, Any], Mapping[str, Any]]) -> dict[str, Any]:
    choices, defs = parts
    values = list(choices.values())
    one = values[0] if len(values) == 1 else {"oneOf": values}
    return _top(f"{key}/*.yaml", {key: _named(one)}, [], defs)


def _top(
    title: str, properties: Mapping[str, Any], required: list[str], defs: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "$schema": DIALECT,
        "title": f"gatewayd {title}",
        "type": "object",
        "properties": dict(properties),
        "required": required,
        "additionalProperties": False,
        "$defs": dict(sorted(defs.items())),
    }


def _named(value: Mapping[str, Any]) -> dict[str, Any]:
    names = {"pattern": NAME}
    return {"type": "object", "propertyNames": names, "additionalProperties": dict(value)}


def _models(models: Mapping[str, type[BaseModel]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A reference for each model, and the definitions they share."""
    refs, shared = models_json_schema(
        [(model, "validation") for model in models.values()], ref_template="#/$defs/{model}"
    )
    by_model = {model: ref for (model, _), ref in refs.items()}
    return {name: by_model[model] for name, model in models.items()}, shared.get("$defs", {})


def _one_of(table: Table[Kind]) -> tuple[dict[str, Any], dict[str, Any]]:
    """One choice a plug-in: its settings plus the `driver` key that names it."""
    found = {name: _available(table, name) for name in table.names}
    plugins = {name: plugin for name, plugin in found.items() if plugin is not None}
    refs, defs = _models({name: plugin.settings for name, plugin in plugins.items()})
    choices: dict[str, Any] = {}
    for name, ref in refs.items():
        body: dict[str, Any] = defs[ref["$ref"].removeprefix("#/$defs/")]
        driver = {"const": name, "description": plugins[name].summary}
        choices[name] = {
            **body,
            "title": name,
            "properties": {"driver": driver, **body.get("properties", {})},
            "required": ["driver", *body.get("required", [])],
        }
    return choices, defs


def _available(table: Table[Kind], name: str) -> Kind | None:
    """A plug-in that cannot be imported has no schema; `check` says why where it is used."""
    try:
        return table.get(name)
    except PluginError:
        return None


def setting_rows(settings: type[Strict]) -> tuple[SettingRow, ...]:
    """The settings of a model as table rows, in the order of the model."""
    schema = settings.model_json_schema()
    required = set(schema.get("required", ()))
    return tuple(
        SettingRow(
            name=name,
            type=_type(field, schema),
            required=name in required,
            default=field.get("default"),
            description=field.get("description", ""),
        )
        for name, field in schema.get("properties", {}).items()
    )


def _type(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """A JSON Schema in a few words: `whole number 0..255`, `auto | 18 | 288`, `{tcp} | {serial}`."""
    if "$ref" in field:
        return _type(schema["$defs"][field["$ref"].removeprefix("#/$defs/")], schema)
    for key in ("anyOf", "oneOf"):
        if key in field:
            return " | ".join(_type(choice, schema) for choice in field[key])
    if "enum" in field:
        return " | ".join(dict.fromkeys(str(value) for value in field["enum"]))
    if "const" in field:
        return str(field["const"])
    kind = str(field.get("type", "any"))
    if kind == "object":
        return f"{{{', '.join(field.get('properties', ())) or '...'}}}"
    if kind == "array":
        return f"list of {_type(field.get('items', {}), schema)}"
    return _WORDS.get(kind, kind) + _range(field)


_WORDS = {"string": "text", "integer": "whole number", "null": "none", "boolean": "true | false"}


def _range(field: Mapping[str, Any]) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if low is None and high is None:
        return ""
    return f" {'' if low is None else low}..{'' if high is None else high}"
