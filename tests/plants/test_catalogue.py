"""Every plant still fits the code, stays a program, and names catchers that are there."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plants.catalogue import PLANTS
from tests.plants.plant import Plant, UnfitError, by_name

ROOT = Path(__file__).parents[2]
PLANTS_MIN = 24
PACKAGES = ("gatewayd/", "drivers/", "protocols/", "rules_engine/")
LINES_MAX = 6
"""A plant is a slip of one hand, not a rewriting."""


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_plant_fits_the_code_once_and_is_a_program(plant: Plant) -> None:
    ast.parse(plant.grown(ROOT))
    assert plant.file.startswith(PACKAGES)
    assert max(plant.old.count("\n"), plant.new.count("\n")) <= LINES_MAX


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_the_tests_that_shall_catch_a_plant_are_there(plant: Plant) -> None:
    assert plant.tests
    for test in plant.tests:
        file, _, function = test.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        name = function.partition("[")[0].rpartition("::")[2]
        assert not name or f"def {name}(" in text, test


def test_no_plant_uses_a_name_that_is_not_there(tmp_path: Path) -> None:
    for number, plant in enumerate(PLANTS):
        (tmp_path / f"plant_{number}.py").write_text(plant.grown(ROOT), encoding="utf-8")
    options = ("--isolated", "--no-cache", "--target-version=py311", "--select=F821", "--quiet")
    words = ("-m", "ruff", "check", *options, ".")
    ran = subprocess.run(
        (sys.executable, *words), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "")


def test_there_are_enough_plants_and_the_readme_says_who_catches_each() -> None:
    assert len(by_name(PLANTS)) >= PLANTS_MIN
    readme = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]*) \|", readme, flags=re.MULTILINE)
    told = [row for row in rows if row[0] in by_name(PLANTS)]
    assert told == [(each.name, "; ".join(map(_shown, each.tests))) for each in PLANTS]


def _shown(test: str) -> str:
    return test.removeprefix("tests/").replace(".py", "").replace("::", ": ")


@pytest.mark.parametrize("old", ["not there", "a line\n"], ids=["gone", "twice"])
def test_a_plant_that_the_code_outgrew_is_an_error(tmp_path: Path, old: str) -> None:
    (tmp_path / "code.py").write_text("a line\na line\n", encoding="utf-8")
    plant = Plant("outgrown", "none", "code.py", old=old, new="another\n", tests=())
    with pytest.raises(UnfitError, match=r"outgrown: its old text is in code.py [02] times"):
        plant.put(tmp_path)
    with pytest.raises(UnfitError, match=r"there is no gone\.py any more"):
        Plant("moved", "none", "gone.py", old=old, new="", tests=()).grown(tmp_path)
