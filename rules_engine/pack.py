"""Rule packs: YAML text in, compiled and type-checked rules out, or every mistake at once."""

import hashlib

from protocols import documents
from protocols.documents import Document, DocumentError
from rules_engine import site_check
from rules_engine.cel import Environment
from rules_engine.extend import extend, kinds
from rules_engine.facts import of_kind, parse_date
from rules_engine.pack_check import check, variables
from rules_engine.pack_file import BasisFile, PackFile, ParameterFile, RuleFile
from rules_engine.pack_model import Example, Pack, Parameter, Rule
from rules_engine.template import Template
from rules_engine.verdict import Message, PackRef

__all__ = ["UNVERIFIED", "Example", "Pack", "Parameter", "Rule", "load"]

UNVERIFIED = "未核对原文 / text not verified"


def load(text: str, origin: str, base: Pack | None = None) -> Pack:
    """The pack in `text`; `origin` names the file in errors, `base` is the pack it extends.

    Raises DocumentError with every problem as file:line:column: unknown keys and facts, wrong
    types, expressions that do not check, placeholders, reason codes, duplicate ids, and whatever
    loosens `base` without an override.
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
    problems.extend(check(document, text, variables(document.value) | kinds(base)))
    if file is not None:
        problems.extend(site_check.check(document, file, base))
    if problems:
        raise DocumentError(problems)
    assert file is not None
    return _pack(file, document, text, base)


def _pack(file: PackFile, document: Document, text: str, base: Pack | None) -> Pack:
    environment = Environment(variables(document.value) | kinds(base))
    rules = tuple(
        _rule(file.id, rule, environment, document, index) for index, rule in enumerate(file.rules)
    )
    parameters = {name: _parameter(item) for name, item in file.parameters.items()}
    own = Pack(
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
    return own if base is None else extend(base, own, file)


def _parameter(item: ParameterFile) -> Parameter:
    value = parse_date(item.value) if item.unit == "date" else item.value
    return Parameter(value, item.unit, item.source, item.verified, item.tighter)


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
        stage=item.stage,
        given=given,
        applies_if_known=item.applies_if_known,
        when=when,
        message=message,
        basis=basis if item.verified else f"{basis} [{UNVERIFIED}]",
        verified=item.verified,
        examples=tuple(
            Example(
                {
                    name: of_kind(name, environment.variables[name], value)
                    for name, value in example.facts.items()
                },
                example.expect,
                document.mark(("rules", index, "examples", at)),
                example.stage,
            )
            for at, example in enumerate(item.examples)
        ),
        mark=document.mark(("rules", index)),
        values=tuple(sorted(read | set(message.names))),
    )
