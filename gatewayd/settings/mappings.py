"""The mappings of `upstreams/*.yaml`: shipped and the station's own, proven, bound to upstreams."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from gatewayd.mapping.examples import run
from gatewayd.mapping.load import TAGS, load
from gatewayd.mapping.mapping import PlatformMapping, Tongue
from gatewayd.settings.files import folder, read_text
from gatewayd.settings.mapped import MappedSettings
from gatewayd.settings.messages_check import unspeakable, untold
from gatewayd.settings.model import UpstreamSettings
from gatewayd.settings.report import Report
from gatewayd.settings.secrets import Secrets
from gatewayd.settings.sections import Entry
from gatewayd.settings.shipped import shipped_dir
from protocols.documents import DocumentError, Mark, Problem, nearest_hint, parse_leniently
from rules_engine.facts import sound

FOLDER = "upstreams"


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one mapping and where it stood."""

    id: str
    path: Path
    text: str
    shipped: bool
    mark: Mark

    @classmethod
    def of_text(cls, path: Path, text: str, *, shipped: bool) -> Self:
        """A text by the id that it claims; a shipped one has the name of its file, unread."""
        if shipped:
            return cls(path.stem, path, text, shipped, Mark(str(path), 1, 1))
        document = parse_leniently(text, str(path), tags=TAGS)[0]
        value = document.value if document else None
        named = value.get("id") if isinstance(value, dict) else None
        mark = document.mark(("id",)) if document else Mark(str(path))
        return cls(named if isinstance(named, str) else path.stem, path, text, shipped, mark)


@dataclass(slots=True)
class Mappings:
    """Every mapping by id; those that are wrong are in `failed` only, told once.

    `sources` are the texts, shipped ones under the station's own where the id is the same.
    """

    sources: dict[str, Source] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    _made: dict[str, PlatformMapping] = field(default_factory=dict)

    def get(self, name: str, zone: str, report: Report) -> PlatformMapping | None:
        """One mapping, compiled and its examples proven; None after telling what is wrong."""
        if name in self._made or name in self.failed:
            return self._made.get(name)
        source = self.sources[name]
        try:
            made = load(source.text, str(source.path), zone)
            wrong = tuple(failures(made, source.text))
        except DocumentError as exc:
            wrong = exc.problems
        if wrong:
            report.extend(wrong)
            self.failed.add(name)
            return None
        self._made[name] = made
        return made


def read(directory: Path, report: Report) -> Mappings:
    """Every mapping there is, as text; one of the station takes the place of a shipped one."""
    found = Mappings()
    for source in _texts(shipped_dir(), report, shipped=True):
        found.sources[source.id] = source
    if _same(directory / FOLDER, shipped_dir() / FOLDER):
        return found
    for source in _texts(directory, report, shipped=False):
        other = found.sources.get(source.id)
        if other is not None and not other.shipped:
            what = f"id {source.id!r} exists twice"
            report.problem(source.mark, what, f"first at {other.mark}", "give it an id of its own")
        elif other is not None:
            report.warn(source.mark, f"mapping {source.id!r} takes the place of the shipped one")
        found.sources[source.id] = source
    return found


def failures(mapping: PlatformMapping, text: str) -> Iterator[Problem]:
    """The examples of a mapping that come out otherwise."""
    document = parse_leniently(text, mapping.origin, tags=TAGS)[0]
    for outcome in run(mapping, text):
        if not outcome.ok:
            path = ("examples", outcome.number)
            mark = document.mark(path) if document else Mark(mapping.origin)
            yield Problem(mark, f"example {outcome.number + 1} {outcome.title}: {outcome.said}")


def bind(
    upstreams: Mapping[str, UpstreamSettings],
    entries: Iterable[Entry],
    mappings: Mappings,
    secrets: Secrets,
    report: Report,
    *,
    zone: str,
) -> dict[str, UpstreamSettings]:
    """The upstreams, those with a mapping speaking it; the station's own mappings are all proven.

    One whose mapping does not fit is told and left out: nothing can be asked of it.
    """
    for name, source in mappings.sources.items():
        if not source.shipped:
            mappings.get(name, zone, report)
    bound = dict(upstreams)
    for entry in entries:
        upstream = upstreams.get(entry.name)
        settings = upstream.settings if upstream else None
        if upstream is None or not isinstance(settings, MappedSettings) or not settings.mapping:
            continue
        del bound[entry.name]
        mapping = _named(settings.mapping, entry, mappings, zone, report)
        if mapping is None or not _speakable(mapping, settings, entry, mappings, report):
            continue
        tongue = _tongue(mapping, settings, entry, secrets, report)
        if tongue is not None:
            bound[entry.name] = replace(upstream, settings=settings.speaking(tongue))
    return bound


