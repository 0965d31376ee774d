"""What a schema cannot see in a rule pack: expressions, facts, placeholders, duplicate ids.

It reads the plain document, so that one misshapen rule does not hide the mistakes in the others.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from protocols.documents import Document, Mark, Path, Problem
from protocols.marks import nearest_hint
from rules_engine.cel import Environment, ExpressionError, Fault
from rules_engine.facts import FACTS, MEDIA, Kind, nearest, of_kind, parse_date
from rules_engine.template import placeholders

FILL_COEFFICIENT = "fill_g_per_l_"
"""A parameter named so, plus the medium in lower case, is grams allowed per litre of capacity."""
DEDUCT_RESIDUE = "deduct_residue"
FILL_REFERENCE = "fill_reference_dc"
"""The temperature for which working pressures are stamped, in tenths of a degree Celsius."""
FILL_PPM_PER_K = "fill_ppm_per_k_"
"""Plus the medium in lower case: how the absolute pressure changes a kelvin, parts a million."""


def variables(value: Any) -> dict[str, Kind]:
    """What an expression of this pack may read: every fact, and `param.<name>` of the pack."""
    return {name: fact.type for name, fact in FACTS.items()} | {
        f"param.{name}": kind
        for name, item in _mapping(value, "parameters").items()
        if isinstance(item, dict) and (kind := _kind(item)) is not None
    }


def check(document: Document, text: str, known: Mapping[str, Kind]) -> Iterator[Problem]:
    """Every problem of the pack beyond its shape; `known` is what its expressions may read."""
    yield from _parameters(document)
    environment = Environment(known)
    lines = text.splitlines()
    seen: dict[str, Mark] = {}
    for index, rule in enumerate(_items(document.value, "rules")):
        path: Path = ("rules", index)
        yield from _duplicate(document, rule.get("id"), path, seen)
        for key in ("given", "when"):
            if isinstance(source := rule.get(key), str) and source:
                yield from _expression(document, lines, (*path, key), source, environment)
        yield from _known_facts(document, rule, path)
        yield from _message(document, rule, path, known)
        yield from _examples(document, rule, path, known)


def _mapping(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _items(value: Any, key: str) -> list[dict[str, Any]]:
    found = value.get(key) if isinstance(value, dict) else None
    items = found if isinstance(found, list) else []
    return [item if isinstance(item, dict) else {} for item in items]


def _kind(item: Mapping[str, Any]) -> Kind | None:
    value = item.get("value")
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, str):
        return "date" if item.get("unit") == "date" else "text"
    return None


def _parameters(document: Document) -> Iterator[Problem]:
    for name, item in _mapping(document.value, "parameters").items():
        if not isinstance(item, dict):
            continue
        value, mark = item.get("value"), document.mark(("parameters", name, "value"))
        if item.get("unit") == "date":
            try:
                parse_date(str(value))
            except ValueError as exc:
                yield Problem(mark, f"param.{name}: {exc}")
        if name == DEDUCT_RESIDUE and not isinstance(value, bool):
            yield Problem(mark, f"param.{name}: {value!r}", "expected true or false")
        if name == FILL_REFERENCE or name.startswith(FILL_PPM_PER_K):
            yield from _thermal(document.mark(("parameters", name)), mark, name, value)
        if name.startswith(FILL_COEFFICIENT):
            yield from _coefficient(document.mark(("parameters", name)), mark, name, value)


GRAMS_PER_LITRE_MAX = 5_000


def _coefficient(name_mark: Mark, mark: Mark, name: str, value: Any) -> Iterator[Problem]:
    medium = name.removeprefix(FILL_COEFFICIENT)
    media = sorted(medium.lower() for medium in MEDIA)
    if medium not in media:
        yield Problem(
            name_mark,
            f"unknown medium {medium!r}",
            f"one of {', '.join(media)}",
            nearest_hint(medium, media),
        )
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or not 0 < value <= GRAMS_PER_LITRE_MAX
    ):
        yield Problem(mark, f"param.{name}: {value!r}", f"expected 1 to {GRAMS_PER_LITRE_MAX} g/L")


THERMAL = {FILL_REFERENCE: (0, 300), FILL_PPM_PER_K: (2_000, 20_000)}
"""0 to 30 degrees; an ideal gas changes by 3411 ppm a kelvin at 20 degrees, real ones by more."""


def _thermal(name_mark: Mark, mark: Mark, name: str, value: Any) -> Iterator[Problem]:
    low, high = THERMAL[FILL_REFERENCE if name == FILL_REFERENCE else FILL_PPM_PER_K]
    media = sorted(medium.lower() for medium in MEDIA)
    medium = name.removeprefix(FILL_PPM_PER_K)
    if name != FILL_REFERENCE and medium not in media:
        hint = nearest_hint(medium, media)
        yield Problem(name_mark, f"unknown medium {medium!r}", f"one of {', '.join(media)}", hint)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        yield Problem(mark, f"param.{name}: {value!r}", f"expected {low} to {high}")


def _duplicate(
    document: Document, rule_id: Any, path: Path, seen: dict[str, Mark]
) -> Iterator[Problem]:
    if not isinstance(rule_id, str):
        return
    mark = document.mark((*path, "id"))
    if rule_id in seen:
        first = f"first at line {seen[rule_id].line}"
        yield Problem(mark, f"duplicate rule id {rule_id!r}", first, "give it a name of its own")
    seen.setdefault(rule_id, mark)


def _expression(
    document: Document, lines: list[str], path: Path, source: str, environment: Environment
) -> Iterator[Problem]:
    try:
        environment.compile(source)
    except ExpressionError as exc:
        for fault in exc.faults:
            near = nearest(fault.name, frozenset(environment.variables)) if fault.name else ""
            hint = f"did you mean {near!r}?" if near else ""
            mark = place(lines, document.mark(path), source, fault)
            yield Problem(mark, f"{path[-1]}: {fault.what}", "", hint)


def place(lines: list[str], key: Mark, source: str, fault: Fault) -> Mark:
    """Where a fault lies in the file, given the mark of the key; the key itself when unsure.

    Follows an expression on the line of its key, and a literal block (`|`) below it.
    """
    written = source.splitlines()[fault.line - 1 : fault.line]
    inline = 1 if len(source.splitlines()) == 1 else 0
    for number in (key.line - 1, key.line + fault.line - inline, key.line + fault.line - 1):
        if not written or not 0 <= number < len(lines):
            continue
        start = key.column if number == key.line - 1 else 0
        at = lines[number].find(written[0], start)
        if at >= 0:
            return Mark(key.origin, number + 1, at + fault.column)
    return key


def _known_facts(document: Document, rule: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    names = rule.get("applies_if_known")
    for index, name in enumerate(names if isinstance(names, list) else []):
        if isinstance(name, str) and name not in FACTS:
            yield _unknown(document.mark((*path, "applies_if_known", index)), name, frozenset())


def _unknown(mark: Mark, name: str, also: frozenset[str]) -> Problem:
    near = nearest(name, also)
    return Problem(mark, f"unknown fact {name!r}", "", f"did you mean {near!r}?" if near else "")


def _message(
    document: Document, rule: Mapping[str, Any], path: Path, known: Mapping[str, Kind]
) -> Iterator[Problem]:
    for language, text in _mapping(rule, "message").items():
        if isinstance(text, str):
            mark = document.mark((*path, "message", language))
            yield from check_words(mark, text, frozenset(known))


def check_words(mark: Mark, text: str, known: frozenset[str]) -> Iterator[Problem]:
    """Every placeholder of a sentence that is not in `known`, or a brace without its partner."""
    try:
        names = placeholders(text)
    except ValueError as exc:
        yield Problem(mark, str(exc))
        return
    for name in names:
        if name not in known:
            yield _unknown(mark, name, known)


def _examples(
    document: Document, rule: Mapping[str, Any], path: Path, known: Mapping[str, Kind]
) -> Iterator[Problem]:
    """Facts of the vocabulary, and `param.<name>` for what the rule says with another value."""
    for index, example in enumerate(_items(rule, "examples")):
        for name, value in _mapping(example, "facts").items():
            mark = document.mark((*path, "examples", index, "facts", name))
            if name not in known:
                yield _unknown(mark, name, frozenset(known))
                continue
            if name in FACTS and FACTS[name].derived:
                yield Problem(mark, f"{name} is derived", "expected the facts it comes from")
                continue
            try:
                of_kind(name, known[name], value)
            except ValueError as exc:
                yield Problem(mark, str(exc))
