"""What a command needs to reach the store, also while the rest of the configuration is wrong.

A rig must be locked, a cylinder held and an alarm read when somebody has just broken a rule file:
the daemon runs on with what it took up last. So nothing is looked at here that these do not need.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gatewayd.settings import sections
from gatewayd.settings.files import GATEWAY_FILE, folder, read_text
from gatewayd.settings.model import LogSettings, StationSettings, StoreSettings
from gatewayd.settings.report import ConfigProblemsError, Report
from gatewayd.settings.secrets import TAGS, Secrets
from protocols.documents import (
    Document,
    DocumentError,
    Mark,
    Tagged,
    parse_leniently,
    replace_tagged,
)

NOWHERE = "-"
"""Stands for a secret that is nowhere."""

Resolve: TypeAlias = Callable[[Tagged, Mark], str]


@dataclass(frozen=True, slots=True)
class Site:
    """Whose store it is, where it lies, and in which language to speak.

    `rigs` are the rigs by name; None = their files cannot be read, so nobody knows.
    """

    station: StationSettings
    store: StoreSettings
    store_path: Path
    log: LogSettings
    rigs: tuple[str, ...] | None


def load_site(directory: Path) -> Site:
    """The sections station, store and log. Raises ConfigProblemsError for mistakes in these alone."""
    report = Report()
    secrets = _resolver(directory, report)
    document = _document(directory / GATEWAY_FILE, report, secrets)
    if document is None or not isinstance(document.value, dict):
        report.problem(
            Mark(str(directory / GATEWAY_FILE)), "no settings here", "station: {id: ...}"
        )
        raise ConfigProblemsError(report.problems)
    station = sections.section(document, "station", StationSettings, report)
    store = sections.section(document, "store", StoreSettings, report, StoreSettings())
    log = sections.section(document, "log", LogSettings, report, LogSettings())
    if station is None or store is None or log is None or store.path == NOWHERE:
        raise ConfigProblemsError(report.problems)
    path = Path(os.path.normpath((directory / store.path).absolute()))
    return Site(station, store, path, log, _rigs(directory, secrets))


def _rigs(directory: Path, secrets: Resolve) -> tuple[str, ...] | None:
    report = Report()
    read = [_document(path, report, secrets) for path in folder(directory, "rigs", report)]
    found = [document for document in read if document is not None]
    names = tuple(entry.name for entry in sections.entries(found, "rigs", report))
    return None if report.problems else names


def _resolver(directory: Path, report: Report) -> Resolve:
    """What `!secret` and `!env` stand for; one that is nowhere is a problem only where it is used."""
    secrets = Secrets(directory, os.environ, Report())

    def resolve(tagged: Tagged, mark: Mark) -> str:
        try:
            return secrets.resolve(tagged, mark)
        except DocumentError as exc:
            report.blame(exc.problems)
            return NOWHERE

    return resolve


def _document(path: Path, report: Report, secrets: Resolve) -> Document | None:
    text = read_text(path, report)
    if text is None:
        return None
    document, problems = parse_leniently(text, str(path), tags=TAGS)
    report.blame(problems)
    return None if document is None else replace_tagged(document, secrets)
