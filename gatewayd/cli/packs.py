"""The rule packs that commands speak of: those in force, or just the files that were named."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from gatewayd.cli.common import directory
from gatewayd.errors import ConfigError
from gatewayd.settings.library import load_files, load_packs
from gatewayd.settings.report import ConfigProblemsError, Report
from gatewayd.settings.shipped import shipped_dir
from protocols.documents import Problem
from rules_engine.pack import Pack


@dataclass(frozen=True, slots=True)
class Loaded:
    """The packs that load, and every mistake of those that do not."""

    packs: tuple[Pack, ...]
    problems: tuple[Problem, ...]


def in_force(*, prove: bool = True) -> Loaded:
    """The shipped packs and those of the config directory, as the daemon would load them.

    Without `prove` also those whose examples fail. Raises ConfigError when a config directory that was asked for does not exist.
    """
    report = Report()
    library = load_packs(_site(), report, prove=prove)
    return Loaded(tuple(library.values.values()), tuple(sorted(set(report.problems))))


def _site() -> Path:
    """The config directory; without one the shipped rules stand alone."""
    try:
        return directory()
    except ConfigError:
        if click.get_current_context().find_root().meta.get("gatewayd.directory"):
            raise
        return shipped_dir()


def load(paths: Sequence[Path]) -> Loaded:
    """Load just these pack files, each on top of the shipped one it extends."""
    report = Report()
    packs = load_files(paths, report)
    return Loaded(tuple(packs), tuple(sorted(set(report.problems))))


def sound(loaded: Loaded) -> tuple[Pack, ...]:
    """The packs, when all of them load; raises ConfigProblemsError with every mistake."""
    if loaded.problems:
        raise ConfigProblemsError(loaded.problems)
    return loaded.packs
