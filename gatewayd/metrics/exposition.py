"""A sheet as the text that a monitoring system reads: the only file that knows `prometheus_client`.

Which text is asked for by `Accept`: OpenMetrics, else the older Prometheus format.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from gatewayd.counting import Seen
from gatewayd.metrics.terms import Metric, Sheet, Value


class Exposition:
    """Writes sheets, with what the kernel says of this process beside them."""

    def __init__(self) -> None:
        self._process = ProcessCollector(registry=None)

    def write(self, sheet: Sheet, accept: str = "") -> tuple[bytes, str]:
        """The text and its content type. It takes milliseconds: call it in a thread."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Once([*_families(sheet), *self._process.collect()]))
        encode, kind = choose_encoder(accept)
        return encode(registry), kind


class _Once(Collector):
    """Families that are there already."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def _families(sheet: Sheet) -> Iterator[Family]:
    for metric, rows in sheet.rows.items():
        family = _family(metric)
        for labels, value in rows.items():
            _add(family, labels, value)
        yield family


def _family(metric: Metric) -> Family:
    kinds = {
        "counter": CounterMetricFamily,
        "gauge": GaugeMetricFamily,
        "histogram": HistogramMetricFamily,
    }
    made: Family = kinds[metric.kind](metric.name, metric.help, labels=metric.labels)
    return made


def _add(family: Family, labels: tuple[str, ...], value: Value) -> None:
    if isinstance(value, Seen):
        assert isinstance(family, HistogramMetricFamily), family
        buckets = [
            *(
                (str(bound), at_most)
                for bound, at_most in zip(value.bounds, value.at_most, strict=True)
            ),
            ("+Inf", value.count),
        ]
        family.add_metric(labels, buckets, value.total)
        return
    assert isinstance(family, CounterMetricFamily | GaugeMetricFamily), family
    family.add_metric(labels, value)
