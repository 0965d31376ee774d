"""How each make of scan head talks on its line: what it is told, and its codes among its answers.

Pure state: bytes in, `Heard` out; the driver sends what `Heard.say` holds and watches the time.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from protocols.framing import UNDECIDED, FrameError, Noise, Piece, noise
from protocols.scanners import gm65, honeywell, ssi
from protocols.scanners.text import TEXT_BYTES_MAX, Suffix, TextFramer, strip_suffix

TriggerKind: TypeAlias = Literal["none", "honeywell", "ssi", "gm65"]
Opening: TypeAlias = Generator[bytes, int | None, None]


@dataclass(slots=True)
class Heard:
    """What some bytes brought: codes (without affixes) and noise in order, and what to answer.

    `frames` are the proven frames and codes as they came; `answers` counts replies to commands.
    `value` is the last value a head was asked for; `refused` says why it did not obey.
    """

    pieces: list[Piece] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    say: list[bytes] = field(default_factory=list)
    answers: int = 0
    value: int | None = None
    refused: str = ""


class Head(Protocol):
    """One make of head on one open line."""

    on: bytes
    off: bytes
    """Begin and end a read; empty where nothing can be told."""
    wake_up: bytes
    """Said before anything else; empty for a head that does not sleep."""
    answers: bool
    """Whether it answers commands, so that silence means it is not there."""

    def opening(self) -> Opening:
        """The commands at open: each is answered, and the answer's value is sent in."""
        ...

    @property
    def is_inside(self) -> bool:
        """Whether silence would mean something now."""
        ...

    def feed(self, data: bytes) -> Heard:
        """Take bytes as they arrived."""
        ...

    def idle(self) -> Heard:
        """The line fell silent."""
        ...


class TextHead:
    """A head that sends codes as text and answers nothing; `trigger: none` and `honeywell`."""

    wake_up = b""
    answers = False

    def __init__(self, suffix: Suffix, on: bytes = b"", off: bytes = b"") -> None:
        self.on, self.off = on, off
        self._text = TextFramer(suffix)

    def opening(self) -> Opening:
        """Nothing is asked."""
        yield from ()

    @property
    def is_inside(self) -> bool:
        """A code has begun and not ended."""
        return self._text.is_inside

    def feed(self, data: bytes) -> Heard:
        """Take bytes as they arrived."""
        return _codes(self._text.feed(data))

    def idle(self) -> Heard:
        """The line fell silent."""
        return _codes(self._text.idle())


class SsiHead:
    """Zebra SSI: packets, each acknowledged; a broken one is asked for again."""

    on = ssi.command(ssi.START_DECODE)
    off = ssi.command(ssi.STOP_DECODE)
    wake_up = ssi.WAKE_UP
    answers = True

    def __init__(self, suffix: Suffix) -> None:
        self._suffix = suffix
        self._framer = ssi.new_framer()
        self._parts = b""
        self._headless = False
        """The beginning of the code under way was dropped: what still comes of it is no code."""
        self._last: ssi.Packet | None = None

    def opening(self) -> Opening:
        """Somebody may have disabled it."""
        yield ssi.command(ssi.SCAN_ENABLE)

    @property
    def is_inside(self) -> bool:
        """A packet or a code of several packets is not whole."""
        return bool(self._framer.held_bytes or self._parts)

    def feed(self, data: bytes) -> Heard:
        """Take bytes as they arrived."""
        return self._heard(self._framer.feed(data))

    def idle(self) -> Heard:
        """The line fell silent: what is not whole is dropped."""
        heard = self._heard(self._framer.idle())
        if self._parts:
            self._drop("the rest of the code did not come", heard)
        return heard

    def _drop(self, reason: str, heard: Heard) -> None:
        """Give up a code of which more is announced; its tail could pass for another cylinder's."""
        heard.pieces += noise(reason, self._parts)
        self._parts, self._headless = b"", True

    def _heard(self, pieces: list[Piece]) -> Heard:
        heard = Heard()
        for piece in pieces:
            if isinstance(piece, Noise):
                heard.pieces.append(piece)
                continue
            heard.frames.append(piece)
            self._packet(ssi.decode(piece), heard)
        if any(isinstance(piece, Noise) for piece in pieces):
            heard.say.append(ssi.command(ssi.NAK, bytes((ssi.RESEND,))))
        return heard

    def _packet(self, packet: ssi.Packet, heard: Heard) -> None:
        if packet.source != ssi.DECODER:
            return  # Our own words, as an echoing adapter returns them.
        if packet.opcode == ssi.ACK:
            heard.answers += 1
        elif packet.opcode == ssi.NAK:
            heard.answers += 1
            why = packet.data[0] if packet.data else 0
            heard.refused = ssi.NAK_REASONS.get(why, str(why))
        else:
            heard.say.append(ssi.command(ssi.ACK))
            if packet.opcode == ssi.DECODE_DATA:
                self._code(packet, heard)

    def _code(self, packet: ssi.Packet, heard: Heard) -> None:
        """Collect a code; one that is sent again because our ACK was lost is no second read."""
        again = packet.status & ssi.SENT_AGAIN and self._last is not None
        if again and self._last is not None and self._last.data == packet.data:
            return
        self._last = packet
        ends = not packet.status & ssi.MORE_FOLLOWS
        if self._headless:
            heard.pieces += noise("its beginning was dropped", packet.data[1:])
            self._headless = not ends
            return
        self._parts += packet.data[1:]
        if len(self._parts) > TEXT_BYTES_MAX:
            self._drop(f"longer than {TEXT_BYTES_MAX} bytes", heard)
            self._headless = not ends
        elif ends:
            code, self._parts = strip_suffix(self._parts, self._suffix), b""
            heard.pieces += [code] if code else []


