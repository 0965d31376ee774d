"""`make soak` as a test runs it."""

import json
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.soak.ear import PROGRAM
from tests.soak.main import main
from tests.support.brokers import MOSQUITTO

SEED = "7"
HANGS_S = 900
"""Ends a soak that hangs. A short one takes a minute, and four where a start takes one."""
needs_brokers = pytest.mark.skipif(
    MOSQUITTO is None or PROGRAM is None,
    reason="no mosquitto, mosquitto_sub (Debian packages: mosquitto, mosquitto-clients)",
)


def soaked(directory: Path, *words: str) -> dict[str, dict[str, Any]]:
    """Run it; what each group counted, by the group's name. Every promise held."""
    file = directory / "numbers.json"
    before = structlog.get_config()
    try:
        code = main(["--seed", SEED, "--rigs", "1", "--json", str(file), *words])
    finally:
        structlog.configure(**before)  # It quietens the log of its process, which is ours here.
    groups = json.loads(file.read_text(encoding="utf-8"))["groups"]
    assert [each["wrong"] for each in groups] == [[]] * len(groups)
    assert code == 0
    return {each["group"]: each for each in groups}
