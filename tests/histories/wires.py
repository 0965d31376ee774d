"""Simulated wires: bytes that take their time, and everything that may happen to them on the way.

A wire has a device of `gatewayd.sim` at its far end, which speaks the real protocol. Bytes arrive
in order unless a mishap says otherwise. TCP keeps what a pulled cable holds back and gives it out
later; a serial line loses it. Dead connections of TCP are found out by keepalive, as in the field.
"""

import asyncio
import errno
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from gatewayd.clock import SECOND
from gatewayd.sim.wires import Device, Feed, Line
from tests.histories.ground import Ground

if TYPE_CHECKING:
    from tests.histories.loop import VirtualLoop

LATENCY_S = (0.0002, 0.002)
CHARACTER_S = {57_600: 10 / 57_600, 19_200: 10 / 19_200, 9_600: 10 / 9_600}
KEEPALIVE_S = 11.0
"""When a connection without an answer counts as dead (drivers/links.py: 5 + 3 * 2 s)."""
LONG_BYTES = 25
"""A whole report of a PLC is longer, an answer to a command is not."""
BURST_BITS = 16
"""A burst that every CRC-16 is sure to find."""

Mishap: TypeAlias = Literal[
    "drop", "delay", "duplicate", "corrupt", "swap", "cut", "noise", "lose_long"
]
Direction: TypeAlias = Literal["to_device", "to_daemon"]


@dataclass(slots=True)
class Spell:
    """Mishaps to come on one wire: the next `count` pieces of a direction suffer `kind`."""

    kind: Mishap
    direction: Direction
    count: int
    seconds: float
    rng: random.Random


@dataclass(slots=True)
class Wire:
    """One wire; `baud` None is TCP. It is also a `gatewayd.sim.wires.Wire`.

    `pulled`: the cable is out, nobody is told. `plugged` False: the device is off or refuses.
    """

    ground: Ground
    name: str
    device: Device
    rng: random.Random
    baud: int | None = None
    plugged: bool = True
    pulled: bool = False
    spells: list[Spell] = field(default_factory=list)
    ends: list["End"] = field(default_factory=list)
    on_piece: Callable[["Wire", Direction], None] | None = None
    corrupts: bool = True
    told_ns: int = 0
    happened: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """As in a link's settings."""
        return self.name

    @property
    def lines(self) -> tuple[Line, ...]:
        """Everyone connected now."""
        return tuple(self.ends)

    async def plug(self) -> None:
        """As `gatewayd.sim.wires.Wire`."""
        self.plugged = True

    def unplug(self) -> None:
        """The device goes; whoever is connected is told so."""
        self.plugged = False
        for end in tuple(self.ends):
            end.lose(ConnectionResetError(errno.ECONNRESET, "reset"))

    def pull(self) -> None:
        """The cable comes out; nobody is told."""
        self.pulled = True

    def push_in(self) -> None:
        """The cable is back: TCP gives out what waited, on connections that still live."""
        self.pulled = False
        for end in self.ends:
            end.resume()

    def flight_s(self, size: int) -> float:
        """How long bytes travel."""
        latency_s = self.rng.uniform(*LATENCY_S)
        return latency_s if self.baud is None else latency_s + size * CHARACTER_S[self.baud]

    def suffer(self, direction: Direction, size: int) -> Spell | None:
        """The mishap of the next piece, if there is one."""
        if self.on_piece is not None:
            self.on_piece(self, direction)
        for spell in self.spells:
            short = spell.kind == "lose_long" and size < LONG_BYTES
            if spell.direction == direction and spell.count > 0 and not short:
                spell.count -= 1
                self.happened.append(spell.kind)
                return spell
        return None


Network: TypeAlias = dict[str, Wire]


