"""What was seen at a rig since the cylinder came: repeats collapse, the past does not count.

A tag counts only when it was read after the scale told that something stands there, so a tag
carried past before, or lingering from the cylinder before, can never name this one: its own is still
there then. A printed code is a deliberate act: it counts `scan_valid_s` before the cylinder too.

When nobody saw the scale for a while (a stalled process, a lost gate), a tag that was read meanwhile
may wait in a buffer and be told as new: then only what is read well after the arrival counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.contract import CodeRead, GateSample, TagContents, TagRead
from drivers.readings import Unread
from gatewayd.clock import MS, SECOND
from gatewayd.settings.model import IdentifySettings, RigSettings

SIGHTINGS_MAX = 64
"""Different things kept a presence. At the limit new ones are counted, not kept: two are already
one too many, so the rig refuses either way."""
UNSEEN_MS = 500
"""So long without a word of the scale, and nobody knows what was carried past meanwhile."""
BUFFERED_MS = 300
"""Longer than what waited in a buffer needs to be told once the process runs again."""
UNREAD_FROM_MS = 1_000
"""So long after a cylinder came, what a device could not read may still be of the one before: the
rest of a broken code waits in a scanner's line for as long (`idle_ms` on TCP)."""


@dataclass(slots=True)
class Sighting:
    """One tag or code at one device of the rig; times are monotonic ns.

    The text of a code begins with its AIM identifier where the scanner told one. `contents` is the
    newest of what was told of a tag's memory: a reading stands when a later one fails.
    """

    device: str
    text: str
    is_tag: bool
    first_ns: int
    last_ns: int
    contents: TagContents | None = None


