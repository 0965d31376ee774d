"""Rule packs and register maps: the shipped ones, and those of the site on top of them.

A site file never silently takes the place of a shipped rule pack: it says `extends:` or
`replaces:`, or it has an id of its own.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from gatewayd.settings.files import folder, read_text
from gatewayd.settings.report import Report
from gatewayd.settings.shipped import shipped_dir
from protocols import registers
from protocols.documents import Document, DocumentError, Mark, Problem, parse_leniently
from rules_engine import examples, pack
from rules_engine.pack import Pack
from rules_engine.verdict import Override

TAKEOVER = ("extends", "replaces")
TEXTS_KEPT_MAX = 64
"""Parsed texts remembered by their content: a reload compiles only the rules that changed."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text as it was read, and the one below that it extends, each with the file it stood in."""

    text: str
    origin: str
    below: tuple[str, str] | None = None


@dataclass(slots=True)
class Library:
    """Parsed texts by id; `names` also has those that are wrong, told once where they are.

    `paths` says which file each parsed text came from, `sources` what it was parsed from; `failed`
    are the ids of texts with a mistake, with all of them.
    """

    values: dict[str, Any] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    paths: dict[str, Path] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    failed: dict[str, list[Problem]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Text:
    """One file as written, before its own loader sees it; the text is None when unreadable."""

    path: Path
    text: str | None
    document: Document

    @property
    def id(self) -> str:
        """The id it claims, else the name of its file."""
        named = self.get("id")
        return named if isinstance(named, str) else self.path.stem

    def get(self, key: str) -> Any:
        value = self.document.value
        return value.get(key) if isinstance(value, dict) else None

    def mark(self) -> Mark:
        return self.document.mark(("id",))


def load_packs(
    directory: Path,
    report: Report,
    *,
    wanted: Collection[str] | None = None,
    kind: str = "rules",
    prove: bool = True,
) -> Library:
    """Every rule pack by id, the site's in the place of a shipped one only when it says so.

    Of the shipped ones only those `wanted` are read, None = all; the others are names. A pack
    whose examples come out otherwise is refused, unless `prove` is off. What a site loosens is a
    warning. `kind` is the name of the site's folder.
    """
    shipped = _shipped("rules", report)

    def parse(text: _Text) -> tuple[Pack, Source]:
        source = _source(text, shipped)
        return again(source, prove=prove), source

    library = _load(directory, kind, shipped, parse, report, takeover=TAKEOVER, wanted=wanted)
    for loaded in library.values.values():
        report.warnings += [loosening(loaded, each) for each in loaded.ref.overrides]
    return library


def load_files(paths: Iterable[Path], report: Report) -> list[Pack]:
    """Just these pack files, each on top of the shipped one it extends; examples are not run."""
    shipped = _shipped("rules", report)
    packs: list[Pack] = []
    for path in paths:
        text = _read(path, report)
        try:
            packs += [] if text.text is None else [again(_source(text, shipped), prove=False)]
        except DocumentError as exc:
            report.extend(exc.problems)
    return packs


def _shipped(kind: str, report: Report) -> dict[str, _Text]:
    """Their texts, each under the name of its file: parsing all of them takes a second."""
    found = (
        _Text(path, read_text(path, report), _nothing(path))
        for path in folder(shipped_dir(), kind, report)
    )
    return {text.id: text for text in found}


def _source(text: _Text, shipped: Mapping[str, _Text]) -> Source:
    assert text.text is not None, text
    named = text.get("extends")
    base = shipped.get(named) if isinstance(named, str) else None
    below = None if base is None or base.text is None else (base.text, str(base.path))
    return Source(text.text, str(text.path), below)


def again(source: Source, *, prove: bool = True) -> Pack:
    """The pack of a source; raises DocumentError, also for an example that comes out otherwise."""
    return _pack(source.text, source.origin, source.below, prove=prove)


def load_profiles(
    directory: Path, report: Report, *, wanted: Collection[str] | None = None
) -> Library:
    """Every register map by id; of the shipped ones only those `wanted` are read, None = all."""
    shipped = _shipped("profiles", report)

    def parse(text: _Text) -> tuple[Any, Source]:
        source = _source(text, {})
        return _profile(source.text, source.origin), source

    return _load(directory, "profiles", shipped, parse, report, takeover=(), wanted=wanted)


@lru_cache(TEXTS_KEPT_MAX)
def _profile(text: str, origin: str) -> Any:
    """Parsing is pure and its values are frozen, so equal texts may share them."""
    return registers.load(text, origin)


@lru_cache(TEXTS_KEPT_MAX)
def _pack(text: str, origin: str, below: tuple[str, str] | None, *, prove: bool) -> Pack:
    """The pack in `text` on top of the one in `below`; raises DocumentError as `pack.load` does.

    A pack below that does not load has told so itself.
    """
    base = None if below is None else _pack(*below, None, prove=False)
    loaded = pack.load(text, origin, base)
    failures = examples.wrong(loaded) if prove else ()
    if failures:
        raise DocumentError(
            [Problem(each.mark, f"example: {each.said}", each.wanted) for each in failures]
        )
    return loaded


def loosening(loaded: Pack, override: Override) -> Problem:
    """The warning that a site loosens the law: it counts through a day, and is shown on any."""
    until = override.until.isoformat()
    what = f"{loaded.id}: loosens {override.rule} through {until}: {override.reason}"
    return Problem(Mark(loaded.origin, 1, 1), what, f"approved by {override.approved_by}")


def _load(
    directory: Path,
    kind: str,
    shipped: Mapping[str, _Text],
    parse: Callable[[_Text], tuple[Any, Source]],
    report: Report,
    *,
    takeover: tuple[str, ...],
    wanted: Collection[str] | None = None,
) -> Library:
    library = Library()
    own: dict[str, _Text] = {}
    for text in _own_texts(directory, kind, report):
        base = shipped.get(text.id)
        if base is not None and base.text == text.text:
            what = f"a copy of the shipped {text.id!r}"
            report.warn(text.mark(), what, "", "remove it: it would hide the next version")
            continue
        clash = _clashes(text, own.get(text.id), base, takeover)
        if clash is not None:
            library.failed.setdefault(text.id, []).append(clash)
            report.problems.append(clash)
        own[text.id] = text
        _add(library, text, parse, report)
    for name in sorted(shipped.keys() - own.keys()):
        library.names.add(name)
        if wanted is None or name in wanted:
            _add(library, shipped[name], parse, report)
    return library


def _add(
    library: Library,
    text: _Text,
    parse: Callable[[_Text], tuple[Any, Source]],
    report: Report,
) -> None:
    library.names.add(text.id)
    if text.text is None:
        unreadable = Problem(Mark(str(text.path)), "cannot be read")  # the report says why
        library.failed.setdefault(text.id, []).append(unreadable)
        return
    try:
        library.values[text.id], library.sources[text.id] = parse(text)
        library.paths[text.id] = text.path
    except DocumentError as exc:
        library.failed.setdefault(text.id, []).extend(exc.problems)
        report.extend(exc.problems)


@lru_cache(TEXTS_KEPT_MAX)
def _head(text: str, origin: str) -> Document | None:
    return parse_leniently(text, origin)[0]


def _own_texts(directory: Path, kind: str, report: Report) -> Iterator[_Text]:
    """The site's files, unless the site's folder is the shipped one itself (a checkout)."""
    try:
        if (directory / kind).samefile(shipped_dir() / kind):
            return
    except OSError:
        pass  # a missing folder is no folder; an unreadable one is reported by the reading below
    yield from _texts(directory, kind, report)


def _texts(directory: Path, kind: str, report: Report) -> Iterator[_Text]:
    for path in folder(directory, kind, report):
        yield _read(path, report)


def _read(path: Path, report: Report) -> _Text:
    text = read_text(path, report)
    document = _head(text, str(path)) if text is not None else None
    return _Text(path, text, document or _nothing(path))


def _nothing(path: Path) -> Document:
    return Document(str(path), {}, {(): Mark(str(path), 1, 1)})


def _clashes(
    text: _Text, other: _Text | None, base: _Text | None, takeover: tuple[str, ...]
) -> Problem | None:
    """Two files of the site with one id, or one that silently hides a shipped file."""
    if other is not None:
        what = f"id {text.id!r} exists twice"
        return Problem(text.mark(), what, f"first at {other.mark()}", "give it an id of its own")
    if base is not None and all(text.get(key) != text.id for key in takeover):
        replaces = f"say replaces: {text.id}, or " if takeover else ""
        what = f"id {text.id!r} is shipped with gatewayd"
        return Problem(text.mark(), what, "", f"{replaces}give it an id of its own")
    return None