@dataclass(slots=True)
class _Lane:
    """One direction of a connection: bytes in flight, in order."""

    wire: Wire
    direction: Direction
    arrive: Callable[[bytes, int], None]
    at_ns: int = 0
    waiting: "deque[bytes]" = field(default_factory=deque)
    held: bytes = b""

    def send(self, data: bytes) -> None:
        """Put bytes on the wire, through whatever mishap is due."""
        spell = self.wire.suffer(self.direction, len(data))
        if spell is not None and spell.kind == "swap":
            self.held += data
            return
        if self.wire.baud is None:  # TCP gives nothing out that is not its turn.
            self._let_go()
        if spell is None:
            self._fly(data)
        elif spell.kind in ("drop", "lose_long"):
            return
        elif spell.kind == "delay":
            self._fly(data, spell.seconds)
        elif spell.kind == "duplicate":
            self._fly(data)
            self._fly(data)
        elif spell.kind == "corrupt":
            self._fly(_burst(data, spell.rng) if self.wire.corrupts else data[: len(data) // 2])
        elif spell.kind == "cut":
            self._fly(data[: spell.rng.randrange(len(data))])
        else:
            self._fly(spell.rng.randbytes(spell.rng.randint(1, 40)) + data)
        self._let_go()

    def _let_go(self) -> None:
        """What waits for its turn goes, too."""
        held, self.held = self.held, b""
        self._fly(held)

    def _fly(self, data: bytes, late_s: float = 0.0) -> None:
        if not data:
            return
        if self.wire.pulled:
            if self.wire.baud is None:
                self.waiting.append(data)
            return
        ground = self.wire.ground
        flight_ns = round((self.wire.flight_s(len(data)) + late_s) * SECOND)
        self.at_ns = max(self.at_ns + 1, ground.now_ns + flight_ns)
        ground.at(self.at_ns, self._land, data, ground.now_ns)

    def _land(self, data: bytes, sent_ns: int) -> None:
        if self.wire.pulled:
            if self.wire.baud is None:
                self.waiting.append(data)
            return
        self.arrive(data, sent_ns)

    def resume(self) -> None:
        """The cable is back."""
        while self.waiting and not self.wire.pulled:
            self._fly(self.waiting.popleft())


def _burst(data: bytes, rng: random.Random) -> bytes:
    """Flip a burst of bits, no longer than a CRC-16 is sure to find."""
    bits = int.from_bytes(data, "big")
    width = min(BURST_BITS, len(data) * 8)
    burst = rng.getrandbits(width) | 1
    return (bits ^ burst << rng.randint(0, len(data) * 8 - width)).to_bytes(len(data), "big")


class Socket:
    """What keepalive is set on."""

    def setsockopt(self, *_: int) -> None:
        """It is simulated already."""


class End:
    """A connection: the daemon's transport at one end, a `Line` of the device at the other."""

    def __init__(self, loop: "VirtualLoop", wire: Wire, protocol: asyncio.Protocol) -> None:
        self._loop = loop
        self._wire = wire
        self._protocol = protocol
        self._closing = False
        self._reset = False
        self._paused = False
        self._unread: deque[bytes] = deque()
        self._feed: Feed = wire.device(self)
        self._out = _Lane(wire, "to_device", self._at_device)
        self._in = _Lane(wire, "to_daemon", self._at_daemon)
        self._keepalive = wire.ground.after(KEEPALIVE_S, self._is_alive)
        wire.ends.append(self)

    # The device's end.

    def send(self, data: bytes) -> None:
        """The device sends."""
        if self._closing:
            return
        self._in.send(data)

    def _at_device(self, data: bytes, sent_ns: int) -> None:
        """What is under way when the daemon closes or dies still arrives; a backlog does not."""
        del sent_ns
        if not self._reset:
            self._wire.ground.mark(b">" + data)
            self._feed(data)

    # The daemon's end.

    def _at_daemon(self, data: bytes, sent_ns: int) -> None:
        if self._closing or self._loop.dead:
            return
        self._wire.ground.mark(b"<" + data)
        if len(data) >= LONG_BYTES:
            self._wire.told_ns = sent_ns
        if self._paused:
            self._unread.append(data)
        else:
            self._loop.call_soon(self._protocol.data_received, data)

    def write(self, data: bytes) -> None:
        """As a transport."""
        if not self._closing and not self._loop.dead:
            self._out.send(bytes(data))

    def lose(self, exc: OSError | None) -> None:
        """The connection is gone, and the daemon learns why."""
        if self in self._wire.ends:
            self._wire.ends.remove(self)
        self._keepalive.cancel()
        self._reset = True
        if self._closing:
            return
        self._closing = True
        if not self._loop.dead:
            self._loop.call_soon(self._protocol.connection_lost, exc)

    def vanish(self) -> None:
        """The process is gone: its kernel closes for it."""
        self._closing = True
        if self in self._wire.ends:
            self._wire.ends.remove(self)
        self._keepalive.cancel()

    def resume(self) -> None:
        """The cable is back."""
        if not self._closing:
            self._out.resume()
            self._in.resume()

    def _is_alive(self) -> None:
        if self._wire.pulled and self._wire.baud is None:
            self.lose(TimeoutError(errno.ETIMEDOUT, "keepalive"))
            return
        self._keepalive = self._wire.ground.after(KEEPALIVE_S, self._is_alive)

    def abort(self) -> None:
        """As a transport: close at once."""
        if self in self._wire.ends:
            self._wire.ends.remove(self)
        self._keepalive.cancel()
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    close = abort

    def is_closing(self) -> bool:
        """As a transport."""
        return self._closing

    def pause_reading(self) -> None:
        """As a transport."""
        self._paused = True

    def resume_reading(self) -> None:
        """As a transport."""
        self._paused = False
        while self._unread and not self._closing:
            self._loop.call_soon(self._protocol.data_received, self._unread.popleft())

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """As a transport; the kernel takes everything at once."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As a transport."""
        return Socket() if name == "socket" else default


async def connect(
    loop: "VirtualLoop",
    network: Network,
    address: str,
    factory: Callable[[], asyncio.Protocol],
) -> tuple[Any, asyncio.Protocol]:
    """Reach a device by its address; raises OSError as the system would."""
    wire = network[address]
    await asyncio.sleep(wire.flight_s(0))
    while wire.pulled and wire.baud is None:  # noqa: ASYNC110 - as the kernel tries again
        await asyncio.sleep(1.0)  # of virtual time
    if not wire.plugged or wire.pulled:
        number = errno.ECONNREFUSED if wire.baud is None else errno.ENOENT
        raise OSError(number, "not there")
    protocol = factory()
    end = End(loop, wire, protocol)
    protocol.connection_made(end)  # type: ignore[arg-type]
    return end, protocol
