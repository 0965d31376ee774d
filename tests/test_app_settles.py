"""The start of the house: what only gives advice never ends it."""

import subprocess
import sys
from pathlib import Path

from tests.bench import house

CHILD = """
import asyncio, sys
from pathlib import Path
from gatewayd.app import _settle_in
from gatewayd.settings.load import load
sys.modules["llrpkit"] = None
asyncio.run(_settle_in(load(Path(sys.argv[1]))))
from protocols.diagnose import diagnose
assert diagnose(bytes.fromhex("1500010301010ce280689400005005b22108614d2f50") * 2, "m100_bb").kind == "other_format"
"""


def test_a_codec_that_cannot_be_imported_costs_neither_the_daemon_nor_advice(
    tmp_path: Path,
) -> None:
    house.write_config(tmp_path, '{"plcs": [5020], "scanners": [5021]}', "mqtt://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
