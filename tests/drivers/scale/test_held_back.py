"""A network that gives out late what a scale said: each weight is the answer to its own question.

A numbered scale shows the number of the question, and knows when it was asked. So a weight that is
older than ANSWER_WITHIN_S, or belongs to a question before the last, tells itself.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from time import monotonic
from typing import TypeAlias

import pytest

from drivers.contract import Driver, DriverError
from drivers.scale.line import ANSWER_WITHIN_S, BROKEN_BYTES_MIN, MISSED_POLLS_MAX, OWED_S_MAX
from drivers.suite import Bench, Faults, on_pty, on_tcp
from tests.drivers.scale.bench import Wire, kinds, of_sics, of_yaohua, weights
from tests.support.devices.scales import SicsScale, YaohuaScale
from tests.support.waiting import until

HELD_S = (0.7, 1.2, 2.0)
"""How long a network holds back: one question, several, and the link is lost."""
LOST_S = MISSED_POLLS_MAX * ANSWER_WITHIN_S
POLL_MS = 100
SLACK_S = 0.1
"""What a busy machine needs between the last look at the clock and the next."""
STEP = Decimal("0.01")
PRESSED_S = 0.01
"""So long after an answer somebody presses a key: before the next question, POLL_MS later."""
WALK_STEPS = 5
FOLLOWING = 4
"""So many more weights show a lasting lag."""


@dataclass
class Numbered:
    """Mixed into a scale: it shows the number of the question for the weight, in steps of 10 g."""

    said_s: list[float] = field(default_factory=list)

    def number(self) -> Decimal:
        """The next number; it is said now."""
        self.said_s.append(asyncio.get_running_loop().time())
        return STEP * len(self.said_s)


@dataclass
class Indicator(Numbered, YaohuaScale):
    """A numbered Yaohua or Keli indicator."""

    def frame(self) -> bytes:
        self.value = self.number()
        return super().frame()


@dataclass
class Balance(Numbered, SicsScale):
    """A numbered MT-SICS scale; it moves all the time."""

    status: str = "D"

    def frame(self) -> bytes:
        self.value = self.number()
        return super().frame()


Scale: TypeAlias = Indicator | Balance
Make: TypeAlias = Callable[..., Driver]


@dataclass(frozen=True)
class Kind:
    """One way to be asked: the scale and the driver that is set for it."""

    name: str
    scale: Callable[[], Scale]
    make: Make

    def __str__(self) -> str:
        return self.name


KINDS = (
    Kind("command", Indicator, of_yaohua),
    Kind("keli", partial(Indicator, variant="keli"), partial(of_yaohua, variant="keli")),
    Kind("a copy that knows only B", partial(Indicator, tells_tare=False), of_yaohua),
    Kind("mt_sics, tare: ask", Balance, of_sics),
    Kind("mt_sics, tare: ask, no I4", partial(Balance, knows_serial=False), of_sics),
    Kind("mt_sics, tare: off", Balance, partial(of_sics, tare="off")),
    Kind(
        "mt_sics, tare: off, no I4",
        partial(Balance, knows_serial=False),
        partial(of_sics, tare="off"),
    ),
    Kind(
        "mt_sics that knows only SI",
        partial(Balance, knows_serial=False, knows_tare=False),
        partial(of_sics, tare="off"),
    ),
)


@dataclass
class Play:
    """One scale, its faulty wire, and every run of its driver: lost ones are begun again."""

    kind: Kind
    scale: Scale
    faults: Faults
    benches: list[Bench] = field(default_factory=list)

    @property
    def bench(self) -> Bench:
        """The run of now."""
        return self.benches[-1]

    async def more(self, count: int = FOLLOWING) -> None:
        """Wait until the scale of now was weighed so many times more."""
        before = sum(len(weights(bench)) for bench in self.benches)
        await self.bench.until(
            lambda: sum(len(weights(bench)) for bench in self.benches) >= before + count
        )

    def judge(self) -> None:
        """Every weight is young, and was told before the next question."""
        said_s = self.scale.said_s
        for sample in (each for bench in self.benches for each in weights(bench)):
            assert sample.gross_g is not None, (self.kind, sample)
            number, told_s = sample.gross_g // 10, sample.at_ns / 1e9
            old_s = told_s - said_s[number - 1]
            assert old_s <= ANSWER_WITHIN_S + SLACK_S, f"{self.kind}: {number} is {old_s} s old"
            late = [told_s - asked_s for asked_s in said_s[number : number + 1]]
            assert all(each_s <= 0 for each_s in late), f"{self.kind}: {number} lags by {late} s"


@asynccontextmanager
async def played(kind: Kind, wire: Wire = on_tcp) -> AsyncIterator[Play]:
    """Run a driver on a faulty wire, again when it is lost, and judge all its weights at the end."""
    play = Play(kind, kind.scale(), Faults())
    async with wire(play.scale.plugged, play.faults) as link, asyncio.TaskGroup() as group:

        async def again() -> None:
            while True:
                bench = Bench()
                play.benches.append(bench)
                try:
                    await kind.make(link, poll_ms=POLL_MS).run(bench.context)
                except DriverError as exc:
                    bench.error = exc

        task = group.create_task(again())
        try:
            await until(lambda: play.benches)
            await play.more()
            yield play
            await play.more()
        finally:
            task.cancel()
    play.judge()


async def held_back(kind: Kind, held_s: float) -> None:
    """What was held back is never taken for a newer weight."""
    async with played(kind) as play:
        play.faults.held = True
        await asyncio.sleep(held_s)  # the fault itself: so long nothing arrives
        play.faults.let_go()
        await play.more()
    if held_s < LOST_S:
        assert len(play.benches) == 1, f"{kind}: {play.benches[0].error}"


BROKEN = b"\x15" * BROKEN_BYTES_MIN
"""What a cable makes of an answer."""
ONLY_ONE = ("a copy that knows only B", "mt_sics that knows only SI")


async def broken(kind: Kind) -> None:
    """A broken answer costs neither the link nor the order."""
    async with played(kind) as play:
        play.faults.instead = BROKEN
        await play.bench.until(lambda: play.bench.noise)
        play.faults.instead = None
        await play.more()
        assert len(play.benches) == 1, f"{kind}: {play.benches[0].error}"


async def lost(kind: Kind) -> None:
    """A lost answer costs the link only where nothing else can be asked."""
    async with played(kind) as play:
        play.faults.instead = BROKEN[1:]  # Too little to be an answer.
        asked = len(play.scale.said_s)
        await play.bench.until(lambda: len(play.scale.said_s) > asked)
        play.faults.instead = None
        await play.more()
    first = play.benches[0]
    if kind.name not in ONLY_ONE:
        assert len(play.benches) == 1, f"{kind}: {first.error}"
        return
    assert kinds(first) == {"answer_owed"}
    assert f"no answer in {OWED_S_MAX:g} s, and a late one" in str(first.error)


async def walk(kind: Kind) -> None:
    """Whatever a network does, and in whatever order."""
    rng = random.Random(kind.name)
    async with played(kind) as play:
        for _ in range(WALK_STEPS):
            play.faults.silent = rng.random() < 0.2
            play.faults.instead = BROKEN if rng.random() < 0.2 else None
            play.scale.slow_s = rng.choice((0.0, 0.0, 0.1, 0.3, 0.6))
            play.faults.held = rng.random() < 0.6
            await asyncio.sleep(rng.choice((0.02, 0.1, 0.3, 0.6)))  # how long it stays so
            play.faults.let_go()
        play.faults.silent, play.faults.instead, play.scale.slow_s = False, None, 0.0


async def test_each_weight_is_of_its_own_question_whatever_a_network_does() -> None:
    """All at once, for they wait."""
    async with asyncio.TaskGroup() as group:
        for kind in KINDS:
            for held_s in HELD_S:
                group.create_task(held_back(kind, held_s))
            group.create_task(broken(kind))
            group.create_task(lost(kind))
            group.create_task(walk(kind))


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
async def test_a_print_key_puts_no_answer_out_of_step(wire: Wire) -> None:
    kind = Kind("prints", Balance, partial(of_sics, tare="off"))
    async with played(kind, wire) as play:
        scale = play.scale
        assert isinstance(scale, Balance)
        loop = asyncio.get_running_loop()

        def press() -> None:
            loop.call_later(PRESSED_S, lambda: scale.say(scale.frame()))

        scale.after_weight = press
        await play.more()
        scale.after_weight = lambda: None


@dataclass
class Stalling(Indicator):
    """Once, behind its answer, the whole process stands still."""

    stalls_at: int = 5

    def say(self, data: bytes) -> None:
        super().say(data)
        if len(self.said_s) == self.stalls_at:
            self.stalls_at = 0
            until_s = monotonic() + ANSWER_WITHIN_S + 2 * SLACK_S
            while monotonic() < until_s:
                pass


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
def test_what_waited_while_the_process_stood_still_is_not_told(wire: Wire) -> None:
    """On a loop whose clock goes on then, as it does at a station."""

    async def stall() -> int:
        async with played(Kind("stalls", Stalling, of_yaohua), wire) as play:
            await play.more()
        return len(play.scale.said_s)

    assert asyncio.run(stall()) > 2 * FOLLOWING
