"""Numbers with their spread: percentiles of one run, and the median of several runs."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the values lie, by nearest rank."""
    assert values, "nothing was measured"
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))]


@dataclass(slots=True)
class Figure:
    """One number measured in several runs; `aim` says what it should be."""

    name: str
    unit: str
    aim: str = ""
    digits: int = 2
    runs: list[float] = field(default_factory=list)

    @property
    def value(self) -> float:
        """The median of the runs."""
        return statistics.median(self.runs)

    def as_json(self) -> dict[str, Any]:
        """Everything, also each run."""
        return {
            "name": self.name,
            "unit": self.unit,
            "aim": self.aim,
            "median": self.value,
            "runs": self.runs,
        }

    def cells(self) -> tuple[str, str, str, str, str]:
        """Name, median, spread, unit and aim as text."""
        low, high = (f"{edge:,.{self.digits}f}" for edge in (min(self.runs), max(self.runs)))
        return self.name, f"{self.value:,.{self.digits}f}", f"{low} - {high}", self.unit, self.aim


class Figures:
    """Figures in the order they were first measured."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def add(self, name: str, value: float, unit: str, *, aim: str = "", digits: int = 2) -> None:
        """Note one run of a number."""
        figure = self._figures.setdefault(name, Figure(name, unit, aim, digits))
        figure.runs.append(value)

    def add_times(self, name: str, times_ms: Sequence[float], *, aim_p99: str = "") -> None:
        """Note p50 and p99 of one run, in milliseconds."""
        self.add(f"{name}, p50", percentile(times_ms, 50), "ms")
        self.add(f"{name}, p99", percentile(times_ms, 99), "ms", aim=aim_p99)

    def as_json(self) -> list[dict[str, Any]]:
        """Every figure."""
        return [figure.as_json() for figure in self._figures.values()]

    def table(self) -> str:
        """A Markdown table."""
        head = ("what", "median", "spread", "unit", "aim")
        rows = [head, *(figure.cells() for figure in self._figures.values())]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        lines = [_line(row, widths) for row in rows]
        rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
        return "\n".join([lines[0], rule, *lines[1:]])


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "| " + " | ".join(padded) + " |"
