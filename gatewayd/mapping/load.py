"""A mapping out of its text: shape, expressions, tables, values, every mistake with its place."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from gatewayd.mapping.build import HIDDEN, Builder
from gatewayd.mapping.fields import Constant, Node, Row, formulas
from gatewayd.mapping.file import (
    SECRET,
    TABLE_MAX,
    MappingFile,
    MessageFile,
    RequestFile,
    VoucherFile,
)
from gatewayd.mapping.functions import functions
from gatewayd.mapping.mapping import PlatformMapping, Request, Skip
from gatewayd.mapping.messages import Message
from gatewayd.mapping.words import WORDS
from protocols.documents import (
    Document,
    DocumentError,
    Mark,
    Path,
    Problem,
    Tagged,
    parse_leniently,
    replace_tagged,
    validate,
)
from rules_engine.cel import Environment, Program, ValueKind
from rules_engine.facts import sound

TAGS = frozenset({SECRET, "!env"})
KEPT_MAX = 64
"""Compiled mappings remembered by their text: a reload compiles only what changed."""
ASKED_OF = ("cylinder.", "operator.")
ASKED = frozenset({"station_id", "rig_id", "record.id", "record.time"})
"""What is known when a voucher is asked for, beside cylinder and operator."""
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_SET_BY_US = frozenset({"host", "content-length", "content-type", "idempotency-key", "connection"})
_SLOT = re.compile(r"\{([^{}]*)\}")


def load(text: str, origin: str, station_zone: str) -> PlatformMapping:
    """The mapping in `text`; raises DocumentError with every mistake. Examples are not run."""
    return _load(text, origin, station_zone)


@lru_cache(KEPT_MAX)
def _load(text: str, origin: str, station_zone: str) -> PlatformMapping:
    document, problems = parse_leniently(text, origin, tags=TAGS)
    if document is None:
        raise DocumentError(problems)
    named: list[Tagged] = []

    def secret(tagged: Tagged, _mark: Mark) -> dict[str, int]:
        """A secret by its number; whoever sends looks its value up."""
        if tagged not in named:
            named.append(tagged)
        return {SECRET: named.index(tagged)}

    document = replace_tagged(document, secret)
    try:
        file = validate(document, MappingFile)
    except DocumentError as exc:
        raise DocumentError([*problems, *exc.problems]) from exc
    zone, wrong = _zone(document, file, station_zone)
    known = variables(file) | {f"{HIDDEN}{number}": "text" for number in range(len(named))}
    environment = Environment(known, functions(ZoneInfo(zone)))
    builder = Builder(document, text.splitlines(), environment)
    builder.problems += [*problems, *wrong, *_checked(document, file)]
    mapping = _compiled(builder, file, text, zone, tuple(named))
    if builder.problems:
        raise DocumentError(builder.problems)
    return mapping


def variables(file: MappingFile) -> dict[str, ValueKind]:
    """What an expression of this mapping may read."""
    known: dict[str, ValueKind] = {name: word.kind for name, word in WORDS.items()}
    known |= {f"value.{name}": value.type for name, value in file.values.items()}
    return known | {f"table.{name}": "table" for name in (*file.tables, *file.station_tables)}


def readable(kinds: Iterable[str]) -> frozenset[str]:
    """The variables that records of these kinds may have."""
    wanted = frozenset(kinds)
    return frozenset(name for name, word in WORDS.items() if not wanted.isdisjoint(word.kinds))


def askable() -> frozenset[str]:
    """The variables that a question before a fill may read."""
    return frozenset(name for name in WORDS if name in ASKED or name.startswith(ASKED_OF))


def _zone(document: Document, file: MappingFile, station_zone: str) -> tuple[str, list[Problem]]:
    try:
        return ZoneInfo(file.timezone or station_zone).key, []
    except (KeyError, ValueError, OSError):
        what = f"unknown time zone {file.timezone!r}"
        mark = document.mark(("timezone",))
        return "UTC", [Problem(mark, what, "a name such as Asia/Shanghai")]


def _checked(document: Document, file: MappingFile) -> Iterator[Problem]:
    """What a schema cannot see, beside expressions."""
    for name, value in file.values.items():
        for key in ("default", "example"):
            told = getattr(value, key)
            if told is not None and not sound(value.type, told):
                mark = document.mark(("values", name, key))
                yield Problem(mark, f"{name}: {key} {told!r}", f"expected {value.type}")
    for name, table in file.tables.items():
        if len(table) > TABLE_MAX:
            mark = document.mark(("tables", name))
            yield Problem(mark, f"table {name}: more than {TABLE_MAX} entries")


def _compiled(
    builder: Builder, file: MappingFile, text: str, zone: str, secrets: tuple[Tagged, ...]
) -> PlatformMapping:
    skips = tuple(_skip(builder, file, index) for index in range(len(file.skip)))
    requests = tuple(
        _request(builder, request, ("requests", index))
        for index, request in enumerate(file.requests)
    )
    voucher = None if file.voucher is None else _request(builder, file.voucher, ("voucher",))
    messages = tuple(
        _message(builder, message, ("messages", index))
        for index, message in enumerate(file.messages)
    )
    every = (*requests, *messages, *(() if voucher is None else (voucher,)))
    conditions = [part.when for part in (*skips, *every) if part.when is not None]
    return PlatformMapping(
        id=file.id,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        zone=zone,
        origin=builder.document.origin,
        file=file,
        environment=builder.environment,
        skips=skips,
        requests=requests,
        messages=messages,
        voucher=voucher,
        secrets=secrets,
        reads=frozenset(_reads(every, conditions)) & WORDS.keys(),
    )


def _skip(builder: Builder, file: MappingFile, index: int) -> Skip:
    written = file.skip[index]
    builder.readable, builder.where = readable(written.records), _shown(written.records)
    when = builder.condition(written.when, ("skip", index, "when"))
    return Skip(written.records, when, written.because)


def _request(builder: Builder, written: RequestFile | VoucherFile, path: Path) -> Request:
    asked = isinstance(written, VoucherFile)
    kinds = () if isinstance(written, VoucherFile) else written.records
    builder.readable = askable() if asked else readable(kinds)
    builder.where = "a question before a fill" if asked else _shown(kinds)
    when = None if isinstance(written, VoucherFile) else written.when
    builder.flat = True
    slots = _slots(builder, written.path, (*path, "path"))
    headers = builder.branch(written.headers, (*path, "headers"))
    _header_names(builder, written.headers, (*path, "headers"))
    builder.flat = written.body != "json"
    node = _fields(builder, written.fields, (*path, "fields"))
    many = None if isinstance(written, VoucherFile) else written.many
    around = builder.branch(many.around if many else {}, (*path, "many", "around"))
    condition = builder.condition(when, (*path, "when"))
    return Request(written, condition, slots, headers, node, around)


def _message(builder: Builder, written: MessageFile, path: Path) -> Message:
    builder.readable, builder.where = readable(written.records), _shown(written.records)
    builder.flat = True
    to = _slots(builder, written.to, (*path, "to"))
    key = Constant("") if written.key is None else builder.node(written.key, (*path, "key"))
    builder.flat = False
    node = _fields(builder, written.fields, (*path, "fields"))
    return Message(written, builder.condition(written.when, (*path, "when")), to, key, node)


def _fields(builder: Builder, written: Any, path: Path) -> Node:
    """What is sent: an object of fields as it is written, or a list."""
    return (
        builder.branch(written, path) if isinstance(written, dict) else builder.node(written, path)
    )


def _header_names(builder: Builder, written: Mapping[str, Any], path: Path) -> None:
    for name in written:
        if not _HEADER.fullmatch(name) or name.lower() in _SET_BY_US:
            builder.problem(
                (*path, name), f"header {name!r}", "a header that gatewayd does not set"
            )


def _slots(builder: Builder, written: str, path: Path) -> tuple[Node, ...]:
    """A path or topic as its written and its filled parts: `/api/{value.token}/x`."""
    parts: list[Node] = []
    for index, part in enumerate(_SLOT.split(written)):
        if index % 2:
            parts.append(builder.node(part, path))
        elif "{" in part or "}" in part:
            builder.problem(path, f"{path[-1]} {written!r}: a brace without its partner")
        elif part:
            parts.append(Constant(part))
    return tuple(parts)


def _reads(parts: Iterable[Request | Message], conditions: Iterable[Program]) -> Iterator[str]:
    for part in parts:
        for formula in formulas(Row(part.nodes)):
            yield from formula.reads
    for condition in conditions:
        yield from condition.reads


def _shown(kinds: Iterable[str]) -> str:
    return f"a record of kind {' or '.join(kinds)}"
