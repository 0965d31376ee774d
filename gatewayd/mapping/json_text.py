"""JSON text with exact decimals: what was 14.50 kg is written 14.50, not as a float."""

import json
from decimal import Decimal
from typing import Any

DEPTH_MAX = 32


def dumps(value: Any, depth: int = 0) -> str:
    """Compact UTF-8 JSON of what a mapping builds; keys keep their order."""
    assert depth <= DEPTH_MAX, "mappings are bounded when they are loaded"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        pairs = (f"{_text(str(key))}:{dumps(each, depth + 1)}" for key, each in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(dumps(each, depth + 1) for each in value) + "]"
    assert value is None or isinstance(value, bool | int | str), type(value)
    return _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
