"""Metrics: one catalogue, text that its own library's parser takes, counts that the records prove."""

import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from gatewayd.counting import QUICK_S, Spread
from gatewayd.ids import new_id
from gatewayd.metrics import catalogue
from gatewayd.metrics.catalogue import METRICS
from gatewayd.metrics.exposition import Exposition
from gatewayd.metrics.readme import table
from gatewayd.metrics.tally import AT_ONCE_MAX, OTHER, Tally
from gatewayd.metrics.terms import LABEL_CHARACTERS_MAX, Metric, Sheet
from gatewayd.shapes.kinds import RecordKind
from gatewayd.store.model import RecordDraft
from tests.support.outpost import Outpost

README = Path(catalogue.__file__).with_name("README.md")
UNITS = ("_seconds", "_bytes", "_grams", "_ratio", "_records")
PARSERS: dict[str, Any] = {
    "": prometheus,
    "application/openmetrics-text; version=1.0.0": open_metrics,
}


@pytest.fixture
async def outpost(tmp_path: Path) -> Any:
    async with Outpost(tmp_path) as made:
        yield made


def full_sheet() -> Sheet:
    """Every metric with a value, and labels that try to break out of their quotes."""
    sheet, spread = Sheet(), Spread(QUICK_S)
    for seconds in (0.0, 0.002, 7.0):
        spread.note(seconds)
    for number, metric in enumerate(METRICS):
        labels = ['a"b\\c\nd工位'] * len(metric.labels)
        sheet.put(metric, spread if metric.kind == "histogram" else number, *labels)
    return sheet


@pytest.mark.parametrize("accept", PARSERS, ids=["prometheus", "openmetrics"])
def test_the_librarys_own_parser_reads_every_metric_back(accept: str) -> None:
    body, kind = Exposition().write(full_sheet(), accept)
    assert kind.startswith(accept.split(";", maxsplit=1)[0] or "text/plain")
    families = {family.name: family for family in PARSERS[accept](body.decode())}
    for number, metric in enumerate(METRICS):
        family = families[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.help)
        labels = dict.fromkeys(metric.labels, 'a"b\\c\nd工位')
        found = {(one.name, one.labels.get("le")): one for one in family.samples}
        if metric.kind == "histogram":
            assert found[f"{metric.name}_count", None].value == 3
            assert found[f"{metric.name}_sum", None].value == pytest.approx(7.002)
            assert found[f"{metric.name}_bucket", "0.0025"].value == 2
            assert found[f"{metric.name}_bucket", "+Inf"].value == 3
        else:
            assert found[metric.name, None].value == number
            assert found[metric.name, None].labels == labels
    assert families["process_resident_memory_bytes"].samples[0].value > 1e6
    assert "process_cpu_seconds" in families


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_follow_the_conventions(metric: Metric) -> None:
    assert re.fullmatch(r"gatewayd_[a-z0-9_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.kind != "histogram" or metric.name.endswith(UNITS)
    assert not re.search(r"_(ms|kg|mb|kpa|percent|min)(_|$)", metric.name), "base units only"
    assert metric.help.endswith(".")
    assert not set(metric.labels) & {"cylinder", "code", "uid", "operator", "id", "error"}


def test_the_readme_has_every_metric_in_the_words_of_the_catalogue() -> None:
    shown = README.read_text("utf-8")
    assert table() in shown, "python -m gatewayd.metrics.readme prints it"
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))


def test_a_long_label_is_cut() -> None:
    sheet = Sheet()
    sheet.put(catalogue.BACKLOG, 1, "x" * (LABEL_CHARACTERS_MAX + 1))
    assert list(sheet.rows[catalogue.BACKLOG]) == [("x" * LABEL_CHARACTERS_MAX,)]


def test_a_spread_counts_as_a_naive_one_does() -> None:
    spread, values = Spread((0.5, 1.0)), [0.0, 0.5, 0.50001, 1.0, 2.0, math.inf]
    for value in values[:-1]:
        spread.note(value)
    seen = spread.look()
    assert seen.at_most == tuple(sum(v <= b for v in values[:-1]) for b in seen.bounds)
    assert seen.count == len(values) - 1
    assert seen.total == pytest.approx(sum(values[:-1]))


def draft(kind: RecordKind, rig: str, **data: Any) -> RecordDraft:
    return RecordDraft(new_id(), kind, rig, datetime.now(UTC), data)


def refusal(*codes: str) -> RecordDraft:
    findings = [{"code": code, "severity": "deny"} for code in codes]
    findings.append({"code": "REFURBISHED", "severity": "warn"})
    return draft("refusal", "rig-1", verdict={"findings": findings})


async def test_records_are_counted_once_each_and_no_foreign_word_becomes_a_series(
    outpost: Outpost,
) -> None:
    await outpost.commit(3)
    tally, store = Tally(outpost.store), outpost.store
    await store.append(draft("fill", "rig-1", outcome="completed", net_g=14_500))
    await store.append(draft("fill", "rig-1", outcome="completed", net_g=14_400))
    await store.append(draft("fill", "rig-2", outcome="exploded", net_g=5))
    await store.append(refusal("OVERDUE", "OVERDUE", "NOT_OWN"))
    await store.append(refusal("3701000112345678"))
    await store.append(draft("command", "", command="ping", outcome="done"))
    await store.append(draft("command", "", command=None, outcome="refused"))
    tally.catch_up()
    tally.catch_up()
    sheet = Sheet()
    tally.enter(sheet, {"rig-1": 0, "rig-3": 0})
    assert sheet.rows[catalogue.FILLS] == {("rig-1", "completed"): 2, ("rig-2", OTHER): 1}
    filled = {("rig-1",): 28_900, ("rig-2",): 5, ("rig-3",): 0}
    assert sheet.rows[catalogue.FILLED] == filled
    reasons = {("rig-1", "OVERDUE"): 1, ("rig-1", "NOT_OWN"): 1, ("rig-1", OTHER): 1}
    assert sheet.rows[catalogue.REFUSALS] == reasons
    assert sheet.rows[catalogue.COMMANDS] == {("ping", "done"): 1, (OTHER, "refused"): 1}
    kinds = sheet.rows[catalogue.RECORDS]
    assert (kinds["fill",], kinds["refusal",], kinds["alarm",]) == (3, 2, 0)


async def test_more_records_than_are_read_at_once_are_counted_in_the_end(
    outpost: Outpost,
) -> None:
    tally = Tally(outpost.store)
    await outpost.commit(AT_ONCE_MAX + 1)
    for expected in (AT_ONCE_MAX, AT_ONCE_MAX + 1):
        tally.catch_up()
        sheet = Sheet()
        tally.enter(sheet, {})
        assert sheet.rows[catalogue.RECORDS]["fill",] == expected
