"""What many histories came to: faults by kind, states and transitions, seeds an hour."""

from collections import Counter
from dataclasses import dataclass, field

from tests.histories.faults import FAULTS
from tests.histories.history import Result
from tests.histories.pairs import table

HOUR_S = 3_600


@dataclass(slots=True)
class Coverage:
    """Sums over results."""

    seeds: int = 0
    virtual_s: float = 0.0
    lives: int = 0
    records: int = 0
    openings: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    transitions: Counter[tuple[str, str]] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Take one history."""
        self.seeds += 1
        self.virtual_s += result.lasted_s
        self.lives += result.lives
        self.records += result.records
        self.openings += result.openings
        self.faults.update(result.faults)
        self.transitions.update(result.transitions)
        self.pairs.update(result.pairs)

    def summary(self, took_s: float) -> str:
        """One line."""
        an_hour = round(self.seeds / took_s * HOUR_S)
        return (
            f"{self.seeds} seeds in {took_s:.0f} s ({an_hour} an hour), {self.virtual_s / HOUR_S:.1f} h "
            f"of station time, {self.openings} fills, {self.records} records, {self.lives} lives, "
            f"{sum(self.faults.values())} faults"
        )

    def report(self, took_s: float) -> str:
        """Everything."""
        missing = sorted(set(FAULTS) - set(self.faults) - NOT_COUNTED)
        lines = [
            self.summary(took_s),
            "faults: " + ", ".join(f"{kind} {n}" for kind, n in sorted(self.faults.items())),
            f"faults that never struck: {', '.join(missing) or 'none'}",
            f"transitions ({len(self.transitions)}): "
            + ", ".join(f"{a}>{b} {n}" for (a, b), n in sorted(self.transitions.items())),
        ]
        lines.append(table(self.pairs))
        return "\n".join(lines)


NOT_COUNTED: frozenset[str] = frozenset()
