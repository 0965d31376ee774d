"""What a soak counted and what it found broken, as numbers with what was promised."""

import json
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.bench.figures import percentile

WRONG_SHOWN_MAX = 20
RED, GREEN, BOLD, PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[1m", "\x1b[0m"


@dataclass(slots=True)
class Tally:
    """`counts` add up over stations, of `most` the largest counts, `times_ms` become percentiles.

    `wrong` is every broken promise, `skipped` what could not be done here and why.
    """

    group: str
    counts: Counter[str] = field(default_factory=Counter)
    most: dict[str, float] = field(default_factory=dict)
    times_ms: dict[str, list[float]] = field(default_factory=dict)
    promised: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    skipped: str = ""

    def say(self, text: str) -> None:
        """Something that was promised does not hold; told once."""
        if text not in self.wrong:
            self.wrong.append(text)

    def add(self, name: str, count: int = 1, *, promise: str = "") -> None:
        """Count something."""
        self.counts[name] += count
        self._promise(name, promise)

    def at_most(self, name: str, value: float, *, promise: str = "") -> None:
        """Keep the largest."""
        self.most[name] = max(self.most.get(name, value), value)
        self._promise(name, promise)

    def times(self, name: str, values_ms: Iterable[float], *, promise: str = "") -> None:
        """Keep times."""
        self.times_ms.setdefault(name, []).extend(values_ms)
        self._promise(name, promise)

    @contextmanager
    def surviving(self) -> Iterator[None]:
        """What ends a soak early is a broken promise too, and what was counted until then is kept."""
        try:
            yield
        except Exception as exc:  # noqa: BLE001 - whatever it was, the run goes on and fails
            traceback.print_exc()
            self.say(f"it did not come to its end: {_innermost(exc)}")

    def _promise(self, name: str, promise: str) -> None:
        if promise:
            self.promised[name] = promise

    def join(self, other: "Tally") -> None:
        """Take what another station of the same group counted."""
        self.counts.update(other.counts)
        for name, value in other.most.items():
            self.at_most(name, value)
        for name, values in other.times_ms.items():
            self.times(name, values)
        self.promised |= other.promised
        self.wrong += [text for text in other.wrong if text not in self.wrong]
        self.skipped = self.skipped or other.skipped

    def rows(self) -> list[tuple[str, str, str]]:
        """Name, value, promise."""
        rows = [(name, f"{count:,}") for name, count in sorted(self.counts.items())]
        rows += [(name, f"{value:,.1f}") for name, value in self.most.items()]
        for name, values in self.times_ms.items():
            if values:
                half, most = percentile(values, 50), max(values)
                rows.append((name, f"{half:,.0f} / {most:,.0f} ms (p50 / max, n={len(values)})"))
        return [(name, value, self.promised.get(name, "")) for name, value in rows]

    def as_json(self) -> dict[str, Any]:
        """Everything."""
        return {
            "group": self.group,
            "counts": dict(self.counts),
            "most": self.most,
            "times_ms": self.times_ms,
            "promised": self.promised,
            "wrong": self.wrong,
            "skipped": self.skipped,
        }

    @classmethod
    def from_json(cls, text: str) -> "Tally":
        """What another process counted."""
        read = json.loads(text)
        return cls(**(read | {"counts": Counter(read["counts"])}))


def table(tallies: Iterable[Tally], *, colour: bool) -> str:
    """All of it for a terminal; broken promises last and in red."""
    tallies = list(tallies)
    lines = []
    for tally in tallies:
        lines += ["", _in(BOLD, tally.group, colour)]
        if tally.skipped:
            lines.append(f"  skipped: {tally.skipped}")
        width = max((len(name) for name, _, _ in tally.rows()), default=0)
        for name, value, promise in tally.rows():
            end = f"   (promised: {promise})" if promise else ""
            lines.append(f"  {name.ljust(width)}  {value}{end}")
    wrong = [f"{tally.group}: {text}" for tally in tallies for text in tally.wrong]
    for text in wrong[:WRONG_SHOWN_MAX]:
        lines.append(_in(RED, f"WRONG  {text}", colour))
    if len(wrong) > WRONG_SHOWN_MAX:
        lines.append(_in(RED, f"       and {len(wrong) - WRONG_SHOWN_MAX} more", colour))
    verdict = f"{len(wrong)} broken promises" if wrong else "every promise held"
    return "\n".join([*lines, "", _in(RED if wrong else GREEN, verdict, colour)])


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def _in(colour_code: str, text: str, colour: bool) -> str:  # noqa: FBT001 - of this file only
    return f"{colour_code}{text}{PLAIN}" if colour else text
