"""Rule packs and register maps: the shipped ones, and those of the site on top of them.

A site file never silently takes the place of a shipped rule pack: it says `extends:` or
`replaces:`, or it has an id of its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from gatewayd.settings.files import folder, read_text
from gatewayd.settings.report import Report
from gatewayd.settings.shipped import shipped_dir
from protocols import registers
from protocols.documents import Document, DocumentError, Mark, parse_leniently
from rules_engine import pack

TAKEOVER = ("extends", "replaces")
TEXTS_KEPT_MAX = 64
"""Parsed texts remembered by their content: a reload compiles only the rules that changed."""


@dataclass(slots=True)
class Library:
    """Parsed texts by id; `names` also has those that are wrong, told once where they are.

    `paths` says which file each parsed text came from.
    """

    values: dict[str, Any] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    paths: dict[str, Path] = field(default_factory=dict)


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


def load_packs(directory: Path, report: Report) -> Library:
    """Every rule pack by id, the site's in the place of a shipped one only when it says so."""
    return _load(directory, "rules", pack.load, report, takeover=TAKEOVER)


def load_profiles(directory: Path, report: Report) -> Library:
    """Every register map by id."""
    return _load(directory, "profiles", registers.load, report, takeover=())


def _load(
    directory: Path,
    kind: str,
    parse: Callable[[str, str], Any],
    report: Report,
    *,
    takeover: tuple[str, ...],
) -> Library:
    library = Library()
    shipped = {text.id: text for text in _texts(shipped_dir(), kind, report)}
    own: dict[str, _Text] = {}
    for text in _own_texts(directory, kind, report):
        base = shipped.get(text.id)
        if base is not None and base.text == text.text:
            what = f"a copy of the shipped {text.id!r}"
            report.warn(text.mark(), what, "", "remove it: it would hide the next version")
            continue
        _clashes(text, own.get(text.id), base, takeover, report)
        own[text.id] = text
        _add(library, text, parse, report)
    for name in shipped.keys() - own.keys():
        _add(library, shipped[name], parse, report)
    return library


def _add(library: Library, text: _Text, parse: Callable[[str, str], Any], report: Report) -> None:
    library.names.add(text.id)
    if text.text is None:
        return
    try:
        library.values[text.id] = _parsed(parse, text.text, str(text.path))
        library.paths[text.id] = text.path
    except DocumentError as exc:
        report.extend(exc.problems)


@lru_cache(TEXTS_KEPT_MAX)
def _parsed(parse: Callable[[str, str], Any], text: str, origin: str) -> Any:
    """Parsing is pure and its values are frozen, so equal texts may share them."""
    return parse(text, origin)


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
        text = read_text(path, report)
        document = _head(text, str(path)) if text is not None else None
        nothing = Document(str(path), {}, {(): Mark(str(path), 1, 1)})
        yield _Text(path, text, document or nothing)


def _clashes(
    text: _Text,
    other: _Text | None,
    base: _Text | None,
    takeover: tuple[str, ...],
    report: Report,
) -> None:
    """Two files of the site with one id, or one that silently hides a shipped file."""
    if other is not None:
        what = f"id {text.id!r} exists twice"
        report.problem(text.mark(), what, f"first at {other.mark()}", "give it an id of its own")
    elif base is not None and all(text.get(key) != text.id for key in takeover):
        replaces = f"say replaces: {text.id}, or " if takeover else ""
        what = f"id {text.id!r} is shipped with gatewayd"
        report.problem(text.mark(), what, "", f"{replaces}give it an id of its own")
