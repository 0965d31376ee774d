"""A scripted MQTT 5 server: real bytes over a real socket, answers as the test decides.

For what no real broker can be told to do: refuse one record with a chosen reason code, hang up on
it, leave it unanswered, answer out of order, announce limits. It routes nothing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.support.waiting import WITHIN_S

WAIT_S_MAX = WITHIN_S


@dataclass(frozen=True, slots=True)
class Published:
    """One PUBLISH as it came."""

    topic: str
    payload: bytes
    qos: int
    mid: int
    retain: bool
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Puback:
    """Answer with a reason code."""

    code: int = 0


@dataclass(frozen=True, slots=True)
class HangUp:
    """DISCONNECT with a reason code, then close."""

    code: int


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer at all."""


Reply = Puback | HangUp | Silence


@dataclass(slots=True)
class ScriptedBroker:
    """Answers every QoS 1 publication by `reply`; `connack` is the reason code of CONNACK.

    `limits` are raw CONNACK properties. `hold` > 0 answers only once that many wait, newest first.
    With `mute` it accepts connections and never says a word. `suback` is the answer to a subscription.
    """

    reply: Callable[[Published], Reply] = lambda _: Puback()
    connack: int = 0
    suback: int = 1
    limits: bytes = b""
    hold: int = 0
    mute: bool = False
    port: int = 0
    connections: int = 0
    most_waiting: int = 0
    called: asyncio.Event = field(default_factory=asyncio.Event)
    published: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[Published] = field(default_factory=list)
    _waiting: list[bytes] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def url(self) -> str:
        """What goes into `url:` of an upstream."""
        return f"mqtt://127.0.0.1:{self.port}"

    def records(self) -> list[bytes]:
        """Bodies of every record publication, in order of arrival."""
        return [seen.payload for seen in self.seen if "/records/" in seen.topic]

    async def until_records(self, count: int) -> None:
        """Return once that many record publications have come."""
        async with asyncio.timeout(WAIT_S_MAX):
            while len(self.records()) < count:
                self.published.clear()
                await self.published.wait()

    async def until_seen(self, count: int) -> None:
        """Return once that many publications of any kind have come."""
        async with asyncio.timeout(WAIT_S_MAX):
            while len(self.seen) < count:
                self.published.clear()
                await self.published.wait()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.called.set()
        self._writers.append(writer)
        self._waiting.clear()
        try:
            while True:
                head, body = await _packet(reader)
                if self.mute:
                    continue
                if not self._answer(head, body, writer):
                    break
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client left
        writer.close()

    def _answer(self, head: int, body: bytes, writer: asyncio.StreamWriter) -> bool:
        """Answer one packet; False closes the connection."""
        match head >> 4:
            case 1:
                said = bytes([0, self.connack, len(self.limits)]) + self.limits
                writer.write(bytes([0x20, len(said)]) + said)
                return self.connack == 0
            case 3:
                return self._published(_publish(head, body), writer)
            case 8:
                writer.write(b"\x90\x04" + body[:2] + bytes([0, self.suback]))
                return True
            case 12:
                writer.write(b"\xd0\x00")
                return True
            case _:
                return False

    def _published(self, published: Published, writer: asyncio.StreamWriter) -> bool:
        self.seen.append(published)
        self.published.set()
        if published.qos == 0:
            return True
        reply = self.reply(published)
        if isinstance(reply, HangUp):
            writer.write(bytes([0xE0, 2, reply.code, 0]))
            return False
        if isinstance(reply, Puback):
            answer = b"\x40\x04" + published.mid.to_bytes(2, "big") + bytes([reply.code, 0])
            self._waiting.append(answer)
            self.most_waiting = max(self.most_waiting, len(self._waiting))
        if len(self._waiting) >= self.hold:
            writer.writelines(reversed(self._waiting))
            self._waiting.clear()
        return True


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readexactly(1))[0]
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return head, await reader.readexactly(length)


def _publish(head: int, body: bytes) -> Published:
    size = int.from_bytes(body[:2], "big")
    topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
    qos = head >> 1 & 3
    mid = int.from_bytes(rest[:2], "big") if qos else 0
    rest = rest[2:] if qos else rest
    assert rest[0] < 0x80, "property lengths of more than one byte are not needed here"
    payload = rest[1 + rest[0] :]
    return Published(topic, payload, qos, mid, bool(head & 1), bool(head & 8))
