"""What the retained `info` topic says of rule packs: which text, and what a site loosened."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gatewayd.clock import ManualClock
from gatewayd.house import build, info
from gatewayd.settings.load import load
from gatewayd.store.store import Store
from tests.support.configs import RIGS, write_config

OURS = RIGS.replace("rules: [cn-lpg]", "rules: [our-lpg]")
SITE = """\
id: our-lpg
version: "1"
title: {zh: 本站, en: ours}
extends: cn-lpg
override: {rule: overdue, reason: body closed, approved_by: Li Si, until: 2026-12-31}
"""


@pytest.mark.parametrize(
    ("wall", "counts"), [("2026-12-31T15:59", True), ("2026-12-31T16:00", False)]
)
async def test_a_platform_reads_whether_an_override_counts_today(
    tmp_path: Path, wall: str, *, counts: bool
) -> None:
    """At four in the afternoon, UTC, the next day begins at the station."""
    site = write_config(tmp_path, {"rules/own.yaml": SITE, "rigs/all.yaml": OURS})
    settings = load(site)
    clock = ManualClock(datetime.fromisoformat(wall).replace(tzinfo=UTC))
    zone = ZoneInfo(settings.station.timezone)
    store = Store.open(settings.store_path, station_id=settings.station.id, zone=zone, clock=clock)
    (pack,) = info(build(settings, store, clock))["packs"]
    await store.close()
    (override,) = pack["overrides"]
    assert (override["rule"], override["until"], override["applied"]) == (
        "overdue",
        "2026-12-31",
        counts,
    )
