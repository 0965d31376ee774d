"""What a rule pack file looks like: the strict model, and the JSON Schema made from it."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from protocols.marks import nearest_hint
from rules_engine.facts import parse_date
from rules_engine.reasons import REASONS
from rules_engine.verdict import Severity, Stage

RULES_MAX = 500
EXAMPLES_MAX = 100
OVERRIDES_MAX = 100
PACK_ID = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
RULE_ID = r"^[a-z0-9][a-z0-9-]{0,63}$"
PARAMETER = r"^[a-z][a-z0-9_]{0,63}$"

OVERRIDABLE = r"^(param\.[a-z][a-z0-9_]{0,63}|[a-z0-9][a-z0-9-]{0,63})$"

Expect = Literal["hold", "clear", "missing", "not_applicable", "deny", "warn", "observe"]
Tighter = Literal["lower", "higher"]


def _reason(code: str) -> str:
    if code in REASONS:
        return code
    hint = nearest_hint(code, REASONS)
    raise ValueError(f"unknown reason code; {hint or 'one of ' + ', '.join(REASONS)}")


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | str):
        return value
    raise ValueError("expected true, false, a whole number or text")


def _day(value: str) -> str:
    parse_date(value)
    return value


def _several(value: Any) -> Any:
    """One override may stand alone; strict models want tuples of what is no longer JSON text."""
    if isinstance(value, dict):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


class _Strict(BaseModel):
    model_config = ConfigDict(defer_build=True, strict=True, extra="forbid", frozen=True)


class MessageFile(_Strict):
    """One sentence in both languages; `{cylinder.owner}` is replaced by the value of the fact."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class BasisFile(_Strict):
    """Where the rule comes from: document, its edition, and the clause if it is known."""

    document: str = Field(min_length=1)
    edition: str = ""
    clause: str = ""


class ParameterFile(_Strict):
    """A number or text that rules read as `param.<name>`; `unit: date` makes it a date."""

    value: Annotated[
        Any,
        AfterValidator(_plain),
        Field(json_schema_extra={"type": ["boolean", "integer", "string"]}),
    ]
    unit: str
    source: str = Field(min_length=1)
    verified: bool = Field(description="true only when the text of the source was read")
    tighter: Tighter | None = Field(
        default=None,
        description="the direction in which a site may change it without an override; "
        "true is higher than false, a later day higher than an earlier one",
    )


class ExampleFile(_Strict):
    """Facts and what the rule must say about them; run when the pack is loaded."""

    facts: dict[str, Any]
    expect: Expect = Field(
        description="hold, clear, missing, not_applicable; or deny, warn, observe: "
        "it holds and is that severe"
    )
    stage: Stage | None = Field(default=None, description="the stage it is judged at")


class OverrideFile(_Strict):
    """A site's licence to loosen one rule of the pack it extends, or one `param.<name>`."""

    rule: str = Field(pattern=OVERRIDABLE, description="rule id, or param.<name>")
    reason: str = Field(min_length=1, max_length=500)
    approved_by: str = Field(min_length=1, max_length=200)
    until: Annotated[str, AfterValidator(_day)] = Field(description="its last day")
    severity: Literal["warn", "observe"] | None = Field(
        default=None,
        description="how severe the rule is meanwhile (observe), unless `rules` has another text",
    )


class RuleFile(_Strict):
    """One rule: `when` is true when the reason `code` holds."""

    id: str = Field(pattern=RULE_ID)
    code: Annotated[str, AfterValidator(_reason), Field(json_schema_extra={"enum": list(REASONS)})]
    severity: Severity = "deny"
    stage: Stage = Field(
        default="permit",
        description="receive, prefill and permit are all judged before a permit is given",
    )
    given: str | None = Field(
        default=None, min_length=1, description="CEL: the rule applies only when this is true"
    )
    applies_if_known: tuple[str, ...] = Field(
        default=(), description="facts without which the rule does not apply"
    )
    when: str = Field(min_length=1, description="CEL: true when the reason holds")
    message: MessageFile
    basis: BasisFile
    verified: bool = Field(description="true only when the text of the clause was read")
    examples: tuple[ExampleFile, ...] = Field(default=(), max_length=EXAMPLES_MAX)


class PackFile(_Strict):
    """A rule pack. A site's stands alone, or `extends` a shipped one, or `replaces` it."""

    id: str = Field(pattern=PACK_ID)
    version: str = Field(min_length=1, max_length=64)
    title: MessageFile
    basis: str = ""
    replaces: str | None = Field(default=None, pattern=PACK_ID)
    extends: str | None = Field(
        default=None, pattern=PACK_ID, description="every rule of that pack holds here too"
    )
    parameters: dict[Annotated[str, Field(pattern=PARAMETER)], ParameterFile] = Field(
        default_factory=dict
    )
    messages: dict[Annotated[str, Field(pattern=RULE_ID)], MessageFile] = Field(
        default_factory=dict, description="with extends: other words for rules of that pack"
    )
    override: Annotated[
        tuple[OverrideFile, ...],
        BeforeValidator(_several),
        Field(json_schema_extra={"type": ["array", "object"]}),
    ] = Field(default=(), max_length=OVERRIDES_MAX, description="with extends: what is loosened")
    rules: tuple[RuleFile, ...] = Field(default=(), max_length=RULES_MAX)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a rule pack, for editors; shipped as config/schema/rules.schema.json."""
    schema = PackFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "gatewayd rule pack"
    return schema
