"""Reads to a cylinder: what the archive knows under a tag or a printed code, or why not."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from gatewayd.rigs.model import Clash, Hint, Identity
from gatewayd.rigs.presence import Presence, Sighting
from gatewayd.store.model import Cylinder
from protocols.scanners.aim import GS1, split_aim
from protocols.tags import cylinder_code, keys

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
    """A scanned text as the code it carries: a GS1 key, the digits of a label, or as it is."""
    if named := keys.scanned(text):
        return named[0].text
    aim, plain = split_aim(text)
    try:
        parsed = cylinder_code.parse(plain)
    except cylinder_code.CodeError:
        return plain
    if aim in GS1:
        return parsed.text
    return parsed.id16 or parsed.code10 or parsed.text


def by_code(archive: Archive, text: str, region: str | None) -> tuple[Cylinder, ...]:
    """The cylinders a scanned text may name: the same one under two spellings counts once.

    The text may begin with its AIM identifier. GS1 data is looked up as it is and by its keys,
    never as the digits of a Chinese label. When it has no separator and the archive also knows a
    key that it would have with one, it names both.
    """
    aim, plain = split_aim(text)
    found = _known(archive, spellings(text, region))
    if found and aim in GS1:
        found |= _known(archive, keys.spelled(keys.other_readings(plain)))
    return tuple(found.values())


def spellings(text: str, region: str | None) -> tuple[str, ...]:
    """Every code under which the archive may have a scanned text."""
    aim, plain = split_aim(text)
    codes = [text, plain] if aim in GS1 else [text, *_label_codes(plain, region)]
    return (*codes, *keys.spelled(keys.scanned(text)))


def by_uid(archive: Archive, uid: str) -> tuple[Cylinder, ...]:
    """The cylinders that carry a tag, else the one whose GS1 key the tag's EPC encodes."""
    carried = archive.cylinders_by_uid(uid)
    return carried or tuple(_known(archive, keys.spelled(keys.of_tag(uid))).values())


def hint_on_tag(archive: Archive, uid: str) -> Hint | None:
    """Whether an unknown tag is known with its bytes the other way round."""
    turned = bytes.fromhex(uid)[::-1].hex().upper() if _is_bytes(uid) else uid
    if turned == uid or not archive.cylinders_by_uid(turned):
        return None
    return Hint("reversed_uid", uid, turned)


def hint_on_code(archive: Archive, text: str) -> Hint | None:
    """Whether an unknown GS1 code is known when a separator that it may have lost is put back."""
    aim, plain = split_aim(text)
    if aim not in GS1:
        return None
    readings = keys.other_readings(plain)
    known = (key.text for key in readings if _known(archive, key.spellings()))
    key = next(known, "?" if keys.overruns(plain) else None)
    return None if key is None else Hint("gs_lost", plain, key)


def _is_bytes(uid: str) -> bool:
    return len(uid) % 2 == 0 and plain_uid(uid) == uid


def _label_codes(text: str, region: str | None) -> tuple[str, ...]:
    try:
        return cylinder_code.candidates(cylinder_code.parse(text), region or "")
    except cylinder_code.CodeError:
        return ()


def _known(archive: Archive, codes: Iterable[str]) -> dict[str, Cylinder]:
    """The cylinders of these codes, by their own code."""
    found = (archive.cylinder(code) for code in dict.fromkeys(codes))
    return {cylinder.code: cylinder for cylinder in found if cylinder is not None}


def identify(presence: Presence, archive: Archive, *, region: str | None) -> Identity:
    """What the reads of this presence agree on; more than one candidate is `many`.

    An unknown tag and an unknown label may be one unknown cylinder; two of a kind may not, and
    neither may something unknown beside a cylinder that the archive knows.
    """
    sightings = tuple(presence.sightings())
    if presence.missing():
        who = Identity(uid=_uid(sightings, None), code=_code(sightings))
        return replace(who, unread=presence.unread())
    found = {
        (seen.is_tag, seen.text): by_uid(archive, seen.text)
        if seen.is_tag
        else by_code(archive, seen.text, region)
        for seen in sightings
    }
    known = {cylinder.code: cylinder for cylinders in found.values() for cylinder in cylinders}
    unknown = [seen for seen in sightings if not found[seen.is_tag, seen.text]]
    hint = next(filter(None, (_hint(archive, seen) for seen in unknown)), None)
    cylinder = next(iter(known.values()), None)
    uid, code = _uid(sightings, cylinder), _code(sightings)
    if len(known) + bool(unknown) > 1 or _strangers(unknown) > len({s.is_tag for s in unknown}):
        shown = tuple(seen.text for seen in sightings)[:SHOWN_MAX]
        clash = _clash(found) if presence.asks_for_both() else None
        if clash is not None:
            return Identity(
                "many", uid=clash.uid, code=clash.code, shown=shown, hint=hint, clash=clash
            )
        return Identity("many", shown=shown, hint=hint)
    agrees = cylinder is not None and uid is not None and code is not None
    return Identity("one", cylinder, uid=uid, code=code, hint=hint, agrees=agrees)


def _strangers(unknown: Iterable[Sighting]) -> int:
    """How many different things the archive does not know; one code may come in two spellings."""
    return len({(seen.is_tag, split_aim(seen.text)[1]) for seen in unknown})


def _clash(found: Mapping[tuple[bool, str], tuple[Cylinder, ...]]) -> Clash | None:
    """One tag's cylinder against one label's; None when the tags, or the labels, differ already."""
    by_uid, by_code = _named(found, is_tag=True), _named(found, is_tag=False)
    if len(by_uid) != 1 or len(by_code) != 1:
        return None
    uid = next(text for is_tag, text in found if is_tag)
    code = next(text for is_tag, text in found if not is_tag)
    return Clash(uid, code, by_uid.pop()[0], by_code.pop()[0])


def _named(
    found: Mapping[tuple[bool, str], tuple[Cylinder, ...]], *, is_tag: bool
) -> set[tuple[str | None, str]]:
    """What the tags, or the labels, name: a cylinder, or something that nobody knows."""
    named: set[tuple[str | None, str]] = set()
    for (kind, text), cylinders in found.items():
        if kind is is_tag:
            named |= {(each.code, "") for each in cylinders} or {(None, split_aim(text)[1])}
    return named


def _hint(archive: Archive, seen: Sighting) -> Hint | None:
    if seen.is_tag:
        return hint_on_tag(archive, seen.text)
    return hint_on_code(archive, seen.text)


def _uid(sightings: Iterable[Sighting], cylinder: Cylinder | None) -> str | None:
    """The tag seen, spelled as the archive spells it when it knows it."""
    seen = next((s.text for s in sightings if s.is_tag), None)
    if seen is None or cylinder is None:
        return seen
    return next((uid for uid in cylinder.tag_uids if plain_uid(uid) == seen), seen)


def _code(sightings: Iterable[Sighting]) -> str | None:
    return next((s.text for s in sightings if not s.is_tag), None)
