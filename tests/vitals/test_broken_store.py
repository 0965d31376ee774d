"""The whole house: a store that cannot commit silences the watchdogs, one that only waits does not."""

from pathlib import Path

import apsw
import pytest

from gatewayd import house
from gatewayd.clock import ManualClock
from gatewayd.errors import StoreError
from gatewayd.settings.load import load
from gatewayd.vitals import ALIVE_S, Vitals
from tests.support.disks import no_file_grows
from tests.support.stores import NOON, draft, open_store
from tests.support.waiting import until
from tests.vitals.test_told_to_systemd import CONFIG


async def test_a_store_that_fails_silences_the_watchdogs_and_one_that_waits_does_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "gateway.yaml").write_text(CONFIG, encoding="utf-8")
    clock = ManualClock(NOON)
    store = open_store(tmp_path, clock=clock)
    built = house.build(load(tmp_path), store, clock)

    def dead() -> tuple[str, ...]:
        built.alarms.looked_ns = clock.monotonic_ns()
        return Vitals(clock, built.moved).dead()

    other = apsw.Connection(str(tmp_path / "gatewayd.db"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another process"):
        await store.append(draft())
    clock.advance(seconds=ALIVE_S + 1)
    assert dead() == ()
    other.close()
    await until(lambda: store.healthy)
    with no_file_grows():
        with pytest.raises(StoreError, match="check the disk"):
            await store.append(draft(data={"text": "x" * 100_000}))
        clock.advance(seconds=ALIVE_S + 1)
        assert dead() == ("store",)
    await until(lambda: store.healthy)
    assert dead() == ()
    await store.close()
