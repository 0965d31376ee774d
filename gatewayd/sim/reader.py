"""A simulated UHF reader of the UHFReader18 and UHFReader288 families (domain/readers.md §3.3).

Frames are `Len Adr Cmd Data CRC` both ways, replies carry a status after the command. It is
written from the protocol description and not from our codec, so that the two check each other.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeAlias

from gatewayd.sim.wires import Feed, Line, Wire
from protocols.checksums import mcrf4xx

Dialect: TypeAlias = Literal["18", "288"]
WorkMode: TypeAlias = Literal["answer", "push"]

FRAME_BYTES_MIN = 5
GAP_S = 0.2
"""Half a frame is dropped after this silence."""
PUSH_EVERY_S = 0.1
HEARTBEAT_EVERY_S = 1.0
BROADCAST = 0xFF

INVENTORY, READ, INFO = 0x01, 0x02, 0x21
SET_MODE = {"18": 0x35, "288": 0x76}
GET_MODE = {"18": 0x36, "288": 0x77}
PUSHED = 0xEE
OK, ROUND_DONE, MORE_FOLLOW, HEARTBEAT = 0x00, 0x01, 0x03, 0x28
TAG_ERROR, OVERRUN = 0xFC, 0x03
USER_BANK = 3
NO_TAG, BAD_LENGTH, ILLEGAL, BAD_PARAMETER = 0xFB, 0xFD, 0xFE, 0xFF

_INFO = {
    "18": bytes.fromhex("0101 09 02 3180 1e 0a"),
    "288": bytes.fromhex("030d 26 03 3180 1e 00 01 00 00 01"),
}


def frame(address: int, command: int, data: bytes = b"") -> bytes:
    """A host's command: `Len Adr Cmd Data CRClo CRChi`."""
    body = bytes((len(data) + 4, address, command)) + data
    return body + mcrf4xx(body).to_bytes(2, "little")


