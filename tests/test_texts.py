"""The catalogue of operator texts holds in both languages."""

import string

import pytest

from gatewayd.texts import TEXTS, text


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_every_text_exists_in_both_languages_with_the_same_placeholders(key: str) -> None:
    entry = TEXTS[key]
    assert entry.zh.strip()
    assert entry.en.strip()
    assert placeholders(entry.zh) == placeholders(entry.en)


def test_every_chinese_text_is_chinese_or_a_name_that_is_the_same_everywhere() -> None:
    for key, entry in TEXTS.items():
        assert any("一" <= c <= "鿿" for c in entry.zh) or entry.zh == entry.en, key


def test_a_text_is_filled_in_the_language_asked_for() -> None:
    assert text("rig.locked", "zh") == "已锁定"
    assert text("rig.locked", "en") == "locked"
    assert text("check.problems", "en", count=3) == "3 problems found"


def test_an_unknown_key_is_our_error() -> None:
    with pytest.raises(AssertionError, match="nowhere"):
        text("rig.nowhere", "zh")


def test_every_state_of_the_contract_has_a_word() -> None:
    rig = "locked identifying judging permitted filling settling refused fault"
    device = "connecting up down fault"
    outcome = "completed underfilled overfilled aborted interrupted unauthorised not_started"
    assert {f"rig.{s}" for s in rig.split()} <= TEXTS.keys()
    assert {f"device.{s}" for s in device.split()} <= TEXTS.keys()
    assert {f"outcome.{s}" for s in outcome.split()} <= TEXTS.keys()
