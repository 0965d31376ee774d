"""Files in a platform's own words: known again by the id in each line, nothing ours is thrown away."""

import csv
import io
import json
from pathlib import Path

import pytest

from gatewayd.store.model import Record
from gatewayd.upstreams.files_book import FOREIGN, PART, Book
from gatewayd.upstreams.files_lines import FORMATS, Format, mapped_format

COLUMNS = ("NO", "NAME", "KG", "ID", "OK")
WIDE = (*COLUMNS, "MORE")


def record(sequence: int) -> Record:
    body = json.dumps({"id": f"id-{sequence}", "time": "2026-08-01T08:00:00+08:00", "data": {}})
    return Record(sequence, f"id-{sequence}", "fill", "rig-1", body)


def said(sequence: int) -> str:
    return f'{{"NO":{sequence},"NAME":"=1+1","KG":14.50,"ID":"id-{sequence}","OK":true}}'


def write(folder: Path, format_: Format, *sequences: int) -> None:
    book = Book(folder, "s", format_, bytes_max=1_000_000, removable=False)
    book.open()
    book.append([record(each) for each in sequences], {each: said(each) for each in sequences})


def the_file(folder: Path) -> Path:
    (path,) = folder.glob(f"*{PART}")
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_there_already_is_not_written_again(tmp_path: Path, kind: str) -> None:
    format_ = mapped_format(kind, COLUMNS, "ID")
    write(tmp_path, format_, 1, 2)
    write(tmp_path, format_, 1, 2, 3)
    lines = the_file(tmp_path).read_bytes().removeprefix(format_.header).splitlines(keepends=True)
    assert [format_.id_of(line) for line in lines] == ["id-1", "id-2", "id-3"]


def test_cells_are_exact_and_no_formula(tmp_path: Path) -> None:
    write(tmp_path, mapped_format("csv", WIDE, "ID"), 7)
    (row,) = csv.DictReader(io.StringIO(the_file(tmp_path).read_text("utf-8-sig")))
    cells = {"NO": "7", "NAME": "'=1+1", "KG": "14.50", "ID": "id-7", "OK": "true", "MORE": ""}
    assert row == cells


@pytest.mark.parametrize("lines", [1, 2, 5])
@pytest.mark.parametrize("kind", FORMATS)
def test_lines_in_other_words_are_set_aside_whole(tmp_path: Path, kind: str, lines: int) -> None:
    """The mapping was put in, or changed, while a file was being written."""
    book = Book(tmp_path, "s", FORMATS[kind], bytes_max=1_000_000, removable=False)
    book.open()
    book.append([record(each) for each in range(lines)])
    before = the_file(tmp_path).read_bytes()
    write(tmp_path, mapped_format(kind, COLUMNS, "ID"), 9)
    (aside,) = tmp_path.glob(f"*{FOREIGN}")
    assert aside.read_bytes() == before
    assert "id-9" in the_file(tmp_path).read_text("utf-8-sig")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_torn_line_is_cut_off(tmp_path: Path, kind: str) -> None:
    format_ = mapped_format(kind, COLUMNS, "ID")
    write(tmp_path, format_, 1)
    whole = the_file(tmp_path).read_bytes()
    for torn in range(1, len(whole) - len(format_.header)):
        the_file(tmp_path).write_bytes(whole[:-torn])
        write(tmp_path, format_, 1)
        assert the_file(tmp_path).read_bytes() == whole
    assert not list(tmp_path.glob(f"*{FOREIGN}"))
