"""What a mapping file looks like: the strict model, and the JSON Schema made from it."""

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gatewayd.mapping.words import KINDS
from protocols.marks import nearest_hint

MAPPING_ID = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
NAME = r"^[a-z][a-z0-9_]{0,63}$"
PATH = r"^([/{][^\s?#]*)?$"
"""Below the platform's url; `{value.NAME}` may have slashes of its own, `{cylinder.code}` not."""
REQUESTS_MAX = 50
EXAMPLES_MAX = 100
MESSAGES_MAX = 50
TABLE_MAX = 2_000
TO_CHARS_MAX = 1_000
SECRET = "!secret"  # noqa: S105 - the key that stands for a tagged value, not one

Code: TypeAlias = str | int
Scalar: TypeAlias = bool | int | str


def _kind(kind: str) -> str:
    if kind in KINDS:
        return kind
    hint = nearest_hint(kind, KINDS)
    raise ValueError(f"unknown kind of record; {hint or 'one of ' + ', '.join(KINDS)}")


Kind = Annotated[str, AfterValidator(_kind), Field(json_schema_extra={"enum": list(KINDS)})]
Kinds = Annotated[tuple[Kind, ...], Field(min_length=1)]
Texts = dict[Annotated[str, Field(min_length=1, max_length=200)], str]


class _Strict(BaseModel):
    model_config = ConfigDict(defer_build=True, strict=True, extra="forbid", frozen=True)


