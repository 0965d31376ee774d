"""Look for a device that does not answer as configured, or answers nonsense: reads only, one at a time.

First who answers: the configured unit on the configured line, then its other units, then other
speeds and parities. Then how it is to be read: base 0 or 1, word and byte order, judged by what the
map can prove. Units that the station has configured on the same wire are never asked.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from drivers.contract import DriverError
from drivers.links import SerialLink, TcpLink
from drivers.plc.lines import LATE_TIMES_MAX
from drivers.plc.wire import Wire
from gatewayd.commission import variants
from gatewayd.commission.asking import Answer, Asker
from gatewayd.commission.evidence import STRONG, Proof, evidence, low_byte_first, score
from gatewayd.commission.maps import Mapped
from gatewayd.commission.points import look
from gatewayd.commission.variants import Variant
from protocols.register_block import Point
from protocols.register_plan import Span

UNITS = tuple(range(1, 17))
"""The units asked when nothing else is said; devices come from the factory with low numbers."""
UNITS_MAX = 32
HUNT_S_MAX = 300.0
"""A hunt ends by then, wherever it is, and says so."""
REST_S = 0.05
"""The wire is left alone for so long after each try, so that others on a gateway get their turn."""
WITHIN_S_MAX = 0.5
"""The longest wait for an answer, whatever the settings say; a reply at 1200 baud takes more."""
CANDIDATES_MAX = 8
"""Units that answer and are looked at closely."""
PROVEN_MIN = 10
LEAD_MIN = 4
"""What the best way to read must have, and be ahead of the next one, to be called proven.

One of its reasons must be strong, too: a constant of the map, or a heartbeat that moves.
"""
MOVE_S = 0.3
"""Between the two looks that show whether a heartbeat moves."""
HEAD_BYTES = 9
"""Unit, function, count and CRC of a reply, and as much again for the silence around it."""

Verdict: TypeAlias = Literal["proven", "likely", "undecided", "nothing"]
Link: TypeAlias = TcpLink | SerialLink


@dataclass(frozen=True, slots=True)
class Try:
    """One thing that was tried, in the words of the settings, and what came of it."""

    what: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to reach and read the device, with all reasons for and against."""

    link: Link
    unit: int
    variant: Variant
    proofs: tuple[Proof, ...]
    changes: int

    @property
    def score(self) -> int:
        """How much speaks for it."""
        return score(self.proofs)


@dataclass(slots=True)
class Found:
    """What a hunt came to. `rivals` are as good as the best; `stopped` when time ran out."""

    tries: list[Try] = field(default_factory=list)
    answered: bool = False
    stopped: bool = False
    candidates: list[Candidate] = field(default_factory=list)

    @property
    def best(self) -> Candidate | None:
        """The likeliest; among equals the one with the fewest changes."""
        return self.candidates[0] if self.candidates else None

    @property
    def rivals(self) -> tuple[Candidate, ...]:
        """Others for which just as much speaks."""
        return tuple(c for c in self.candidates[1:] if self.best and c.score == self.best.score)

    @property
    def verdict(self) -> Verdict:
        """How sure the best is."""
        if self.best is None:
            return "nothing"
        if self.rivals or self.best.score <= 0:
            return "undecided"
        lead = self.best.score - max((c.score for c in self.candidates[1:]), default=0)
        strong = any(proof.points >= STRONG for proof in self.best.proofs)
        proven = strong and self.best.score >= PROVEN_MIN and lead >= LEAD_MIN
        return "proven" if proven else "likely"


