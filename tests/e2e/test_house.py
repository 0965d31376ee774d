"""The house itself: a daemon that ends by itself ends every wait for it, with its last words."""

from pathlib import Path

import pytest

from tests.e2e.house import House

pytestmark = pytest.mark.e2e


async def test_a_daemon_that_dies_at_its_start_is_not_waited_for(tmp_path: Path) -> None:
    async with House(tmp_path, start=False) as house:
        with (house.config / "gateway.yaml").open("a") as file:
            file.write("statoin: {}\n")
        await house.daemon.start()
        with pytest.raises(AssertionError, match=r"ended by itself with 1\b") as failed:
            await house.ready()
        assert "did you mean" in str(failed.value)
        assert "waited 2.0 s in vain" in str(failed.value)


async def test_what_a_daemon_said_before_it_ended_still_arrives(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        assert house.daemon.process is not None
        house.daemon.process.terminate()
        await house.until(lambda: house.newest("status").get("state") == "offline")
        assert await house.daemon.ended() == 0