class WordsFile(_Strict):
    """One sentence in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class ValueFile(_Strict):
    """A value that the station fills in below `values:` of its upstream: `value.NAME`."""

    type: Literal["text", "int", "bool"] = "text"
    doc: str = Field(min_length=1)
    secret: bool = Field(default=False, description="never shown; write it through !secret")
    default: Scalar | None = None
    example: Scalar | None = Field(default=None, description="what the examples are run with")


class StationTableFile(_Strict):
    """A code table that only the station knows; it stands below `tables:` of its upstream."""

    doc: str = Field(min_length=1)
    example: Texts = Field(min_length=1, description="what the examples are run with")


class EachFile(_Strict):
    """Where an answer speaks of single records: the list `at`, its entries named by `id`.

    `id` is the path in an entry that has the id of our record; without it entries are by position.
    `field` and `reason` of the answer are then paths in an entry; no list is no answer.
    """

    at: str = Field(min_length=1)
    id: str | None = None


class AnswerFile(_Strict):
    """What an answer of the platform means. Without any of this a 2xx without an error is a yes.

    `has`: a path that a yes has. `field`: the path of its code. A code that is in no list, and an
    answer that has neither, is no answer: the record is kept and sent again. `duplicate` counts at
    any HTTP status, `accepted` at 2xx only.
    """

    has: str | None = Field(default=None, min_length=1)
    field: str | None = Field(default=None, min_length=1)
    accepted: tuple[Code, ...] = ()
    duplicate: tuple[Code, ...] = ()
    rejected: tuple[Code, ...] = ()
    retry: tuple[Code, ...] = ()
    reason: str | None = Field(default=None, min_length=1)
    words: dict[str, str] = Field(default_factory=dict, description="what a code means, for people")
    each: EachFile | None = None

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        lists = (self.accepted, self.duplicate, self.rejected, self.retry)
        named = [str(code) for codes in lists for code in codes]
        twice = sorted({code for code in named if named.count(code) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} has two meanings; expected one")
        if (named or self.each) and self.field is None:
            raise ValueError("codes without field; expected the path of the code")
        if self.field is not None and not self.accepted and self.has is None:
            raise ValueError("nothing is accepted; expected accepted or has")
        return self


class ManyFile(_Strict):
    """Several records in one request: a list, below `key` or by itself; `around` beside it."""

    key: str | None = Field(default=None, min_length=1)
    around: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.around and self.key is None:
            raise ValueError("around without key; expected the key of the list")
        return self


class PartFile(_Strict):
    """What speaks of some records: kinds, and a condition."""

    records: Kinds
    when: str | None = Field(default=None, min_length=1, description="CEL: only when this is true")


class RequestFile(PartFile):
    """One request: for which records, where it goes, what is in it, what its answer means."""

    method: Literal["POST", "PUT", "PATCH", "GET"] = "POST"
    path: str = Field(default="", pattern=PATH)
    body: Literal["json", "form", "query"] = "json"
    headers: dict[str, str] = Field(default_factory=dict, description="CEL")
    fields: Any = Field(description="NAME: CEL, {value, as, optional, default}, or more below it")
    many: ManyFile | None = None
    answer: AnswerFile = AnswerFile()

    @model_validator(mode="after")
    def _together(self) -> Self:
        if not isinstance(self.fields, dict | list) or not self.fields:
            raise ValueError("fields is empty; expected NAME: expression")
        if self.many is not None and self.body != "json":
            raise ValueError("many needs body: json")
        if (self.body == "query") != (self.method == "GET"):
            raise ValueError("body: query goes with method: GET, and the other way round")
        return self


class MessageFile(PartFile):
    """One message, for every upstream but HTTP: for which records, where it goes, what is in it.

    `to` is an MQTT topic, a NATS subject, a Kafka topic, a PostgreSQL table; without it the record
    goes where that upstream puts records. Files know no `to`. `key` is of Kafka alone.
    """

    to: str = Field(default="", max_length=TO_CHARS_MAX, description="{...} is one part of it")
    key: str | None = Field(default=None, min_length=1, description="CEL; default: the rig")
    fields: Any = Field(description="NAME: CEL, {value, as, optional, default}, or more below it")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not isinstance(self.fields, dict | list) or not self.fields:
            raise ValueError("fields is empty; expected NAME: expression")
        return self


class SkipFile(PartFile):
    """Records that this platform does not want although their kind is mapped, and why."""

    because: str = Field(min_length=1)


class VoucherFile(_Strict):
    """The question before a fill. Only an accepted code is a yes; everything else is a no."""

    method: Literal["POST", "GET"] = "POST"
    path: str = Field(default="", pattern=PATH)
    body: Literal["json", "form", "query"] = "json"
    headers: dict[str, str] = Field(default_factory=dict)
    fields: dict[str, Any]
    field: str = Field(min_length=1, description="the path of the code in the answer")
    valid: tuple[Code, ...] = Field(min_length=1)
    also: dict[str, tuple[Code | bool, ...]] = Field(
        default_factory=dict, description="other paths of the answer and what a yes has there"
    )
    number: str | None = Field(default=None, description="the path of the voucher's number")
    station: str | None = Field(default=None, description="the path of the station it is for")
    reason: str | None = Field(default=None, description="the path of the platform's words")
    findings: dict[str, str] = Field(
        default_factory=dict, description="platform code: reason code of gatewayd"
    )
    words: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.body == "query") != (self.method == "GET"):
            raise ValueError("body: query goes with method: GET, and the other way round")
        both = {str(code) for code in self.valid} & self.findings.keys()
        if both:
            raise ValueError(f"{', '.join(sorted(both))} is valid and a finding; expected one")
        return self


class ExampleFile(_Strict):
    """A record, or the facts of a question, and the request that it must become.

    `out` is `{method, path, body}`, of a message `{to, key, body}`; `{skipped: ...}` and
    `{refused: ...}` hold a part of the reason.
    """

    title: str = ""
    record: dict[str, Any] | None = Field(default=None, alias="in")
    ask: dict[str, Any] | None = None
    out: dict[str, Any]

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.record is None) == (self.ask is None):
            raise ValueError("expected one of in and ask")
        return self


class MappingFile(_Strict):
    """How one platform wants records: by `requests` over HTTP, else by `messages`."""

    id: str = Field(pattern=MAPPING_ID)
    title: WordsFile
    source: str = Field(min_length=1, description="document, revision, where it was read")
    verified: bool = Field(description="true only when it was tried against the platform itself")
    caveats: tuple[str, ...] = ()
    timezone: str | None = Field(default=None, description="of format(); default: the station's")
    values: dict[Annotated[str, Field(pattern=NAME)], ValueFile] = Field(default_factory=dict)
    tables: dict[Annotated[str, Field(pattern=NAME)], Texts] = Field(default_factory=dict)
    station_tables: dict[Annotated[str, Field(pattern=NAME)], StationTableFile] = Field(
        default_factory=dict
    )
    skip: tuple[SkipFile, ...] = ()
    requests: tuple[RequestFile, ...] = Field(
        default=(), max_length=REQUESTS_MAX, description="for driver: http"
    )
    messages: tuple[MessageFile, ...] = Field(
        default=(), max_length=MESSAGES_MAX, description="for every other driver"
    )
    voucher: VoucherFile | None = None
    examples: tuple[ExampleFile, ...] = Field(min_length=1, max_length=EXAMPLES_MAX)

    @model_validator(mode="after")
    def _something(self) -> Self:
        spoken = bool(self.requests) or self.voucher is not None
        if spoken == bool(self.messages):
            what = "both messages and requests" if spoken else "no requests, messages or voucher"
            raise ValueError(f"{what}; expected messages, or requests and voucher")
        if both := self.tables.keys() & self.station_tables.keys():
            raise ValueError(f"table {', '.join(sorted(both))} is in tables and station_tables")
        return self


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a mapping, for editors; shipped as config/schema/upstreams.schema.json."""
    schema = MappingFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "gatewayd mapping"
    return schema
