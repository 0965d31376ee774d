"""Documents to settings, one section at a time: what is declared where, and what is wrong with it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, TypeVar

from pydantic import BaseModel

from drivers.contract import DriverType, Strict
from gatewayd.settings.checks import FormSettings
from gatewayd.settings.kinds import UpstreamType
from gatewayd.settings.model import (
    NAME,
    DeviceSettings,
    RigSettings,
    UpstreamSettings,
)
from gatewayd.settings.offline import ArchiveSettings
from gatewayd.settings.points import PointSettings
from gatewayd.settings.report import Report
from gatewayd.settings.table import PluginError, Table
from gatewayd.settings.web import WebSettings
from protocols.documents import Document, DocumentError, Mark, nearest_hint, validate
from protocols.documents import Path as Keys
from protocols.tags.layout_file import LayoutSettings

GATEWAY_KEYS = (
    "station",
    "store",
    "archive",
    "clock",
    "upstreams",
    "web",
    "log",
    "reload",
    "watchdog",
    "shifts",
    "security",
)
LATER = ("security",)
"""Sections of contract §3 whose keys come with later versions; until then they stay empty."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Entry:
    """One named thing as written: its raw keys and where they stand."""

    name: str
    document: Document
    keys: Keys
    raw: Mapping[str, Any]

    def mark(self, *more: str | int) -> Mark:
        """The place of a key of this entry."""
        return self.document.mark((*self.keys, *more))


def section(
    document: Document, key: str, model: type[Model], report: Report, default: Model | None = None
) -> Model | None:
    """One section of gateway.yaml; None after adding its problems."""
    if key not in document.value:
        if default is None:
            report.problem(document.mark(), f"section {key!r} is missing")
        return default
    return _model(document, (key,), model, report)


def archive(document: Document, report: Report) -> ArchiveSettings | None:
    """The archive's section; what a site loosened there is a warning at every check."""
    made = section(document, "archive", ArchiveSettings, report, ArchiveSettings())
    if made is not None and made.offline.stale == "warn":
        report.warn(document.mark(("archive", "offline", "stale")), unconfirmed(made))
    return made


def unconfirmed(made: ArchiveSettings) -> str:
    """The words of the warning that a site goes on with a stale archive."""
    how = made.offline
    return (
        f"fills go on with an archive that nobody confirmed, {how.hours_max} h beyond "
        f"{made.stale_after_h} h, through {how.until}: {how.reason}; approved by "
        f"{how.approved_by}"
    )


def web(document: Document, report: Report) -> WebSettings | None:
    """The page's section; None when there is none, it is empty, or after adding its problems."""
    if not isinstance(document.value, dict) or not document.value.get("web"):
        return None
    made = _model(document, ("web",), WebSettings, report)
    if made is not None and not made.loopback and made.tls is None:
        report.warn(
            document.mark(("web", "listen")),
            f"the page listens at {made.listen} without tls: passwords can be overheard on the way",
            "tls: {cert_file, key_file}",
        )
    return made


def gateway_keys(document: Document, report: Report) -> bool:
    """Whether gateway.yaml is a mapping at all; unknown and not yet known keys are problems."""
    if not isinstance(document.value, dict):
        report.problem(document.mark(), "not a mapping", f"keys: {', '.join(GATEWAY_KEYS)}")
        return False
    _only(document, (), GATEWAY_KEYS, report)
    for key in LATER:
        if document.value.get(key):
            report.problem(document.mark((key,)), f"{key} has no settings in this version")
    return True


def media(document: Document) -> tuple[str, ...]:
    """What the station says it may fill, also when another key of it is wrong."""
    station = document.value.get("station")
    listed = station.get("media") if isinstance(station, dict) else None
    return tuple(m for m in listed if isinstance(m, str)) if isinstance(listed, list) else ()


def entries(documents: Iterable[Document], key: str, report: Report) -> Iterator[Entry]:
    """Every named entry below `key` in every document; a name used twice names both places."""
    first: dict[str, Mark] = {}
    for document in documents:
        for entry in _entries(document, key, report):
            if entry.name in first:
                report.problem(
                    entry.mark(),
                    f"{key.removesuffix('s')} {entry.name!r} exists twice",
                    f"first at {first[entry.name]}",
                    "rename or remove one",
                )
                continue
            first[entry.name] = entry.mark()
            yield entry


