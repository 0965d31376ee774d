"""What a reload would change: two pictures of a configuration compared, pure.

`difference` says it part by part, `Plan` also which rigs are exchanged for it, which of them wait
because they are busy, and what only a restart of the daemon changes.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from gatewayd.settings.picture import Picture, shown
from rules_engine.compare import Difference, compare
from rules_engine.pack import Pack

Action: TypeAlias = Literal["added", "removed", "changed"]

LIVE = frozenset({"devices", "rigs", "upstreams", "rules", "profiles", "tags", "checks", "reload"})
"""Kinds of parts that a reload exchanges; every other section needs a restart, but for this:"""
STATION_LIVE = frozenset({"name", "region", "media", "associated_owners"})
"""Keys of `station` that every rig takes up when it is exchanged; the rest is in the store's name."""

ABSENT = object()


@dataclass(frozen=True, slots=True)
class Value:
    """One value that differs; None stands for one that is not there. Secrets are masked."""

    key: str
    old: Any
    new: Any

    def as_json(self) -> dict[str, Any]:
        """As `config plan --json` prints it."""
        return {"key": self.key, "old": self.old, "new": self.new}


@dataclass(frozen=True, slots=True)
class Change:
    """One part that differs. `restart` are the keys that a reload leaves as they are.

    `rules` is what differs inside a rule pack; None where it is no pack that was and still is there,
    or nobody can read the earlier text.
    """

    part: str
    action: Action
    values: tuple[Value, ...]
    restart: tuple[str, ...] = ()
    rules: tuple[Difference, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """As `config plan --json` prints it; `rules` only of a pack that changed."""
        rules = {} if self.rules is None else {"rules": [each.as_json() for each in self.rules]}
        return rules | {
            "part": self.part,
            "action": self.action,
            "values": [value.as_json() for value in self.values],
            "restart": list(self.restart),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that differs. `rigs` begin anew with it, `waiting` of them once they are at rest."""

    changes: tuple[Change, ...]
    rigs: tuple[str, ...]
    waiting: tuple[str, ...]

    @property
    def restart(self) -> tuple[str, ...]:
        """The values that wait for a restart of the daemon, as `part.key`."""
        return tuple(f"{each.part}.{key}" for each in self.changes for key in each.restart)

    def as_json(self) -> dict[str, Any]:
        """As `config plan --json` prints it."""
        return {
            "changes": [change.as_json() for change in self.changes],
            "rigs": list(self.rigs),
            "waiting": list(self.waiting),
            "restart": list(self.restart),
        }


def plan(old: Picture, new: Picture, busy: Collection[str] = ()) -> Plan:
    """What leads from `old` to `new`; `busy` are the rigs that are not at rest now."""
    changes = tuple(difference(old, new))
    rigs = tuple(sorted(_rigs(changes, old, new)))
    return Plan(changes, rigs, tuple(name for name in rigs if name in busy))


def explained(found: Plan, before: Callable[[str], Pack | None], after: Mapping[str, Pack]) -> Plan:
    """The plan with what differs inside every pack that changed, by the packs themselves.

    `before` is asked for the pack that decides until then, None = its text cannot be read.
    """
    return replace(found, changes=tuple(_inside(each, before, after) for each in found.changes))


def _inside(
    change: Change, before: Callable[[str], Pack | None], after: Mapping[str, Pack]
) -> Change:
    kind, _, name = change.part.partition("/")
    if kind != "rules" or change.action != "changed" or name not in after:
        return change
    old = before(name)
    return change if old is None else replace(change, rules=compare(old, after[name]))


def difference(old: Picture, new: Picture) -> Iterator[Change]:
    """Every part that differs, in the order of their names."""
    for part in sorted(old.keys() | new.keys()):
        before, after = old.get(part, {}), new.get(part, {})
        if before == after:
            continue
        action: Action = "changed" if part in old and part in new else "added"
        if part not in new:
            action = "removed"
        keys = [k for k in dict.fromkeys((*before, *after)) if _differs(before, after, k)]
        values = tuple(_value(before, after, key) for key in keys)
        yield Change(part, action, values, _restart(part, keys))


def apply(old: Picture, changes: Collection[Change], new: Picture) -> dict[str, Mapping[str, Any]]:
    """`old` with those parts taken from `new`: what runs after these changes."""
    parts = dict(old)
    for change in changes:
        if change.part in new:
            parts[change.part] = new[change.part]
        else:
            parts.pop(change.part, None)
    return parts


def _differs(before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> bool:
    return bool(before.get(key, ABSENT) != after.get(key, ABSENT))


def _value(before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> Value:
    return Value(key, shown(before.get(key)), shown(after.get(key)))


def _restart(part: str, keys: Collection[str]) -> tuple[str, ...]:
    kind = part.partition("/")[0]
    if kind in LIVE:
        return ()
    live = STATION_LIVE if kind == "station" else frozenset()
    return tuple(key for key in keys if key not in live)


def _rigs(changes: Collection[Change], old: Picture, new: Picture) -> set[str]:
    """The rigs that begin anew: changed ones, and those with a device that does."""
    parts = {change.part for change in changes}
    everyone = any(c.part == "station" and len(c.restart) < len(c.values) for c in changes)
    found: set[str] = set()
    for world in (old, new):
        devices = {name for name in _names(world, "devices") if _anew(name, world, parts)}
        for name in _names(world, "rigs"):
            named = set(_devices(world[f"rigs/{name}"]))
            if everyone or f"rigs/{name}" in parts or named & devices:
                found.add(name)
    return found


def _names(world: Picture, kind: str) -> Iterator[str]:
    return (part.partition("/")[2] for part in world if part.startswith(f"{kind}/"))


def _anew(device: str, world: Picture, parts: Collection[str]) -> bool:
    told = world[f"devices/{device}"]
    made_with = {f"profiles/{told.get('profile')}", f"tags/{told.get('memory')}"}
    return f"devices/{device}" in parts or not made_with.isdisjoint(parts)


def _devices(rig: Mapping[str, Any]) -> Iterator[str]:
    for key, value in rig.items():
        if key in {"gate", "scale"} or (key.startswith("identify.") and key.endswith(".device")):
            yield str(value)
