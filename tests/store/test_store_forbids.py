"""A damaged store that has lost what says that something may not be filled."""

from pathlib import Path

import pytest

from tests.support.damage import Made, garbled, pages, reopen, run_make


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return run_make(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("group", ["alarms", "checks"])
async def test_without_what_forbids_a_fill_every_rig_is_locked(
    made: Made, tmp_path: Path, group: str
) -> None:
    """A cylinder that holds too much, or failed its check, is known by nothing else."""
    page = pages(made.path)[group, "leaf"][0]
    garbled(made.copy_to(tmp_path / "x"), page)
    store = reopen(tmp_path / "x")
    (alarm,) = (a for a in store.alarms(standing=True) if a.kind == "store_damaged")
    assert alarm.values["not_taken_over"] == [group]
    locks = {lock.rig_id: lock.reason for lock in store.rig_locks()}
    assert sorted(locks) == ["rig-1", "rig-2"]
    assert locks["rig-2"] == f"hose; {locks['rig-1']}", "who mends the hose has not looked"
    await store.close()
