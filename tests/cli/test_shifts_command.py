"""`gatewayd shifts` fits a terminal of 80 columns, says what does not agree, and speaks both languages."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.clock import SystemClock
from gatewayd.ids import new_id
from gatewayd.settings.load import load
from gatewayd.store.model import RecordDraft
from gatewayd.store.store import Store
from tests.support.configs import write_config

COLUMNS_MAX = 80
RIG = "filling-hall-2-rig-14"


def shifts(directory: Path, *words: str) -> Result:
    result = CliRunner().invoke(main, ["shifts", "-c", str(directory), *words])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
async def station(tmp_path: Path) -> Path:
    """Two shifts of one rig: one that adds up and one at the end of what a totaliser can say."""
    directory = write_config(tmp_path)
    clock = SystemClock()
    store = Store.open(
        load(directory).store_path,
        station_id="3701000042",
        zone=ZoneInfo("Asia/Shanghai"),
        clock=clock,
    )
    for day, more_g in ((1, 0), (2, 2_147_483_000)):
        data = {
            "rig_id": RIG,
            "from": f"2026-08-0{day}T20:00:00+08:00",
            "to": f"2026-08-0{day + 1}T08:00:00+08:00",
            "fills": 1_000,
            "net_g": 14_500_000,
            "flowed_g": 14_500_000 + more_g,
            "difference_g": more_g,
            "limit_g": 20_000,
            "agrees": not more_g,
        }
        draft = RecordDraft(new_id(), "reconciliation", RIG, clock.wall(), data)
        await store.append(draft)
    await store.close()
    return directory


async def test_it_fits_the_terminal_and_no_number_is_cut(station: Path) -> None:
    lines = shifts(station, "--lang", "en").stdout.splitlines()
    assert max(map(len, lines)) <= COLUMNS_MAX
    assert lines[0] == f"  {RIG}  2026-08-01 20:00 - 2026-08-02 08:00  1000 fills"
    assert lines[2].startswith(f"! {RIG}")
    for number in ("14500000", "2161983000", "2147483000", "20000"):
        assert number in lines[3]


async def test_it_speaks_chinese(station: Path) -> None:
    result = shifts(station, "--lang", "zh")
    assert "累计量 14500000" in result.stdout
    assert "共 2 班" in result.stderr
