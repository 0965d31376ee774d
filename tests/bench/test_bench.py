"""The benches still measure: each runs once, small, and what it counts must be whole."""

import struct
from pathlib import Path

import pytest

from tests.bench import (
    archive,
    ear,
    house,
    polling,
    readers,
    rules,
    scans,
    snapshots,
    traffic,
    verdicts,
    wire,
)
from tests.bench.figures import Figure, Figures, percentile
from tests.bench.polling import Load
from tests.support.brokers import needs_mosquitto

CYLINDERS = 10


def _values(figures: Figures) -> dict[str, float]:
    return {str(figure["name"]): float(figure["median"]) for figure in figures.as_json()}


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(value) for value in range(1000, 0, -1)]
    assert (percentile(values, 50), percentile(values, 99), percentile([7.0], 99)) == (501, 991, 7)


def test_a_figure_shows_its_median_and_its_spread() -> None:
    figure = Figure("CPU", "%", runs=[3.0, 1.0, 2.0])
    assert figure.cells() == ("CPU", "2.00", "1.00 - 3.00", "%", "")


def test_the_ear_hears_every_weight_wherever_the_stream_is_cut() -> None:
    topic = b"gatewayd/v1/s/rigs/rig-12/weight"
    body = struct.pack(">H", len(topic)) + topic + b'{"gross_g": 45211}' + b" " * 100
    stream = bytes((0x30, 0x80 | len(body) % 128, len(body) // 128)) + body
    for cut in range(len(stream)):
        chunks = [(1, stream[:cut]), (2, stream[cut:] + stream)]
        assert list(ear.weights(chunks)) == [(12, 45_211, 2)] * 2


async def test_every_cylinder_gets_its_verdict(tmp_path: Path) -> None:
    cylinders, figures = list(house.archive(CYLINDERS)), Figures()
    await house.fill_archive(tmp_path, cylinders)
    await verdicts.measure(tmp_path, cylinders, figures)
    assert set(_values(figures)) == {
        "read to verdict, 100,000 cylinders, p50",
        "read to verdict, 100,000 cylinders, p99",
        "read to verdict as another task sees it, p50",
        "read to verdict as another task sees it, p99",
    }


@needs_mosquitto
async def test_every_record_is_drained(tmp_path: Path) -> None:
    figures = Figures()
    await traffic.measure(tmp_path, 20, figures)
    assert min(_values(figures).values()) > 0


@needs_mosquitto
@pytest.mark.e2e
async def test_every_scan_ends_in_a_permit(tmp_path: Path) -> None:
    cylinders, figures = list(house.archive(CYLINDERS)), Figures()
    stored, bench = tmp_path / "stored", tmp_path / "bench"
    for folder in (stored, bench):
        folder.mkdir()
    await house.fill_archive(stored, cylinders)
    codes = [one.code for one in cylinders]
    await scans.measure(bench, stored / "gatewayd.db", codes, 2, figures)
    values = _values(figures)
    assert values["scan to permit: scans"] > 0
    assert values["scan to permit: no permit"] == 0


@needs_mosquitto
@pytest.mark.e2e
@pytest.mark.parametrize("filling", [False, True])
async def test_every_change_polled_is_seen(tmp_path: Path, *, filling: bool) -> None:
    figures, load = Figures(), Load(2, filling=filling)
    await polling.measure(load, tmp_path, 1, figures, settle_s=1)
    values = _values(figures)
    assert values[f"{load.name}: polls a second"] > 0
    assert values[f"{load.name}: changes not seen"] == 0


@pytest.mark.e2e
async def test_every_tag_report_reaches_its_rig(tmp_path: Path) -> None:
    figures = Figures()
    await readers.measure(tmp_path, 1, figures, rate=500)
    values = _values(figures)
    assert values[f"{readers.READERS} readers: reports a second"] > 0
    assert values[f"{readers.READERS} readers: report at its rig, latest"] > 0


def test_every_codec_that_proves_frames_is_measured() -> None:
    figures = Figures()
    readers.codecs(figures)
    values = _values(figures)
    assert min(values.values()) > 0
    assert "frames of uhfreader288 decoded" in values


async def test_a_wire_is_measured_beside_a_c_program_where_there_is_one(tmp_path: Path) -> None:
    figures = Figures()
    await wire.measure(tmp_path, 0.3, figures)
    values = _values(figures)
    line = f"serial line at {wire.BAUD} baud"
    assert 50 < values[f"{line}: share of the line used"] <= 101
    assert values[f"{line}: requests before it was silent"] == 0


async def test_a_snapshot_is_taken_in_while_fills_commit(tmp_path: Path) -> None:
    figures = Figures()
    await snapshots.measure(tmp_path, 3_000, figures)
    values = _values(figures)
    assert values["snapshot 2 of 3,000 cylinders: switched over in"] > 0


@pytest.mark.e2e
async def test_an_archive_is_imported_while_fills_commit(tmp_path: Path) -> None:
    figures = Figures()
    await archive.measure(tmp_path, 3_000, figures)
    values = _values(figures)
    assert values["replace 3,000 cylinders, CSV: took"] > 0
    assert values["look up by tag, 3,000 cylinders, p99"] > 0


def test_every_rule_that_is_shipped_is_judged() -> None:
    figures = Figures()
    rules.measure(figures, judgements=20)
    names = {name.partition(" ")[0]: value for name, value in _values(figures).items()}
    assert max(int(name) for name in names if name.isdigit()) >= rules.RULES
    assert min(names.values()) > 0
