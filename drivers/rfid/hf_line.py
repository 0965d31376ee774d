"""One open link to an HF reader of any family: who it is, rounds, and the memory of one tag."""

import itertools
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Literal, TypeAlias

from drivers.contract import Context, DriverError, MemoryArea
from drivers.dialog import ANSWER_WITHIN_S, Dialog, now
from drivers.links import Stream
from drivers.rfid import hf_troubles
from drivers.rfid.field import Sighting
from drivers.rfid.memory import the_one, uid_bytes
from drivers.rfid.rounds import ROUND, Round
from protocols.framing import FrameError
from protocols.readers.hf import Air, Family, Reply, is_reversed, is_uid

ROUND_WITHIN_S = 1.5
"""A round of sixteen slots takes a third of a second; bridges are slow."""
MORE_QUIET_S = 0.3
"""A family whose replies follow each other is done when it says nothing for so long."""
FOLLOWS_MAX = 16
"""So many further replies belong to one round; a reader that never ends is cut short."""
ROUND_S_MAX = 2.0
"""A round that drags on is cut short: what it saw first must not outlive the cylinder it names."""
RESET_WITHIN_S = 0.3
SETTLED_QUIET_S = 0.3
"""An answer that a reader on a cable gave late would come right behind another; this is no network."""
LOOKS = 2
"""Rounds in which every tag in the field is seen."""
BLOCKS_MAX = 256
ACCESS_TIMES_MAX = 3

UidOrder: TypeAlias = Literal["as_told", "reversed"]


