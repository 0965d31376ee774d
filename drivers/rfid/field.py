"""What is in a reader's field: sightings to readings, and the field's own troubles.

Tags at rest repeat many times a second: presence, not the driver, decides what is new. A batch of
one round is passed on without a pause between, so that two tags are seen as two.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from drivers import troubles
from drivers.contract import Context, TagRead
from drivers.rfid.contents import Contents

FLOOD_READS_A_SECOND = 300
"""More sightings than this in a second: every one is passed on, and a person is told."""
SEVERAL_WITHIN_S = 1.0
"""Two tags of one antenna seen within this time were in the field together."""
TELL_EVERY_S = 1.0
"""How often a trouble that lasts is repeated."""
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """One tag as a codec saw it: `uid` most significant byte first, `antenna` from 1."""

    uid: bytes
    antenna: int = 1
    rssi_raw: int | None = None
    rssi_cdbm: int | None = None
    tid: bytes = b""


class Field:
    """Emits the reads of one device and watches what its field looks like.

    `contents` is what its tags hold, None where nobody asks for that.
    """

    def __init__(self, context: Context, device: str) -> None:
        self.contents = None if context.memory is None else Contents(context.memory)
        self._context = context
        self._device = device
        self._latest: dict[int, tuple[bytes, int]] = {}
        self._told_ns: dict[str, int] = {}
        self._second_ns = 0
        self._in_second = 0

    def emit(self, seen: Iterable[Sighting], said_ns: int) -> None:
        """Pass on every tag and antenna once; blank tags have no identity and are only told of.

        `said_ns`: monotonic, the latest moment after which they were surely seen. When they were
        heard is no such moment: a network may have held them back while the cylinder was changed.
        0: nobody knows, so they are no reads.
        """
        if not said_ns:
            return
        at_ns = self._context.monotonic_ns()
        batch = {(sighting.uid, sighting.antenna): sighting for sighting in seen}
        for sighting in batch.values():
            if sighting.uid:
                self._read(sighting, said_ns)
                self._together(sighting, at_ns)
            elif self._due("blank_tag", at_ns):
                self._context.trouble(troubles.blank_tag(sighting.antenna))
        if batch:
            self._count(len(batch), at_ns)

    def _read(self, sighting: Sighting, said_ns: int) -> None:
        held = self.contents
        read = TagRead(
            self._device,
            sighting.uid.hex().upper(),
            sighting.antenna,
            sighting.rssi_raw,
            said_ns,
            sighting.rssi_cdbm,
            sighting.tid.hex().upper(),
            None if held is None else held.seen(sighting.uid, sighting.antenna, said_ns),
        )
        self._context.emit(read)

    def _together(self, sighting: Sighting, at_ns: int) -> None:
        """Tell of two tags that one antenna sees at once."""
        uid, seen_ns = self._latest.get(sighting.antenna, (sighting.uid, at_ns))
        self._latest[sighting.antenna] = (sighting.uid, at_ns)
        together = uid != sighting.uid and at_ns - seen_ns <= SEVERAL_WITHIN_S * _SECOND_NS
        if together and self._due("several_tags", at_ns):
            uids = (uid.hex().upper(), sighting.uid.hex().upper())
            self._context.trouble(troubles.several_tags(sighting.antenna, uids))

    def _count(self, sightings: int, at_ns: int) -> None:
        if at_ns - self._second_ns >= _SECOND_NS:
            self._second_ns, self._in_second = at_ns, 0
        self._in_second += sightings
        if self._in_second > FLOOD_READS_A_SECOND and self._due("flood", at_ns):
            self._context.trouble(troubles.flood(self._in_second))

    def _due(self, kind: str, at_ns: int) -> bool:
        """Whether a trouble that lasts should be told again."""
        if at_ns - self._told_ns.get(kind, -_SECOND_NS) < TELL_EVERY_S * _SECOND_NS:
            return False
        self._told_ns[kind] = at_ns
        return True