def reply_frame(address: int, command: int, status: int, data: bytes = b"") -> bytes:
    """A reader's reply: the status follows the command."""
    return frame(address, command, bytes((status,)) + data)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag in the field: EPC bytes and raw RSSI; `user` is its user memory, in whole words."""

    epc: bytes
    rssi_raw: int = 72
    user: bytes = b""


@dataclass(slots=True)
class ReaderFaults:
    """What can go wrong on purpose. `copies` repeats every tag in a round: a read storm.

    `unreadable`: tags answer rounds and none of their memory can be had, as at the edge of a field.
    """

    silent: bool = False
    corrupt_crc: bool = False
    noise_before: bytes = b""
    copies: int = 1
    unreadable: bool = False


@dataclass(slots=True)
class SimReader:
    """One reader with one antenna. `round_s` is how long an inventory takes.

    In push mode it sends what it sees by itself to everyone on `wire`, when `tick` is called, and
    answers only info and work-mode commands, as the real ones do.
    """

    dialect: Dialect = "288"
    address: int = 0
    antenna: int = 1
    round_s: float = 0.05
    mode: WorkMode = "answer"
    faults: ReaderFaults = field(default_factory=ReaderFaults)
    requests: int = 0
    pushed: int = 0
    wire: Wire | None = None
    _field: dict[str, Tag] = field(default_factory=dict)
    _push_due_s: float = 0.0
    _heartbeat_due_s: float = 0.0
    _packet_no: int = 0

    def device(self, line: Line) -> Feed:
        """Serve one peer."""
        return _Session(self, line).feed

    def tag_in(self, epc: str, rssi_raw: int = 72, *, user: bytes = b"") -> None:
        """A tag enters the field; `epc` in hex, `user` what its user memory holds."""
        self._field[epc] = Tag(bytes.fromhex(epc), rssi_raw, user)

    def tag_out(self, epc: str) -> None:
        """A tag leaves the field; one that was not there does not matter."""
        self._field.pop(epc, None)

    def epcs(self) -> Collection[str]:
        """The tags in the field."""
        return self._field.keys()

    def clear(self) -> None:
        """The field is empty."""
        self._field.clear()

    def tick(self, now_s: float) -> None:
        """In push mode send what is due. Call at least every PUSH_EVERY_S."""
        if self.mode != "push" or self.faults.silent:
            return
        if now_s >= self._push_due_s:
            self._push_due_s = now_s + PUSH_EVERY_S
            frames = [self._pushed(tag) for tag in self._seen()]
            self._to_all(frames)
            self.pushed += len(frames)
        if self.dialect == "288" and now_s >= self._heartbeat_due_s:
            self._heartbeat_due_s = now_s + HEARTBEAT_EVERY_S
            self._packet_no += 1
            data = self._packet_no.to_bytes(4, "big") + b"\x01" + bytes(4)
            self._to_all([reply_frame(self.address, PUSHED, HEARTBEAT, data)])

    def answer(self, address: int, command: int, data: bytes, line: Line) -> None:
        """Answer one command, if it is for this reader and its mode allows."""
        if address not in (self.address, BROADCAST) or self.faults.silent:
            return
        self.requests += 1
        mode_commands = (INFO, SET_MODE[self.dialect], GET_MODE[self.dialect])
        if self.mode == "push" and command not in mode_commands:
            return
        if command == INVENTORY:
            self._inventory(data, line)
        elif command == READ:
            status, reply = self._read(data)
            self.transmit([reply_frame(self.address, READ, status, reply)], line)
        else:
            status, reply = self._configure(command, data)
            self.transmit([reply_frame(self.address, command, status, reply)], line)

    def transmit(self, frames: Sequence[bytes], line: Line) -> None:
        """Put frames on a line through the faults that are switched on."""
        if self.faults.corrupt_crc:
            frames = [item[:-1] + bytes((item[-1] ^ 0xFF,)) for item in frames]
        line.send(b"".join(self.faults.noise_before + item for item in frames))

    def _configure(self, command: int, data: bytes) -> tuple[int, bytes]:
        if command == INFO:
            return OK, _INFO[self.dialect]
        if command == GET_MODE[self.dialect]:
            return OK, bytes((int(self.mode == "push"),)) + bytes(5 * (self.dialect == "18"))
        if command != SET_MODE[self.dialect]:
            return ILLEGAL, b""
        if len(data) != (6 if self.dialect == "18" else 1):
            return BAD_LENGTH, b""
        self.mode = "push" if data[0] & 0x03 else "answer"
        return OK, b""

    def _inventory(self, data: bytes, line: Line) -> None:
        status = self._refused_18(data) if self.dialect == "18" else self._refused_288(data)
        if status is not None:
            self.transmit([reply_frame(self.address, INVENTORY, status)], line)
            return
        finish = partial(self._finish_round, line)
        asyncio.get_running_loop().call_later(self.round_s, finish)

    def _read(self, data: bytes) -> tuple[int, bytes]:
        """Words of the tag with this EPC: `ENum EPC Mem WordPtr Num Pwd(4)` (§3.3)."""
        size = 2 * data[0] if data else 0
        if len(data) != 1 + size + 3 + 4:
            return BAD_LENGTH, b""
        tag = next((tag for tag in self._field.values() if tag.epc == data[1 : 1 + size]), None)
        if tag is None or self.faults.unreadable:
            return NO_TAG, b""
        bank, start, count = data[1 + size : 4 + size]
        words = tag.user[2 * start : 2 * (start + count)] if bank == USER_BANK else b""
        return (OK, words) if len(words) == 2 * count else (TAG_ERROR, bytes((OVERRUN,)))

    def _refused_18(self, data: bytes) -> int | None:
        if len(data) not in (0, 2):
            return BAD_LENGTH
        return BAD_PARAMETER if data else None

    def _refused_288(self, data: bytes) -> int | None:
        return None if len(data) in (2, 5) else BAD_LENGTH

    def _finish_round(self, line: Line) -> None:
        build: Callable[[], list[bytes]] = (
            self._round_18 if self.dialect == "18" else self._round_288
        )
        self.transmit(build(), line)

    def _round_18(self) -> list[bytes]:
        tags = self._seen()
        if not tags:
            return [reply_frame(self.address, INVENTORY, NO_TAG)]
        room = 10
        groups = [tags[first : first + room] for first in range(0, len(tags), room)]
        frames = []
        for index, group in enumerate(groups):
            status = ROUND_DONE if index == len(groups) - 1 else MORE_FOLLOW
            listed = b"".join(bytes((len(tag.epc),)) + tag.epc for tag in group)
            data = bytes((len(group),)) + listed
            frames.append(reply_frame(self.address, INVENTORY, status, data))
        return frames

    def _round_288(self) -> list[bytes]:
        frames = [
            reply_frame(
                self.address, INVENTORY, MORE_FOLLOW, self._antenna() + b"\x01" + _seen(tag)
            )
            for tag in self._seen()
        ]
        end = reply_frame(self.address, INVENTORY, ROUND_DONE, self._antenna() + b"\x00")
        return [*frames, end]

    def _pushed(self, tag: Tag) -> bytes:
        if self.dialect == "18":
            return reply_frame(self.address, PUSHED, OK, tag.epc)
        return reply_frame(self.address, PUSHED, OK, self._antenna() + _seen(tag))

    def _antenna(self) -> bytes:
        """The antenna as a bit, as readers of 1, 4 and 8 ports report it."""
        return bytes((1 << (self.antenna - 1),))

    def _seen(self) -> list[Tag]:
        return list(self._field.values()) * self.faults.copies

    def _to_all(self, frames: Sequence[bytes]) -> None:
        for line in self.wire.lines if frames and self.wire is not None else ():
            self.transmit(frames, line)


def _seen(tag: Tag) -> bytes:
    return bytes((len(tag.epc),)) + tag.epc + bytes((tag.rssi_raw,))


class _Session:
    """One peer's bytes, cut into commands. A wrong CRC is ignored, byte by byte."""

    def __init__(self, reader: SimReader, line: Line) -> None:
        self._reader = reader
        self._line = line
        self._pending = b""
        self._last_s = 0.0

    def feed(self, data: bytes) -> None:
        """Take bytes, act on every good frame."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._last_s > GAP_S:
            self._pending = b""
        self._last_s = now_s
        self._pending += data
        while len(self._pending) >= FRAME_BYTES_MIN:
            whole = self._pending[0] + 1
            if len(self._pending) < whole:
                return
            candidate = self._pending[:whole]
            if whole < FRAME_BYTES_MIN or mcrf4xx(candidate) != 0:
                self._pending = self._pending[1:]
                continue
            self._pending = self._pending[whole:]
            self._reader.answer(candidate[1], candidate[2], candidate[3:-2], self._line)