class Presence:
    """The cylinder standing at a rig, by number, and what its devices saw of it."""

    def __init__(self, rig: RigSettings) -> None:
        self._rig = rig
        self._by_device: dict[str, list[IdentifySettings]] = {}
        for item in rig.identify:
            self._by_device.setdefault(item.device, []).append(item)
        self._seen: dict[tuple[str, str], Sighting] = {}
        self._unread: dict[str, Unread] = {}
        self._empty_ns: int | None = None
        self._came_ns = 0
        self._tags_from_ns = 0
        self.arrivals = 0
        self.on = False
        self.found = False
        self.dropped = 0

    @property
    def number(self) -> int:
        """Which cylinder since start stands here, from 1; 0 when none does."""
        return self.arrivals if self.on else 0

    def saw(self, read: TagRead | CodeRead) -> bool:
        """Take one read; True when it is news (not a repeat) for this rig."""
        if isinstance(read, TagRead):
            if not self._serves(read):
                return False
            news = self._note(read.device, read.uid, is_tag=True, at_ns=read.at_ns)
            return self._learn(read) or news
        scanned = read.symbology + read.text  # As a scanner sends it: what a GS1 code says.
        return self._note(read.device, scanned, is_tag=False, at_ns=read.at_ns)

    def heard(self, unread: Unread) -> bool:
        """Take what a device could not read; True when it is the longest of it for this cylinder.

        Of a broken frame the first bytes may be told alone, which says little.
        """
        known = self._unread.get(unread.device)
        if unread.device not in self._by_device or (known and len(known.raw) >= len(unread.raw)):
            return False
        from_ns = self._tags_from_ns + UNREAD_FROM_MS * MS
        if not self.on or unread.at_ns < from_ns:
            return False
        self._unread[unread.device] = unread
        return True

    def unread(self) -> Unread | None:
        """What a device that has not spoken could not read; what is required goes first."""
        spoken = {device for device, _ in self._seen}
        first = sorted(self._rig.identify, key=lambda item: not item.require)
        silent = (item.device for item in first if item.device not in spoken)
        return next((self._unread[each] for each in silent if each in self._unread), None)

    def _serves(self, read: TagRead) -> bool:
        items = self._by_device.get(read.device, ())
        return any(item.antenna is None or item.antenna == read.antenna for item in items)

    def _note(self, device: str, text: str, *, is_tag: bool, at_ns: int) -> bool:
        if self.on and not self._counts(at_ns, is_tag=is_tag):
            return False  # Told late, by a reader that was slow: of the cylinder before.
        known = self._seen.get((device, text))
        if known is not None:
            known.last_ns = max(known.last_ns, at_ns)
            return False
        if len(self._seen) >= SIGHTINGS_MAX and not self.on:
            self._came_ns = at_ns
            self._expire()
        if len(self._seen) >= SIGHTINGS_MAX:
            self.dropped += 1
            return False
        self._seen[device, text] = Sighting(device, text, is_tag, at_ns, at_ns)
        return True

    def _learn(self, read: TagRead) -> bool:
        """Keep what the tag holds; True when that is news."""
        seen, told = self._seen.get((read.device, read.uid)), read.contents
        late = self.on and not self._counts(read.at_ns, is_tag=True)
        if seen is None or told is None or late:
            return False
        known = seen.contents
        if known is not None and (told.why or told.data == known.data):
            return False
        seen.contents = told
        return True

    def weigh(self, sample: GateSample) -> None:
        """Follow the gate's own word on whether a cylinder stands there."""
        if sample.cylinder_on and not self.on:
            self._arrive(sample.at_ns)
        elif not sample.cylinder_on:
            if self.on:
                self._forget()
            self.on = False
            self._empty_ns = sample.at_ns

    def _arrive(self, now_ns: int) -> None:
        """A cylinder came; `found` when nobody saw the scale empty before."""
        self.arrivals += 1
        self.on = True
        self.found = self._empty_ns is None
        self._came_ns = now_ns
        unseen = self._empty_ns is None or now_ns - self._empty_ns > UNSEEN_MS * MS
        self._tags_from_ns = now_ns + BUFFERED_MS * MS if unseen else now_ns
        self._expire()

    def _counts(self, at_ns: int, *, is_tag: bool) -> bool:
        """Whether what was read then can belong to the cylinder that came at `_came_ns`."""
        if is_tag:
            return at_ns >= self._tags_from_ns
        return at_ns >= self._came_ns - self._rig.scan_valid_s * SECOND

    def _expire(self) -> None:
        """Forget what does not count for a cylinder that comes at `_came_ns`."""
        self._seen = {
            key: seen
            for key, seen in self._seen.items()
            if self._counts(seen.last_ns, is_tag=seen.is_tag)
        }

    def doubt(self, now_ns: int) -> None:
        """Nobody looked for too long, and something stands there as before: who it is, is asked anew."""
        self._tags_from_ns = now_ns + BUFFERED_MS * MS
        self._forget()

    def lose(self) -> None:
        """The gate's word is gone: whatever stands there when it returns is a new cylinder."""
        self.on = False
        self._empty_ns = None
        self._forget()

    def _forget(self) -> None:
        self._seen.clear()
        self._unread.clear()

    def sightings(self) -> Iterator[Sighting]:
        """Everything seen of this presence."""
        return iter(self._seen.values())

    def missing(self) -> bool:
        """Whether a required device has not spoken yet."""
        spoken = {device for device, _ in self._seen}
        return any(item.require and item.device not in spoken for item in self._rig.identify)

    def told_ns(self) -> int:
        """When it stood here and every required device had told who it is, monotonic."""
        required = {item.device for item in self._rig.identify if item.require}
        first: dict[str, int] = {}
        for seen in self._seen.values():
            if seen.device in required:
                first[seen.device] = min(seen.first_ns, first.get(seen.device, seen.first_ns))
        return max(self._came_ns, *first.values(), 0)

    def asks_for_both(self) -> bool:
        """Whether of the required devices one has told a tag and another one a printed code."""
        required = {
            item.device for items in self._by_device.values() for item in items if item.require
        }
        tags = {seen.device for seen in self._seen.values() if seen.is_tag} & required
        codes = {seen.device for seen in self._seen.values() if not seen.is_tag} & required
        return bool(tags) and bool(codes)

    def tag_lost(self, now_ns: int) -> bool:
        """Whether a required reader has not seen its tag for `tag_lost_after_s`."""
        oldest_ns = now_ns - self._rig.tag_lost_after_s * SECOND
        required = {item.device for item in self._rig.identify if item.require}
        return any(
            seen.is_tag and seen.device in required and seen.last_ns < oldest_ns
            for seen in self._seen.values()
        )
