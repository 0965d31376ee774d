"""The memory of tags in a judgement: who asks for it, what rules read of it, and no fill without it.

A device that names a layout (`memory` of devices/*.yaml) tells what its tags hold, and every rig and
point that identifies by it judges by that. What was asked for and is not known denies.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from drivers.contract import TagContents
from gatewayd.rigs.held import Held, findings, not_seen, read
from gatewayd.rigs.sources import Asked, FactSource
from gatewayd.settings.model import RigSettings
from gatewayd.texts import text
from protocols.tags.layout import Layout
from rules_engine.facts import parse_date
from rules_engine.verdict import Finding, Message, Verdict

READ = "tag.memory_read"
"""The fact that what was asked for is known."""
LACK, WHY = "tag.memory_lack", "tag.memory_why"
FINDING = "tag.finding"
UNREAD_RULE, FINDING_RULE = "rig.tag_memory", "rig.tag_finding"
BASIS = "memory of the reader's file: the tag is judged by what it holds"
WHY_CHARS_MAX = 200
"""What is shown of a reader's own words."""
_TEXTS = frozenset({"code"})


@dataclass(frozen=True, slots=True)
class TagMemories:
    """By which layouts readers read tags; `layout_of` tells it of a device as it is in force now."""

    layout_of: Callable[[str], Layout | None]

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """`tag.memory_read`, `tag.finding` and what the layouts tell; nothing where nobody asks."""
        return known(asked.identity.held)

    def asks(self, devices: Iterable[str]) -> Mapping[str, Layout]:
        """The layouts of those of the devices that are to read what tags hold."""
        layouts = ((device, self.layout_of(device)) for device in dict.fromkeys(devices))
        return {device: layout for device, layout in layouts if layout is not None}

    def held(
        self, rig: RigSettings, seen: Iterable[tuple[str, str, TagContents | None]]
    ) -> tuple[Held, ...]:
        """What the tags seen there hold; `seen` has device, uid and what was told of each."""
        told: dict[str, list[tuple[str, TagContents | None]]] = {}
        for device, uid, contents in seen:
            told.setdefault(device, []).append((uid, contents))
        held: list[Held] = []
        for device, layout in self.asks(devices_of(rig)).items():
            tags = told.get(device, ())
            held += [read(device, uid, layout, contents) for uid, contents in tags]
            held += [] if tags else [not_seen(device, layout)]
        return tuple(held)


def devices_of(rig: RigSettings) -> Iterable[str]:
    """The devices that identify at a rig."""
    return (item.device for item in rig.identify)


def memories_of(sources: Iterable[FactSource]) -> TagMemories | None:
    """The source that knows about the memory of tags, if there is one."""
    return next((each for each in sources if isinstance(each, TagMemories)), None)


def known(held: Iterable[Held]) -> dict[str, Any]:
    """The facts that stand in what tags hold; empty where no tag was to be read."""
    held = tuple(held)
    if not held:
        return {}
    unknown = next((each for each in held if each.lack), None)
    facts: dict[str, Any] = {READ: unknown is None}
    if unknown is not None:
        facts[LACK] = unknown.lack
    if unknown is not None and unknown.why:
        facts[WHY] = unknown.why[:WHY_CHARS_MAX]
    for each in held:
        facts |= {f"tag.{fact}": _fact(fact, value) for fact, value in each.facts.items()}
    said = findings(held)
    return facts if said is None else facts | {FINDING: said}


def asked_at(rig: RigSettings, sources: Iterable[FactSource]) -> bool:
    """Whether a device of the rig is to read what tags hold."""
    memories = memories_of(sources)
    return memories is not None and bool(memories.asks(devices_of(rig)))


def mind(verdict: Verdict, facts: Mapping[str, Any]) -> Verdict:
    """The verdict, denied while what was asked of tags is not known, or an inspector objects.

    Whatever the packs say: one that has no rule for a finding, or none that needs it, allows nothing.
    """
    if facts.get(READ) is not True:
        verdict = _deny(verdict, _unread(facts))
    said = facts.get(FINDING)
    told = any(FINDING in found.values for found in verdict.findings)
    return verdict if not said or told else _deny(verdict, _found(said))


def _unread(facts: Mapping[str, Any]) -> Finding:
    lack, why = facts.get(LACK, "untold"), facts.get(WHY, "")
    key = f"finding.tag_memory_{lack}"
    message = Message(zh=text(key, "zh", why=why), en=text(key, "en", why=why))
    values = {READ: False, LACK: lack, **({WHY: why} if why else {})}
    return Finding("DATA_MISSING", "deny", message, BASIS, UNREAD_RULE, values)


def _found(said: str) -> Finding:
    key = "finding.tag_finding"
    message = Message(zh=text(key, "zh", finding=said), en=text(key, "en", finding=said))
    return Finding("REGULATOR_LOCK", "deny", message, BASIS, FINDING_RULE, {FINDING: said})


def _deny(verdict: Verdict, found: Finding) -> Verdict:
    return replace(verdict, decision="deny", findings=(*verdict.findings, found))


def _fact(fact: str, value: str) -> Any:
    """A day of a month is its last one, as in the archive (contract §9)."""
    return value if fact in _TEXTS else parse_date(value)
