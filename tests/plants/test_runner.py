"""The runner of `make plants`, on a tree of three files: who caught what, and nothing is left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plants import catchers, programs
from tests.plants.main import Options, as_json, many, table, tried
from tests.plants.plant import Plant, UnfitError
from tests.support.waiting import until

CODE = "def shut(flows: bool) -> bool:\n    return not flows\n"
TESTS = "from gate import shut\n\ndef test_gas_flows_through_no_shut_gate() -> None:\n    assert not shut(True)\n"
SIM = """\
import pathlib, signal, sys
waits = pathlib.Path("waits")
if sys.argv[1] != "0":
    waits.touch()
    signal.pause()
while sys.argv[2] != "1" and not waits.exists():
    pass
print("seed 3: gas flows")
sys.exit(1)
"""
FAST = Options(histories=False)


def plant(name: str, new: str, *, old: str = "    return not flows\n") -> Plant:
    return Plant(name, "gas flows", "gate.py", old=old, new=new, tests=("tests/test_gate.py",))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "tests" / "plants").mkdir(parents=True)
    for package in ("tests", "tests/plants"):
        (root / package / "__init__.py").touch()  # Else the installed tree's would be the package.
    (root / "gate.py").write_text(CODE, encoding="utf-8")
    (root / "tests" / "test_gate.py").write_text(TESTS, encoding="utf-8")
    (root / "tests" / "plants" / "sim.py").write_text(SIM, encoding="utf-8")
    (root / "pytest.ini").write_text("[pytest]\npythonpath = .\n", encoding="utf-8")
    return root


async def test_who_caught_each_plant_is_told_and_the_tree_stays_as_it_was(tree: Path) -> None:
    seen = plant("seen", "    return flows\n")
    harmless = plant("harmless", "    return flows is False\n")
    no_program = plant("no-program", "    return not flows\n\nimport nothing_of_that_name\n")
    found = await many(tree, (seen, harmless, no_program), FAST)
    assert [(each.caught, each.tests.result) for each in found] == [
        (True, "caught"),
        (False, "passed"),
        (False, "broken"),
    ]
    assert found[0].tests.by == "tests/test_gate.py::test_gas_flows_through_no_shut_gate"
    assert found[0].tests.said.startswith("assert not True")
    assert (tree / "gate.py").read_text(encoding="utf-8") == CODE
    shown = table(found).splitlines()
    assert shown[1].split()[:2] == ["seen", "test_gate.py::test_gas_flows_through_no_shut_gate"]
    assert shown[2].split()[:2] == ["harmless", "passed"]
    assert '"ok": false' in as_json(found)
    assert '"ok": true' in as_json(found[:1])


async def test_a_catcher_that_fails_without_a_plant_proves_nothing(tree: Path) -> None:
    (tree / "gate.py").write_text(CODE.replace("not flows", "flows"), encoding="utf-8")
    with pytest.raises(SystemExit, match=r"without any plant: tests: tests/test_gate.py::test_gas"):
        await many(tree, (plant("any", "    return 1\n", old="    return flows\n"),), FAST)


async def test_a_plant_that_does_not_fit_is_an_error_before_anything_is_run(tree: Path) -> None:
    with pytest.raises(UnfitError):
        await many(tree, (plant("outgrown", "", old="not there"),), FAST)


async def test_a_history_that_fails_ends_the_others(tree: Path) -> None:
    async with asyncio.timeout(60):
        found = await catchers.ask_histories(tree, limit_s=50)
    assert (found.caught, found.by, found.said) == (True, "seed 3", "gas flows")


async def test_what_is_not_done_in_time_is_not_caught(tree: Path) -> None:
    ran = await programs.run(tree, ("sleep", "600"), limit_s=0.1)
    assert ran.code is None
    late = Options(histories=False, limit_s=0.01)
    verdict = await tried(tree, plant("seen", "    return flows\n"), late)
    assert (verdict.caught, verdict.tests.result) == (False, "late")


async def test_what_was_begun_is_gone_when_the_run_is_cancelled(tree: Path) -> None:
    words = ("sh", "-c", "sleep 600 & echo $! > child; wait")
    running = asyncio.ensure_future(programs.run(tree, words, limit_s=60))
    child = tree / "child"
    await until(lambda: child.exists() and child.read_text(encoding="utf-8").endswith("\n"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    number = int(child.read_text(encoding="utf-8"))
    await until(lambda: not _alive(number))


def _alive(number: int) -> bool:
    """Whether a process still runs; one that waits for its parent to hear of its end does not."""
    try:
        state = Path(f"/proc/{number}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_run_that_is_stopped_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.plants.main", "--only", "post-twice"),
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    assert b"first every catcher without any" in await process.stderr.readline()
    assert _names(tmp_path)
    process.send_signal(number)
    said = await process.stderr.read()
    assert (await process.wait(), said) == (1, b"stopped; the copies are gone\n")
    assert _names(tmp_path) == []


def _names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]
