"""At a start: what decides in the place of rule packs that went bad while the daemon was away.

Every other mistake stops the start. A pack alone does not: its last good text stays in force, and
one that never was good denies everything; the gates of a station should not depend on a comma.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeAlias

from gatewayd.settings.library import Library, Source, again
from gatewayd.settings.report import Report
from protocols.documents import DocumentError, Problem
from rules_engine.pack import Pack
from rules_engine.withheld import withheld

LastGood: TypeAlias = Callable[[Path], Mapping[str, Source]]
"""The packs that were last in force by the store at a path, by id."""


def stand_in(
    library: Library, wanted: Collection[str], last_good: Callable[[], Mapping[str, Source]]
) -> dict[str, tuple[Problem, ...]]:
    """Put what still decides in the place of every wanted pack with a mistake; returns those.

    `last_good` is asked only when there is one.
    """
    failed = {name: tuple(found) for name, found in library.failed.items() if name in wanted}
    known = last_good() if failed else {}
    for name in failed:
        pack, source = _last(name, known.get(name))
        library.values[name] = pack
        library.sources.pop(name, None)
        if source is not None:
            library.sources[name] = source
    return failed


def _last(name: str, source: Source | None) -> tuple[Pack, Source | None]:
    if source is not None:
        try:
            return again(source, prove=False), source
        except DocumentError:
            pass  # Good for another version of this program: it does not decide here.
    return withheld(name), None


def tolerated(report: Report, packs: Report) -> None:
    """What is wrong in the folder of packs is told as advice: the daemon starts all the same."""
    report.warnings += packs.warnings + packs.problems
