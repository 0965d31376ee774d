"""The soak itself, short and with a seed: a few kills."""

from pathlib import Path

import pytest

from tests.soak.shortly import HANGS_S, needs_brokers, soaked

KILLS = 4


@pytest.mark.e2e
@needs_brokers
@pytest.mark.timeout(HANGS_S)
def test_kills_lose_nothing(tmp_path: Path) -> None:
    counts = soaked(tmp_path, "--only", "kills", "--kills", str(KILLS))["kills"]["counts"]
    assert counts["kills"] == KILLS
    assert counts["records"] > 0
    assert counts["records lost upstream"] == 0
