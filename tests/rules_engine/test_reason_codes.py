"""Every reason code of contract §8 is said by somebody: a rule, the engine, or the rig itself."""

import ast
from pathlib import Path

import pytest

from gatewayd.rigs.findings import BASIS
from rules_engine import engine
from rules_engine.reasons import REASONS
from tests.support.rules import SHIPPED, shipped

CONTRACT = [
    "NO_TAG",
    "UNREADABLE",
    "AMBIGUOUS",
    "CODE_UNKNOWN",
    "CODE_DUPLICATE",
    "TAG_MISMATCH",
    "TAG_FORGED",
    "RETIRED_CODE",
    "NOT_REGISTERED",
    "NOT_OWN",
    "OVERDUE",
    "INSPECTION_FAILED",
    "LIFE_EXCEEDED",
    "SCRAPPED",
    "CANCELLED",
    "NOT_ENABLED",
    "REFURBISHED",
    "SCREW_SHROUD",
    "NO_EMBOSSED_MARK",
    "NO_LICENCE_MAKER",
    "STAMP_BAD",
    "BODY_DEFECT",
    "WRONG_GAS",
    "PRESSURE_CLASS",
    "RESIDUAL",
    "TARE_UNKNOWN",
    "TARE_MISMATCH",
    "NO_PRECHECK",
    "PRECHECK_FAILED",
    "NO_OPERATOR",
    "OPERATOR_CERT",
    "VOUCHER_INVALID",
    "STATION_MISMATCH",
    "REGULATOR_LOCK",
    "FILL_COUNT",
    "ARCHIVE_STALE",
    "REPEAT_FILL",
    "OVERFILL_RISK",
    "CLOCK_UNTRUSTED",
    "DATA_MISSING",
    "RULE_BROKEN",
    "STORE_UNAVAILABLE",
]
NOT_FOR_RULES = frozenset(
    {"NO_TAG", "UNREADABLE", "AMBIGUOUS", "TARE_UNKNOWN", "STORE_UNAVAILABLE"}
    | {"RULE_BROKEN", "CLOCK_UNTRUSTED"}
)
"""What no rule can find out from facts about a cylinder: the rig and the engine say these."""
NOBODY_YET = frozenset({"UNREADABLE"})
"""A reader says of a damaged label that it is noise; a rig sees nothing there, which is NO_TAG."""


def _said_by_rules() -> set[str]:
    return {rule.code for name in SHIPPED for rule in shipped(name).rules}


def _said_by_engine() -> set[str]:
    """The codes that stand in the engine's own text."""
    tree = ast.parse(Path(engine.__file__).read_text(encoding="utf-8"))
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and text in REASONS}


def test_the_reasons_are_those_of_the_contract() -> None:
    assert list(REASONS) == CONTRACT


@pytest.mark.parametrize("code", [c for c in CONTRACT if c not in NOT_FOR_RULES])
def test_a_reason_that_a_rule_can_find_has_a_rule(code: str) -> None:
    assert code in _said_by_rules()


@pytest.mark.parametrize("code", sorted(NOT_FOR_RULES - NOBODY_YET))
def test_a_reason_that_no_rule_can_find_is_said_by_engine_or_rig(code: str) -> None:
    assert code in _said_by_engine() | BASIS.keys()
    assert code not in _said_by_rules()
