"""The files of a config directory as they are now: whether they changed, and what they say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gatewayd.errors import StoreError
from gatewayd.settings.files import FILES_KNOWN, FOLDERS
from gatewayd.settings.last_good import LastGood
from gatewayd.settings.library import Source, again
from gatewayd.settings.load import ConfigProblemsError, Examined, examine
from gatewayd.settings.model import Settings
from gatewayd.store.in_force import StoredPack
from gatewayd.store.reads import Reader
from protocols.documents import DocumentError
from rules_engine.pack import Pack

Signature: TypeAlias = frozenset[tuple[str, int, int, int]]
"""Every file by path, time of its last change, size and inode; a rename changes it, too."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the files said, and their signature from before they were read."""

    examined: Examined
    signature: Signature

    def settings(self) -> Settings:
        """What they say; raises ConfigProblemsError when that is wrong."""
        if self.examined.settings is None:
            raise ConfigProblemsError(self.examined.problems)
        return self.examined.settings


def take(directory: Path, *, last_good: LastGood | None = None) -> Taken:
    """Read and check everything; a file that changes meanwhile is noticed by its signature."""
    seen = signature(directory)
    return Taken(examine(directory, last_good=last_good), seen)


def signature(directory: Path) -> Signature:
    """The files that a configuration is read from. What cannot be looked at is not among them."""
    return frozenset(_looked_at(directory))


def _looked_at(directory: Path) -> Iterator[tuple[str, int, int, int]]:
    for path in _files(directory):
        try:
            found = path.stat()
        except OSError:
            continue
        yield str(path), found.st_mtime_ns, found.st_size, found.st_ino


def _files(directory: Path) -> Iterator[Path]:
    yield from (directory / name for name in FILES_KNOWN)
    for folder in FOLDERS:
        try:
            yield from (p for p in (directory / folder).iterdir() if p.suffix == ".yaml")
        except OSError:
            continue


def last_good_packs(path: Path) -> Mapping[str, Source]:
    """The packs that decided last by the store at `path`; none when it cannot be read."""
    try:
        with Reader.open(path) as store:
            return {pack.id: source_of(pack) for pack in store.packs_in_force()}
    except StoreError:
        return {}


def readable(pack: StoredPack) -> Pack | None:
    """A kept pack as it decides; None when this version of the program cannot read it."""
    try:
        return again(source_of(pack), prove=False)
    except DocumentError:
        return None


def source_of(pack: StoredPack) -> Source:
    """A kept pack as the settings load it."""
    return Source(pack.text, pack.origin, pack.below)