class HfLine:
    """Speaks with one reader; `address` 255 or the family's own `anyone` hears every reader."""

    def __init__(
        self,
        stream: Stream,
        context: Context,
        *,
        family: Family,
        air: Air,
        address: int | None,
        uid_order: UidOrder,
        gap_s: float,
        far: bool,
    ) -> None:
        self._far = far
        self._family = family
        self._air = air
        self._address = family.anyone if address is None else address
        self._uid_order = uid_order
        self._envelope = 0
        self._collided = False
        self._context = context
        self.dialog = Dialog(
            stream,
            context,
            framer=family.new_framer(),
            decode=self._decode,
            format="iso15693_serial",
            gap_s=gap_s,
        )

    async def find(self) -> str | None:
        """Who answers, in the first envelope that it understands; None when nobody does."""
        for envelope in range(len(self._family.envelopes)):
            self._envelope = envelope
            reply = await self._ask(self._family.identify, times=2)
            if reply is not None and (not reply.error or reply.no_tag):
                return f"{self._family.title} {self._describe(reply)}"
            if reply is not None:
                return f"{self._family.title}, refuses to say who it is: {reply.error}"
        return None

    @property
    def settles(self) -> Callable[[], Awaitable[bool]] | None:
        """How to find out what is still owed; None where no answer can be told from another."""
        if self._kind(self._code(self._family.identify)) != ROUND:
            return self._settle
        return None if self._far else self._settle_near

    async def _settle(self) -> bool:
        """Whether it answers something else than an inventory; those before are over then."""
        return await self._ask(self._family.identify, times=1) is not None

    async def _settle_near(self) -> bool:
        """Whether it answers once more and then is quiet: what was owed got lost on the cable."""
        settled = await self._settle()
        if settled and not (await self.dialog.receive(now() + SETTLED_QUIET_S))[0]:
            self.dialog.owed.forget()
        return settled

    def late(self, replies: list[Reply]) -> Iterable[Sighting]:
        """What comes between two rounds names nobody; it is owed no more."""
        for reply in replies:
            if not reply.more:
                self.dialog.owed.answered(self._kind(reply.code))
        return ()

    async def round(self) -> Round:
        """Every tag in the field once; a round with collisions names nobody, they are told."""
        if self._family.reset:
            await self._ask(self._family.reset, times=1, within_s=RESET_WITHIN_S)
        replies = await self._replies()
        uids: list[bytes] = []
        collisions = 0
        for reply in replies:
            if reply.refused:
                return Round((), heard=True, refused=f"the reader refuses to look: {reply.error}")
            if reply.error:
                continue
            try:
                seen = self._family.seen(reply, self._air)
            except FrameError as exc:
                self._context.noise(str(exc), reply.data)
                continue
            uids += seen.uids
            collisions += seen.collisions
        self._collided = collisions > 0
        if self._collided:
            self._context.trouble(hf_troubles.collided())
            return Round((), heard=True)
        return Round(tuple(self._sightings(uids)), heard=bool(replies))

    async def read(self, area: MemoryArea) -> bytes:
        """Blocks of exactly one tag; raises DriverError."""
        uid = await self._tag(area)
        return b"".join(await self._blocks(uid, area))

    async def read_in_field(self, area: MemoryArea) -> bytes:
        """Blocks of the tag that the area names, which a round has just seen; raises DriverError.

        A block that is not answered ends it: an answer does not say which block it is of.
        """
        self._can_read(area)
        uid = uid_bytes(area.uid)
        told = uid[::-1] if self._uid_order == "reversed" else uid
        return b"".join(await self._blocks(told, area, patient=False))

    async def write(self, area: MemoryArea, data: bytes) -> None:
        """Write blocks of the named tag, read back and compare; raises DriverError."""
        if not area.uid:
            raise DriverError("a write must name its tag: uid is empty")
        write = self._family.write
        if write is None:
            raise DriverError(f"{self._family.title}: writing is not known for this family")
        uid = await self._tag(area)
        size = len((await self._blocks(uid, area))[0])
        if len(data) != size * area.count:
            raise DriverError(f"{len(data)} bytes for {area.count} blocks of {size} bytes")
        for at in range(area.count):
            block = data[at * size : (at + 1) * size]
            await self._access(
                write(uid, area.start + at, block), f"write of block {area.start + at}"
            )
        found = b"".join(await self._blocks(uid, area))
        if found != data:
            raise self.dialog.lost(f"wrote {data.hex()}, read back {found.hex()}")

    async def _replies(self) -> list[Reply]:
        """The reply to an inventory and all that follow it."""
        family = self._family
        look = family.inventories[self._air]
        until = now() + ROUND_S_MAX
        replies = await self._heard(look)
        while replies and replies[-1].more and len(replies) <= FOLLOWS_MAX and now() < until:
            if family.follow:
                further = await self._heard(family.follow)
            else:
                _, further = await self.dialog.receive(now() + MORE_QUIET_S)
            if not further:
                break
            replies += further
        for before, behind in itertools.pairwise(replies):
            if not before.more:  # What came behind it answers a question of its own.
                self.dialog.owed.answered(self._kind(behind.code))
        if replies and replies[-1].more:
            self.dialog.owe(ROUND)  # The rest may be on its way, and is not the next round's.
        return replies

    async def _heard(self, payload: bytes) -> list[Reply]:
        """The first reply to a command and what came together with it."""
        beside: list[Reply] = []
        first = await self._ask(payload, times=1, within_s=ROUND_WITHIN_S, aside=beside.extend)
        return [] if first is None else [first, *beside]

    async def _tag(self, area: MemoryArea) -> bytes:
        """The one tag to access, in the order in which the reader wants its UID."""
        self._can_read(area)
        seen: set[bytes] = set()
        for _ in range(LOOKS):
            found = await self.round()
            if found.refused:
                raise self.dialog.lost(found.refused)
            if self._collided:
                raise DriverError("several tags in the field answered at once; leave one there")
            seen |= {sighting.uid for sighting in found.seen}
        uid = the_one(seen, area.uid)
        return uid[::-1] if self._uid_order == "reversed" else uid

    def _can_read(self, area: MemoryArea) -> None:
        """Refuse an area that this reader cannot have; raises DriverError."""
        if self._family.read is None or self._family.block is None:
            raise DriverError(f"{self._family.title}: block commands are not known for this family")
        if area.bank != "user":
            raise DriverError(f"an HF tag has one memory: bank user, not {area.bank}")
        if not 1 <= area.count <= BLOCKS_MAX or not 0 <= area.start <= BLOCKS_MAX - area.count:
            raise DriverError(f"blocks {area.start} and {area.count} on; a tag has 0 to 255")

    async def _blocks(self, uid: bytes, area: MemoryArea, *, patient: bool = True) -> list[bytes]:
        read, block = self._family.read, self._family.block
        assert read is not None, self._family.name
        assert block is not None, self._family.name
        blocks: list[bytes] = []
        for number in range(area.start, area.start + area.count):
            what = f"read of block {number}"
            reply = await self._access(read(uid, number), what, patient=patient)
            try:
                blocks.append(block(reply))
            except FrameError as exc:
                raise self.dialog.lost(str(exc)) from exc
        if len({len(each) for each in blocks}) != 1 or not blocks[0]:
            raise self.dialog.lost("blocks of different sizes")
        return blocks

    async def _access(self, payload: bytes, what: str, *, patient: bool = True) -> Reply:
        """A reply without error, again when the air ate it; raises DriverError.

        Not `patient`: silence ends it.
        """
        why = "no answer"
        for _ in range(ACCESS_TIMES_MAX):
            reply = await self._ask(payload, times=1)
            if reply is not None and not reply.error:
                return reply
            if reply is None and not patient:
                break
            why = reply.error if reply is not None else why
        raise self.dialog.lost(f"{what} failed: {why}")

    async def _ask(
        self,
        payload: bytes,
        *,
        times: int,
        within_s: float = ANSWER_WITHIN_S,
        aside: Callable[[list[Reply]], None] | None = None,
    ) -> Reply | None:
        command = self._family.command(payload, self._address, envelope=self._envelope)
        code = self._code(payload)

        def answers(reply: Reply) -> bool:
            return code is None or reply.code == code

        return await self.dialog.ask(
            command,
            answers,
            kind=self._kind(code),
            times=times,
            within_s=within_s,
            aside=aside,
        )

    def _code(self, payload: bytes) -> int | None:
        """The number that its reply repeats; None in a family that repeats none."""
        at = self._family.code_at
        return None if at is None else payload[at]

    def _kind(self, code: int | None) -> Hashable:
        """What an answer is told by; a family that repeats no command has one kind only."""
        look = self._code(self._family.inventories[self._air])
        return ROUND if code in {None, look} else code

    def _decode(self, frame: bytes) -> Reply:
        reply = self._family.decode(frame)
        if self._address not in {self._family.anyone, reply.address}:
            raise FrameError(f"frame of reader {reply.address}")
        return reply

    def _describe(self, reply: Reply) -> str:
        try:
            return self._family.describe(reply)
        except FrameError:
            return "of unknown make"

    def _sightings(self, uids: Iterable[bytes]) -> Iterable[Sighting]:
        for told in uids:
            uid = told[::-1] if self._uid_order == "reversed" else told
            if self._air == "iso15693" and not is_uid(uid):
                if not is_reversed(uid):
                    self._context.noise("a UID without E0 is none of ISO 15693", uid)
                    continue
                other = "as_told" if self._uid_order == "reversed" else "reversed"
                self._context.trouble(hf_troubles.uid_backwards(uid.hex().upper(), other))
            yield Sighting(uid)
