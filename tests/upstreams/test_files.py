"""Files on a folder that comes and goes: whole, once, rotated, and nothing below a mount point."""

import csv
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gatewayd.errors import UpstreamError
from gatewayd.settings.kinds import UPSTREAMS_GROUP
from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Upstream
from gatewayd.upstreams.files import UPSTREAM, Desk
from gatewayd.upstreams.files_book import FOREIGN, PART, Book
from gatewayd.upstreams.files_lines import COLUMNS, FORMATS
from tests.support.outpost import WAIT_S_MAX, Outpost, drained, running
from tests.support.waiting import until

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def record(sequence: int, *, day: int = 0, note: str = "", **data: Any) -> Record:
    body = {
        "id": f"id-{sequence}",
        "time": (NOON + timedelta(days=day)).isoformat(),
        "data": {"note": note, **data},
    }
    text = json.dumps(body, ensure_ascii=False)
    return Record(sequence, f"id-{sequence}", "fill", "rig-1", text)


def records(first: int, last: int) -> list[Record]:
    return [record(sequence) for sequence in range(first, last + 1)]


def book(folder: Path, *, kind: str = "jsonl", bytes_max: int = 1_000_000) -> Book:
    made = Book(folder, "3701-stick", FORMATS[kind], bytes_max=bytes_max, removable=False)
    made.open()
    return made


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def ids(folder: Path, kind: str = "jsonl") -> list[str | None]:
    """Every id on the disk, file after file."""
    format_ = FORMATS[kind]
    texts = [(folder / name).read_bytes().removeprefix(format_.header) for name in names(folder)]
    return [format_.id_of(line) for text in texts for line in text.splitlines(keepends=True)]


def numbers(first: int, last: int) -> list[str]:
    return [f"id-{sequence}" for sequence in range(first, last + 1)]


# Rotation


def test_a_day_and_a_size_end_a_file_which_then_gets_its_name(tmp_path: Path) -> None:
    made = book(tmp_path, bytes_max=1000)
    made.append([record(1), record(2, day=1), record(3, day=1)])
    made.append([record(4, day=1, note="x" * 900), record(5, day=1)])
    assert names(tmp_path) == [
        "3701-stick-2026-07-01-0000000001.jsonl",
        "3701-stick-2026-07-02-0000000002.jsonl",
        "3701-stick-2026-07-02-0000000004.jsonl",
        "3701-stick-2026-07-02-0000000005.jsonl.part",
    ]
    assert ids(tmp_path) == numbers(1, 5)


def test_a_record_larger_than_a_file_has_one_of_its_own(tmp_path: Path) -> None:
    made = book(tmp_path, bytes_max=200)
    made.append([record(1), record(2, note="x" * 500), record(3)])
    assert len(names(tmp_path)) == 3
    assert ids(tmp_path) == numbers(1, 3)


def test_a_store_that_counts_from_one_again_writes_over_nothing(tmp_path: Path) -> None:
    for run in range(3):
        made = book(tmp_path, bytes_max=10)
        anew = [Record(1, f"run-{run}", "fill", "r", record(1).body.replace("id-1", f"run-{run}"))]
        made.append(anew)
        made.append([record(9 + run)])
    assert {"run-0", "run-1", "run-2"} <= set(ids(tmp_path))
    assert len(names(tmp_path)) == 6


def test_two_upstreams_share_a_folder(tmp_path: Path) -> None:
    one = Book(tmp_path, "s-a", FORMATS["jsonl"], bytes_max=1000, removable=False)
    other = Book(tmp_path, "s-a-2026", FORMATS["jsonl"], bytes_max=1000, removable=False)
    for _ in range(2):
        one.open()
        other.open()
        one.append(records(1, 3))
        other.append(records(1, 3))
    assert ids(tmp_path) == numbers(1, 3) * 2


def test_a_name_is_one_that_every_file_system_takes(tmp_path: Path) -> None:
    made = Book(tmp_path, 'a:b\\c"济', FORMATS["jsonl"], bytes_max=1000, removable=False)
    made.open()
    made.append(records(1, 1))
    assert names(tmp_path) == ["a_b_c__-2026-07-01-0000000001.jsonl.part"]


# Going on


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_file_torn_at_any_byte_is_mended_and_nothing_is_there_twice(
    tmp_path: Path, kind: str
) -> None:
    book(tmp_path, kind=kind).append(records(1, 2))
    (path,) = tmp_path.iterdir()
    text = path.read_bytes()
    for size in range(len(text) + 1):
        for other in tmp_path.iterdir():
            other.unlink()
        path.write_bytes(text[:size])
        made = book(tmp_path, kind=kind)
        made.append(records(1, 3))
        assert ids(tmp_path, kind) == numbers(1, 3), size


