"""Strict YAML text to plain values that know their place: every problem at once, file:line:column.

Used for settings, rule packs and register maps. ruamel.yaml composes the nodes; duplicate keys,
unknown tags and non-text keys are problems, never the last one wins. Values are what JSON knows
(str, int, float, bool, None, list, dict) plus `Tagged` for the tags the caller names.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

DOCUMENT_BYTES_MAX = 1_048_576
NODES_MAX = 100_000
DEPTH_MAX = 32

Path: TypeAlias = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

_INT = re.compile(r"[-+]?[0-9]+\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file; line and column count from 1, 0 means the file as a whole."""

    origin: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """`file:line:column`, as compilers print it."""
        return f"{self.origin}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: where, what is wrong, what was expected, and a hint (may be empty)."""

    mark: Mark
    what: str
    expected: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """`file:line:column: what is wrong; what was expected; hint`."""
        return f"{self.mark}: " + "; ".join(t for t in (self.what, self.expected, self.hint) if t)


class DocumentError(Exception):
    """A text is not what it should be; `problems` lists all of it, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        assert self.problems
        super().__init__("\n".join(str(problem) for problem in self.problems))


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
    if len(text.encode()) > DOCUMENT_BYTES_MAX:
        raise DocumentError([Problem(Mark(origin), f"larger than {DOCUMENT_BYTES_MAX} bytes")])
    try:
        root = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as exc:
        at = exc.problem_mark or exc.context_mark
        mark = Mark(origin, at.line + 1, at.column + 1) if at else Mark(origin)
        raise DocumentError([Problem(mark, f"not YAML: {exc.problem or exc.context}")]) from exc
    except YAMLError as exc:
        raise DocumentError([Problem(Mark(origin), f"not YAML: {exc}")]) from exc
    if root is None:
        return Document(origin, {}, {(): Mark(origin, 1, 1)})
    walk = _Walk(origin, tags)
    value = walk.build(root, ())
    if walk.problems:
        raise DocumentError(walk.problems)
    return Document(origin, value, walk.marks)


class _Walk:
    """One walk over composed nodes, collecting values, marks and problems."""

    def __init__(self, origin: str, tags: frozenset[str]) -> None:
        self.origin = origin
        self.tags = tags
        self.marks: dict[Path, Mark] = {}
        self.problems: list[Problem] = []
        self.nodes = 0

    def place(self, node: Node) -> Mark:
        return Mark(self.origin, node.start_mark.line + 1, node.start_mark.column + 1)

    def build(self, node: Node, path: Path) -> Any:
        self.nodes += 1
        self.marks.setdefault(path, self.place(node))
        if self.nodes > NODES_MAX or len(path) > DEPTH_MAX:
            self.problems.append(
                Problem(self.place(node), f"more than {NODES_MAX} values or {DEPTH_MAX} levels")
            )
            return None
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode), node
        return self.scalar(node)

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for key_node, item in node.value:
            if not isinstance(key_node, ScalarNode):
                self.problems.append(Problem(self.place(key_node), "a key must be text"))
                continue
            key = str(key_node.value)
            if key in value:
                first = self.marks[(*path, key)]
                self.problems.append(
                    Problem(
                        self.place(key_node),
                        f"duplicate key {key!r}",
                        f"first at line {first.line}",
                        "remove one of the two",
                    )
                )
                continue
            self.marks[(*path, key)] = self.place(key_node)
            value[key] = self.build(item, (*path, key))
        return value

    def scalar(self, node: ScalarNode) -> Any:
        tag, text = str(node.tag), str(node.value)
        if tag in self.tags:
            return Tagged(tag, text)
        kind = tag.removeprefix(_TAG)
        if kind == tag:
            allowed = ", ".join(sorted(self.tags)) or "none"
            self.problems.append(
                Problem(self.place(node), f"unknown tag {tag}", f"allowed tags: {allowed}")
            )
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
    if kind == "float":
        try:
            return float(text)
        except ValueError:
            return text
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
            shown = "" if isinstance(got, (dict, list)) else f"got {got!r}"
            yield Problem(document.mark(loc), f"{name}: {message}", shown)


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


def nearest_hint(wrong: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?` when something known is near, else empty."""
    close = difflib.get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""
