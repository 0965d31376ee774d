"""A bug that comes again with every reading floods neither log nor board."""

from pathlib import Path

from gatewayd.bugs import MET_AGAIN_S, Bugs
from tests.alarms.control_room import control_room


class Slip(Exception):  # noqa: N818 - a bug has no ending
    """What nobody thought of."""


async def test_a_bug_that_comes_with_every_reading_is_told_now_and_then(tmp_path: Path) -> None:
    """Five thousand tags a second would be as many tracebacks, and as many pictures of an alarm."""
    async with control_room(tmp_path) as room:
        bugs = Bugs(room.alarms, room.clock)
        for second in range(3):
            for _ in range(500):
                bugs.met(None, "gun-1", Slip("of a tag"))
            bugs.met(None, "gun-1", ValueError("another one"))
            bugs.met(None, "gun-2", Slip("of a tag"))
            assert len(bugs.caught) == 3 * (second + 1), "each that is logged is caught"
            room.clock.advance(seconds=MET_AGAIN_S)
        (one,) = [each for each in room.alarms.standing if each.subject == "gun-1"]
        assert one.count == 6