def _named(
    name: str, entry: Entry, mappings: Mappings, zone: str, report: Report
) -> PlatformMapping | None:
    if name in mappings.sources:
        return mappings.get(name, zone, report)
    known = f"known: {', '.join(sorted(mappings.sources))}"
    what = f"{entry.name}: mapping {name!r} does not exist"
    report.problem(entry.mark("mapping"), what, known, nearest_hint(name, mappings.sources))
    return None


def _speakable(
    mapping: PlatformMapping,
    settings: MappedSettings,
    entry: Entry,
    mappings: Mappings,
    report: Report,
) -> bool:
    """Whether this kind of upstream can say what the mapping says."""
    text, named = mappings.sources[mapping.id].text, entry.mark("mapping")
    wrong = tuple(unspeakable(mapping, settings.manner, text, named, entry.name))
    report.extend(wrong)
    for what in () if wrong else untold(mapping, settings):
        report.warn(named, f"{entry.name}: {what}")
    return not wrong


def _tongue(
    mapping: PlatformMapping,
    settings: MappedSettings,
    entry: Entry,
    secrets: Secrets,
    report: Report,
) -> Tongue | None:
    before = len(report.problems)
    values = _values(mapping, settings, entry, secrets, report)
    _tables(mapping, settings, entry, report)
    hidden = []
    for tagged in mapping.secrets:
        try:
            hidden.append(secrets.resolve(tagged, Mark(mapping.origin, 1, 1)))
        except DocumentError as exc:
            report.problems += exc.problems
    if len(report.problems) > before:
        return None
    return Tongue(mapping, values, settings.tables, tuple(hidden), settings.manner)


def _values(
    mapping: PlatformMapping,
    settings: MappedSettings,
    entry: Entry,
    secrets: Secrets,
    report: Report,
) -> dict[str, Any]:
    """What the station gave, else the defaults; one that is missing, unknown or open is told."""
    wanted = mapping.file.values
    for name, value in settings.values.items():
        mark = entry.mark("values", name)
        if name not in wanted:
            what = f"{entry.name}: mapping {mapping.id} has no value {name!r}"
            known = f"known: {', '.join(wanted) or 'none'}"
            report.problem(mark, what, known, nearest_hint(name, wanted))
        elif not sound(wanted[name].type, value):
            report.problem(mark, f"{entry.name}: {name} is no {wanted[name].type}")
        elif wanted[name].secret and mark not in secrets.marks:
            hint = f"{name}: !secret NAME, and its text into secrets.yaml"
            report.problem(mark, f"{entry.name}: {name} is a secret written in the open", "", hint)
    defaults = {name: each.default for name, each in wanted.items() if each.default is not None}
    told = defaults | settings.values
    for name in wanted.keys() - told.keys():
        what = f"{entry.name}: mapping {mapping.id} needs values.{name}"
        report.problem(entry.mark("values"), what, wanted[name].doc)
    return told


def _tables(
    mapping: PlatformMapping, settings: MappedSettings, entry: Entry, report: Report
) -> None:
    known, asked = mapping.file.tables, mapping.file.station_tables
    for name in settings.tables:
        if name not in known and name not in asked:
            what = f"{entry.name}: mapping {mapping.id} has no table {name!r}"
            names = (*known, *asked)
            told = f"known: {', '.join(names) or 'none'}"
            report.problem(entry.mark("tables", name), what, told, nearest_hint(name, names))
    for name in asked.keys() - settings.tables.keys():
        what = f"{entry.name}: mapping {mapping.id} needs tables.{name}"
        report.problem(entry.mark("tables"), what, asked[name].doc)


def _texts(directory: Path, report: Report, *, shipped: bool) -> Iterator[Source]:
    for path in folder(directory, FOLDER, report):
        text = read_text(path, report)
        if text is None:
            continue
        yield Source.of_text(path, text, shipped=shipped)


def _same(one: Path, other: Path) -> bool:
    """Whether the station's folder is the shipped one itself, as in a checkout."""
    try:
        return one.samefile(other)
    except OSError:
        return False
