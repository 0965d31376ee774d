"""A compiled mapping, and a record through it: a request or message, not wanted, or unfit. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

from gatewayd.mapping import words
from gatewayd.mapping.build import HIDDEN
from gatewayd.mapping.fields import Branch, Constant, Node, UnfitError, formulas
from gatewayd.mapping.file import (
    AnswerFile,
    ManyFile,
    MappingFile,
    PartFile,
    RequestFile,
    VoucherFile,
)
from gatewayd.mapping.json_text import dumps
from gatewayd.mapping.manners import Manner
from gatewayd.mapping.messages import Letter, Message, holds, letter
from protocols.documents import Tagged
from rules_engine.cel import Bound, Environment, Program

T = TypeVar("T")
MASK = "********"
MASKED_CHARS_MIN = 4
"""A shorter secret is not cut out of a text: it would tear other words apart."""
HEADER_OK = re.compile(r"[\x20-\x7e]{1,4096}")


@dataclass(frozen=True, slots=True)
class Request:
    """One compiled request. `path` and `headers` give texts; `node` is the body of one record."""

    written: RequestFile | VoucherFile
    when: Program | None
    path: tuple[Node, ...]
    headers: Branch
    node: Node
    around: Branch

    @property
    def records(self) -> tuple[str, ...]:
        """The kinds of records that it takes."""
        return self.written.records if isinstance(self.written, RequestFile) else ()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Everything in it that is filled."""
        return (*self.path, self.headers, self.node, self.around)

    @property
    def many(self) -> ManyFile | None:
        """How several records go in one; None = one by one."""
        return self.written.many if isinstance(self.written, RequestFile) else None

    @property
    def answer(self) -> AnswerFile:
        """What its answers mean."""
        return self.written.answer if isinstance(self.written, RequestFile) else AnswerFile()


@dataclass(frozen=True, slots=True)
class Skip:
    """Records that are not wanted."""

    records: tuple[str, ...]
    when: Program | None
    because: str


@dataclass(frozen=True, slots=True)
class PlatformMapping:
    """A compiled mapping. Two are equal when their text and their zone are."""

    id: str
    hash: str
    zone: str
    origin: str = field(compare=False)
    file: MappingFile = field(compare=False, repr=False)
    environment: Environment = field(compare=False, repr=False)
    skips: tuple[Skip, ...] = field(compare=False, repr=False)
    requests: tuple[Request, ...] = field(compare=False, repr=False)
    messages: tuple[Message, ...] = field(compare=False, repr=False)
    voucher: Request | None = field(compare=False, repr=False)
    secrets: tuple[Tagged, ...] = field(compare=False)
    """What its `!secret` name, in the order of their numbers."""
    reads: frozenset[str] = field(compare=False, repr=False)
    """The variables of records that its expressions read."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of records that it names; every other kind is not for this platform."""
        file = self.file
        parts: tuple[PartFile, ...] = (*file.requests, *file.messages, *file.skip)
        return frozenset(kind for part in parts for kind in part.records)


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, ready to be sent below the platform's url."""

    method: str
    path: str
    headers: Mapping[str, str]
    content_type: str
    body: bytes
    query: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that is not for this platform."""

    because: str


@dataclass(frozen=True, slots=True)
class Unfit:
    """A record that cannot be said in the platform's words: a dead letter with this reason."""

    why: str


@dataclass(frozen=True, slots=True)
class Fit:
    """A record in the platform's words; `item` is what stands for it in a request."""

    request: Request
    path: str
    headers: Mapping[str, str]
    item: Any
    around: Any


Fate: TypeAlias = Fit | Skipped | Unfit


