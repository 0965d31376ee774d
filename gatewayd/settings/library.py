"""Rule packs and register maps: the shipped ones, and those of the site on top of them.

A site file never silently takes the place of a shipped rule pack: it says `extends:` or
`replaces:`, or it has an id of its own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatewayd.settings.files import folder, read_text
from gatewayd.settings.report import Report
from gatewayd.settings.shipped import shipped_dir
from protocols import registers
from protocols.documents import Document, DocumentError, Mark, parse_leniently
from rules_engine import pack

TAKEOVER = ("extends", "replaces")


@dataclass(slots=True)
class Library:
    """Parsed texts by id; `complete` is False when one could not be read, `names` has those too."""

    values: dict[str, Any] = field(default_factory=dict)
    names: dict[str, Mark] = field(default_factory=dict)
    complete: bool = True


@dataclass(frozen=True, slots=True)
class _Text:
    """One file as written, before its own loader sees it."""

    origin: str
    text: str
    head: Mapping[str, Any]
    marks: Document

    @property
    def id(self) -> str:
        """The id it claims; a file without one goes by its path, which clashes with nothing."""
        named = self.head.get("id")
        return named if isinstance(named, str) else self.origin

    def mark(self, key: str) -> Mark:
        return self.marks.mark((key,))


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
    shipped = {text.id: text for text in _texts(shipped_dir(), kind, library, report)}
    own: dict[str, _Text] = {}
    for text in _own_texts(directory, kind, library, report):
        if _welcome(text, shipped, own, takeover, report):
            own[text.id] = text
    for text in {**shipped, **own}.values():
        library.names[text.id] = text.mark("id")
        try:
            library.values[text.id] = parse(text.text, text.origin)
        except DocumentError as exc:
            report.extend(exc.problems)
    return library


def _own_texts(directory: Path, kind: str, library: Library, report: Report) -> Iterator[_Text]:
    """The site's files, unless the site's folder is the shipped one itself (a checkout)."""
    try:
        if (directory / kind).samefile(shipped_dir() / kind):
            return
    except OSError:
        pass  # a missing folder is no folder; an unreadable one is reported by the reading below
    yield from _texts(directory, kind, library, report)


def _texts(directory: Path, kind: str, library: Library, report: Report) -> Iterator[_Text]:
    for path in folder(directory, kind, report):
        text = read_text(path, report)
        document = parse_leniently(text, str(path))[0] if text is not None else None
        if text is None or document is None or not isinstance(document.value, dict):
            library.complete = False
        if text is not None:
            value = document.value if document else {}
            head = value if isinstance(value, dict) else {}
            marks = document or Document(str(path), {}, {(): Mark(str(path), 1, 1)})
            yield _Text(str(path), text, head, marks)


def _welcome(
    text: _Text,
    shipped: Mapping[str, _Text],
    own: Mapping[str, _Text],
    takeover: tuple[str, ...],
    report: Report,
) -> bool:
    """Whether a site's file may be used; why not is a problem, a plain copy only a warning."""
    if text.id in own:
        what = f"id {text.id!r} exists twice"
        report.problem(text.mark("id"), what, f"first at {own[text.id].mark('id')}")
        return False
    base = shipped.get(text.id)
    if base is None or any(text.head.get(key) == text.id for key in takeover):
        return True
    if base.text == text.text:
        what = f"a copy of the shipped {text.id!r}"
        report.warn(text.mark("id"), what, "", "remove it: it would hide the next version")
        return False
    hint = f"say replaces: {text.id}, or" if takeover else "or"
    what = f"id {text.id!r} is shipped with gatewayd"
    report.problem(text.mark("id"), what, "", f"{hint} give it an id of its own")
    return False
