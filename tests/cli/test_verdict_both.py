"""`gatewayd verdict` for a rig that asks for tag and printed code says what the rig would."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatewayd.cli.root import main
from gatewayd.store.beside import import_cylinders
from tests.rigs.bench import LEGAL, OTHER, OTHER_UID, UID
from tests.support.configs import RIGS, write_config

BOTH = RIGS.replace("{device: qr-1}", "{device: qr-1, require: true}").replace(
    "antenna: 1}", "antenna: 1, require: true}"
)


@pytest.mark.parametrize(
    ("rig", "code", "uid", "expected"),
    [
        ("rig-1", LEGAL.code, UID, []),
        ("rig-1", LEGAL.code, OTHER_UID, ["TAG_MISMATCH"]),
        ("rig-1", LEGAL.code, "FFFF", ["TAG_MISMATCH"]),
        ("rig-1", "0110109999", UID, ["TAG_MISMATCH"]),
        ("rig-1", "0110109999", "FFFF", ["CODE_UNKNOWN"]),
        ("rig-2", LEGAL.code, OTHER_UID, ["AMBIGUOUS"]),
        ("rig-2", "0110109999", "FFFF", ["CODE_UNKNOWN"]),
    ],
)
def test_a_rig_that_asks_for_both_compares_them(
    tmp_path: Path, rig: str, code: str, uid: str, expected: list[str]
) -> None:
    site = write_config(tmp_path, {"rigs/all.yaml": BOTH})
    import_cylinders(
        tmp_path / "gatewayd.db", (LEGAL, OTHER), station_id="3701000042", replace=False
    )
    words = ("verdict", "-c", str(site), "--rig", rig, "--code", code, "--uid", uid)
    got = CliRunner().invoke(main, [*words, "--at", "2026-08-01", "--json"])
    assert [found["code"] for found in json.loads(got.stdout)["findings"]] == expected
    assert got.exit_code == (1 if expected else 0)
