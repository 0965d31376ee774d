"""What a tag holds, as frozen values: read by a layout, or why it is not known. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from drivers.contract import TagContents
from protocols.framing import FrameError
from protocols.tags.layout import Layout

Lack: TypeAlias = Literal["", "pending", "no_tag", "unread", "not_of_layout"]
"""Why nothing is known: the reader has not told yet, saw no tag, could not read it, or what it read
is not of the layout. Empty = it is known."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the tag holds that one device of a rig or point saw there, by the layout it names.

    `hex` is what was read, also when it is not of the layout; `values` are its fields; `finding` is
    what an inspector wrote, empty = nothing, None = the layout has no such field; `facts` what rules
    may read. `why` says in technical words why it is not known.
    """

    device: str
    layout: str
    layout_hash: str = ""
    bank: str = ""
    start: int = 0
    uid: str | None = None
    hex: str = ""
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)
    finding: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)
    lack: Lack = ""
    why: str = ""

    @property
    def coming(self) -> bool:
        """Whether it may still become known, if one waits."""
        return self.lack in {"pending", "no_tag"}

    def as_json(self) -> dict[str, Any]:
        """What a record keeps of it."""
        return {
            "device": self.device,
            "uid": self.uid,
            "layout": self.layout,
            "layout_hash": self.layout_hash,
            "bank": self.bank,
            "start": self.start,
            "hex": self.hex,
            "values": dict(self.values),
            "finding": self.finding,
            "facts": dict(self.facts),
            "lack": self.lack or None,
            "why": self.why or None,
        }


def from_json(told: Mapping[str, Any]) -> Held:
    """What a record kept of it."""
    return Held(**{**told, "lack": told["lack"] or "", "why": told["why"] or ""})


def not_seen(device: str, layout: Layout) -> Held:
    """Its reader saw no tag."""
    return Held(device, layout.id, layout.hash, lack="no_tag")


def read(device: str, uid: str, layout: Layout, contents: TagContents | None) -> Held:
    """What a reader told of a tag, by the layout that it was to read."""
    place = layout.settings
    at = (device, layout.id, layout.hash, place.bank, place.start, uid)
    if contents is None:
        return Held(*at, lack="pending")
    if contents.why:
        return Held(*at, lack="unread", why=contents.why)
    if (contents.bank, contents.start) != (place.bank, place.start):
        why = f"read from word {contents.start} of {contents.bank}"
        return Held(*at, lack="unread", why=why)
    data = contents.data[: layout.size_bytes]  # A whole word or block more may have come.
    told = data.hex().upper()
    if layout.is_blank(data):
        return Held(*at, told, finding=None if place.finding is None else "")
    try:
        values = layout.read(data)
    except FrameError as exc:
        return Held(*at, told, lack="not_of_layout", why=str(exc))
    return Held(*at, told, values, layout.finding(values), layout.facts(values))


def findings(held: Iterable[Held]) -> str | None:
    """What inspectors wrote into the tags, empty = nothing, None = nobody can tell."""
    said = [each.finding for each in held if each.finding is not None]
    return "; ".join(filter(None, said)) if said else None
