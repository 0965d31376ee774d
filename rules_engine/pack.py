"""Rule packs: YAML text in, compiled and type-checked rules out, or every mistake at once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols import documents
from protocols.documents import Document, DocumentError, Mark
from rules_engine.cel import Environment, Program
from rules_engine.facts import Value, from_json, parse_date
from rules_engine.pack_check import check, variables
from rules_engine.pack_file import BasisFile, Expect, PackFile, ParameterFile, RuleFile
from rules_engine.template import Template
from rules_engine.verdict import Message, PackRef, Severity

UNVERIFIED = "未核对原文 / text not verified"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that rules read as `param.<name>`, with where it comes from."""

    value: Value
    unit: str
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Example:
    """Facts and what the rule must say about them; `mark` is its place in the file."""

    facts: Mapping[str, Value]
    expect: Expect
    mark: Mark


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule. `name` is unique among packs: `<pack id>.<rule id>`."""

    id: str
    name: str
    code: str
    severity: Severity
    given: Program | None
    applies_if_known: tuple[str, ...]
    when: Program
    message: Template
    basis: str
    verified: bool
    examples: tuple[Example, ...]
    mark: Mark
    values: tuple[str, ...]
    """The names whose values a finding of this rule carries: what it reads and what it says."""

    @property
    def reads(self) -> frozenset[str]:
        """Every fact and parameter that decides this rule."""
        return self.when.reads | (self.given.reads if self.given else frozenset())


@dataclass(frozen=True, slots=True)
class Pack:
    """A loaded pack. `ref` names the exact text; `reads` is what all its rules read together."""

    id: str
    version: str
    title: Message
    basis: str
    replaces: str | None
    parameters: Mapping[str, Parameter]
    rules: tuple[Rule, ...]
    ref: PackRef
    origin: str
    environment: Environment = field(compare=False, repr=False)
    reads: frozenset[str] = field(compare=False, repr=False)
    values: Mapping[str, Value] = field(compare=False, repr=False)


def load(text: str, origin: str) -> Pack:
    """The pack in `text`; `origin` names the file in errors.

    Raises DocumentError with every problem as file:line:column: unknown keys and facts, wrong
    types, expressions that do not check, placeholders, reason codes, duplicate ids.
    """
    document, parse_problems = documents.parse_leniently(text, origin)
    problems = list(parse_problems)
    if document is None:
        raise DocumentError(problems)
    file = None
    try:
        file = documents.validate(document, PackFile)
    except DocumentError as exc:
        problems.extend(exc.problems)
    problems.extend(check(document, text))
    if problems:
        raise DocumentError(problems)
    assert file is not None
    return _pack(file, document, text)


def _pack(file: PackFile, document: Document, text: str) -> Pack:
    environment = Environment(variables(document.value))
    rules = tuple(
        _rule(file.id, rule, environment, document, index) for index, rule in enumerate(file.rules)
    )
    parameters = {name: _parameter(item) for name, item in file.parameters.items()}
    return Pack(
        id=file.id,
        version=file.version,
        title=Message(file.title.zh, file.title.en),
        basis=file.basis,
        replaces=file.replaces,
        parameters=parameters,
        rules=rules,
        ref=PackRef(file.id, file.version, hashlib.sha256(text.encode()).hexdigest()),
        origin=document.origin,
        environment=environment,
        reads=frozenset().union(*(rule.reads for rule in rules)),
        values={f"param.{name}": item.value for name, item in parameters.items()},
    )


def _parameter(item: ParameterFile) -> Parameter:
    value = parse_date(item.value) if item.unit == "date" else item.value
    return Parameter(value, item.unit, item.source, item.verified)


def _cited(basis: BasisFile) -> str:
    """`TSG 23 (2021), ch. 9`."""
    edition = f" ({basis.edition})" if basis.edition else ""
    return f"{basis.document}{edition}{', ' if basis.clause else ''}{basis.clause}"


def _rule(
    pack_id: str, item: RuleFile, environment: Environment, document: Document, index: int
) -> Rule:
    basis = _cited(item.basis)
    given = environment.compile(item.given) if item.given else None
    when = environment.compile(item.when)
    message = Template(item.message.zh, item.message.en)
    read = when.reads | (given.reads if given else frozenset())
    return Rule(
        id=item.id,
        name=f"{pack_id}.{item.id}",
        code=item.code,
        severity=item.severity,
        given=given,
        applies_if_known=item.applies_if_known,
        when=when,
        message=message,
        basis=basis if item.verified else f"{basis} [{UNVERIFIED}]",
        verified=item.verified,
        examples=tuple(
            Example(
                {name: from_json(name, value) for name, value in example.facts.items()},
                example.expect,
                document.mark(("rules", index, "examples", at)),
            )
            for at, example in enumerate(item.examples)
        ),
        mark=document.mark(("rules", index)),
        values=tuple(sorted(read | set(message.names))),
    )
