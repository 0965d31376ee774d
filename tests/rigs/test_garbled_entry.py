"""A changed byte in the archive: that cylinder is not filled, the log says why, and others are."""

from pathlib import Path

import apsw
import pytest

from gatewayd.errors import StoreError
from tests.rigs.bench import LEGAL, OTHER
from tests.rigs.desk import Desk, at_desk


def _garble(desk: Desk, sql: str, *values: str) -> None:
    connection = apsw.Connection(str(desk.store.path))
    connection.execute(sql, values)
    connection.close()


async def test_an_entry_that_cannot_be_read_stops_its_cylinder_alone(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        _garble(desk, "UPDATE cylinders SET made_on = 'noon' WHERE code = ?", LEGAL.code)
        await desk.bring()
        await desk.phase("fault")
        assert desk.rig.state.fault == "store", "not a bug of the program"
        with pytest.raises(StoreError, match=f"{LEGAL.code}.*import it again"):
            desk.store.cylinder(LEGAL.code)
        await desk.bring(OTHER.tag_uids[0])
        await desk.phase("permitted")
        await desk.store.import_cylinders([LEGAL], replace=False)
        await desk.bring()
        await desk.phase("permitted")


@pytest.mark.parametrize(
    ("sql", "asked"),
    [
        ("INSERT INTO lives (code, filled_at) VALUES ('c', 'noon')", "life"),
        ("INSERT INTO retired VALUES ('code', 'c', 'c', 'lost', 'noon', NULL, NULL)", "retired"),
    ],
)
async def test_what_is_known_of_a_cylinder_and_makes_no_sense_is_no_bug(
    tmp_path: Path, sql: str, asked: str
) -> None:
    async with at_desk(tmp_path) as desk:
        _garble(desk, sql)
        with pytest.raises(StoreError, match=r"cylinder c cannot be read .*restore"):
            desk.store.life("c") if asked == "life" else desk.store.retired("code", "c")
