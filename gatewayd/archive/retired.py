"""Codes and tags that are out of use, from and to a file; which they are is `store/retired.py`'s."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, Final

from gatewayd.archive import small
from gatewayd.archive.cells import Column, code, one_of, tag_uids, text
from gatewayd.archive.sheet import Sheet
from gatewayd.archive.writing import FileFormat
from gatewayd.store.passing import Retired
from gatewayd.store.retired import Kind
from gatewayd.store.rows import normal_uid

RETIRED_MAX = 20_000
"""Rows of a file: each is a record of its own, in one transaction."""
CODE: Final[Kind] = "code"
TAG: Final[Kind] = "uid"
COLUMNS: Final = (
    Column("kind", one_of((CODE, TAG))),
    Column("value", code),
    Column("reason", partial(text, characters_max=200)),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One code, or one tag in upper-case hex, and why it may name no cylinder again."""

    kind: Kind
    value: str
    reason: str


def _kind(values: Mapping[str, Any]) -> Kind:
    return TAG if values.get("kind") == TAG else CODE


def _once(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    value = values.get("value")
    if value is None:
        return
    if _kind(values) == TAG:
        tag_uids(value)  # Raises CellError for what is no tag.
        yield "value", value, f"{TAG} {normal_uid(value)}"
    else:
        yield "value", value, f"{CODE} {value}"


SHAPE: Final = small.Shape(
    what="codes and tags",
    sheet="retired",
    columns=COLUMNS,
    needed=("value", "reason"),
    once=_once,
    must=("value", "reason"),
    rows_max=RETIRED_MAX,
    odd="value",
)


def read(sheet: Sheet) -> list[Row]:
    """The rows of a file; `kind` empty or not there is a code. Raises RejectedError."""
    found, _ = small.read(sheet, SHAPE)
    return [_row(each) for each in found]


def _row(values: Mapping[str, Any]) -> Row:
    kind, value = _kind(values), values["value"]
    return Row(kind, normal_uid(value) if kind == TAG else value, values["reason"])


def write(
    file: BinaryIO, file_format: FileFormat, retired: Iterable[Retired], *, bom: bool = False
) -> int:
    """Write the header and everything that is out of use, as `read` takes it back; how many."""
    entries = [[getattr(one, name) for name in SHAPE.names] for one in retired]
    return small.write(file, file_format, SHAPE, entries, bom=bom)
