"""A record as one line of a file, and the id back out of a line. Pure."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gatewayd.store.model import Record

COLUMNS = (
    "sequence",
    "id",
    "kind",
    "rig",
    "time",
    "cylinder",
    "outcome",
    "net_g",
    "decision",
    "record",
)
"""Columns of a CSV file; `record` is the whole record as JSON, whatever the others show of it."""
_FORMULA = ("=", "+", "-", "@")
"""A text that begins so would be run by a spreadsheet; it gets an apostrophe in front."""


@dataclass(frozen=True, slots=True)
class Format:
    """One way of writing lines. `id_of` gives None for what is no line of ours."""

    suffix: str
    header: bytes
    line: Callable[[Record], bytes]
    id_of: Callable[[bytes], str | None]


def day_of(record: Record) -> str:
    """The day of a record in the station's time zone, as YYYY-MM-DD."""
    return str(json.loads(record.body)["time"])[:10]


def _json_line(record: Record) -> bytes:
    assert "\n" not in record.body, record.id
    return record.body.encode() + b"\n"


def _json_id(line: bytes) -> str | None:
    try:
        found = json.loads(line)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def _csv_line(record: Record) -> bytes:
    event = json.loads(record.body)
    data = event.get("data", {})
    row = (
        record.sequence,
        record.id,
        record.kind,
        record.rig_id,
        event["time"],
        _of(data, "cylinder", "code"),
        _of(data, "outcome"),
        _of(data, "net_g"),
        _of(data, "verdict", "decision"),
        record.body,
    )
    return _row([*map(_cell, row[:-1]), row[-1]])


def _csv_id(line: bytes) -> str | None:
    try:
        (row,) = csv.reader([line.decode()], strict=True)
    except (ValueError, csv.Error):
        return None
    return row[1] if len(row) == len(COLUMNS) and row[0].isdigit() else None


def _of(data: Any, *path: str) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return "" if data is None else data


def _cell(value: Any) -> str:
    """A value on one line that no spreadsheet takes for a formula."""
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _row(cells: list[Any] | tuple[Any, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


FORMATS: Mapping[str, Format] = {
    "jsonl": Format(".jsonl", b"", _json_line, _json_id),
    # The mark in front makes Excel read UTF-8.
    "csv": Format(".csv", "\ufeff".encode() + _row(COLUMNS), _csv_line, _csv_id),
}
