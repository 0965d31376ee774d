"""What a device heard and could not read: told where nobody was named, and never of a neighbour."""

from dataclasses import replace
from pathlib import Path

import pytest

from drivers.contract import CodeRead, TagRead
from drivers.readings import Unread
from gatewayd.clock import SECOND
from gatewayd.rigs.presence import UNREAD_FROM_MS, Presence
from gatewayd.settings.model import RigSettings
from tests.rigs.bench import QUIET, RIG, UID, standing
from tests.rigs.desk import Desk, at_desk

BOTH = RigSettings.model_validate_json(
    '{"medium": "LPG", "identify": [{"device": "qr-1"}, {"device": "gun-1", "require": true}],'
    '"scale": "g", "gate": "g", "rules": ["cn-lpg"]}'
)
CAME_S = 2.0
FIRST_S = CAME_S + UNREAD_FROM_MS / 1000


def unread(at_s: float, device: str = "gun-1", raw: bytes = b"\x05\x00\xee") -> Unread:
    return Unread(device, round(at_s * SECOND), "bad CRC", raw)


def came(rig: RigSettings = RIG) -> Presence:
    """A cylinder that came two seconds after the start, at a scale that was watched."""
    presence = Presence(rig)
    presence.weigh(replace(QUIET, at_ns=round((CAME_S - 0.1) * SECOND)))
    presence.weigh(standing(at_ns=round(CAME_S * SECOND)))
    return presence


@pytest.mark.parametrize(
    ("at_s", "counts"),
    [(CAME_S - 0.1, False), (CAME_S, False), (FIRST_S - 0.001, False), (FIRST_S, True)],
)
def test_what_may_be_of_the_cylinder_before_does_not_count(at_s: float, *, counts: bool) -> None:
    presence = came()
    assert presence.heard(unread(at_s)) == counts
    assert (presence.unread() is not None) == counts


def test_with_nobody_there_it_is_of_nobody() -> None:
    presence = Presence(RIG)
    assert not presence.heard(unread(1))
    presence.weigh(replace(QUIET, at_ns=SECOND))
    assert not presence.heard(unread(9))
    presence.weigh(standing(at_ns=10 * SECOND))
    assert presence.unread() is None


def test_it_goes_with_its_cylinder_with_the_gate_and_with_doubt() -> None:
    for end in ("leaves", "lost", "doubt"):
        presence = came()
        presence.heard(unread(4))
        if end == "leaves":
            presence.weigh(replace(QUIET, at_ns=5 * SECOND))
            presence.weigh(standing(at_ns=6 * SECOND))
        elif end == "lost":
            presence.lose()
            presence.weigh(standing(at_ns=6 * SECOND))
        else:
            presence.doubt(6 * SECOND)
            assert not presence.heard(unread(6.2)), "it may have waited in a buffer"
        assert presence.unread() is None, end


def test_the_longest_is_kept_and_what_is_required_is_told_first() -> None:
    presence = came(RIG)
    assert presence.heard(unread(4, "qr-1", b"N"))
    assert presence.heard(unread(4, "qr-1", b"NOREAD\r"))
    assert not presence.heard(unread(5, "qr-1", b"ERROR\r")), "no news"
    told = presence.unread()
    assert told is not None
    assert (told.device, told.shown()) == ("qr-1", "NOREAD")
    presence.heard(unread(5))
    told = presence.unread()
    assert told is not None
    assert (told.device, told.shown()) == ("gun-1", "0500ee")


def test_a_device_that_was_read_after_all_has_nothing_to_tell() -> None:
    presence = came(BOTH)
    presence.heard(unread(4))
    presence.saw(TagRead("gun-1", UID, 1, None, 5 * SECOND))
    assert presence.unread() is None
    presence.heard(unread(6, "qr-1"))
    presence.saw(CodeRead("qr-1", "3701000110100001", 7 * SECOND))
    assert presence.unread() is None


def test_a_device_of_another_purpose_says_nothing_about_the_tag() -> None:
    presence = came()
    assert not presence.heard(unread(4, "gate-1"))
    assert presence.unread() is None


async def waits(desk: Desk, seconds: float) -> None:
    for _ in range(round(seconds / 0.1)):
        await desk.look()


async def stands_unnamed(desk: Desk) -> None:
    """A cylinder on the scale whose tag nobody reads, and all its past is over."""
    await desk.bring()
    desk.tags = []
    await waits(desk, 1.2)


def garbled(desk: Desk) -> None:
    desk.rig.take(Unread("gun-1", desk.clock.monotonic_ns(), "bad CRC", b"\x05\x00\xee"))


async def test_it_is_refused_shown_and_recorded_with_what_was_seen(tmp_path: Path) -> None:
    async with at_desk(tmp_path, identify_within_s=3) as desk:
        await stands_unnamed(desk)
        garbled(desk)
        await waits(desk, 0.5)
        assert desk.rig.state.phase == "identifying", "it may still be read"
        await desk.phase("refused")
        await desk.look()
        (found,) = desk.picture()["findings"]
        (record,) = desk.records()
        assert record["data"]["verdict"]["findings"] == [found]
    assert (found["code"], found["severity"]) == ("UNREADABLE", "deny")
    assert found["values"] == {
        "device": "gun-1",
        "seen": "0500ee",
        "why": "bad CRC",
        "raw_hex": "0500ee",
    }
    assert "gun-1" in found["message"]["zh"]
    assert "0500ee" in found["message"]["en"]
    assert found["basis"]


async def test_a_tag_that_is_read_in_time_is_judged_as_ever(tmp_path: Path) -> None:
    async with at_desk(tmp_path, identify_within_s=3) as desk:
        await stands_unnamed(desk)
        garbled(desk)
        desk.tags = [UID]
        await desk.phase("permitted")
        garbled(desk)
        await waits(desk, 1)
        assert desk.rig.state.phase == "permitted", "an identity stands"


async def test_the_next_cylinder_is_not_called_unreadable_for_the_last_one(tmp_path: Path) -> None:
    async with at_desk(tmp_path, identify_within_s=3) as desk:
        for heard in (True, False):
            await stands_unnamed(desk)
            if heard:
                garbled(desk)
            await desk.phase("refused")
            desk.gate.leave()
            await desk.phase("locked")
        said = [each["data"]["verdict"]["findings"][0]["code"] for each in desk.records()]
        assert said == ["UNREADABLE", "NO_TAG"]