class Gm65Head:
    """GM65 modules in command mode: text, with replies to commands between and before the codes."""

    on = gm65.build_write(gm65.TRIGGER_ZONE, 1)
    off = gm65.build_write(gm65.TRIGGER_ZONE, 0)
    wake_up = b""
    answers = True

    def __init__(self, suffix: Suffix) -> None:
        self._text = TextFramer(suffix)
        self._held = b""

    def opening(self) -> Opening:
        """Command mode until it is switched off, written only where it is not set."""
        zone = yield gm65.build_read(gm65.MODE_ZONE)
        if zone is not None and zone & gm65.MODE_BITS != gm65.MODE_COMMAND:
            lights = zone & ~gm65.MODE_BITS
            yield gm65.build_write(gm65.MODE_ZONE, lights | gm65.MODE_COMMAND)

    @property
    def is_inside(self) -> bool:
        """A code or a reply has begun and not ended."""
        return bool(self._held) or self._text.is_inside

    def feed(self, data: bytes) -> Heard:
        """Take bytes as they arrived."""
        heard = Heard()
        self._held += data
        while self._held:
            size = self._reply(heard)
            if size == UNDECIDED:
                break
            self._held = self._held[size:]
        return heard

    def idle(self) -> Heard:
        """The line fell silent: half a reply is noise, and so is half a code."""
        heard = _codes(self._text.idle())
        heard.pieces += noise("cut off by silence", self._held)
        self._held = b""
        return heard

    def _reply(self, heard: Heard) -> int:
        """Take a reply or a code from the front of what is held; how many bytes it was."""
        if self._text.is_inside or not gm65.REPLY_HEAD.startswith(self._held[:2]):
            return self._code(heard)
        try:
            size = gm65.reply_size(self._held)
        except FrameError as exc:
            heard.pieces.append(Noise(str(exc), self._held[:2]))
            return 2
        if size == UNDECIDED:
            return UNDECIDED
        raw = self._held[:size]
        reply = gm65.decode_reply(raw)
        heard.frames.append(raw)
        heard.answers += 1
        if reply.type != gm65.OK:
            heard.refused = f"type {reply.type}"
        heard.value = reply.data[0] if reply.data else None
        return size

    def _code(self, heard: Heard) -> int:
        """Text up to the next place where a code may have ended."""
        end = _CODE_END.search(self._held)
        size = end.end() if end else len(self._held)
        found = _codes(self._text.feed(self._held[:size]))
        heard.pieces += found.pieces
        heard.frames += found.frames
        return size


_CODE_END = re.compile(rb"[\r\n\x03]")


def _codes(pieces: list[Piece]) -> Heard:
    frames = [piece for piece in pieces if isinstance(piece, bytes)]
    return Heard(pieces=pieces, frames=frames)


def new_head(trigger: TriggerKind, suffix: Suffix) -> Head:
    """The head of a line that was just opened."""
    if trigger == "ssi":
        return SsiHead(suffix)
    if trigger == "gm65":
        return Gm65Head(suffix)
    if trigger == "honeywell":
        return TextHead(suffix, honeywell.TRIGGER_ON, honeywell.TRIGGER_OFF)
    return TextHead(suffix)