@dataclass(frozen=True, slots=True)
class Tongue:
    """A mapping with the values and tables of one upstream: what speaks to that platform."""

    mapping: PlatformMapping
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """The values of the mapping's own `!secret`, in their order."""
    manner: Manner | None = None
    """How the upstream's kind addresses messages; None for requests, and for examples."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that nobody may see, the longest first."""
        written = self.mapping.file.values
        named = (str(v) for name, v in self.values.items() if written[name].secret)
        return tuple(sorted((*self.hidden, *named), key=len, reverse=True))

    def fate(self, event: Mapping[str, Any]) -> Fate:
        """The request that a record becomes; nothing else is ever raised or returned."""
        return self._fate(event, self._fit)

    def said(self, event: Mapping[str, Any]) -> Letter | Skipped | Unfit:
        """The message that a record becomes; nothing else is ever raised or returned."""
        return self._fate(event, self._letter)

    def _fate(
        self, event: Mapping[str, Any], say: Callable[[str, Bound], T]
    ) -> T | Skipped | Unfit:
        kind = words.WORDS["record.kind"].find(event)
        if kind not in self.mapping.kinds:
            return Skipped(f"records of kind {kind} are not mapped")
        bound = self._bound(event)
        try:
            return self._skipped(kind, bound) or say(kind, bound)
        except UnfitError as exc:
            return Unfit(self.masked(f"mapping {self.mapping.id}: {exc}"))

    def question(self, event: Mapping[str, Any]) -> Call:
        """The request that asks for a voucher; raises UnfitError."""
        request = self.mapping.voucher
        assert request is not None, self.mapping.id
        try:
            return call([self._filled(request, self._bound(event))])
        except UnfitError as exc:
            raise UnfitError(self.masked(f"mapping {self.mapping.id}: {exc}")) from exc

    def masked(self, text: str) -> str:
        """A text without any secret of this platform."""
        for secret in self.secrets:
            if len(secret) >= MASKED_CHARS_MIN:
                text = text.replace(secret, MASK).replace(quote(secret, safe=""), MASK)
        return text

    def _bound(self, event: Mapping[str, Any]) -> Bound:
        mapping = self.mapping
        found = words.values(event, mapping.reads)
        found |= {f"value.{name}": value for name, value in self.values.items()}
        found |= {f"{HIDDEN}{number}": text for number, text in enumerate(self.hidden)}
        tables = {**mapping.file.tables, **self.tables}
        found |= {f"table.{name}": dict(table) for name, table in tables.items()}
        return mapping.environment.bind(found)

    def _skipped(self, kind: str, bound: Bound) -> Skipped | None:
        for skip in self.mapping.skips:
            if kind in skip.records and holds(skip.when, bound, "skip"):
                return Skipped(skip.because)
        return None

    def _fit(self, kind: str, bound: Bound) -> Fit:
        for request in self.mapping.requests:
            if kind in request.records and holds(request.when, bound, "when"):
                return self._filled(request, bound)
        raise UnfitError(f"no request takes this {kind}, and no skip says that none should")

    def _letter(self, kind: str, bound: Bound) -> Letter:
        for message in self.mapping.messages:
            if kind in message.written.records and holds(message.when, bound, "when"):
                return letter(message, bound, self.manner)
        raise UnfitError(f"no message takes this {kind}, and no skip says that none should")

    def _filled(self, request: Request, bound: Bound) -> Fit:
        item = request.node.fill(bound, "")
        if not item:
            raise UnfitError("the request would be empty")
        headers = {name: str(text) for name, text in request.headers.fill(bound, "headers").items()}
        for name, text in headers.items():
            if not HEADER_OK.fullmatch(text):
                raise UnfitError(f"headers.{name}: not plain text")
        path = "".join(_segment(part.fill(bound, "path"), part) for part in request.path)
        if path and not path.startswith("/"):
            raise UnfitError(f"path {path!r}; expected one that begins with /")
        return Fit(request, path, headers, item, request.around.fill(bound, "around"))


def call(fits: Sequence[Fit]) -> Call:
    """One request for records that fit together: of one, or of several where it takes many."""
    first = fits[0]
    written = first.request.written
    assert len(fits) == 1 or first.request.many is not None, written
    if written.body != "json":
        text = urlencode({name: _plain(value) for name, value in first.item.items()})
        query = text if written.body == "query" else ""
        body = b"" if query else text.encode()
        kind = "" if query else "application/x-www-form-urlencoded"
        return Call(written.method, first.path, first.headers, kind, body, query)
    value: Any = first.item
    many = first.request.many
    if many is not None:
        items = [fit.item for fit in fits]
        value = items if many.key is None else {**first.around, many.key: items}
    body = dumps(value).encode()
    return Call(written.method, first.path, first.headers, "application/json", body)


def together(one: Fit, other: Fit) -> bool:
    """Whether two records may go in one request."""
    same = one.request is other.request and one.request.many is not None
    return same and (one.path, one.headers, one.around) == (other.path, other.headers, other.around)


def _segment(value: Any, part: Node) -> str:
    """A written part of a path as it is, what the station gave with its slashes, else one segment."""
    if isinstance(part, Constant):
        return str(value)
    ours = all(name.startswith("value.") for each in formulas(part) for name in each.reads)
    return quote(_plain(value), safe="/" if ours else "")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else f"{value}"