class Hunt:
    """One hunt; `tell` gets every try before it goes out, with what came of the one before."""

    def __init__(
        self,
        device: Mapped,
        units: Sequence[int],
        spared: frozenset[int],
        tell: Callable[[str], None],
        *,
        within_s: float = HUNT_S_MAX,
    ) -> None:
        assert len(units) <= UNITS_MAX, units
        self._device = device
        self._units = tuple(u for u in dict.fromkeys((device.unit, *units)) if u not in spared)
        self._tell = tell
        self._within_s = within_s
        self.found = Found()

    async def run(self) -> Found:
        """Raises DriverError when the configured wire cannot be opened."""
        try:
            async with asyncio.timeout(self._within_s):
                await self._run()
        except TimeoutError:
            self.found.stopped = True
        self.found.candidates.sort(key=lambda c: (-c.score, c.changes))
        return self.found

    async def _run(self) -> None:
        first, *others = variants.lines(self._device.link)
        if await self._line(first, self._units, must_open=True):
            return
        mine, rest = self._units[:1], self._units[1:]
        for units in filter(None, (mine, rest)):
            for link in others:
                if await self._line(link, units):
                    if units == mine and not self._settled(self._device.unit):
                        await self._line(link, rest)
                    return

    async def _line(self, link: Link, units: Sequence[int], *, must_open: bool = False) -> bool:
        """Ask these units on one setting of the line; whether one answered.

        The configured unit is looked at closely as soon as it answers: when it is proven, nobody
        else is asked.
        """
        answered = 0
        try:
            async with Wire.join(link) as wire:
                for unit in units:
                    asker = self._asker(wire, unit)
                    if not await self._knock(asker, link) or answered >= CANDIDATES_MAX:
                        continue
                    self.found.answered = True
                    answered += 1
                    await self._assess(asker, link)
                    if self._settled(unit):
                        break
        except DriverError as exc:
            if must_open and not self.found.tries:
                raise
            self.found.tries.append(Try(variants.line_label(link), str(exc)))
        return answered > 0

    def _settled(self, unit: int) -> bool:
        best = max((c.score for c in self.found.candidates if c.unit == unit), default=0)
        return unit == self._device.unit and best >= PROVEN_MIN

    def _asker(self, wire: Wire, unit: int) -> Asker:
        within_s = min(self._device.within_s, WITHIN_S_MAX)
        if isinstance(wire.link, SerialLink):
            spans = variants.spans(self._device.profile)
            longest = max((s.request().data_bytes for s in spans), default=2) + HEAD_BYTES
            within_s = max(within_s, longest * wire.link.char_s())
        return Asker(wire, unit, within_s, max(REST_S, self._device.pause_s))

    async def _knock(self, asker: Asker, link: Link) -> bool:
        """Whether the unit says anything to one register; as configured it is asked from both bases."""
        configured = (asker.unit, link) == (self._device.unit, self._device.link)
        for base in self._bases()[: 1 + configured]:
            spans = variants.spans(variants.rebased(self._device.profile, base))
            if not spans:
                continue
            label = f"unit {asker.unit}, {variants.line_label(link)}, base: {base}"
            answer = await self._try(asker, _first(spans[0]), label)
            if answer.heard:
                return True
            if configured:
                await self._late(asker)
        return False

    def _bases(self) -> tuple[Literal[0, 1], ...]:
        mine = self._device.profile.base
        return tuple(sorted(variants.BASES, key=lambda base: base != mine))

    async def _try(self, asker: Asker, span: Span, label: str) -> Answer:
        self._tell(label)
        answer = await asker.one(span)
        outcome = "answers" if answer.data is not None else answer.refusal
        self.found.tries.append(Try(label, outcome if answer.heard else answer.error))
        await asyncio.sleep(asker.pause_s)
        return answer

    async def _again(self, asker: Asker, span: Span, label: str) -> Answer:
        answer = await self._try(asker, span, _place(label, span))
        if not answer.heard:
            await self._late(asker)
        return answer

    async def _late(self, asker: Asker) -> None:
        """A late answer to the last request would pass for one to the next of the same unit."""
        if isinstance(asker.wire.link, SerialLink):
            await asyncio.sleep(LATE_TIMES_MAX * asker.within_s)

    async def _assess(self, asker: Asker, link: Link) -> None:
        """Read the unit from both bases, and its answers in every order."""
        for base in self._bases():
            profile = variants.rebased(self._device.profile, base)
            spans = variants.spans(profile)
            label = f"unit {asker.unit}, {variants.line_label(link)}, base: {base}"
            rounds = []
            for pause_s in (0.0, MOVE_S):
                await asyncio.sleep(pause_s)
                rounds.append([await self._again(asker, span, label) for span in spans])
            for variant in variants.orders(profile, base):
                self._judge(link, asker.unit, variant, rounds)

    def _judge(
        self, link: Link, unit: int, variant: Variant, rounds: Sequence[Sequence[Answer]]
    ) -> None:
        """Add one way to read; nothing is asked for it, the answers are the same."""
        as_if = replace(self._device, profile=variant.profile)
        points = variant.profile.points
        looks = []
        for answers in rounds:
            turned = [replace(a, span=_with(a.span, points)) for a in answers]
            looks.append(look(as_if, turned))
        proofs = evidence(as_if, looks)
        if variant.swapped_bytes:
            proofs = (*proofs, low_byte_first())
        label = f"unit {unit}, {variants.line_label(link)}, {variant.label}"
        self._tell(label)
        self.found.tries.append(Try(label, f"score {score(proofs)}"))
        changes = sum(
            (
                link != self._device.link,
                unit != self._device.unit,
                variant.base != self._device.profile.base,
                variant.swapped_words,
                variant.swapped_bytes,
            )
        )
        self.found.candidates.append(Candidate(link, unit, variant, proofs, changes))


def _with(span: Span, points: Mapping[str, Point]) -> Span:
    return replace(span, points=tuple(points[point.name] for point in span.points))


def _first(span: Span) -> Span:
    """The first point of a request alone."""
    point = span.points[0]
    return Span(span.table, point.address, point.size, (point,))


def _place(label: str, span: Span) -> str:
    return f"{label}, {span.table} {span.points[0].number} ({span.count})"
