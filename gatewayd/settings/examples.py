"""Examples of devices: what a driver declares as its example, and one line of YAML for a file.

A driver's example may be the settings alone, the settings with `driver`, one named device, or a
whole `devices:` file; all of them mean the same here.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from drivers.contract import DriverType
from protocols.documents import DocumentError, parse

_PLAIN = re.compile(r"[A-Za-z/_][A-Za-z0-9/_.-]*\Z")
_NOT_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def settings_of(driver: DriverType) -> dict[str, Any]:
    """The settings of the driver's example, without `driver`; empty when it has none."""
    if not driver.example.strip():
        return {}
    try:
        value = parse(driver.example, driver.name).value
    except DocumentError:
        return {}
    value = value.get("devices", value) if isinstance(value, dict) else {}
    named = [each for each in value.values() if isinstance(each, dict) and "driver" in each]
    chosen = named[0] if named else value
    return {key: each for key, each in chosen.items() if key != "driver"}


def yaml_line(name: str, driver: str, settings: Mapping[str, Any]) -> str:
    """One device as a line below `devices:`; YAML reads back exactly these values."""
    return f"{name}: {_flow({'driver': driver, **settings})}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(each) for each in value) + "]"
    if isinstance(value, str) and _PLAIN.match(value) and value.lower() not in _NOT_TEXT:
        return value
    return json.dumps(value, ensure_ascii=False)
