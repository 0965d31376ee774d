"""Each shipped pack permits, at a rig, a cylinder that its archive entry describes fully.

And it names what it lacks when a column that it needs is not there.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatewayd.archive import sheet, table
from gatewayd.clock import ManualClock
from gatewayd.rigs.assess import Bench
from gatewayd.store import beside
from gatewayd.store.staging import Staging
from tests.rigs.bench import RIG, STATION
from tests.rigs.desk import START, ScriptedGate, living, open_store
from tests.support.rules import shipped

BASE = {
    "code": "3701000110100009",
    "tag_uids": "E2806809",
    "owner": "3701000042",
    "stamped_tare_g": "16500",
    "allowed_net_g": "6000",
    "water_capacity_ml": "40000",
    "made_on": "2022-01-01",
    "design_life_years": "15",
    "last_inspection_on": "2025-01-01",
    "next_inspection_on": "2027-01",
    "inspection_result": "passed",
    "status": "in_use",
    "registered": "true",
    "maker_licensed": "true",
}
PRESSED = {"medium": "O2", "kind": "seamless", "working_pressure_kpa": "15000"}


@dataclass(frozen=True, slots=True)
class Case:
    """A pack, the gas of the rig, a whole entry, and the column whose absence must deny."""

    pack: str
    medium: str
    columns: dict[str, str]
    needed: str


CASES = (
    Case("cn-industrial", "O2", PRESSED, "working_pressure_kpa"),
    Case("cn-industrial", "CO2", {"medium": "CO2", "kind": "seamless"}, "medium"),
    Case(
        "cn-vehicle",
        "CNG",
        PRESSED | {"medium": "CNG", "kind": "composite", "taxi": "false"},
        "working_pressure_kpa",
    ),
    Case("eu-adr", "O2", PRESSED, "medium"),
    Case("us-dot", "O2", PRESSED, "medium"),
    Case("cn-lpg", "LPG", {"medium": "LPG"}, "medium"),
)


def _import(path: Path, columns: Mapping[str, str]) -> None:
    """The way of `gatewayd import`: a CSV file with the columns of this cylinder, and no other."""
    text = "\n".join((",".join(columns), ",".join(columns.values()))) + "\n"
    with Staging.open(path) as staging:
        table.stage(sheet.sheet(io.BytesIO(text.encode()), "a.csv"), staging)
        options = beside.ImportOptions(STATION.id, replace=False)
        beside.import_staged(staging, options, clock=ManualClock(START))


def _bench(case: Case) -> Bench:
    settings = RIG.model_copy(update={"medium": case.medium, "fill_pressure_kpa": 15_000})
    return Bench("rig-1", settings, STATION, (shipped(case.pack),))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.pack}-{case.medium}")
async def test_a_fully_described_cylinder_is_permitted(case: Case, tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    _import(store.path, BASE | case.columns)
    gate = ScriptedGate()
    async with living(store, clock, gate, at=_bench(case)) as desk:
        await desk.bring("E2806809")
        await desk.phase("permitted")
        gate.start()
        gate.flow(5_900)
        gate.end()
        await desk.until(lambda: "completed" in desk.kinds())
        (fill,) = (r for r in desk.records() if r["type"] == "gatewayd.fill.v1")
        judged = fill["data"]["cylinder"]
        assert {n: str(judged[n]).lower() for n in case.columns} == {
            n: v.lower() for n, v in case.columns.items()
        }
        assert fill["data"]["verdict"]["packs"][0]["id"] == case.pack
    await store.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.pack}-{case.medium}")
async def test_without_a_needed_column_it_is_refused(case: Case, tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    _import(store.path, {n: v for n, v in (BASE | case.columns).items() if n != case.needed})
    gate = ScriptedGate()
    async with living(store, clock, gate, at=_bench(case)) as desk:
        await desk.bring("E2806809")
        await desk.until(lambda: "refusal" in desk.kinds())
        (refusal,) = desk.records()
        found = refusal["data"]["verdict"]["findings"]
        missing = {f["values"].get("missing") for f in found if f["code"] == "DATA_MISSING"}
        assert f"cylinder.{case.needed}" in missing
        assert gate.orders == []
    await store.close()
