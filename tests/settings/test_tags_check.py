"""A reader that is asked for memory names a layout that is there, that it has, and that is short."""

import json
from pathlib import Path
from typing import Any

import pytest

from gatewayd.settings.load import examine
from tests.support import tag_layouts
from tests.support.configs import DEVICES, write_config

READER = '31:6000"}'


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(devices: str, **layout: Any) -> tuple[list[str], list[str]]:
    """What is wrong, and what is warned of, with the layout `site-tag` changed so."""
    assert devices != DEVICES
    tags = json.dumps({"tags": {tag_layouts.NAME: tag_layouts.settings(**layout)}})
    changes = {"devices/all.yaml": devices, "tags/site.yaml": tags}
    examined = examine(write_config(Path("etc"), changes))
    return [str(each) for each in examined.problems], [str(each) for each in examined.warnings]


def asking(memory: str) -> str:
    return DEVICES.replace(READER, f"{READER}, memory: {memory}")


def test_a_reader_may_name_a_layout() -> None:
    assert found(asking("site-tag")) == ([], [])


def test_a_layout_that_is_not_there_is_named_with_the_nearest() -> None:
    (problem,), _ = found(asking("site-tga"))
    assert "gun-2: tag layout 'site-tga' does not exist" in problem
    assert "did you mean 'site-tag'" in problem


def test_a_layout_that_nobody_saw_on_a_tag_is_warned_of() -> None:
    problems, (warning,) = found(asking("site-tag"), verified=False)
    assert problems == []
    assert "was not seen on a real tag" in warning


def test_a_layout_that_is_longer_than_one_attempt_is_refused() -> None:
    fields = [{"name": "all", "length": 65, "type": "hex"}]
    example = {"hex": "00" * 65, "fields": {"all": "00" * 65}}
    changed: dict[str, Any] = {
        "fields": fields,
        "finding": None,
        "facts": {},
        "examples": [example],
    }
    (problem,), _ = found(asking("site-tag"), **changed)
    assert "has 65 bytes; at most 64" in problem


def test_tags_of_blocks_have_one_memory() -> None:
    reader = "{driver: rfid.pn532, link: {tcp: '127.0.0.1:4001'}, memory: site-tag}"
    lines = [
        f"  gun-2: {reader}" if line.strip().startswith("gun-2:") else line
        for line in DEVICES.splitlines()
    ]
    (problem,), _ = found("\n".join(lines) + "\n", bank="tid")
    assert "one memory, not the bank 'tid'" in problem


def test_a_reader_that_reads_no_memory_has_no_such_key() -> None:
    problems, _ = found(DEVICES.replace('32:6000"}', '32:6000"}, memory: site-tag'))
    assert any("unknown key 'memory'" in problem for problem in problems), problems
