"""Reads to a cylinder: what the archive knows under a tag or a printed code, or why not."""

from collections.abc import Iterable
from typing import Protocol

from gatewayd.rigs.model import Identity
from gatewayd.rigs.presence import Presence, Sighting
from gatewayd.store.model import Cylinder
from protocols.tags import cylinder_code

SHOWN_MAX = 8
"""How many candidates of an ambiguous identity are shown."""


class Archive(Protocol):
    """What identity needs of the store."""

    def cylinder(self, code: str) -> Cylinder | None:
        """The cylinder of exactly this code."""
        ...

    def cylinders_by_uid(self, uid: str) -> tuple[Cylinder, ...]:
        """Every cylinder that carries this tag (upper-case hex)."""
        ...


def plain_uid(uid: str) -> str:
    """A uid as looked up: upper-case hex without separators."""
    return "".join(ch for ch in uid.upper() if ch in "0123456789ABCDEF")


def plain_code(text: str) -> str:
    """A scanned text as the code it carries: the digits of a label, else the text itself."""
    try:
        parsed = cylinder_code.parse(text)
    except cylinder_code.CodeError:
        return text
    return parsed.id16 or parsed.code10 or parsed.text


def by_code(archive: Archive, text: str, region: str | None) -> tuple[Cylinder, ...]:
    """The cylinders a scanned text may name: the same one under two spellings counts once."""
    try:
        parsed = cylinder_code.parse(text)
    except cylinder_code.CodeError:
        return ()
    found = (archive.cylinder(code) for code in cylinder_code.candidates(parsed, region or ""))
    return tuple({c.code: c for c in found if c is not None}.values())


def identify(presence: Presence, archive: Archive, *, region: str | None) -> Identity:
    """What the reads of this presence agree on; more than one candidate is `many`.

    An unknown tag and an unknown label may be one unknown cylinder; two of a kind may not, and
    neither may something unknown beside a cylinder that the archive knows.
    """
    sightings = tuple(presence.sightings())
    if presence.missing():
        return Identity(uid=_uid(sightings, None), code=_code(sightings))
    known: dict[str, Cylinder] = {}
    unknown: list[Sighting] = []
    for seen in sightings:
        found = (
            archive.cylinders_by_uid(seen.text)
            if seen.is_tag
            else by_code(archive, seen.text, region)
        )
        known.update({cylinder.code: cylinder for cylinder in found})
        if not found:
            unknown.append(seen)
    strangers = len({(seen.is_tag, seen.text) for seen in unknown})
    kinds = len({seen.is_tag for seen in unknown})
    if len(known) + bool(unknown) > 1 or strangers > kinds:
        return Identity("many", shown=tuple(seen.text for seen in sightings)[:SHOWN_MAX])
    cylinder = next(iter(known.values()), None)
    return Identity("one", cylinder, uid=_uid(sightings, cylinder), code=_code(sightings))


def _uid(sightings: Iterable[Sighting], cylinder: Cylinder | None) -> str | None:
    """The tag seen, spelled as the archive spells it when it knows it."""
    seen = next((s.text for s in sightings if s.is_tag), None)
    if seen is None or cylinder is None:
        return seen
    return next((uid for uid in cylinder.tag_uids if plain_uid(uid) == seen), seen)


def _code(sightings: Iterable[Sighting]) -> str | None:
    return next((s.text for s in sightings if not s.is_tag), None)
