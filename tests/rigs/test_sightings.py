"""One cylinder is in one place: sightings against a naive reading of everything that happened."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewayd.clock import ManualClock
from gatewayd.rigs.sightings import ENDED_KEPT_MAX, Sightings
from gatewayd.store.passing import Seen

START = datetime(2026, 8, 1, 4, 0, tzinfo=UTC)
RIGS, GATE, DOCK = ("rig-1", "rig-2", "rig-3"), "points/gate", "points/dock"


def _sightings(travel_s: int = 0, unseen_s: int = 60) -> tuple[Sightings, ManualClock]:
    clock = ManualClock(START)
    return Sightings(clock, travel_s=travel_s, unseen_s=unseen_s), clock


def test_one_code_on_two_rigs_at_once_is_told_to_both() -> None:
    seen, _ = _sightings()
    seen.stands("rig-1", "A")
    assert seen.elsewhere("rig-1", "A") is None
    seen.stands("rig-2", "A")
    assert (seen.elsewhere("rig-1", "A"), seen.elsewhere("rig-2", "A")) == ("rig-2", "rig-1")
    seen.empty("rig-2")
    assert seen.elsewhere("rig-1", "A") == "rig-2", "it was in doubt, and still is"
    seen.empty("rig-1")
    seen.stands("rig-1", "A")
    assert seen.elsewhere("rig-1", "A") is None, "it came anew, alone"


def test_a_cylinder_carried_from_rig_to_rig_is_no_duplicate() -> None:
    seen, clock = _sightings()
    seen.stands("rig-1", "A")
    clock.advance(seconds=60)
    seen.empty("rig-1")
    seen.stands("rig-2", "A")
    assert seen.elsewhere("rig-2", "A") is None


@pytest.mark.parametrize(("after_s", "elsewhere"), [(0, "rig-1"), (9.9, "rig-1"), (10, None)])
def test_it_needs_its_time_to_travel_where_the_station_says_so(
    after_s: float, elsewhere: str | None
) -> None:
    seen, clock = _sightings(travel_s=10)
    seen.stands("rig-1", "A")
    seen.empty("rig-1")
    clock.advance(seconds=after_s)
    assert seen.elsewhere("rig-2", "A") == elsewhere
    assert seen.elsewhere("rig-1", "A") is None, "back on the rig it came from"


@pytest.mark.parametrize(("after_s", "elsewhere"), [(59.9, "rig-1"), (60, None)])
def test_a_rig_that_went_blind_keeps_its_cylinder_for_a_while(
    after_s: float, elsewhere: str | None
) -> None:
    seen, clock = _sightings()
    seen.stands("rig-1", "A")
    seen.lost("rig-1")
    clock.advance(seconds=after_s)
    assert seen.elsewhere("rig-2", "A") == elsewhere
    seen.empty("rig-1")
    assert seen.elsewhere("rig-2", "A") is None, "it is seen to be gone"


def test_a_scan_at_a_point_is_told_to_the_rig_where_it_stands() -> None:
    seen, _ = _sightings()
    seen.stands("rig-1", "A")
    seen.passes(GATE, "A")
    assert seen.elsewhere(GATE, "A") == "rig-1"
    assert seen.elsewhere("rig-1", "A") == GATE
    seen.passes(GATE, "B")
    assert seen.elsewhere("rig-2", "B") is None


def test_a_wall_clock_that_is_set_lets_nothing_pass() -> None:
    clock = ManualClock(START)
    seen = Sightings(clock, travel_s=600)
    seen.stands("rig-1", "A")
    seen.empty("rig-1")
    clock._wall += timedelta(days=400)
    assert seen.elsewhere("rig-2", "A") == "rig-1"
    clock._wall -= timedelta(days=800)
    assert seen.elsewhere("rig-2", "A") == "rig-1"


@pytest.mark.parametrize("age_s", [-900_000, 0, 900_000])
def test_after_a_restart_a_rig_keeps_its_last_cylinder_until_it_speaks(age_s: int) -> None:
    seen, clock = _sightings()
    then = START - timedelta(seconds=age_s)
    history = [Seen("B", "rig-1", then), Seen("A", "rig-1", then), Seen("C", "gone-rig", then)]
    seen.remember(history, rigs=RIGS)
    assert seen.elsewhere("rig-2", "A") == "rig-1"
    assert seen.elsewhere("rig-2", "B") is None
    assert seen.elsewhere("rig-2", "C") is None
    clock.advance(seconds=59)
    assert seen.elsewhere("rig-2", "A") == "rig-1"
    seen.empty("rig-1")
    assert seen.elsewhere("rig-2", "A") is None


@pytest.mark.parametrize(("age_s", "elsewhere"), [(-5, GATE), (9, GATE), (10, None)])
def test_after_a_restart_a_scan_counts_unless_it_is_certainly_old(
    age_s: int, elsewhere: str | None
) -> None:
    seen, _ = _sightings(travel_s=10)
    seen.remember([Seen("A", GATE, START - timedelta(seconds=age_s))], rigs=RIGS)
    assert seen.elsewhere("rig-1", "A") == elsewhere


def test_what_has_ended_is_bounded() -> None:
    seen, _ = _sightings(travel_s=600)
    for number in range(ENDED_KEPT_MAX + 5):
        seen.passes(GATE, f"c{number}")
    assert len(seen._ended) == ENDED_KEPT_MAX
    assert seen.elsewhere("rig-1", "c4") is None
    assert seen.elsewhere("rig-1", "c5") == GATE


def test_what_counts_no_more_is_forgotten() -> None:
    seen, clock = _sightings(travel_s=5)
    for number in range(10):
        seen.passes(GATE, f"c{number}")
        clock.advance(seconds=1)
    assert len(seen._ended) == 5


TRAVEL_S, UNSEEN_S = 3, 7


@dataclass
class Naive:
    """Everything that was said, each with its second; answers by reading all of it again."""

    said: list[tuple[int, str, str, str]] = field(default_factory=list)

    def elsewhere(self, now_s: int, place: str, code: str) -> bool:
        others = {*RIGS, GATE, DOCK} - {place}
        return self._doubted(place, code) or any(self._there(now_s, o, code) for o in others)

    def _there(self, now_s: int, place: str, code: str) -> bool:
        """Whether it may be there: it stands, or it ended too short a while ago."""
        if place.startswith("points/"):
            scans = [s for s, p, kind, c in self.said if (p, kind, c) == (place, "scan", code)]
            return bool(scans) and now_s - scans[-1] < TRAVEL_S
        standing, until, blind = "", -1, ""
        for second, its_place, kind, its_code in self.said:
            if its_place != place:
                continue
            if kind == "lost":
                if standing:
                    blind = standing
                    until = second + UNSEEN_S if blind == code else until
                standing = ""
                continue
            if code in (standing, blind) and its_code != code:
                gone_blind = blind == code and standing != code
                until = second + TRAVEL_S if not (gone_blind and second >= until) else until
            if its_code == code and blind == code:
                until = -1
            standing, blind = its_code, ""
        return standing == code or now_s < until

    def _doubted(self, place: str, code: str) -> bool:
        """Whether while it stood here another place had it too."""
        standing: dict[str, str] = {}
        doubted = False
        for _, its_place, kind, its_code in self.said:
            if kind == "scan":
                doubted = doubted or (standing.get(place) == code == its_code)
                continue
            if its_place == place and standing.get(place, "") != its_code:
                doubted = False
            standing[its_place] = its_code
            if standing.get(place) == code:
                doubted = doubted or any(c == code for p, c in standing.items() if p != place)
        return doubted and standing.get(place) == code


STEP = st.tuples(
    st.integers(0, 4),
    st.one_of(
        st.tuples(st.sampled_from(RIGS), st.sampled_from(["stands", "empty", "lost"])),
        st.tuples(st.sampled_from([GATE, DOCK]), st.just("scan")),
    ),
    st.sampled_from("AB"),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, max_size=14))
def test_sightings_agree_with_a_naive_reading(
    steps: list[tuple[int, tuple[str, str], str]],
) -> None:
    seen, clock = _sightings(TRAVEL_S, UNSEEN_S)
    naive, now_s = Naive(), 0
    for waited_s, (place, kind), code in steps:
        clock.advance(seconds=waited_s)
        now_s += waited_s
        if kind == "stands":
            seen.stands(place, code)
        elif kind == "scan":
            seen.passes(place, code)
        else:
            (seen.empty if kind == "empty" else seen.lost)(place)
        naive.said.append((now_s, place, kind, "" if kind in ("empty", "lost") else code))
        for each in (*RIGS, GATE, DOCK):
            for one in "AB":
                got = seen.elsewhere(each, one)
                assert (got is not None) == naive.elsewhere(now_s, each, one), (each, one, got)
                assert got != each
