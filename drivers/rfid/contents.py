"""What the tags in a field hold, where the configuration asks for it: read between two rounds.

One attempt at one tag, `ACCESS_S_MAX` long, behind a round that the reader has ended: so reading
never starves the inventory, and an answer that comes late is heard in a round, where it is nobody's.
What was read rides on the sightings of that very tag (`TagRead.contents`), and is forgotten when
the tag was not seen for `GONE_S`: it can never name another tag, nor the same tag another day.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, TypeAlias

from pydantic import Field, model_validator

from drivers.contract import Context, MemoryArea, Strict, TagContents

TRIES_MAX = 4
"""Attempts in a row that fail before the tag is told as unreadable; it is tried on all the same."""
TRY_AGAIN_S = 0.5
"""A tag that the reader could not reach is tried again after this."""
PAUSE_S = 1.0
"""After an attempt or a round that the reader left open no tag is accessed for so long: the answer
that is still owed comes meanwhile, and is not taken for another tag's."""
AGAIN_S = 10.0
"""A tag that stays is read again so often: somebody may write to it while it lies there."""
GONE_S = 2.0
"""A tag unseen for so long has left, and what it held is forgotten."""
ACCESS_S_MAX = 1.0
"""One attempt, whatever the reader does."""
TAGS_MAX = 64
"""Tags remembered at once; one more is told as unreadable."""
BYTES_MAX = 64
"""Bytes of one attempt: what every family reads within it, on slow wires too."""
_SECOND_NS = 1_000_000_000

Access: TypeAlias = Callable[[bytes, int], Awaitable[bytes]]
"""Reads the area of one tag (uid most significant byte first) at an antenna; raises DriverError."""


class MemorySettings(Strict):
    """The key of a reader that can read a tag's memory while it identifies; a mixin.

    `UNIT_BYTES`: what `start` of a layout counts, 16-bit words or blocks of four bytes.
    """

    UNIT_BYTES: ClassVar[int] = 2

    memory: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="a layout of tags/*.yaml: read every tag's memory by it; empty: uids only",
    )

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.memory is not None and getattr(self, "mode", "poll") == "push":
            raise ValueError("a reader that pushes reads no memory; set mode: poll")
        return self


class BlockSettings(MemorySettings):
    """The same for tags with blocks or pages of four bytes."""

    UNIT_BYTES: ClassVar[int] = 4


def area_of(settings: Any, layouts: Mapping[str, Any]) -> MemoryArea | None:
    """The memory that a device is to read; None where it is asked for none.

    `layouts` are those of the configuration by name, with `size_bytes` and `settings`; KeyError where
    the one that is named is not there.
    """
    named = getattr(settings, "memory", None)
    if named is None:
        return None
    layout = layouts[named]
    unit = settings.UNIT_BYTES
    count = -(-layout.size_bytes // unit)
    return MemoryArea(layout.settings.bank, layout.settings.start, count)


def of_each(context: Context, read: Callable[[MemoryArea], Awaitable[bytes]]) -> Access | None:
    """The access of a reader that does not mind the antenna; None where nobody asks for memory."""
    area = context.memory
    if area is None:
        return None

    async def access(uid: bytes, _antenna: int) -> bytes:
        return await read(replace(area, uid=uid.hex().upper()))

    return access


@dataclass(slots=True)
class _Tag:
    antenna: int
    seen_ns: int
    due_ns: int
    tries: int = 0
    told: TagContents | None = None


class Contents:
    """Which tag is to be read next, and what is known of each; times are monotonic ns."""

    def __init__(self, area: MemoryArea) -> None:
        self.area = area
        self._tags: dict[bytes, _Tag] = {}
        self._not_before_ns = 0

    def seen(self, uid: bytes, antenna: int, at_ns: int) -> TagContents | None:
        """Note a tag; what it holds, None while that is not known yet."""
        tag = self._tags.get(uid)
        if tag is None or at_ns - tag.seen_ns > GONE_S * _SECOND_NS:
            self._tags.pop(uid, None)
            if not self._room(at_ns):
                return self._unknown(f"more than {TAGS_MAX} tags in the field", at_ns)
            tag = self._tags[uid] = _Tag(antenna, at_ns, at_ns)
        tag.antenna, tag.seen_ns = antenna, at_ns
        return tag.told

    def due(self, now_ns: int, since_ns: int) -> tuple[bytes, int] | None:
        """The tag to read now and its antenna: the one that waits longest of those seen since."""
        if now_ns < self._not_before_ns:
            return None
        waiting = [
            (tag.due_ns, uid, tag.antenna)
            for uid, tag in self._tags.items()
            if tag.seen_ns >= since_ns and tag.due_ns <= now_ns
        ]
        return min(waiting)[1:] if waiting else None

    def learned(self, uid: bytes, data: bytes, at_ns: int) -> None:
        """The whole area was read; nothing happens when the tag was forgotten meanwhile."""
        tag = self._tags.get(uid)
        if tag is None:
            return
        tag.told = TagContents(self.area.bank, self.area.start, data, at_ns=at_ns)
        tag.tries, tag.due_ns = 0, at_ns + int(AGAIN_S * _SECOND_NS)

    def failed(self, uid: bytes, why: str, at_ns: int, *, owed: bool = False) -> None:
        """An attempt failed; `owed`: its answer may still come.

        What was read of this tag before stands, until it has left.
        """
        if owed:
            self.pause(at_ns)
        tag = self._tags.get(uid)
        if tag is None:
            return
        tag.tries += 1
        tag.due_ns = at_ns + int(TRY_AGAIN_S * _SECOND_NS)
        if tag.tries >= TRIES_MAX:
            tag.due_ns = at_ns + int(AGAIN_S * _SECOND_NS)
            tag.told = self._unknown(why, at_ns) if tag.told is None else tag.told

    def pause(self, at_ns: int) -> None:
        """Something is owed by the reader: access no tag for a while."""
        self._not_before_ns = at_ns + int(PAUSE_S * _SECOND_NS)

    def _room(self, at_ns: int) -> bool:
        if len(self._tags) >= TAGS_MAX:
            oldest_ns = at_ns - int(GONE_S * _SECOND_NS)
            self._tags = {u: tag for u, tag in self._tags.items() if tag.seen_ns >= oldest_ns}
        return len(self._tags) < TAGS_MAX

    def _unknown(self, why: str, at_ns: int) -> TagContents:
        return TagContents(self.area.bank, self.area.start, why=why, at_ns=at_ns)
