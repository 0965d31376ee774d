"""A workbook read by a process of its own says what one read here says, and leaves nobody behind."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from openpyxl import Workbook

from gatewayd.archive import apart, sheet, workbook_in
from gatewayd.errors import GatewayError, RejectedError

ROWS = 8 * apart.ROWS_AT_ONCE + 7


def _workbook(folder: Path) -> Path:
    """Texts in Chinese, numbers, days, blanks, and cells that a spreadsheet spoilt."""
    book = Workbook(write_only=True)
    page = book.create_sheet("cylinders")
    page.append(["code", "maker", "fills_done", "tag_uids", "made_on"])
    for number in range(1, ROWS):
        spoilt = 3701000110100001 if number % 100 == 0 else f"E280{number:08X}"
        page.append([f"3701{number:012d}", "山东永安", number, spoilt, "2026-08"])
    path = folder / "a.xlsx"
    book.save(path)
    return path


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _workbook(tmp_path_factory.mktemp("apart"))


@pytest.fixture
def file(workbook: Path) -> Iterator[BinaryIO]:
    with workbook.open("rb") as opened:
        yield opened


def _children() -> set[str]:
    own = Path(f"/proc/{os.getpid()}/task")
    return {pid for task in own.iterdir() for pid in (task / "children").read_text().split()}


def test_it_says_the_same_and_tells_how_far_it_is(file: BinaryIO) -> None:
    told = apart.Reading(file, "a.xlsx")
    assert told.progress() == (0, 0)
    rows = [(number, [str(cell) for cell in cells]) for number, cells in told.rows()]
    here = workbook_in.Reading(file, "a.xlsx")
    assert rows == [(number, [str(cell) for cell in cells]) for number, cells in here.rows()]
    assert len(rows) == ROWS
    assert "is a number, and a spreadsheet drops" in rows[100][1][3]
    assert told.progress() == here.progress()


def test_who_stops_early_leaves_no_process_behind(file: BinaryIO) -> None:
    before = _children()
    rows = apart.Reading(file, "a.xlsx").rows()
    assert next(rows)[1][0] == "code"
    assert len(_children() - before) == 1
    rows.close()
    assert _children() == before


def test_a_reader_that_is_killed_is_no_end_of_the_file(file: BinaryIO) -> None:
    before = _children()
    rows = apart.Reading(file, "a.xlsx").rows()
    next(rows)
    (child,) = _children() - before
    os.kill(int(child), 9)
    with pytest.raises(GatewayError, match="the process that reads the workbook has ended"):
        # What the pipe still holds is told first; it never holds the end.
        list(rows)
    assert _children() == before


def test_a_damaged_workbook_is_refused_in_the_same_words(workbook: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "b.xlsx"
    damaged.write_bytes(workbook.read_bytes()[:-200])
    with damaged.open("rb") as file:
        with pytest.raises(RejectedError) as here:
            list(workbook_in.Reading(file, "b.xlsx").rows())
        with pytest.raises(RejectedError) as told:
            list(apart.Reading(file, "b.xlsx").rows())
    assert str(told.value) == str(here.value)


def test_only_a_large_one_on_a_disk_gets_a_process(workbook: Path, tmp_path: Path) -> None:
    before = _children()
    data = workbook.read_bytes()
    assert len(data) <= sheet.APART_ABOVE_BYTES
    assert next(sheet.sheet(io.BytesIO(data), "a.xlsx").rows)[0] == 1
    large = tmp_path / "c.xlsx"
    padding = os.urandom(sheet.APART_ABOVE_BYTES)
    with large.open("wb") as out:
        out.write(data)

    with zipfile.ZipFile(large, "a") as packed:
        packed.writestr("xl/media/image1.png", padding)
    with sheet.opened(large) as found:
        assert next(found.rows)[0] == 1
        assert len(_children() - before) == 1
        rest = sum(1 for _row in found.rows)
    assert (rest, _children()) == (ROWS - 1, before)


def test_the_child_needs_no_folder_of_its_own(file: BinaryIO, tmp_path: Path) -> None:
    (tmp_path / "zipfile.py").write_text("raise SystemExit('not this one')", encoding="utf-8")
    script = (
        "from pathlib import Path; from gatewayd.archive import apart\n"
        f"file = Path({file.name!r}).open('rb')\n"
        "print(sum(1 for _ in apart.Reading(file, 'a.xlsx').rows()))\n"
    )
    done = subprocess.run(
        (sys.executable, "-P", "-c", script),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{ROWS}\n", "")
