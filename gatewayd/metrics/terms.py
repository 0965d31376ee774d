"""What a metric is, and the sheet that one look at the daemon fills. Nothing here knows a library."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from gatewayd.counting import Seen, Spread

Value: TypeAlias = float | Seen
LABEL_CHARACTERS_MAX = 128
"""A longer value of a label is cut."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name as a query writes it, base unit last; a counter's ends in `_total`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


@dataclass(slots=True)
class Sheet:
    """Every value of one moment, by metric and the values of its labels."""

    rows: dict[Metric, dict[tuple[str, ...], Value]] = field(default_factory=dict)

    def put(self, metric: Metric, value: float | Spread, *labels: str) -> None:
        """Enter a value; the labels are those of the metric, in their order."""
        assert len(labels) == len(metric.labels), (metric, labels)
        seen = value.look() if isinstance(value, Spread) else value
        assert isinstance(seen, Seen) == (metric.kind == "histogram"), metric
        key = tuple(label[:LABEL_CHARACTERS_MAX] for label in labels)
        self.rows.setdefault(metric, {})[key] = seen
