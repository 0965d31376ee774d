"""Salvage: every record that can prove itself comes out of a damaged file, and nothing else."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from click.testing import CliRunner

from gatewayd.cli.root import main
from gatewayd.errors import StoreError
from gatewayd.store.pages import PageFile
from gatewayd.store.rebirth import SEQUENCES_SKIPPED
from gatewayd.store.salvage import WRITTEN, salvage
from tests.support.damage import (
    DB,
    PAGE,
    RECORDS,
    Made,
    flipped,
    garbled,
    pages,
    reopen,
    run_make,
    zeroed,
)
from tests.support.stores import draft, open_store


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return run_make(tmp_path_factory.mktemp("whole"))


def _run(path: Path, out: Path, *, code: int) -> tuple[dict[str, Any], dict[int, str]]:
    words = ["records", "salvage", str(path), "--out", str(out), "--json"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == code, result.output
    report = json.loads(result.stdout)
    assert json.loads((out / "report.json").read_text(encoding="utf-8")) == report
    lines = (out / "records.jsonl").read_text(encoding="utf-8").splitlines()
    return report, {json.loads(line)["sequence"]: line for line in lines}


def test_a_whole_store_comes_out_whole(made: Made, tmp_path: Path) -> None:
    report, found = _run(made.path, tmp_path / "out", code=0)
    assert (report["whole"], report["records"], report["missing"]) == (True, RECORDS, [])
    assert found == made.bodies
    assert list(found) == sorted(found)


@pytest.mark.parametrize("way", [zeroed, garbled, flipped])
def test_each_damaged_page_costs_only_what_lay_on_it(
    made: Made, tmp_path: Path, way: Callable[[Path, int], None]
) -> None:
    whole = made.path.read_bytes()
    for (name, kind), numbers in pages(made.path).items():
        for page in numbers if name == "records" else numbers[:1]:
            path = tmp_path / DB
            path.write_bytes(whole)
            before = path.read_bytes()
            way(path, page)
            damaged = path.read_bytes()
            found = salvage(path, None)
            assert path.read_bytes() == damaged != before
            if (name, kind) not in {("records", "leaf"), ("records", "overflow")}:
                assert found.records == RECORDS, (name, kind)
            lost = {n for first, last in found.missing for n in range(first, min(last, 99) + 1)}
            assert found.records == RECORDS - len(lost)
            assert len(lost) <= 8, (name, kind, page)


def test_a_header_that_is_gone_costs_no_record(made: Made, tmp_path: Path) -> None:
    path = made.copy_to(tmp_path / "x")
    garbled(path, 1)
    report, found = _run(path, tmp_path / "out", code=1)
    assert found == made.bodies
    assert (report["from_pages"], report["last_sure"]) == (RECORDS, False)


def test_a_file_that_is_cut_gives_what_is_left(made: Made, tmp_path: Path) -> None:
    pieces = []
    for share in (1, 2, 3):
        path = made.copy_to(tmp_path / str(share))
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size * share // 4 + 11)
        _, found = _run(path, tmp_path / f"out-{share}", code=1)
        assert found.items() <= made.bodies.items()
        pieces.append(len(found))
    assert pieces == sorted(pieces)
    assert 0 < pieces[-1] < RECORDS


async def _with_a_log(folder: Path) -> tuple[Path, dict[int, str]]:
    """A store as a power cut leaves it: nearly everything is in its log."""
    store = open_store(folder)
    for _ in range(40):
        await store.append(draft(data={"text": "x" * 2_500}))
    (folder / "copy").mkdir()
    for piece in ("", "-wal"):
        shutil.copyfile(folder / f"{DB}{piece}", folder / "copy" / f"{DB}{piece}")
    bodies = {record.sequence: record.body for record in store.records()}
    await store.close()
    return folder / "copy" / DB, bodies


def _tear(path: Path, share: float) -> None:
    log = bytearray(path.with_name(f"{DB}-wal").read_bytes())
    torn = 32 + int((len(log) - 32) * share) // (PAGE + 24) * (PAGE + 24) + 100
    log[torn : torn + 512] = random.Random(1).randbytes(512)
    path.with_name(f"{DB}-wal").write_bytes(log)


async def test_records_behind_a_tear_in_the_log_come_out(tmp_path: Path) -> None:
    path, bodies = await _with_a_log(tmp_path)
    _tear(path, 0.5)
    found = salvage(path, path.parent / "out")
    assert found.records >= 36
    assert found.from_pages >= 15
    lines = (path.parent / "out" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["sequence"]: line for line in lines}.items() <= bodies.items()


async def test_a_tear_in_the_middle_of_the_log_is_damage_and_at_its_end_is_not(
    tmp_path: Path,
) -> None:
    path, bodies = await _with_a_log(tmp_path)
    (tmp_path / "end").mkdir()
    for piece in ("", "-wal"):
        shutil.copyfile(path.with_name(DB + piece), tmp_path / "end" / f"{DB}{piece}")
    _tear(path, 0.5)
    with pytest.raises(StoreError, match="its log is torn"):
        open_store(path.parent)
    store = reopen(path.parent)
    stored = {record.sequence: record.body for record in store.records()}
    assert len(stored.items() & bodies.items()) >= 36
    assert store.last_sequence() > 40 + SEQUENCES_SKIPPED
    await store.close()
    _tear(tmp_path / "end" / DB, 0.999)
    store = open_store(tmp_path / "end")
    assert store.last_sequence() in (39, 40)
    await store.close()


def test_a_changed_record_is_told_apart(made: Made, tmp_path: Path) -> None:
    path = made.copy_to(tmp_path / "x")
    connection = apsw.Connection(str(path))
    connection.execute("DROP TRIGGER records_never_change")
    connection.execute("UPDATE records SET body = replace(body, '14500', '14400') WHERE sequence=9")
    connection.execute("VACUUM")
    connection.close()
    report, found = _run(path, tmp_path / "out", code=1)
    assert (report["spoilt"], report["missing"]) == ([9], [[9, 9]])
    assert 9 not in found
    (row,) = (tmp_path / "out" / "spoilt.jsonl").read_text(encoding="utf-8").splitlines()
    assert "14400" in json.loads(row)["body"]


def test_noise_is_no_record(tmp_path: Path) -> None:
    (tmp_path / DB).write_bytes(random.Random(3).randbytes(40 * PAGE))
    found = salvage(tmp_path / DB, None)
    assert (found.records, found.whole) == (0, False)
    (tmp_path / DB).write_bytes(b"")
    assert salvage(tmp_path / DB, None).records == 0
    page = b"\x0d" + bytes(2) + b"\xff\xff" + b'{"data":' * 500
    with PageFile(page.ljust(PAGE, b"\x80"), b"") as noise:
        assert list(noise.records()) == []


def _say(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["records", "salvage", *words])
    return result.exit_code, result.output


def test_one_salvage_is_not_written_over_by_another(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert _say(str(made.path), "--out", str(out))[0] == 0
    before = (out / "records.jsonl").read_bytes()
    other = tmp_path / "other.db"
    other.write_bytes(b"")
    code, said = _say(str(other), "--out", str(out))
    assert (code, "records.jsonl: exists already; give another folder" in said) == (3, True)
    assert (out / "records.jsonl").read_bytes() == before
    assert sorted(file.name for file in out.iterdir()) == sorted(WRITTEN)


@pytest.mark.parametrize("content", [b"", b"no store\n", bytes(9_000), b"\xa5" * 9_000])
def test_a_file_that_is_no_store_is_told_as_such(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    code, said = _say(str(tmp_path / "x"))
    assert code == 1
    assert said.startswith("x: nothing of a store of gatewayd is in it; is it the right file?\n")


async def test_a_store_without_a_record_is_a_whole_one(tmp_path: Path) -> None:
    await open_store(tmp_path).close()
    code, said = _say(str(tmp_path / DB))
    assert (code, said.splitlines()[0]) == (0, "0 records proven, 0 of them only from pages")
