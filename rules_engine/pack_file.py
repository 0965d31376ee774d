"""What a rule pack file looks like: the strict model, and the JSON Schema made from it."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from protocols.marks import nearest_hint
from rules_engine.reasons import REASONS

RULES_MAX = 500
EXAMPLES_MAX = 100
PACK_ID = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
RULE_ID = r"^[a-z0-9][a-z0-9-]{0,63}$"
PARAMETER = r"^[a-z][a-z0-9_]{0,63}$"

Expect = Literal["hold", "clear", "missing", "not_applicable"]


def _reason(code: str) -> str:
    if code in REASONS:
        return code
    hint = nearest_hint(code, REASONS)
    raise ValueError(f"unknown reason code; {hint or 'one of ' + ', '.join(REASONS)}")


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | str):
        return value
    raise ValueError("expected true, false, a whole number or text")


def _no_extends(_value: str) -> str:
    raise ValueError("extends is not supported; copy the pack and say replaces: <its id>")


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


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


class ExampleFile(_Strict):
    """Facts and what the rule must say about them; `gatewayd rules test` runs it."""

    facts: dict[str, Any]
    expect: Expect


class RuleFile(_Strict):
    """One rule: `when` is true when the reason `code` holds."""

    id: str = Field(pattern=RULE_ID)
    code: Annotated[str, AfterValidator(_reason), Field(json_schema_extra={"enum": list(REASONS)})]
    severity: Literal["deny", "warn", "observe"] = "deny"
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
    """A rule pack. A site pack with the id of a shipped one must say `replaces: <that id>`."""

    id: str = Field(pattern=PACK_ID)
    version: str = Field(min_length=1, max_length=64)
    title: MessageFile
    basis: str = ""
    replaces: str | None = Field(default=None, pattern=PACK_ID)
    extends: Annotated[str, AfterValidator(_no_extends)] | None = None
    parameters: dict[Annotated[str, Field(pattern=PARAMETER)], ParameterFile] = Field(
        default_factory=dict
    )
    rules: tuple[RuleFile, ...] = Field(min_length=1, max_length=RULES_MAX)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a rule pack, for editors; shipped as config/schema/rules.schema.json."""
    schema = PackFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "gatewayd rule pack"
    del schema["properties"]["extends"]
    return schema
