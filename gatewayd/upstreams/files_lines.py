"""A record as one line of a file, and the id back out of a line. Pure."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
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
MARK = "\ufeff".encode()
"""In front of a CSV file it makes Excel read UTF-8."""
_FORMULA = ("=", "+", "-", "@")
"""A text that begins so would be run by a spreadsheet; it gets an apostrophe in front."""


@dataclass(frozen=True, slots=True)
class Format:
    """One way of writing lines. `line` gets the record and what is said of it, as JSON.

    `id_of` gives None for what is no line of ours.
    """

    suffix: str
    header: bytes
    line: Callable[[Record, str], bytes]
    id_of: Callable[[bytes], str | None]


def day_of(record: Record) -> str:
    """The day of a record in the station's time zone, as YYYY-MM-DD."""
    return str(json.loads(record.body)["time"])[:10]


def mapped_format(kind: str, columns: tuple[str, ...], id_column: str) -> Format:
    """Lines of a mapping: its JSON as it is, or its fields as the columns of a CSV file."""
    if kind == "jsonl":
        return Format(".jsonl", b"", _json_line, partial(_json_id, id_column))
    at = columns.index(id_column)

    def line(_record: Record, said: str) -> bytes:
        values = json.loads(said, parse_float=Decimal)
        return _row([_cell(values.get(name, "")) for name in columns])

    def id_of(line: bytes) -> str | None:
        row = _cells(line)
        return row[at] if row is not None and len(row) == len(columns) else None

    header = MARK + _row([_cell(name) for name in columns])
    return Format(".csv", header, line, id_of)


def _json_line(record: Record, said: str) -> bytes:
    assert "\n" not in said, record.id
    return said.encode() + b"\n"


def _json_id(column: str, line: bytes) -> str | None:
    try:
        found = json.loads(line)[column]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def _csv_line(record: Record, _said: str) -> bytes:
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
    row = _cells(line)
    good = row is not None and len(row) == len(COLUMNS) and row[0].isdigit()
    return row[1] if row is not None and good else None


def _cells(line: bytes) -> list[str] | None:
    """The cells of one line; None when it is none."""
    try:
        (row,) = csv.reader([line.decode()], strict=True)
    except (ValueError, csv.Error):
        return None
    return row


def _of(data: Any, *path: str) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return "" if data is None else data


def _cell(value: Any) -> str:
    """A value on one line that no spreadsheet takes for a formula."""
    told = _told(value)
    text = "".join(c if c.isprintable() else " " for c in told)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None else str(value)


def _row(cells: list[Any] | tuple[Any, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


FORMATS: Mapping[str, Format] = {
    "jsonl": Format(".jsonl", b"", _json_line, partial(_json_id, "id")),
    "csv": Format(".csv", MARK + _row(COLUMNS), _csv_line, _csv_id),
}
