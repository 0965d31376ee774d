"""Named hosts: which usual ports are open, and who answers there.

Only hosts that a person named are touched, only at ports where drivers say their devices listen, and
a port of a configured device is left alone: many readers serve one client and drop the other.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from drivers.contract import DriverError
from drivers.links import Stream, TcpLink, host_port, open_stream
from gatewayd.commission.finds import HostFind
from gatewayd.commission.knowledge import Knowledge
from gatewayd.commission.listen import ANSWER_S, Guess, Tell, ask, hear, proven

CONNECT_WITHIN_S = 1.5
GREETING_S = 0.6
"""How long a host may take to speak first: an LLRP reader does so at once."""
OPEN_AT_ONCE_MAX = 4
"""Ports of one host opened at the same time; small devices take no more."""


@dataclass(frozen=True, slots=True)
class Listening:
    """How to look: by what is known, leaving configured wires alone, telling what is tried."""

    known: Knowledge
    configured: Mapping[str, tuple[str, ...]]
    tell: Tell
    greeting_s: float = GREETING_S
    answer_s: float = ANSWER_S


async def look(host: str, how: Listening) -> tuple[HostFind, ...]:
    """Every usual port of a host, or the one port of `host:port`."""
    name, port = split(host)
    ports = how.known.tcp_ports() if port is None else (port,)
    turns = asyncio.Semaphore(OPEN_AT_ONCE_MAX)

    async def one(each: int) -> HostFind:
        nothing = HostFind(name, each, (), None, b"", "", "")
        link = TcpLink(tcp=nothing.address)
        if owners := how.configured.get(link.wire(), ()):
            return replace(nothing, configured_as=owners)
        async with turns:
            how.tell(link.tcp)
            try:
                heard, guess = await _identify(link, each, how, told=port is not None)
            except DriverError as exc:
                return replace(nothing, error=str(exc))
        return replace(nothing, guess=guess, heard=heard)

    async with asyncio.TaskGroup() as group:
        looks = [group.create_task(one(each)) for each in ports]
    return tuple(each.result() for each in looks)


def split(host: str) -> tuple[str, int | None]:
    """`host` or `host:port`; raises ValueError for what is neither."""
    alone = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if alone and alone.count(":") != 1 and not set(alone) & set(" /[]"):
        return alone, None
    return host_port(host)


async def _identify(
    link: TcpLink, port: int, how: Listening, *, told: bool
) -> tuple[bytes, Guess | None]:
    """By its greeting, by its answer to a harmless question, else by its port alone.

    A port that was only guessed is asked by the drivers that listen there; a port that was named
    by all.
    """
    stream = await open_stream(link, within_s=CONNECT_WITHIN_S)
    try:
        heard = await _greeting(stream, how.greeting_s)
    finally:
        await stream.close()
    for format_ in proven(heard):
        if names := how.known.speakers(format_, {"tcp": link.tcp}):
            return heard, Guess(names, format_, "greeting")
    usual = how.known.of_port(port)
    hellos = [(h, n) for h, n in how.known.hellos() if told or set(n) & set(usual)]
    tell = partial(_tell, how.tell, link.tcp)
    guess = await ask(link, hellos, tell, answer_s=how.answer_s)
    if guess is None and usual:
        guess = Guess(usual, "", "tcp_port")
    return heard, guess


def _tell(tell: Tell, where: str, what: str) -> None:
    tell(f"{where}: {what}")


async def _greeting(stream: Stream, seconds: float) -> bytes:
    """What the host says unasked; a host that hangs up at once has said nothing."""
    try:
        return await hear(stream, seconds)
    except DriverError:
        return b""
