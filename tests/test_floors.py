"""The house stands: imports point down, names are ours alone, reasons are the contract's."""

import subprocess
import sys
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from protocols import documents
from rules_engine.reasons import REASONS

ROOT = Path(__file__).parents[1]
PACKAGES = ("protocols", "drivers", "rules_engine", "gatewayd")
FOLDERS = (*PACKAGES, "config", "systemd", "tests")
CONTRACT_8 = (  # as the page spells it
    "NO_TAG UNREADABLE AMBIGUOUS CODE_UNKNOWN CODE_DUPLICATE TAG_MISMATCH TAG_FORGED RETIRED_CODE "
    "NOT_REGISTERED NOT_OWN OVERDUE INSPECTION_FAILED LIFE_EXCEEDED SCRAPPED CANCELLED NOT_ENABLED "
    "REFURBISHED SCREW_SHROUD NO_EMBOSSED_MARK NO_LICENCE_MAKER STAMP_BAD BODY_DEFECT WRONG_GAS "
    "PRESSURE_CLASS RESIDUAL TARE_UNKNOWN TARE_MISMATCH NO_PRECHECK PRECHECK_FAILED NO_OPERATOR "
    "OPERATOR_CERT VOUCHER_INVALID STATION_MISMATCH REGULATOR_LOCK FILL_COUNT ARCHIVE_STALE "
    "REPEAT_FILL OVERFILL_RISK CLOCK_UNTRUSTED DATA_MISSING RULE_BROKEN STORE_UNAVAILABLE"
)


def test_an_import_only_points_down() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", PACKAGES)
def test_only_this_distribution_provides_our_import_names(name: str) -> None:
    providers = {d.casefold() for d in packages_distributions().get(name, [])}
    assert providers <= {"gatewayd"}, f"{name} also comes from {providers}"
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).parent == ROOT / name


@pytest.mark.parametrize("name", FOLDERS)
def test_every_folder_says_what_it_is(name: str) -> None:
    text = (ROOT / name / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# "), f"{name}/README.md needs a title"


def test_the_reason_codes_are_those_of_the_contract() -> None:
    assert frozenset(REASONS) == frozenset(CONTRACT_8.split())


def test_shipped_packs_use_only_known_reason_codes() -> None:
    packs = sorted((ROOT / "config" / "rules").glob("*.yaml"))
    assert packs
    for path in packs:
        pack = documents.parse(path.read_text(encoding="utf-8"), path.name).value
        unknown = {rule["code"] for rule in pack["rules"]} - set(CONTRACT_8.split())
        assert not unknown, f"{path.name}: {unknown}"
