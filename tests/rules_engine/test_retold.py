"""A verdict that a record keeps is the verdict that was made, without any pack."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_engine.engine import judge
from rules_engine.explain import sentences, sources
from rules_engine.retold import text_of, verdict
from rules_engine.verdict import Finding, Message, Override, PackRef, Verdict
from tests.support.rules import LEGAL_FOR, SHIPPED, shipped

TEXT = st.text(max_size=12)
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
VALUES = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers() | TEXT | st.lists(TEXT))
FINDINGS = st.builds(
    Finding,
    TEXT,
    st.sampled_from(["deny", "warn", "observe"]),
    st.builds(Message, TEXT, TEXT),
    TEXT,
    st.sampled_from(["a.x", "b.y", "engine.z", "rig.w"]),
    VALUES,
)
OVERRIDES = st.lists(st.builds(Override, TEXT, TEXT, TEXT, DAYS), max_size=3).map(tuple)
PACKS = st.builds(
    PackRef,
    st.sampled_from("ab"),
    TEXT,
    TEXT,
    st.none() | st.builds(PackRef, st.sampled_from("bc"), TEXT, TEXT),
    OVERRIDES,
    st.none() | DAYS,
)


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    found = tuple(draw(st.lists(FINDINGS, max_size=4)))
    denied = any(each.severity == "deny" for each in found)
    packs = tuple(draw(st.lists(PACKS, max_size=3)))
    return Verdict("deny" if denied else "allow", found, packs)


@given(verdicts())
def test_what_was_written_down_is_told_again_in_the_same_words(made: Verdict) -> None:
    kept = json.loads(json.dumps(made.as_json()))
    told = verdict(kept)
    assert told.as_json() == kept
    for language in ("zh", "en"):
        assert sentences(told, language) == sentences(made, language)
        assert sources(told, language) == sources(made, language)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_finding_names_the_text_it_stands_in(name: str) -> None:
    pack = shipped(name)
    facts = {**LEGAL_FOR[name], "cylinder.status": "scrapped", "cylinder.hold": "h"}
    made = judge((pack,), facts)
    kept = verdict(made.as_json())
    assert {each.code for each in kept.findings} >= {"SCRAPPED", "REGULATOR_LOCK"}
    for each in kept.findings:
        assert text_of(each, kept.packs) == pack.ref
    assert text_of(Finding("X", "deny", Message("", ""), "", "rig.x", {}), kept.packs) is None


def test_a_site_text_and_the_law_under_it_are_told_apart() -> None:
    law = PackRef("law", "1", "aa")
    site = PackRef("site", "7", "bb", extends=law)
    found = [Finding("X", "warn", Message("", ""), "", rule, {}) for rule in ("law.x", "site.y")]
    assert [text_of(each, (site,)) for each in found] == [law, site]


DENY: dict[str, Any] = {
    "code": "X",
    "severity": "deny",
    "message": {"zh": "", "en": ""},
    "basis": "",
    "rule": "",
    "values": {},
}


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"decision": "allow"},
        {"decision": "allow", "findings": [DENY], "packs": []},
        {"decision": "deny", "findings": [], "packs": []},
        {"decision": "maybe", "findings": [], "packs": []},
        {"decision": "deny", "findings": [{**DENY, "message": None}], "packs": []},
        {"decision": "allow", "findings": None, "packs": []},
    ],
)
def test_what_is_no_verdict_is_not_told_as_one(kept: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no verdict|contradicts"):
        verdict(kept)


def test_the_last_day_of_an_override_is_told_as_it_was() -> None:
    until = date(2026, 8, 1)
    for days, applied in ((0, True), (1, False)):
        ref = PackRef(
            "p", "1", "h", None, (Override("r", "w", "b", until),), until + timedelta(days)
        )
        kept = Verdict("allow", (), (ref,)).as_json()
        assert kept["packs"][0]["overrides"][0]["applied"] is applied
        assert verdict(kept).as_json() == kept
