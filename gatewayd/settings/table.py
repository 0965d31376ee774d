"""A table of plug-ins by name, from the entry points of everything installed.

A plug-in is imported only when its name is asked for, so that a missing vendor library of one
hurts nobody else. Two distributions that claim one name are an error: nobody guesses.
"""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from protocols.documents import nearest_hint

OURS = "gatewayd"
"""Our own distribution."""

T = TypeVar("T")


class PluginError(Exception):
    """A plug-in is unknown, claimed twice or cannot be imported; `expected` and `hint` help."""

    def __init__(self, what: str, expected: str = "", hint: str = "") -> None:
        self.what = what
        self.expected = expected
        self.hint = hint
        super().__init__("; ".join(text for text in (what, expected, hint) if text))


class Table(Generic[T]):
    """The plug-ins of one entry-point group, all of type `kind`."""

    def __init__(
        self, noun: str, group: str, kind: type[T], entries: Iterable[EntryPoint] | None = None
    ) -> None:
        self.noun = noun
        self._kind = kind
        self._entries: dict[str, list[EntryPoint]] = {}
        for entry in entry_points(group=group) if entries is None else entries:
            self._entries.setdefault(entry.name, []).append(entry)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that is claimed, sorted."""
        return tuple(sorted(self._entries))

    def foreign(self) -> tuple[str, ...]:
        """The names that other distributions than gatewayd claim, sorted."""
        claims = self._entries.items()
        ours = {name for name, es in claims if all(e.dist and e.dist.name == OURS for e in es)}
        return tuple(name for name in self.names if name not in ours)

    def get(self, name: str) -> T:
        """Import the plug-in of that name; raises PluginError."""
        entries = self._entries.get(name, [])
        if not entries:
            known = ", ".join(self.names) or "none; install the gatewayd package"
            hint = nearest_hint(name, self.names)
            raise PluginError(f"unknown {self.noun} {name!r}", f"known: {known}", hint)
        if len(entries) > 1:
            what = f"{self.noun} {name!r} is claimed by {_owners(entries)}"
            raise PluginError(what, "one distribution a name", "uninstall one of them")
        return self._load(entries[0])

    def _load(self, entry: EntryPoint) -> T:
        try:
            loaded = entry.load()
        except Exception as exc:  # third-party code may fail in any way; only its own name suffers
            what = f"{self.noun} {entry.name!r} cannot be loaded: {type(exc).__name__}: {exc}"
            raise PluginError(what, "", f"reinstall {_owners([entry])}") from exc
        if isinstance(loaded, self._kind) and (told := getattr(loaded, "name", "")) != entry.name:
            what = f"{self.noun} {entry.name!r} of {_owners([entry])} calls itself {told!r}"
            raise PluginError(what, f"{entry.value} must be named {entry.name!r}")
        if not isinstance(loaded, self._kind):
            what = f"{self.noun} {entry.name!r} of {_owners([entry])} is broken"
            raise PluginError(what, f"{entry.value} must be a {self._kind.__name__}")
        return loaded


def _owners(entries: Iterable[EntryPoint]) -> str:
    names = (e.dist.name if e.dist else e.value for e in entries)
    return " and ".join(sorted(names))
