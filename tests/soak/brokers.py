"""mosquitto, killed right after a PUBACK: with and without confirmations by the platform itself.

Mosquitto acknowledges what is only in its memory. Without `ack: required` a record can be lost so,
by the broker and not by us: how many is told. With it none may be.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.soak.judge import judge
from tests.soak.site import Site, SiteSpec, open_site
from tests.soak.tally import Tally
from tests.support.brokers import Broker, Mosquitto
from tests.support.confirmers import Confirmer
from tests.support.relay import Relay

PUBACK = 0x40
AWAY_S = (0.5, 2.5)
"""How long the broker is away, and a backlog grows."""
ACK_WITHIN_S = 1
PUBACKS_MAX = 6
PUBACK_S_MAX = 15.0


def pubacks(data: bytes) -> int:
    """How many packets of a piece of an MQTT stream are a PUBACK; it begins with a packet."""
    found = at = 0
    while at + 1 < len(data):
        found += data[at] & 0xF0 == PUBACK
        length = shift = 0
        at += 1
        while at < len(data):
            length |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not data[at - 1] & 0x80:
                break
        at += length
    return found


class Trigger:
    """Kills the broker with a certain PUBACK, which has just reached the daemon."""

    def __init__(self, broker: Broker, relay: Relay) -> None:
        self.dead = asyncio.Event()
        self._broker = broker
        self._left = 0
        relay.on_answer = self._hear

    def arm(self, pubacks_until: int) -> None:
        """From now on."""
        self._left = pubacks_until
        self.dead.clear()

    def _hear(self, data: bytes) -> None:
        if not self._left:
            return
        self._left = max(0, self._left - pubacks(data))
        if not self._left:
            self._broker.kill()
            self.dead.set()


async def soak(
    directory: Path, spec: SiteSpec, count: int, *, ack: bool, told: Callable[[], None]
) -> Tally:
    """One station whose broker is killed `count` times."""
    tally = Tally("ack" if ack else "broker")
    ours, theirs = Relay(0), Relay(0)
    spec = replace(
        spec,
        broker=lambda folder: Mosquitto(folder, persistent=True),
        broker_url=lambda _site: ours.url,
        edit=_confirmed if ack else spec.edit,
    )
    with tally.surviving():
        await _soak(directory, spec, tally, (ours, theirs), count, ack=ack, told=told)
    return tally


async def _soak(
    directory: Path,
    spec: SiteSpec,
    tally: Tally,
    relays: tuple[Relay, Relay],
    count: int,
    *,
    ack: bool,
    told: Callable[[], None],
) -> None:
    ours, theirs = relays
    async with ours, theirs, open_site(directory, spec, tally) as site:
        site.whole = False
        ours.target = theirs.target = site.broker.port
        disk = directory / "platform.jsonl"
        disk.touch()
        how = "ids" if ack else None
        platform = Confirmer(theirs.port, site.root, how=how, every=1, disk=disk)
        await asyncio.to_thread(platform.__enter__)  # It waits for a relay that lives in this loop.
        try:
            await site.start()
            await site.serving()
            site.work()
            await _rounds(site, ours, theirs, count, told)
            await site.rest()
            site.ear.bodies[:] = await asyncio.to_thread(_lines, disk)
            await judge(site, loss_allowed=not ack)
        finally:
            await asyncio.to_thread(platform.__exit__, None, None, None)


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def _confirmed(site: Site) -> None:
    file = site.config / "gateway.yaml"
    line = "    driver: mqtt\n"
    more = f"    ack: required\n    ack_within_s: {ACK_WITHIN_S}\n"
    text = file.read_text(encoding="utf-8")
    assert line in text, text
    file.write_text(text.replace(line, line + more), encoding="utf-8")


async def _rounds(
    site: Site, ours: Relay, theirs: Relay, count: int, told: Callable[[], None]
) -> None:
    rng = random.Random(f"broker/{site.spec.seed}")
    trigger = Trigger(site.broker, ours)
    for _ in range(count):
        away_s, wanted = rng.uniform(*AWAY_S), rng.randint(1, PUBACKS_MAX)
        theirs.flowing.clear()
        trigger.arm(wanted)
        try:
            async with asyncio.timeout(PUBACK_S_MAX):
                await trigger.dead.wait()
        except TimeoutError:
            trigger.arm(0)
            site.broker.kill()
            site.tally.add("killed without such a PUBACK")
        else:
            site.tally.add("killed right after a PUBACK")
        theirs.cut()
        theirs.flowing.set()
        ours.cut()
        await asyncio.sleep(away_s)
        await asyncio.to_thread(site.broker.start)
        told()
