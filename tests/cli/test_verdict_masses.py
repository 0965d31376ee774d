"""`gatewayd verdict` shows the masses of a fill, and judges later stages by the last one."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from tests.rigs.bench import LEGAL
from tests.rigs.desk import at_desk
from tests.rigs.test_after import ALLOWED_G, SAFE_G, TARE_G, fill
from tests.support.configs import GATEWAY, write_config

AT = ("--at", "2026-08-01T12:30:00+08:00")
TARE = ("--set", f"scale.tare_g={TARE_G}")


def verdict(site: Path, *words: str) -> Result:
    asked = ("--rig", "rig-1", "--code", LEGAL.code, *AT)
    return CliRunner().invoke(main, ["verdict", "-c", str(site), *asked, *words])


def told(site: Path, *words: str) -> tuple[str, Any, list[str]]:
    """Decision, masses and reasons."""
    found = json.loads(verdict(site, *words, "--json").stdout)
    return found["decision"], found["masses"], [each["code"] for each in found["findings"]]


@asynccontextmanager
async def filled(folder: Path, grams: int) -> AsyncIterator[Path]:
    """A station whose rig has filled the legal cylinder once."""
    gateway = GATEWAY.replace("media:", 'region: "370100", media:')
    site = write_config(folder, {"gateway.yaml": gateway})
    async with at_desk(folder) as desk:
        await fill(desk, grams)
        yield site


async def test_a_weighed_cylinder_gets_its_target_and_limit(tmp_path: Path) -> None:
    async with filled(tmp_path, 1_000) as site:
        plan = {"tare_g": TARE_G, "residual_g": 100, "target_g": SAFE_G}
        assert told(site, *TARE) == ("allow", {**plan, "limit_gross_g": TARE_G + ALLOWED_G}, [])
        assert told(site) == ("allow", None, [])
        assert f"target net {SAFE_G} g" in verdict(site, *TARE, "--lang", "en").stdout
        assert f"目标净重 {SAFE_G} g" in verdict(site, *TARE, "--lang", "zh").stdout
        assert "scale.tare_g=" in verdict(site, "--lang", "en").stdout
        heavy = ("--set", f"scale.tare_g={16_500 + ALLOWED_G}")
        assert told(site, *heavy)[:2] == ("deny", None)


@pytest.mark.parametrize(
    ("grams", "decision"), [(SAFE_G, "allow"), (SAFE_G + 50, "allow"), (SAFE_G + 101, "deny")]
)
async def test_stages_behind_the_start_are_judged_by_the_last_fill(
    tmp_path: Path, grams: int, decision: str
) -> None:
    """What the rig said of this fill the command says too, and so does the gate of the station."""
    async with filled(tmp_path, grams) as site:
        net_g = SAFE_G if decision == "allow" else grams
        weighed = {"net_g": net_g, "tare_g": TARE_G, "gross_g": TARE_G + grams}
        for stage in ("fill", "postfill"):
            assert told(site, "--stage", stage)[:2] == (decision, weighed), stage
        leaves = told(site, "--stage", "dispatch")
        assert leaves[:2] == (decision, {"net_g": net_g, "tare_g": None, "gross_g": None})
        other = told(site, "--stage", "dispatch", "--set", f"scale.net_g={ALLOWED_G + 1}")
        assert "OVERFILL_RISK" in other[2]


async def test_a_cylinder_that_was_never_filled_has_no_masses(tmp_path: Path) -> None:
    site = write_config(tmp_path)
    async with at_desk(tmp_path):
        for stage in ("fill", "postfill", "dispatch"):
            assert told(site, "--stage", stage) == ("deny", None, ["DATA_MISSING"])