@pytest.mark.parametrize("tail", [b"\0" * 4096, b'{"id": 17}\n', b"\xff\n\xff\n", b"]\n"])
def test_what_is_no_record_at_the_end_is_cut(tmp_path: Path, tail: bytes) -> None:
    book(tmp_path).append(records(1, 3))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + tail)
    book(tmp_path).append(records(3, 5))
    assert ids(tmp_path) == numbers(1, 5)


@pytest.mark.parametrize("content", [b"something\nelse\n", b"x\n" * 500])
def test_a_file_that_is_not_ours_is_set_aside_and_never_cut(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "3701-stick-2026-07-01-0000000001.jsonl.part"
    path.write_bytes(content)
    book(tmp_path).append(records(1, 2))
    assert path.with_name(path.name + FOREIGN).read_bytes() == content
    assert path.read_bytes().count(b"\n") == 2


def test_records_that_straddle_files_are_not_written_again(tmp_path: Path) -> None:
    book(tmp_path, bytes_max=300).append(records(1, 20))
    assert len(names(tmp_path)) > 4
    book(tmp_path, bytes_max=300).append(records(1, 25))
    assert sorted(map(str, ids(tmp_path))) == sorted(numbers(1, 25))


def test_an_unfinished_file_that_was_left_behind_is_finished(tmp_path: Path) -> None:
    book(tmp_path).append(records(1, 2))
    (path,) = tmp_path.iterdir()
    path.rename(tmp_path / "3701-stick-2026-06-30-0000000001.jsonl.part")
    (tmp_path / "3701-stick-2026-07-01-0000000003.jsonl.part").write_text(record(3).body + "\n")
    book(tmp_path).append(records(1, 4))
    assert [name for name in names(tmp_path) if name.endswith(PART)] == [
        "3701-stick-2026-07-01-0000000003.jsonl.part"
    ]
    assert ids(tmp_path) == numbers(1, 4)


def test_a_file_that_somebody_else_changes_is_read_again(tmp_path: Path) -> None:
    made = book(tmp_path)
    made.append(records(1, 2))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + record(3).body.encode() + b"\n")
    with pytest.raises(UpstreamError, match="somebody else"):
        made.append(records(3, 4))
    made.open()
    made.append(records(3, 4))
    assert ids(tmp_path) == numbers(1, 4)


def test_what_a_failed_write_left_is_taken_back_though_it_looks_whole(tmp_path: Path) -> None:
    """After a failed write the kernel may show what the disk does not have."""
    made = book(tmp_path)
    made.append(records(1, 3))
    (path,) = tmp_path.iterdir()
    size = path.stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 500, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            made.append(records(4, 30))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.stat().st_size == size + 500
    made.open()
    assert path.stat().st_size == size
    made.append(records(4, 30))
    assert ids(tmp_path) == numbers(1, 30)


STRACE = shutil.which("strace")
APPENDS = """
import sys
from pathlib import Path
from gatewayd.store.model import Record
from gatewayd.upstreams.files_book import Book
from gatewayd.upstreams.files_lines import FORMATS
book = Book(Path(sys.argv[1]), "s", FORMATS["jsonl"], bytes_max=10**6, removable=False)
book.open()
for sequence in (1, 2):
    body = '{"id": "id-%d", "time": "2026-07-01"}' % sequence
    book.append([Record(sequence, f"id-{sequence}", "fill", "rig-1", body)])
    print("acknowledged", flush=True)
"""


def told(line: str) -> str:
    """A line of strace as the call and the kind of file; the child's own word is `yes`."""
    if "acknow" in line:
        return "yes"
    return re.sub(r"\(\d+<(.*?)>.*", lambda found: f" {Path(found[1]).suffix}", line)


