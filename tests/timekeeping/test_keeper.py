"""A clock over a real store: what is believed, what is not, and what makes it right again."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from gatewayd.ids import new_id
from gatewayd.settings.model import ClockSettings
from gatewayd.store import beside
from gatewayd.store.chain import Issuer
from gatewayd.store.model import RecordDraft
from tests.support.stores import STATION, ZONE, chain_breaks
from tests.timekeeping.machine import BUILT, NOON, Machine, Site, site

DAY_S = 86_400


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Site]:
    made = site(tmp_path)
    yield made
    await made.store.close()


async def vouch(here: Site) -> None:
    data = {"station_id": STATION, "event": "accepted", "by": "Li", "reason": "radio"}
    draft = RecordDraft(new_id(), "clock", "", here.machine.wall(), data)
    beside.vouch_for_clock(here.store.path, draft, issuer=Issuer(STATION, ZONE))


async def test_a_site_without_a_network_is_believed_as_long_as_nothing_speaks_against_it(
    here: Site,
) -> None:
    assert await here.look() == "gateway"
    here.machine.ntp = None
    assert await here.look() == "gateway"
    here.machine.ntp = True
    assert await here.look() == "ntp"


async def test_where_a_time_server_is_required_nothing_else_will_do(here: Site) -> None:
    here.restart(ClockSettings(require_ntp=True))
    assert await here.look() == "not_synchronised"
    here.machine.ntp = True
    assert await here.look() == "ntp"


async def test_a_dead_battery_is_noticed_and_setting_the_clock_is_enough(tmp_path: Path) -> None:
    here = site(tmp_path, Machine(datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC)))
    assert await here.look() == "before_build"
    here.machine.pass_(60)
    assert await here.look() == "before_build"
    here.machine.set_to(NOON)
    assert await here.look() == "gateway", "a step out of a time that is over puts it right"
    await here.store.close()


async def test_a_clock_that_went_back_behind_the_records_is_noticed_at_the_next_start(
    here: Site,
) -> None:
    await here.record()
    here.machine.set_by(-3_600)
    here.restart()
    assert await here.look() == "before_last_record"
    here.machine.set_by(3_600)
    assert await here.look() == "gateway"


@pytest.mark.parametrize("step_s", [DAY_S, -DAY_S, 121, -121])
async def test_a_clock_that_is_set_is_in_doubt_over_restarts_until_it_is_set_back(
    here: Site, step_s: float
) -> None:
    await here.look()
    here.machine.set_by(step_s)
    assert await here.look() == "jumped"
    here.machine.pass_(10 * DAY_S)
    here.restart()
    assert await here.look() == "jumped", "a restart makes no clock right"
    here.machine.set_by(-step_s)
    assert await here.look() == "gateway"


async def test_many_small_steps_are_one_large_one(here: Site) -> None:
    for _ in range(4):
        here.machine.set_by(30)
        here.machine.pass_(5)
        assert await here.look() == "gateway"
    here.machine.set_by(30)
    assert await here.look() == "jumped"


async def test_a_judgement_notices_a_step_before_anybody_looked(here: Site) -> None:
    await here.look()
    here.machine.set_by(DAY_S)
    found = here.keeper.look().doubt
    assert found is not None
    assert (found.kind, found.against) == ("jumped", "+86400 s")


async def test_a_time_server_that_corrects_the_clock_is_believed(here: Site) -> None:
    await here.look()
    here.machine.set_by(1_200)
    here.machine.ntp = True
    found = here.keeper.look()
    assert (found.doubt, found.quality) == (None, "ntp"), "at once: nobody is refused for it"


async def test_a_time_server_that_comes_later_clears_the_doubt(here: Site) -> None:
    await here.look()
    here.machine.set_by(1_200)
    assert await here.look() == "jumped"
    here.machine.ntp = True
    assert await here.look() == "ntp"
    here.machine.ntp = False
    assert await here.look() == "gateway"


async def test_a_clock_set_by_hand_is_in_doubt_although_a_time_server_kept_it(here: Site) -> None:
    here.machine.ntp = True
    assert await here.look() == "ntp"
    here.machine.set_by(DAY_S)
    here.machine.ntp = False
    assert await here.look() == "jumped"


async def test_a_person_may_vouch_for_it_while_the_daemon_runs(here: Site) -> None:
    await here.record()
    here.machine.set_by(-DAY_S)
    assert await here.look() == "before_last_record"
    await vouch(here)
    assert await here.look() == "gateway"
    (*_, record) = here.store.records()
    assert '"by":"Li"' in record.body
    assert chain_breaks(here.store) == []
    here.machine.set_by(-DAY_S)
    assert await here.look() == "before_last_record", "only what was before is forgotten"


async def test_nobody_can_vouch_for_a_time_before_the_program(tmp_path: Path) -> None:
    here = site(tmp_path, Machine(datetime(2000, 1, 1, tzinfo=UTC)))
    await vouch(here)
    assert await here.look() == "before_build"
    await here.store.close()


async def test_what_was_written_in_doubt_is_no_measure(here: Site) -> None:
    """Refusals of a wrong year must not speak against the right one."""
    await here.look()
    await here.record()
    here.machine.set_by(365 * DAY_S)
    assert await here.look() == "jumped"
    await here.record()
    assert here.store.clock_mark().latest_at == NOON
    here.machine.set_by(-365 * DAY_S)
    assert await here.look() == "gateway"


async def test_a_suspend_is_no_jump(here: Site) -> None:
    await here.look()
    here.machine.pass_(30 * DAY_S)
    assert await here.look() == "gateway"


async def test_a_store_that_cannot_be_read_proves_no_clock(here: Site) -> None:
    await here.store.close()
    here.keeper.refresh()
    found = here.keeper.look().doubt
    assert found is not None
    assert found.kind == "unreadable"


async def test_any_history_believes_no_time_that_is_over(tmp_path: Path) -> None:
    """Random lives against the promise itself; seeded, so that a failure comes again."""
    for seed in range(8):
        dice = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        here, newest = site(folder), None
        for _ in range(40):
            here.machine.ntp = dice.choice([True, False, None])
            match dice.randrange(5):
                case 0:
                    here.machine.set_by(dice.choice([-1, 1]) * 10 ** dice.uniform(0, 7))
                case 1:
                    here.restart()
                case _:
                    here.machine.pass_(dice.uniform(0, 1_000))
            said, now = await here.look(), here.machine.wall()
            if said in {"ntp", "gateway"}:
                assert now.date() >= BUILT, (seed, said)
                assert newest is None or now >= newest - timedelta(seconds=120), (seed, said)
                await here.record()
                newest = now if newest is None else max(now, newest)
            else:
                await here.record()
        await here.store.close()
