"""The running daemon, a clock that the newest record speaks against, and a person who vouches for it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw

from tests.e2e.house import House


def a_day_fast(store: Path) -> None:
    """What a clock leaves behind that was a day fast: a newest record of tomorrow."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="milliseconds")
    connection = apsw.Connection(str(store))
    connection.set_busy_timeout(5_000)
    connection.execute("UPDATE clock SET latest_at = ?", (tomorrow,))
    connection.close()


async def test_nothing_is_filled_by_a_clock_in_doubt_until_somebody_vouches(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        (rig,) = house.station.rigs
        await house.until(lambda: house.newest("clock").get("state") in {"ntp", "gateway"})
        a_day_fast(house.config / "gatewayd.db")
        await house.until(lambda: house.newest("clock").get("state") == "untrusted")
        assert house.newest("clock")["doubt"]["kind"] == "before_last_record"
        rig.bring(house.legal[0])
        await house.rig_state(rig.name, "refused")
        await house.until(lambda: house.refusals() != [])
        (refusal,) = house.refusals()
        assert [each["code"] for each in refusal["verdict"]["findings"]] == ["CLOCK_UNTRUSTED"]
        code, out, err = await house.daemon.say(
            "clock", "accept", "--by", "Li Si", "--reason", "compared with the radio"
        )
        assert code == 0, (out, err)
        await house.until(lambda: house.newest("clock").get("state") != "untrusted")
        rig.take_away()
        await house.rig_state(rig.name, "locked")
        rig.bring(house.legal[1])
        await house.rig_state(rig.name, "permitted")
        events = [each["data"]["code"] for each in house.records("alarm")]
        assert "clock_untrusted" in events
        assert len(house.records("clock")) == 1
