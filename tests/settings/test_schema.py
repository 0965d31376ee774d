"""The JSON Schemas that editors use: in step with the code, and true of the shipped files."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gatewayd.settings.schema import NAMES, as_text, schemas
from gatewayd.settings.shipped import shipped_dir
from protocols.documents import parse
from tests.support.configs import DEVICES, GATEWAY, RIGS

MODELINE = "# yaml-language-server: $schema="
FOLDERS = {
    "devices": "devices",
    "rigs": "rigs",
    "rules": "rules",
    "profiles": "profile",
    "checks": "checks",
    "upstreams": "upstreams",
}
MADE = schemas()
FILES = [
    shipped_dir() / "gateway.yaml",
    *(path for folder in FOLDERS for path in sorted((shipped_dir() / folder).glob("*.yaml"))),
]


def errors(schema: dict[str, Any], value: object) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_schema_is_the_one_the_code_makes(name: str) -> None:
    """After a change of settings: `gatewayd config schema --write config/schema`."""
    stored = (shipped_dir() / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert stored == as_text(MADE[name])


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(MADE[name])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_shipped_file_names_a_schema_that_exists_and_holds(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith(MODELINE)
    schema_path = path.parent / first.removeprefix(MODELINE)
    name = FOLDERS.get(path.parent.name, "gateway")
    assert schema_path.resolve() == (shipped_dir() / f"schema/{name}.schema.json").resolve()
    schema = json.loads(schema_path.read_text(encoding="utf-8"))
    assert errors(schema, parse(text, str(path)).value) == []


@pytest.mark.parametrize(
    ("name", "text", "old", "new"),
    [
        ("gateway", GATEWAY, "station:", "statoin:"),
        ("gateway", GATEWAY, "driver: mqtt", "driver: mqqt"),
        ("gateway", GATEWAY, "path:", "paths:"),
        ("devices", DEVICES, "plc.modbus", "plc.modbuss"),
        ("devices", DEVICES, "unit: 1", "unit: one"),
        ("devices", DEVICES, "gun-1", "Gun 1"),
        ("devices", DEVICES, ", profile: reference-gate-v1", ""),
        ("rigs", RIGS, "antenna: 1", "antenna: 0"),
        ("rigs", RIGS, "    gate: scale-1\n", ""),
    ],
)
def test_an_editor_sees_the_mistakes_that_check_sees(
    *, name: str, text: str, old: str, new: str
) -> None:
    schema = MADE[name]
    assert errors(schema, parse(text, "f").value) == []
    assert old in text
    assert errors(schema, parse(text.replace(old, new, 1), "f").value)
