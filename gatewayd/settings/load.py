"""Load a config directory: `load` gives settings or every problem, `examine` gives both and more.

Nothing here touches a device, a network or the store.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gatewayd.settings import mappings, sections
from gatewayd.settings.claims_check import check_claims
from gatewayd.settings.cross import Rig, World
from gatewayd.settings.cross import check as check_across
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.files import GATEWAY_FILE, folder, read_text, strangers
from gatewayd.settings.forms import load_forms
from gatewayd.settings.last_good import LastGood, stand_in, tolerated
from gatewayd.settings.layouts import load_layouts
from gatewayd.settings.library import Library, Source, load_packs, load_profiles
from gatewayd.settings.model import (
    ClockSettings,
    LogSettings,
    ReloadSettings,
    Settings,
    StationSettings,
    StoreSettings,
    UpstreamSettings,
)
from gatewayd.settings.offline import ArchiveSettings
from gatewayd.settings.points import PointSettings
from gatewayd.settings.report import ConfigProblemsError, Report
from gatewayd.settings.secrets import TAGS, Secrets
from gatewayd.settings.tags_check import check_memory
from gatewayd.settings.upkeep import ShiftsSettings, WatchdogSettings
from gatewayd.settings.upstreams import upstream_table
from gatewayd.settings.vouchers_check import check_vouchers
from gatewayd.settings.web import WebSettings
from gatewayd.settings.wires import Device
from gatewayd.settings.witness_check import check_witnesses
from protocols.documents import (
    Document,
    DocumentError,
    Mark,
    Problem,
    Tagged,
    parse_leniently,
    replace_tagged,
)

UNRESOLVED = "-"
"""Stands for a secret that is nowhere, so that the rest of its section is still checked."""

__all__ = ["ConfigProblemsError", "Examined", "examine", "load"]


@dataclass(frozen=True, slots=True)
class Examined:
    """What a config directory says: settings when it has no problem, and where everything stands.

    `documents` are the parsed files; `secret_marks` the places whose values must be masked.
    `sources` are the texts of rule packs and register maps by `rules/{id}` and `profiles/{id}`.
    `failed_packs` are wrong, by id, of those that rigs name.
    """

    settings: Settings | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    documents: tuple[Document, ...]
    secret_marks: frozenset[Mark]
    sources: Mapping[str, Source] = field(default_factory=dict)
    failed_packs: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)


def load(directory: Path) -> Settings:
    """The checked settings of a config directory.

    Raises ConfigProblemsError (a ConfigError) whose text and `.problems` list every mistake of every
    file. Warnings are dropped; `examine` returns them.
    """
    examined = examine(directory)
    if examined.settings is None:
        raise ConfigProblemsError(examined.problems)
    return examined.settings


def examine(
    directory: Path,
    environ: Mapping[str, str] | None = None,
    *,
    last_good: LastGood | None = None,
) -> Examined:
    """Read and check everything; problems are in the result. `environ` None is the process's own.

    With `last_good`, which gets the path of the store, a rule pack that is wrong is no problem:
    its last good text stands in for it. Raises ConfigError only when the installation itself is
    damaged.
    """
    reading = _Reading(directory, os.environ if environ is None else environ, last_good)
    settings = reading.settings()
    problems = tuple(sorted({reading.secrets.redact(p) for p in reading.report.problems}))
    assert (settings is None) == bool(problems), problems
    return Examined(
        settings=settings,
        problems=problems,
        warnings=tuple(sorted({reading.secrets.redact(p) for p in reading.report.warnings})),
        documents=tuple(reading.documents),
        secret_marks=frozenset(reading.secrets.marks),
        sources=reading.sources,
        failed_packs=reading.failed_packs,
    )


class _Reading:
    """One pass over a config directory, in the order a technician thinks of it."""

    def __init__(
        self, directory: Path, environ: Mapping[str, str], last_good: LastGood | None
    ) -> None:
        self.directory = directory
        self.last_good = last_good
        self.sources: dict[str, Source] = {}
        self.failed_packs: Mapping[str, tuple[Problem, ...]] = {}
        self.report = Report()
        self.secrets = Secrets(directory, environ, self.report)
        self.documents: list[Document] = []
        self.media: tuple[str, ...] = ()
        self.points: dict[str, PointSettings] = {}
        self.web: WebSettings | None = None
        self.gateway: Document | None = None

    def settings(self) -> Settings | None:
        """Everything checked, or None when the report has a problem."""
        strangers(self.directory, self.report)
        station, store, archive, clock, log, reload, watchdog, shifts, upstreams = self._gateway()
        world = self._world(store, shifts)
        check_across(world, self.report)
        check_witnesses(self.gateway, shifts, world, self.report)
        check_memory(world.devices, world.layouts, self.report)
        asking = [(rig.entry, rig.settings.voucher) for rig in world.rigs if rig.settings]
        check_vouchers(asking, {n: each.settings for n, each in upstreams.items()}, self.report)
        if self.report.problems:
            return None
        assert station is not None, "a missing station is a problem"
        assert store is not None, "a missing store has its defaults"
        assert archive is not None, "a missing archive has its defaults"
        assert clock is not None, "a missing clock has its defaults"
        assert log is not None, "a missing log has its defaults"
        assert reload is not None, "a missing reload has its defaults"
        assert watchdog is not None, "a missing watchdog has its defaults"
        assert shifts is not None, "missing shifts have their defaults"
        rigs = {rig.entry.name: rig.settings for rig in world.rigs if rig.settings}
        named = {pack for rig in rigs.values() for pack in rig.rules}
        named |= {pack for point in self.points.values() for pack in point.rules}
        return Settings(
            directory=self.directory,
            station=station,
            store=store,
            store_path=self._store_path(store),
            archive=archive,
            clock=clock,
            log=log,
            reload=reload,
            devices={name: d.settings for name, d in world.devices.items() if d.settings},
            rigs=rigs,
            upstreams=upstreams,
            packs={name: world.packs.values[name] for name in sorted(named)},
            profiles=world.profiles.values,
            checks=world.forms,
            watchdog=watchdog,
            shifts=shifts,
            points=self.points,
            layouts=world.layouts,
            web=self.web,
        )

    def _gateway(
        self,
    ) -> tuple[
        StationSettings | None,
        StoreSettings | None,
        ArchiveSettings | None,
        ClockSettings | None,
        LogSettings | None,
        ReloadSettings | None,
        WatchdogSettings | None,
        ShiftsSettings | None,
        Mapping[str, UpstreamSettings],
    ]:
        self.gateway = document = self._document(self.directory / GATEWAY_FILE)
        if document is None or not sections.gateway_keys(document, self.report):
            return None, None, None, None, None, None, None, None, {}
        self.media = sections.media(document)
        self.web = sections.web(document, self.report)
        station = sections.section(document, "station", StationSettings, self.report)
        return (
            station,
            sections.section(document, "store", StoreSettings, self.report, StoreSettings()),
            sections.archive(document, self.report),
            sections.section(document, "clock", ClockSettings, self.report, ClockSettings()),
            sections.section(document, "log", LogSettings, self.report, LogSettings()),
            sections.section(document, "reload", ReloadSettings, self.report, ReloadSettings()),
            sections.section(
                document, "watchdog", WatchdogSettings, self.report, WatchdogSettings()
            ),
            sections.section(document, "shifts", ShiftsSettings, self.report, ShiftsSettings()),
            self._upstreams(document, station),
        )

    def _upstreams(
        self, document: Document, station: StationSettings | None
    ) -> Mapping[str, UpstreamSettings]:
        table = upstream_table()
        entries = list(sections.entries([document], "upstreams", self.report))
        told = {entry.name: sections.upstream(entry, table, self.report) for entry in entries}
        found = {name: upstream for name, upstream in told.items() if upstream}
        zone = station.timezone if station else StationSettings(id="-").timezone
        known = mappings.read(self.directory, self.report)
        check_claims(found, entries, station.id if station else "-", self.report)
        return mappings.bind(found, entries, known, self.secrets, self.report, zone=zone)

    def _world(self, store: StoreSettings | None, shifts: ShiftsSettings | None) -> World:
        documents, complete = self._folder("devices")
        table = driver_table()
        devices = {
            entry.name: Device(entry, sections.device(entry, table, self.report))
            for entry in sections.entries(documents, "devices", self.report)
        }
        documents, _ = self._folder("rigs")
        rigs = [
            Rig(entry, sections.rig(entry, self.report))
            for entry in sections.entries(documents, "rigs", self.report)
        ]
        documents, _ = self._folder("points")
        points = list(sections.entries(documents, "points", self.report))
        told = {entry.name: sections.point(entry, self.report) for entry in points}
        self.points = {name: each for name, each in told.items() if each}
        named = {pack for rig in rigs if rig.settings for pack in rig.settings.rules}
        named |= {pack for each in self.points.values() for pack in each.rules}
        packs = self._packs(named, store)
        maps = {
            getattr(d.settings and d.settings.settings, "profile", "") for d in devices.values()
        }
        profiles = load_profiles(self.directory, self.report, wanted=maps)
        for kind, library in (("rules", packs), ("profiles", profiles)):
            self.sources |= {f"{kind}/{name}": text for name, text in library.sources.items()}
        return World(
            devices=devices,
            devices_complete=complete,
            rigs=rigs,
            packs=packs,
            profiles=profiles,
            media=self.media,
            forms=load_forms(self._folder("checks")[0], self.report),
            points=[Rig(entry, None) for entry in points],
            layouts=load_layouts(self._folder("tags")[0], self.report),
            witnesses=frozenset(each.device for each in shifts.witness) if shifts else frozenset(),
        )

    def _packs(self, named: set[str], store: StoreSettings | None) -> Library:
        """The rule packs; where something may stand in for them, their mistakes stop nothing."""
        last_good = self.last_good
        if last_good is None or store is None:
            packs = load_packs(self.directory, self.report, wanted=named)
            failed = {name: tuple(packs.failed[name]) for name in named & packs.failed.keys()}
            self.failed_packs = failed
            return packs
        apart, path = Report(), self._store_path(store)
        packs = load_packs(self.directory, apart, wanted=named)
        self.failed_packs = stand_in(packs, named, lambda: last_good(path))
        tolerated(self.report, apart)
        return packs

    def _store_path(self, store: StoreSettings) -> Path:
        return Path(os.path.normpath((self.directory / store.path).absolute()))

    def _folder(self, name: str) -> tuple[list[Document], bool]:
        """The documents of a folder, and whether every one of them could be read."""
        found = [self._document(path) for path in folder(self.directory, name, self.report)]
        return [d for d in found if d is not None], None not in found

    def _document(self, path: Path) -> Document | None:
        """One file with its secrets filled in; None when it is not YAML or cannot be read."""
        text = read_text(path, self.report)
        if text is None:
            return None
        document, problems = parse_leniently(text, str(path), tags=TAGS)
        self.report.blame(problems)
        if document is None:
            return None
        document = replace_tagged(document, self._secret)
        self.documents.append(document)
        return document

    def _secret(self, tagged: Tagged, mark: Mark) -> str:
        try:
            return self.secrets.resolve(tagged, mark)
        except DocumentError as exc:
            self.report.blame(exc.problems)
            return UNRESOLVED
