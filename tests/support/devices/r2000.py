"""A scripted R2000 reader, byte for byte: real frames for what a real one would do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from protocols.checksums import lrc8
from protocols.readers.r2000 import (
    Access,
    Answer,
    AntennaError,
    Command,
    FastSwitch,
    Reply,
    Result,
    RoundEnd,
    Seen,
    SwitchEnd,
    Version,
    build_reply,
    codes,
    decode_command,
    decode_fast_switch,
    new_framer,
    pc_of,
)

ROUND_MS = 100
"""How long a round is said to take."""
ROUND_S = 0.005
"""How long it takes, so that tests do not."""
WORDS = {0: 4, 1: 2, 2: 6, 3: 32}
"""Words of the reserved, EPC (before the EPC), TID and user memory of every tag."""


@dataclass
class ScriptedR2000:
    """Answers like a reader; change it while it runs."""

    address: int = 1
    tags: list[bytes] = field(default_factory=list)
    """EPCs in the field of every antenna that is `connected`."""
    connected: set[int] = field(default_factory=lambda: set(range(1, 9)))
    tags_at: dict[int, list[bytes]] = field(default_factory=dict)
    """EPCs by antenna, instead of `tags`."""
    silent: bool = False
    before: bytes = b""
    """Garbage sent before every reply."""
    pushes: bool = False
    """Left in an inventory of somebody else: sends tags unasked and hears nothing."""
    left_over: int = 0
    """So many commands are not heard because an inventory of somebody else goes on."""
    antenna: int = 1
    power: bytes = bytes((30,))
    result: int | None = None
    """Said instead of every round."""
    old_read: bool = False
    """Older firmware: read takes no password."""
    clones: int = 1
    rssi_raw: int = 55
    miscount: int = 0
    """How many bytes too low every length byte is."""
    forgets_writes: bool = False
    heard: list[Command] = field(default_factory=list)
    memory: dict[tuple[bytes, int], bytearray] = field(default_factory=dict)
    match: bytes = b""
    send: Callable[[bytes], None] = lambda _: None
    unplug: Callable[[], None] = lambda: None

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        """Somebody opened the wire: how to reach them; returns who hears what they say."""
        self.send, self.unplug = send, unplug
        framer = new_framer()

        def hear(data: bytes) -> None:
            for piece in framer.feed(data):
                if isinstance(piece, bytes):
                    self._hear(decode_command(piece))

        return hear

    def push(self, uid: bytes, antenna: int = 1) -> None:
        self._say([self._seen(codes.INVENTORY, antenna, uid)])

    def _hear(self, command: Command) -> None:
        self.heard.append(command)
        if self.silent or command.address not in {self.address, 0xFF}:
            return
        if self.pushes or self.left_over > 0:
            self.left_over -= 1
            for uid in self.tags:
                self.push(uid)
            return
        self._say(self.answer(command))

    def _say(self, replies: list[Reply]) -> None:
        frames = [self._counted(build_reply(reply)) for reply in replies]
        if frames:
            self.send(self.before + b"".join(frames))

    def _counted(self, frame: bytes) -> bytes:
        body = bytes((frame[0], frame[1] - self.miscount)) + frame[2:-1]
        return body + bytes((lrc8(body),))

    def answer(self, command: Command) -> list[Reply]:
        me, code, data = self.address, command.code, command.data
        match code:
            case codes.VERSION:
                return [Version(me, 1, 9)]
            case codes.SET_ANTENNA:
                self.antenna = data[0] + 1
                return [Result(me, code, codes.SUCCESS)]
            case codes.GET_ANTENNA:
                return [Answer(me, code, bytes((self.antenna - 1,)))]
            case codes.GET_POWER:
                return [Answer(me, code, self.power)]
            case codes.SET_TEMPORARY_POWER:
                self.power = data
                return [Result(me, code, codes.SUCCESS)]
            case codes.INVENTORY | codes.SESSION_INVENTORY:
                return self._round(code)
            case codes.FAST_SWITCH:
                return self._switch(data)
            case codes.SET_MATCH:
                self.match = data[2:] if data[0] == 0 else b""
                return [Result(me, code, codes.SUCCESS)]
            case codes.READ:
                return self._read(data)
            case codes.WRITE:
                return self._write(data)
        return [Result(me, code, codes.FAIL)]

    def _field(self, antenna: int) -> list[bytes]:
        return self.tags_at.get(antenna, []) if self.tags_at else self.tags

    def _seen(self, code: int, antenna: int, uid: bytes) -> Seen:
        high = 0x80 if antenna > 4 else 0
        freq_ant = 35 << 2 | (antenna - 1) % 4
        return Seen(self.address, code, freq_ant, pc_of(uid), uid, self.rssi_raw | high)

    def _round(self, code: int) -> list[Reply]:
        if self.result is not None:
            return [Result(self.address, code, self.result)]
        if self.antenna not in self.connected:
            return [Result(self.address, code, codes.ANTENNA_MISSING)]
        seen = [self._seen(code, self.antenna, uid) for uid in self._field(self.antenna)]
        return [*seen, RoundEnd(self.address, code, self.antenna - 1, 0, len(seen))]

    def _switch(self, data: bytes) -> list[Reply]:
        if self.result is not None:
            return [Result(self.address, codes.FAST_SWITCH, self.result)]
        self._stream(decode_fast_switch(data), 0)
        return []

    def _stream(self, switch: FastSwitch, done: int) -> None:
        """One round over all antennas after another; nothing else is heard meanwhile."""
        if done == switch.repeat:
            self._say([SwitchEnd(self.address, 0, switch.repeat * ROUND_MS)])
            return
        replies: list[Reply] = []
        for index, _ in switch.stays:
            if index + 1 not in self.connected:
                replies.append(AntennaError(self.address, index, codes.ANTENNA_MISSING))
                continue
            tags = self._field(index + 1)
            replies += [self._seen(codes.FAST_SWITCH, index + 1, uid) for uid in tags]
        if not self.silent:
            self._say(replies)
            asyncio.get_running_loop().call_later(ROUND_S, self._stream, switch, done + 1)

    def _selected(self) -> list[bytes]:
        tags = self._field(self.antenna)
        return [uid for uid in tags if not self.match or uid == self.match]

    def bank(self, uid: bytes, bank: int) -> bytearray:
        if bank == 1:
            return bytearray(2) + pc_of(uid).to_bytes(2) + uid
        return self.memory.setdefault((uid, bank), bytearray(2 * WORDS[bank]))

    def _access(self, code: int, uid: bytes, data: bytes = b"") -> Access:
        raw = (self.antenna - 1) % 4
        pc, count = pc_of(uid), self.clones
        return Access(self.address, code, count, pc, uid, 0x1234, data, codes.SUCCESS, raw, 1)

    def _read(self, data: bytes) -> list[Reply]:
        if len(data) != (3 if self.old_read else 7):
            return [Result(self.address, codes.READ, 0x41)]
        bank, start, count = data[:3]
        replies: list[Reply] = []
        for uid in self._selected():
            words = self.bank(uid, bank)[2 * start : 2 * (start + count)]
            replies.append(self._access(codes.READ, uid, bytes(words)))
        return replies or [Result(self.address, codes.READ, codes.NO_TAG)]

    def _write(self, data: bytes) -> list[Reply]:
        bank, start, count, words = data[4], data[5], data[6], data[7:]
        replies: list[Reply] = []
        for uid in self._selected():
            replies.append(self._access(codes.WRITE, uid))
            if self.forgets_writes:
                continue
            memory = self.bank(uid, bank)
            memory[2 * start : 2 * (start + count)] = words
            if bank == 1:
                self.tags[self.tags.index(uid)] = bytes(memory[4:])
        return replies or [Result(self.address, codes.WRITE, codes.NO_TAG)]