def _entries(document: Document, key: str, report: Report) -> Iterator[Entry]:
    if not isinstance(document.value, dict):
        report.problem(document.mark(), "not a mapping", f"key: {key}")
        return
    if key != "upstreams":
        _only(document, (), (key,), report)
    named = document.value.get(key, {})
    if not isinstance(named, dict):
        report.problem(document.mark((key,)), f"{key}: not a mapping", "name: {...}")
        return
    for name, raw in named.items():
        mark = document.mark((key, name))
        if not re.fullmatch(NAME, name):
            report.problem(mark, f"bad name {name!r}", "a name like rig-1: a-z 0-9 . _ -")
        if isinstance(raw, dict):
            yield Entry(name, document, (key, name), raw)
        else:
            report.problem(mark, f"{name}: not a mapping", "key: value settings")


def device(entry: Entry, table: Table[DriverType], report: Report) -> DeviceSettings | None:
    """One device with the settings of its driver; None after adding its problems."""
    driver = _plugin(entry, table, report)
    if driver is None:
        return None
    settings = _model_of(entry, driver.settings, report)
    return None if settings is None else DeviceSettings(entry.name, driver, settings)


def _is_installed(package: str) -> bool:
    """Whether a package is there; a part of one that is not there is not."""
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def upstream(entry: Entry, table: Table[UpstreamType], report: Report) -> UpstreamSettings | None:
    """One upstream with the settings of its kind; None after adding its problems."""
    kind = _plugin(entry, table, report)
    if kind is None:
        return None
    if kind.needs and not _is_installed(kind.needs):
        what = f"{entry.name}: driver {kind.name} needs the package {kind.needs}, not installed"
        report.problem(entry.mark("driver"), what, hint=f"pip install 'gatewayd[{kind.name}]'")
        return None
    settings = _model_of(entry, kind.settings, report)
    return None if settings is None else UpstreamSettings(entry.name, kind.name, settings)


def rig(entry: Entry, report: Report) -> RigSettings | None:
    """One rig by itself; its references are checked elsewhere, also when this returns None."""
    return _model(entry.document, entry.keys, RigSettings, report)


def point(entry: Entry, report: Report) -> PointSettings | None:
    """One scan point by itself; None after adding its problems."""
    return _model(entry.document, entry.keys, PointSettings, report)


def layout(entry: Entry, report: Report) -> LayoutSettings | None:
    """One tag layout by itself; None after adding its problems."""
    return _model(entry.document, entry.keys, LayoutSettings, report)


def form(entry: Entry, report: Report) -> FormSettings | None:
    """One check form; None after adding its problems."""
    return _model(entry.document, entry.keys, FormSettings, report)


Kind = TypeVar("Kind", DriverType, UpstreamType)


def _plugin(entry: Entry, table: Table[Kind], report: Report) -> Kind | None:
    name = entry.raw.get("driver")
    if not isinstance(name, str):
        what = f"{entry.name}: key 'driver' is missing or not text"
        report.problem(entry.mark("driver"), what, f"known: {', '.join(table.names)}")
        return None
    try:
        return table.get(name)
    except PluginError as exc:
        report.problem(entry.mark("driver"), f"{entry.name}: {exc.what}", exc.expected, exc.hint)
        return None


def _model_of(entry: Entry, model: type[Strict], report: Report) -> Strict | None:
    """Validate everything of an entry but its `driver` key, which the table has answered."""
    rest = {key: value for key, value in entry.raw.items() if key != "driver"}
    (first, name) = entry.keys
    document = replace(entry.document, value={first: {name: rest}})
    return _model(document, entry.keys, model, report)


def _model(document: Document, keys: Keys, model: type[Model], report: Report) -> Model | None:
    try:
        return validate(document, model, keys)
    except DocumentError as exc:
        report.extend(exc.problems)
        return None


def _only(document: Document, keys: Keys, known: Iterable[str], report: Report) -> None:
    known = tuple(known)
    for key in document.value:
        if key not in known:
            report.problem(
                document.mark((*keys, key)),
                f"unknown key {key!r}",
                f"known keys: {', '.join(sorted(known))}",
                nearest_hint(key, known),
            )
