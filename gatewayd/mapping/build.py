"""The written fields of a request to a tree of compiled ones, with every mistake at its place.

A written field is an expression, a constant (`{const: ...}`, or a number, true, false), a secret,
options (`{value, first, as, optional, default}`), a list, or an object of more fields.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatewayd.mapping.fields import (
    ABSENT,
    As,
    Branch,
    Constant,
    Field,
    Node,
    Row,
    UnfitError,
    typed,
)
from gatewayd.mapping.file import SECRET
from gatewayd.mapping.functions import USES, wrong_pattern
from gatewayd.mapping.words import WORDS
from protocols.documents import Document, Mark, Path, Problem
from protocols.marks import nearest_hint
from rules_engine.cel import Environment, ExpressionError, Fault, Formula, Program, ValueKind
from rules_engine.pack_check import place

DEPTH_MAX = 12
HIDDEN = "secret.n"
"""Plus its number: the variable that has the value of a `!secret`."""
OPTIONS = ("value", "first", "as", "optional", "default")
_AS: Mapping[ValueKind, As] = {"text": "text", "int": "number", "bool": "bool", "texts": "texts"}
_FITS: Mapping[As, frozenset[ValueKind]] = {
    "text": frozenset({"text", "int", "bool"}),
    "number": frozenset({"text", "int"}),
    "bool": frozenset({"bool"}),
    "texts": frozenset({"texts"}),
}


@dataclass(slots=True)
class Builder:
    """Compiles what stands in one mapping file; `problems` collects every mistake.

    `readable` are the variables of the part that is compiled now; `flat` a body without objects.
    """

    document: Document
    lines: list[str]
    environment: Environment
    problems: list[Problem] = field(default_factory=list)
    readable: frozenset[str] = frozenset()
    where: str = ""
    flat: bool = False

    def node(self, raw: Any, path: Path) -> Node:
        """A written field as a compiled one; a wrong one is told and stands as null."""
        if len(path) > DEPTH_MAX:
            return self._wrong(path, f"more than {DEPTH_MAX} levels")
        if isinstance(raw, str):
            return self._field({"value": raw}, path, single=True)
        if raw is None or isinstance(raw, bool | int):
            return Constant(raw)
        if isinstance(raw, float):
            return self._wrong(path, "a fraction", "{value: \"'1.5'\", as: number}")
        if isinstance(raw, list):
            return self._row(raw, path)
        assert isinstance(raw, dict), raw
        return self._mapping(raw, path)

    def branch(self, raw: Mapping[str, Any], path: Path) -> Branch:
        """An object of fields."""
        return Branch({name: self.node(each, (*path, name)) for name, each in raw.items()})

    def formula(self, source: str, path: Path) -> Formula | None:
        """One expression that gives a value; None after telling what is wrong."""
        try:
            made = self.environment.formula(source)
        except ExpressionError as exc:
            self._faults(source, path, exc)
            return None
        self._readable(made.reads, path)
        if wrong := wrong_pattern(source):
            self.problem(path, wrong, "yyyy yy MM dd HH mm ss SSS ZZ, text in quotes")
        return made

    def condition(self, source: str | None, path: Path) -> Program | None:
        """One expression that gives a yes or no; None when there is none or it is wrong."""
        if source is None:
            return None
        try:
            made = self.environment.compile(source)
        except ExpressionError as exc:
            self._faults(source, path, exc)
            return None
        self._readable(made.reads, path)
        return made

    def problem(self, path: Path, what: str, expected: str = "", hint: str = "") -> None:
        """Tell a mistake at a key."""
        self.problems.append(Problem(self.document.mark(path), what, expected, hint))

    def _wrong(self, path: Path, what: str, expected: str = "") -> Constant:
        self.problem(path, f"{_name(path)}: {what}", expected)
        return Constant(None)

    def _row(self, raw: list[Any], path: Path) -> Node:
        if self.flat:
            return self._wrong(path, "a list in a form", "plain fields, or body: json")
        return Row(tuple(self.node(each, (*path, i)) for i, each in enumerate(raw)))

    def _mapping(self, raw: dict[str, Any], path: Path) -> Node:
        if set(raw) == {"const"}:
            return self._constant(raw["const"], (*path, "const"))
        if SECRET in raw:
            return self._secret(raw, path)
        if "value" in raw or "first" in raw:
            return self._field(raw, path, single=False)
        if self.flat:
            return self._wrong(path, "an object in a form", "plain fields, or body: json")
        below = raw["object"] if set(raw) == {"object"} else raw
        at = (*path, "object") if below is not raw else path
        return self.branch(below, at) if isinstance(below, dict) else self._wrong(at, "no object")

    def _constant(self, raw: Any, path: Path) -> Node:
        if isinstance(raw, dict) and SECRET in raw:
            return self._secret(raw, path)
        if any(isinstance(each, float) for each in _leaves(raw)):
            return self._wrong(path, "a fraction", "{value: \"'1.5'\", as: number}")
        if self.flat and isinstance(raw, dict | list):
            return self._wrong(path, "an object in a form", "plain fields, or body: json")
        return Constant(raw)

    def _secret(self, raw: Mapping[str, Any], path: Path) -> Node:
        return self._field({"value": f"{HIDDEN}{raw[SECRET]}"}, path, single=True)

    def _field(self, raw: Mapping[str, Any], path: Path, *, single: bool) -> Node:
        for key in raw:
            if key not in OPTIONS:
                hint = nearest_hint(key, OPTIONS)
                self.problem((*path, key), f"unknown key {key!r}", ", ".join(OPTIONS), hint)
        made = [f for f in self._sources(raw, path, single=single) if f is not None]
        if not made:
            return Constant(None)
        as_ = self._as(raw, made, path)
        optional = raw.get("optional", False)
        if not isinstance(optional, bool):
            return self._wrong((*path, "optional"), "expected true or false")
        return Field(tuple(made), as_, optional=optional, default=self._default(raw, as_, path))

    def _sources(
        self, raw: Mapping[str, Any], path: Path, *, single: bool
    ) -> Iterator[Formula | None]:
        if ("value" in raw) == ("first" in raw):
            self.problem(path, f"{_name(path)}: expected one of value and first")
            return
        key = "value" if "value" in raw else "first"
        written = [raw["value"]] if key == "value" else raw["first"]
        if not isinstance(written, list) or not written:
            self.problem((*path, key), f"{_name(path)}: expected a list of expressions")
            return
        for index, source in enumerate(written):
            at = path if single else (*path, key)
            at = (*at, index) if key == "first" else at
            if isinstance(source, str) and source.strip():
                yield self.formula(source, at)
            else:
                self.problem(
                    at, f"{_name(path)}: no expression", "text; a constant is {const: ...}"
                )

    def _as(self, raw: Mapping[str, Any], made: list[Formula], path: Path) -> As:
        told = raw.get("as")
        wanted: As = _AS.get(made[0].kind, "text")
        if told in _FITS:
            wanted = next(each for each in _FITS if each == told)
        elif told is not None:
            self.problem((*path, "as"), f"as: {told!r}", "text, number, bool or texts")
        if self.flat and wanted == "texts":
            self.problem(path, f"{_name(path)}: texts in a form", "join(texts, ',')")
        for formula in made:
            if formula.kind == "time":
                self.problem(path, f"{_name(path)} is a time", USES["format"])
            elif formula.kind not in _FITS[wanted]:
                what = f"{_name(path)}: {formula.source} is {formula.kind}, as: {wanted}"
                self.problem(path, what, f"as: {_AS[formula.kind]}")
        return wanted

    def _default(self, raw: Mapping[str, Any], as_: As, path: Path) -> Any:
        if "default" not in raw:
            return ABSENT
        default, at = raw["default"], (*path, "default")
        if default is None:
            return None
        right = {"text": str, "number": str | int, "bool": bool, "texts": list}[as_]
        if not isinstance(default, right) or (isinstance(default, bool) and as_ != "bool"):
            return self._wrong(at, f"default {default!r}", f"{as_}, as the field").value
        try:
            return typed(default, as_, "default")
        except UnfitError as exc:
            return self._wrong(at, str(exc)).value

    def _readable(self, reads: frozenset[str], path: Path) -> None:
        for name in sorted(reads):
            if name in WORDS and name not in self.readable:
                kinds = ", ".join(WORDS[name].kinds)
                self.problem(path, f"{name} is never in {self.where}", f"it is in {kinds}")

    def _faults(self, source: str, path: Path, exc: ExpressionError) -> None:
        for fault in exc.faults:
            known = [*self.environment.variables, *USES]
            hint = nearest_hint(fault.name, known) if fault.name else _use(fault.what)
            what = fault.what.replace("unknown fact", "unknown name")
            mark = self._place(path, source, fault)
            self.problems.append(Problem(mark, f"{_name(path)}: {what}", "", hint))

    def _place(self, path: Path, source: str, fault: Fault) -> Mark:
        return place(self.lines, self.document.mark(path), source, fault)


def _name(path: Path) -> str:
    """The last name of a path: what a person calls the field."""
    names = [str(part) for part in path if isinstance(part, str) and part not in OPTIONS]
    return names[-1] if names else "the field"


def _use(what: str) -> str:
    """How a function is called, when the mistake is about one."""
    return next((use for name, use in USES.items() if f"for '{name}'" in what), "")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _leaves(each)
    else:
        yield value
