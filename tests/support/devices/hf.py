"""A scripted HF reader of any family, byte for byte; every tag has sixteen blocks of four bytes."""

from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.framing import FrameError
from protocols.readers.hf import FAMILIES, Asked, Family, FamilyName, new_framer, seal, unseal

BLOCK_BYTES = 4
BLOCKS = 16


@dataclass
class ScriptedHf:
    """Answers like a reader; change it while it runs."""

    family: FamilyName = "ti_s6350"
    tags: list[bytes] = field(default_factory=list)
    envelope: int = 0
    """The only envelope it understands."""
    address: int = 0
    silent: bool = False
    before: bytes = b""
    slow_s: float = 0.0
    pushes: bool = False
    says: bytes | None = None
    """A payload said instead of any inventory."""
    ignores_writes: bool = False
    no_blocks: bool = False
    memory: dict[bytes, list[bytes]] = field(default_factory=dict)
    heard: list[Asked] = field(default_factory=list)
    send: Callable[[bytes], None] = lambda _: None
    unplug: Callable[[], None] = lambda: None
    connections: int = 0

    @property
    def row(self) -> Family:
        return FAMILIES[self.family]

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        self.send, self.unplug = send, unplug
        self.connections += 1
        framer = new_framer(self.row.envelopes[self.envelope])

        def hear(data: bytes) -> None:
            # A command comes in one piece; a reader forgets what it could not read soon after.
            for piece in [*framer.feed(data), *framer.idle()]:
                if isinstance(piece, bytes):
                    self._answer(piece)

        return hear

    def blocks(self, uid: bytes) -> list[bytes]:
        fresh = [bytes((number,)) * BLOCK_BYTES for number in range(BLOCKS)]
        return self.memory.setdefault(uid, fresh)

    def _answer(self, frame: bytes) -> None:
        sealed = unseal(self.row.envelopes[self.envelope], frame)
        if sealed.address not in {self.address, self.row.anyone}:
            return
        try:
            asked = self.row.voice.hear(sealed.payload)
        except FrameError:
            return
        self.heard.append(asked)
        if not self.silent:
            for payload, refused in self._payloads(asked, sealed.payload):
                self._say(payload, refused=refused)

    def _say(self, payload: bytes, *, refused: bool) -> None:
        head = self.row.voice.error_head if refused else None
        envelope = self.row.envelopes[self.envelope]
        self.send(self.before + seal(envelope, payload, self.address, head=head))

    def _payloads(self, asked: Asked, payload: bytes) -> list[tuple[bytes, bool]]:
        voice = self.row.voice
        if asked.what == "identify":
            return [(voice.identity, False)]
        if asked.what == "inventory":
            if self.says is not None:
                return [(self.says, False)]
            if not self.tags:
                return [(voice.no_tag, True)]
            return [(each, False) for each in voice.inventory(tuple(self.tags))]
        if asked.what == "other":
            return [(payload[:1] + b"\x00", False)]
        if self.no_blocks or asked.uid not in self.tags or asked.block >= BLOCKS:
            return [(voice.no_block, True)]
        if asked.what == "read":
            return [(voice.block(self.blocks(asked.uid)[asked.block]), False)]
        if not self.ignores_writes:
            self.blocks(asked.uid)[asked.block] = asked.data
        return [(voice.written, False)]
