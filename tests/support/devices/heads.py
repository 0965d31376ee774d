"""Scripted scan heads: Zebra SSI packets, a GM65 module in command mode, a Honeywell that obeys."""

from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.framing import FrameError
from protocols.scanners import gm65, honeywell, ssi

Send = Callable[[bytes], None]


@dataclass
class SsiScanner:
    """Sends packets, wants an ACK for each, sends again when it is not understood."""

    silent: bool = False
    refuses: int = 0
    """NAK reason said to START DECODE; 0 = obeys."""
    before: bytes = b""
    broken: int = 0
    """So many packets are sent with a wrong sum first."""
    heard: list[ssi.Packet] = field(default_factory=list)
    woken: int = 0
    send: Send = lambda _: None
    unplug: Callable[[], None] = lambda: None

    def plugged(self, send: Send, unplug: Callable[[], None]) -> Send:
        self.send, self.unplug = send, unplug
        framer = ssi.new_framer()

        def hear(data: bytes) -> None:
            for piece in framer.feed(data):
                if isinstance(piece, bytes):
                    self._hear(ssi.decode(piece))
                else:
                    self.woken += piece.raw.count(ssi.WAKE_UP)

        return hear

    def _hear(self, packet: ssi.Packet) -> None:
        self.heard.append(packet)
        if self.silent or packet.opcode == ssi.ACK:
            return
        if packet.opcode == ssi.NAK:
            self._again()
        elif packet.opcode == ssi.START_DECODE and self.refuses:
            why = bytes((self.refuses,))
            self.send(ssi.build(ssi.Packet(ssi.NAK, ssi.DECODER, 0, why)))
        else:
            self.send(self.before + ssi.build(ssi.Packet(ssi.ACK, ssi.DECODER)))

    def scan(self, code: bytes) -> None:
        self._code = b"\x03" + code
        raw = ssi.build(ssi.Packet(ssi.DECODE_DATA, ssi.DECODER, 0, self._code))
        if self.broken:
            self.broken -= 1
            raw = raw[:-1] + bytes((raw[-1] ^ 1,))
        self.send(self.before + raw)

    def _again(self) -> None:
        packet = ssi.Packet(ssi.DECODE_DATA, ssi.DECODER, ssi.SENT_AGAIN, self._code)
        self.send(ssi.build(packet))

    def opcodes(self) -> list[int]:
        return [packet.opcode for packet in self.heard]


@dataclass
class Gm65Module:
    """Answers its zone and, when triggered, a code right behind the acknowledgement."""

    zone: int = 0xD4
    labels: list[bytes] = field(default_factory=list)
    """The codes in front of it; it reads one a look, in turn."""
    silent: bool = False
    before: bytes = b""
    stale: bytes = b""
    """What it still had to say to whoever used it before."""
    triggered: int = 0
    writes: list[tuple[int, int]] = field(default_factory=list)
    send: Send = lambda _: None
    unplug: Callable[[], None] = lambda: None

    def plugged(self, send: Send, unplug: Callable[[], None]) -> Send:
        self.send, self.unplug = send, unplug
        held = bytearray()
        if self.stale:
            send(self.stale)

        def hear(data: bytes) -> None:
            held.extend(data)
            while len(held) >= 9:
                command = bytes(held[:9])
                del held[:9]
                if not self.silent:
                    send(self.before + self._answer(command))

        return hear

    def _answer(self, raw: bytes) -> bytes:
        command = gm65.GM65_COMMAND.parse(raw)
        try:
            gm65.prove(raw, command.crc)
        except FrameError:
            return b""  # The manual: a wrong CRC is not answered.
        if command.type == gm65.READ:
            return gm65.build_reply(bytes((self.zone,)))
        self.writes.append((command.addr, command.data[0]))
        done = gm65.build_reply(b"\x00")
        if command.addr == gm65.MODE_ZONE:
            self.zone = command.data[0]
            return done
        self.triggered += command.data[0]
        looks = command.data[0] and self.zone & gm65.MODE_BITS == gm65.MODE_COMMAND
        if not looks or not self.labels:
            return done
        self.labels.append(self.labels.pop(0))
        return done + self.labels[-1] + b"\r"


@dataclass
class HoneywellHead:
    """Looks when told, until it sees a label; answers nothing."""

    label: bytes = b""
    looks: bool = False
    heard: list[bytes] = field(default_factory=list)
    send: Send = lambda _: None
    unplug: Callable[[], None] = lambda: None

    def plugged(self, send: Send, unplug: Callable[[], None]) -> Send:
        self.send, self.unplug = send, unplug

        def hear(data: bytes) -> None:
            self.heard.append(data)
            self.looks = data != honeywell.TRIGGER_OFF
            self.show(self.label)

        return hear

    def show(self, label: bytes) -> None:
        self.label = label
        if self.looks and label:
            self.looks = False
            self.send(label + b"\r")
