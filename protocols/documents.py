"""Strict YAML text to plain values that know their place: every problem at once, file:line:column.

Used for settings, rule packs and register maps. ruamel.yaml composes the nodes; duplicate keys,
unknown tags and non-text keys are problems, never the last one wins. Values are what JSON knows
(str, int, float, bool, None, list, dict) plus `Tagged` for the tags the caller names.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from protocols.marks import DocumentError, Mark, Problem, nearest_hint

__all__ = [
    "Document",
    "DocumentError",
    "Mark",
    "Problem",
    "Tagged",
    "nearest_hint",
    "parse",
    "parse_leniently",
    "replace_tagged",
    "validate",
]

DOCUMENT_BYTES_MAX = 1_048_576
NODES_MAX = 100_000
DEPTH_MAX = 32

Path: TypeAlias = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

DIGITS_MAX = 40
"""A longer number stays text, so that it is refused where a number was expected."""
SHOWN_MAX = 80

_INT = re.compile(rf"[-+]?[0-9]{{1,{DIGITS_MAX}}}\Z")
_HEX = re.compile(rf"0x[0-9a-fA-F]{{1,{DIGITS_MAX}}}\Z")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Tagged:
    """A scalar with one of the caller's own tags, such as `!secret name`."""

    tag: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed text: its value, and the mark of every key and value by path."""

    origin: str
    value: Any
    marks: dict[Path, Mark]

    def mark(self, path: Iterable[str | int] = ()) -> Mark:
        """The place of the deepest part of `path` that exists; unknown parts are skipped."""
        return self.marks[self.nearest(path)]

    def nearest(self, path: Iterable[str | int]) -> Path:
        """The part of `path` that exists in this document."""
        found: Path = ()
        for part in path:
            if (*found, part) in self.marks:
                found = (*found, part)
        return found


def parse(text: str, origin: str, *, tags: frozenset[str] = frozenset()) -> Document:
    """Parse one YAML document; an empty text is an empty mapping.

    `tags` are the custom tags allowed on scalars, e.g. `{"!secret"}`. Raises DocumentError.
    """
    document, problems = parse_leniently(text, origin, tags=tags)
    if problems:
        raise DocumentError(problems)
    assert document is not None
    return document


def parse_leniently(
    text: str, origin: str, *, tags: frozenset[str] = frozenset()
) -> tuple[Document | None, tuple[Problem, ...]]:
    """Parse as far as possible, so that one mistake does not hide the others.

    The document is None when the text is not YAML at all. Never raises.
    """
    if len(text.encode("utf-8", "replace")) > DOCUMENT_BYTES_MAX:
        return None, (Problem(Mark(origin), f"larger than {DOCUMENT_BYTES_MAX} bytes"),)
    try:
        root = _compose(text)
    except MarkedYAMLError as exc:
        at = exc.problem_mark or exc.context_mark
        mark = Mark(origin, at.line + 1, at.column + 1) if at else Mark(origin)
        return None, (Problem(mark, f"not YAML: {exc.problem or exc.context}"),)
    except (YAMLError, ValueError) as exc:
        return None, (Problem(Mark(origin), f"not YAML: {' '.join(str(exc).split())}"),)
    except RecursionError:
        return None, (Problem(Mark(origin), f"more than {DEPTH_MAX} levels"),)
    if root is None:
        return Document(origin, {}, {(): Mark(origin, 1, 1)}), ()
    walk = _Walk(origin, tags)
    value = walk.build(root, ())
    return Document(origin, value, walk.marks), tuple(walk.problems)


def _compose(text: str) -> Node | None:
    yaml = YAML(typ="rt", pure=True)
    yaml.composer.warn_double_anchors = False  # YAML allows it; a warning helps nobody here
    return cast("Node | None", yaml.compose(text))


class _Walk:
    """One walk over composed nodes, collecting values, marks and problems."""

    def __init__(self, origin: str, tags: frozenset[str]) -> None:
        self.origin = origin
        self.tags = tags
        self.marks: dict[Path, Mark] = {}
        self.problems: list[Problem] = []
        self.nodes = 0
        self.too_big = False

    def place(self, node: Node) -> Mark:
        return Mark(self.origin, node.start_mark.line + 1, node.start_mark.column + 1)

    def build(self, node: Node, path: Path) -> Any:
        self.nodes += 1
        self.marks.setdefault(path, self.place(node))
        if self.nodes > NODES_MAX or len(path) > DEPTH_MAX:
            self.refuse_size(node)
            return None
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode), node
        return self.scalar(node)

    def refuse_size(self, node: Node) -> None:
        what = f"more than {NODES_MAX} values or {DEPTH_MAX} levels"
        if not self.too_big:
            self.problems.append(Problem(self.place(node), what))
        self.too_big = True

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for key_node, item in node.value:
            if not isinstance(key_node, ScalarNode):
                self.problems.append(Problem(self.place(key_node), "a key must be text"))
                continue
            key = _SURROGATE.sub("\ufffd", str(key_node.value))
            if key in value:
                first = f"first at line {self.marks[(*path, key)].line}"
                what, hint = f"duplicate key {key!r}", "remove one of the two"
                self.problems.append(Problem(self.place(key_node), what, first, hint))
                continue
            self.marks[(*path, key)] = self.place(key_node)
            value[key] = self.build(item, (*path, key))
        return value

    def scalar(self, node: ScalarNode) -> Any:
        tag, text = str(node.tag), str(node.value)
        if node.style == ">":
            text = text.replace("\a", "")  # the loader's mark for the places where it folded
        if _SURROGATE.search(text):
            self.problems.append(Problem(self.place(node), "half a character (a surrogate escape)"))
            return None
        if tag in self.tags:
            return Tagged(tag, text)
        kind = tag.removeprefix(_TAG)
        if kind == tag:
            allowed = f"allowed tags: {', '.join(sorted(self.tags)) or 'none'}"
            self.problems.append(Problem(self.place(node), f"unknown tag {tag}", allowed))
            return None
        return _plain(kind, text)


def _plain(kind: str, text: str) -> Any:
    """A YAML 1.2 scalar as JSON knows it; dates and anything unusual stay text."""
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int" and _INT.match(text):
        return int(text)
    if kind == "int" and _HEX.match(text):
        return int(text, 16)
    return _float(text) if kind == "float" else text


def _float(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def replace_tagged(document: Document, resolve: Callable[[Tagged, Mark], Any]) -> Document:
    """The same document with every `Tagged` replaced; `resolve` may raise DocumentError."""
    problems: list[Problem] = []

    def walk(value: Any, path: Path) -> Any:
        if isinstance(value, Tagged):
            try:
                return resolve(value, document.marks[path])
            except DocumentError as exc:
                problems.extend(exc.problems)
                return None
        if isinstance(value, dict):
            return {key: walk(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*path, i)) for i, item in enumerate(value)]
        return value

    replaced = walk(document.value, ())
    if problems:
        raise DocumentError(problems)
    return Document(document.origin, replaced, document.marks)


def validate(document: Document, model: type[Model], path: Path = ()) -> Model:
    """The part of `document` at `path` as a strict pydantic model; raises DocumentError with all.

    Validation goes through JSON so that strict models still accept lists for tuples and text for
    dates and enums, and nothing else.
    """
    value = document.value
    for part in path:
        value = value[part]
    try:
        return model.model_validate_json(json.dumps(value))
    except ValidationError as exc:
        raise DocumentError(list(_problems(document, model, path, exc))) from exc


def _problems(
    document: Document, model: type[BaseModel], path: Path, exc: ValidationError
) -> Iterator[Problem]:
    for error in exc.errors(include_url=False):
        loc = (*path, *error["loc"])
        found = document.nearest(loc)
        name = ".".join(str(part) for part in found) or "the file"
        if error["type"] == "extra_forbidden":
            known = _keys_at(model, error["loc"][:-1])
            yield Problem(
                document.mark(loc),
                f"unknown key {error['loc'][-1]!r}",
                f"known keys: {', '.join(known)}" if known else "",
                nearest_hint(str(error["loc"][-1]), known),
            )
        elif error["type"] == "missing":
            yield Problem(document.mark(loc), f"{name}: key {error['loc'][-1]!r} is missing")
        else:
            message = error["msg"].removeprefix("Value error, ")
            got = error["input"]
            shown = "" if isinstance(got, (dict, list)) else f"got {_short(got)}"
            yield Problem(document.mark(loc), f"{name}: {message}", shown)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def _keys_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The keys a (nested) model knows at `loc`; empty when the place has no fixed keys."""
    here: list[type[BaseModel]] = [model]
    for part in loc:
        nested = [
            inner
            for outer in here
            for inner in _models_in(
                outer.model_fields[part].annotation if part in outer.model_fields else None
            )
        ]
        here = nested or [m for m in here if m.__name__ == part] or here
    keys = {f.alias or n for m in here for n, f in m.model_fields.items()}
    return sorted(keys)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for arg in getattr(annotation, "__args__", ()) for found in _models_in(arg)]
