"""Published frames of scales, each with its source."""

import json
from pathlib import Path
from typing import Any

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "golden" / "scales.json").read_text(encoding="utf-8")
)


def hex_of(vector: dict[str, Any]) -> str:
    """The bytes; one vector tells its CRC in words behind a bar."""
    data, _, told = str(vector["input"]).partition("|")
    return data + told.rpartition(":")[2]