@pytest.mark.skipif(STRACE is None, reason="strace is not installed (Debian package: strace)")
def test_a_record_is_on_the_disk_before_it_counts(tmp_path: Path) -> None:
    """What the kernel was told, in order: the name, the bytes, and only then the yes."""
    folder, log = tmp_path / "stick", tmp_path / "log"
    folder.mkdir()
    trace = ["strace", "-y", "-o", str(log), "-e", "trace=write,fsync"]
    command = [*trace, sys.executable, "-c", APPENDS, str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no tracing")
    lines = log.read_text().splitlines()
    steps = [told(line) for line in lines if "stick" in line or "acknow" in line]
    begun = ["fsync .part", "fsync "]
    record = ["write .part", "fsync .part", "yes"]
    assert steps == [*begun, *record, *record]


# The stick


def test_a_folder_that_is_not_there_is_never_made(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="plug the stick in"):
        book(tmp_path / "stick")
    assert names(tmp_path) == []


def test_a_removable_folder_on_the_disk_of_root_is_refused(tmp_path: Path) -> None:
    if tmp_path.stat().st_dev != Path("/").stat().st_dev:
        pytest.skip("the folder of this test is on a disk of its own")
    made = Book(tmp_path, "s", FORMATS["jsonl"], bytes_max=1000, removable=True)
    with pytest.raises(UpstreamError, match="on the disk of /"):
        made.open()


def test_another_stick_begins_with_what_comes_next(tmp_path: Path) -> None:
    stick, pocket = tmp_path / "stick", tmp_path / "pocket"
    stick.mkdir()
    made = book(stick)
    made.append(records(1, 3))
    stick.rename(pocket)
    stick.mkdir()
    with pytest.raises(OSError, match="No such file"):
        made.append(records(4, 5))
    made.open()
    made.append(records(4, 5))
    assert (ids(pocket), ids(stick)) == (numbers(1, 3), numbers(4, 5))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 128 KiB, as full as a test makes it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not plug(folder):
        pytest.skip("only root may mount a small disk")
    yield folder
    pull(folder)


def plug(folder: Path) -> bool:
    """Mount a disk of 128 KiB there; False when this machine does not allow it."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


def pull(folder: Path) -> None:
    """Take it away, whoever uses it."""
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_keeps_the_records_and_goes_on_when_there_is_room(
    outpost: Outpost, small_disk: Path
) -> None:
    ballast = small_disk / "holiday.mp4"
    ballast.write_bytes(b"x" * 100 * 1024)
    upstream = outpost.upstream_of(UPSTREAM, directory=str(small_disk), removable=True)
    committed: list[Record] = []
    async with running(upstream):
        for _ in range(4):
            committed += await outpost.commit(20, note="y" * 500)
        await outpost.until_state("down", error="No space left on device")
        ballast.unlink()
        await drained(upstream)
    found = [i for n in names(small_disk) for i in (small_disk / n).read_bytes().splitlines()]
    assert found == [each.body.encode() for each in committed]


async def test_a_stick_pulled_while_mounted_gets_the_rest_when_it_is_back(
    outpost: Outpost, small_disk: Path
) -> None:
    upstream = outpost.upstream_of(UPSTREAM, directory=str(small_disk), removable=True)
    async with running(upstream):
        await outpost.commit(5)
        await drained(upstream)
        pull(small_disk)
        committed = await outpost.commit(5)
        await outpost.until_state("down")
        assert names(small_disk) == []
        assert plug(small_disk)
        await drained(upstream)
    assert ids(small_disk) == [each.id for each in committed]


async def test_a_disk_that_hangs_is_left_and_nothing_begins_beside_it(tmp_path: Path) -> None:
    desk, stuck = Desk(tmp_path, within_s=0.05), threading.Event()
    with pytest.raises(UpstreamError, match="the disk hangs"):
        await desk.do(lambda: void(stuck.wait(WAIT_S_MAX)))
    with pytest.raises(UpstreamError, match="still hangs"):
        await desk.do(lambda: None)
    stuck.set()
    await until(lambda: not desk.busy)
    await desk.do(lambda: None)


def void(_value: object) -> None:
    """For a lambda that returns nothing."""


# What is written


def test_a_csv_opens_in_a_spreadsheet_and_runs_nothing(tmp_path: Path) -> None:
    written = record(
        7,
        cylinder={"code": "=cmd|'/c calc'!A1"},
        outcome="completed",
        net_g=-12,
        verdict={"decision": "allow"},
        note='a "quoted", 瓶\n',
    )
    book(tmp_path, kind="csv").append([written, record(8)])
    (path,) = tmp_path.iterdir()
    assert path.read_bytes().startswith(b"\xef\xbb\xbfsequence,id,")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows: Sequence[dict[str, str]] = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["cylinder"] == "'=cmd|'/c calc'!A1"
    assert (rows[0]["net_g"], rows[0]["decision"]) == ("-12", "allow")
    assert rows[0]["record"] == written.body
    assert rows[1]["cylinder"] == ""


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"directory": ""},
        {"directory": "x", "format": "xlsx"},
        {"directory": "x", "file_mb_max": 0},
        {"directory": "x", "file_mb_max": 257},
        {"directory": "x", "removable": "yes"},
        {"directory": "x", "records_per_s": 0},
        {"directory": "x", "compress": True},
    ],
)
def test_a_wrong_value_is_an_error(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UPSTREAM.settings.model_validate(values)


async def test_a_relative_folder_starts_at_the_config_directory(outpost: Outpost) -> None:
    (outpost.directory / "out").mkdir()
    upstream: Upstream = outpost.upstream_of(UPSTREAM, directory="out")
    await outpost.commit(1)
    async with running(upstream):
        await drained(upstream)
    assert len(names(outpost.directory / "out")) == 1


def test_the_entry_point_of_pyproject_is_the_row() -> None:
    (entry,) = entry_points(group=UPSTREAMS_GROUP, name="files")
    assert entry.load() is UPSTREAM
