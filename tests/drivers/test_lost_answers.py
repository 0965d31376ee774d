"""A line that loses an answer now and then costs time only: no link, and no tag seems older for long."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from drivers.contract import TagRead
from drivers.rfid.pushes import PUSH_SILENT_S_MAX
from drivers.rfid.rounds import BEHIND_MAX
from drivers.suite import Bench, Faults, Kit, Wire, on_pty, on_tcp, running
from protocols.readers.thingmagic import codes, decode_reply, new_framer
from tests.drivers.kits import KITS

LOSSES = 3
EVERY = 4
"""Of so many things that the device says one is lost, until LOSSES are."""
LOSSES_BEHIND = 5
"""Of answers that are asked for behind each round: they would add up."""
QUESTIONS_MORE_MAX = 4
"""Less than one round for each loss; the latest loss may still have to be settled."""
SECOND_NS = 1_000_000_000


@dataclass
class Losing(Faults):
    """Loses what the device says now and then, once `loses` says so."""

    loses: int = 0
    spares: bytes = b""
    """What carries this is not lost; empty: nothing is spared."""
    lost: int = 0
    said: int = 0

    def carry(self, data: bytes, send: Any) -> None:
        spared = self.spares and self.spares in data
        self.said += not spared
        if not spared and self.lost < self.loses and not self.said % EVERY:
            self.lost += 1
        else:
            super().carry(data, send)


@dataclass
class Asked:
    """A device that notes when it was asked, and for each read how many questions younger than it."""

    device: Any
    asked_s: list[float] = field(default_factory=list)
    younger: list[int] = field(default_factory=list)

    def plugged(self, send: Any, unplug: Any) -> Any:
        hears = self.device.plugged(send, unplug)

        def hear(data: bytes) -> None:
            self.asked_s.append(asyncio.get_running_loop().time())
            hears(data)

        return hear

    def read(self, read: TagRead) -> None:
        at_s = read.at_ns / SECOND_NS
        self.younger.append(sum(asked_s > at_s for asked_s in self.asked_s[-50:]))


class Reads(list[Any]):
    """What a driver said, each read told to the device at once."""

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self._asked = asked

    def append(self, reading: Any) -> None:
        if isinstance(reading, TagRead):
            self._asked.read(reading)
        super().append(reading)


def kit_of(name: str) -> Kit:
    return next(kit for kit in KITS if str(kit) == name)


async def _loses(kit: Kit, wire: Wire, losses: int = LOSSES, spares: bytes = b"") -> None:
    device, faults = kit.device(), Losing(spares=spares)
    asked = Asked(device)
    kit.show(device, kit.identities[:1])
    bench = Bench(readings=Reads(asked))
    async with wire(asked.plugged, faults) as link, running(kit.make(link), bench):
        await bench.until(lambda: len(bench.readings) > losses or bench.error)
        before = max(asked.younger)
        faults.loses = losses
        await bench.until(lambda: faults.lost == losses or bench.error, 60.0)
        count = len(asked.younger) + losses
        await bench.until(lambda: len(asked.younger) > count or bench.error)
        assert bench.error is None, kit
    assert asked.younger[-1] <= before + QUESTIONS_MORE_MAX, (kit, wire.__name__, asked.younger)


POLLED = (
    "uhfreader18-poll",
    "uhfreader288-poll",
    "m100-poll",
    "chafon-poll",
    "r2000-poll",
    "hf-idtronic",
    "pn532",
    "thingmagic-poll",
)
ALIKE = ("hf-ti_s6350", "hf-aa_bb", "hf-uhfreader_hf")
"""Their answers cannot be told from each other."""


async def test_lost_answers_cost_no_link_and_no_age() -> None:
    behind = kit_of("m100-poll")
    await asyncio.gather(
        *(_loses(kit_of(name), on_tcp) for name in POLLED),
        *(_loses(kit_of(name), on_pty) for name in POLLED + ALIKE),
        _loses(behind, on_tcp, LOSSES_BEHIND, bytes.fromhex(behind.identities[0])),
        *(_alike(kit_of(name)) for name in ALIKE),
    )


async def _alike(kit: Kit) -> None:
    """On a network nothing tells which answer got lost: the link is opened anew after some."""
    device, faults = kit.device(), Faults()
    kit.show(device, kit.identities[:1])
    async with on_tcp(device.plugged, faults) as link, running(kit.make(link)) as bench:
        for _ in range(BEHIND_MAX):
            await _read_on(bench)
            await _lose(device, faults, bench)
        await _read_on(bench)
        assert bench.error is None, kit
        await _lose(device, faults, bench)
        await bench.until(lambda: bench.error)
    assert "answers got lost" in str(bench.error)


async def _lose(device: Any, faults: Faults, bench: Bench) -> None:
    """The whole answer to the next question is lost."""
    asked = len(device.heard)
    faults.silent = True
    await bench.until(lambda: len(device.heard) > asked)
    faults.silent = False


async def _read_on(bench: Bench) -> None:
    count = len(bench.readings)
    await bench.until(lambda: len(bench.readings) > count or bench.error)


class LosesVersions(Faults):
    """Loses one answer to the version command, once it is `armed`."""

    armed: bool = False

    def carry(self, data: bytes, send: Any) -> None:
        replies = [piece for piece in new_framer().feed(data) if isinstance(piece, bytes)]
        if self.armed and any(decode_reply(each).opcode == codes.VERSION for each in replies):
            self.armed = False
        else:
            super().carry(data, send)


async def test_a_module_whose_answer_to_a_proof_is_lost_streams_on() -> None:
    kit, faults = kit_of("thingmagic-push"), LosesVersions()
    module = kit.device()

    def shown_and_lost() -> bool:
        kit.show(module, kit.identities[:1])
        return not faults.armed

    async with on_tcp(module.plugged, faults) as link, running(kit.make(link)) as bench:
        await bench.until(lambda: module.pushes)
        faults.armed = True
        await bench.until(shown_and_lost)
        await bench.until(lambda: module.pushes, PUSH_SILENT_S_MAX - 1.0)
