"""One text a kind: complete, in both languages, and no kind raised that has none."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import gatewayd
from gatewayd.alarms.catalogue import KINDS
from gatewayd.alarms.kinds import Kind

SOURCES = Path(gatewayd.__file__).parent
CALL = r"""(?:raise_|raised|alarm|Alarm|clear|cleared|stands)\(\s*"""
RAISED = re.compile(CALL + r"""\"([a-z_]+)",""")
BY_NAME = re.compile(CALL + r"([A-Z_]+),")
"""A kind that has a name in the code."""


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_kind_says_what_why_and_what_to_do_in_both_languages(kind: Kind) -> None:
    assert re.fullmatch(r"[a-z_]+", kind.name)
    for text in (kind.title, kind.cause, kind.todo):
        assert any("一" <= char <= "鿿" for char in text.zh), text
        assert text.en
        assert text.en.isascii()
        assert not text.zh.endswith("。"), "sentences are joined"
        assert not text.en.endswith(".")
    assert kind.message()["zh"].startswith(kind.title.zh)


def test_what_anybody_raises_is_in_the_catalogue() -> None:
    raised = {
        name
        for file in SOURCES.rglob("*.py")
        for name in RAISED.findall(file.read_text(encoding="utf-8"))
    }
    assert "open_without_permit" in raised
    assert raised <= KINDS.keys()


def test_what_is_raised_by_a_name_is_in_the_catalogue() -> None:
    raised = {
        getattr(
            import_module(".".join(file.relative_to(SOURCES.parent).with_suffix("").parts)), name
        )
        for file in SOURCES.rglob("*.py")
        for name in BY_NAME.findall(file.read_text(encoding="utf-8"))
    }
    assert {"overfilled", "gate_not_closed", "clock_untrusted"} <= raised
    assert raised <= KINDS.keys()


def test_the_readme_names_every_kind() -> None:
    told = (
        (SOURCES / "README.md")
        .read_text(encoding="utf-8")
        .split("\n## Alarms")[1]
        .split("\n## ")[0]
    )
    assert KINDS.keys() <= set(re.findall("[a-z_]+", told))


def test_what_happened_is_answered_for_and_a_state_is_over_by_itself() -> None:
    assert {kind.name for kind in KINDS.values() if kind.every} <= {
        kind.name for kind in KINDS.values() if not kind.lasts
    }
