"""What counts as seen with the cylinder: the past does not, and repeats collapse."""

from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import CodeRead, TagRead
from gatewayd.clock import SECOND
from gatewayd.rigs.presence import SIGHTINGS_MAX, Presence
from gatewayd.settings.model import RigSettings
from tests.rigs.bench import QUIET, RIG, standing

TWO_REQUIRED = RigSettings.model_validate_json(
    '{"medium": "LPG", "identify": [{"device": "gun-1", "antenna": 1}, {"device": "gun-2"},'
    '{"device": "qr-1", "require": true}], "scale": "g", "gate": "g", "rules": ["cn-lpg"]}'
)


def tag(uid: str, at_s: float, *, device: str = "gun-1", antenna: int = 1) -> TagRead:
    return TagRead(device, uid, antenna, None, round(at_s * SECOND))


def code(text: str, at_s: float) -> CodeRead:
    return CodeRead("qr-1", text, round(at_s * SECOND))


def empty(presence: Presence, at_s: float) -> None:
    presence.weigh(replace(QUIET, at_ns=round(at_s * SECOND)))


def stand(presence: Presence, at_s: float) -> None:
    presence.weigh(standing(at_ns=round(at_s * SECOND)))


def texts(presence: Presence) -> set[str]:
    return {seen.text for seen in presence.sightings()}


def sightings(presence: Presence) -> set[tuple[bool, str]]:
    return {(seen.is_tag, seen.text) for seen in presence.sightings()}


@dataclass
class Naive:
    """Every read ever, and the plain sentence of the module applied to all of them."""

    reads: list[tuple[float, bool, str]] = field(default_factory=list)
    empty_s: float | None = None
    came_s: float = 0
    on: bool = False

    def counted(self) -> set[tuple[bool, str]]:
        unseen = self.empty_s is None or round(self.came_s - self.empty_s, 6) > 0.5
        since_s = self.came_s + 0.3 if unseen else self.came_s
        return {
            (is_tag, text)
            for at_s, is_tag, text in self.reads
            if round(at_s - (since_s if is_tag else self.came_s - RIG.scan_valid_s), 6) >= 0
        }


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0.1, 1, 9, 31]),
        st.one_of(
            st.sampled_from(["empty", "stand", "stand", "lost"]),
            st.tuples(st.booleans(), st.integers(0, 20), st.sampled_from([0, 0, 0.1, 5, 40])),
        ),
    ),
    max_size=60,
)


@given(STEPS)
def test_only_what_was_read_with_the_cylinder_counts(
    steps: list[tuple[float, str | tuple[bool, int, float]]],
) -> None:
    presence, naive, now_s = Presence(RIG), Naive(), 100.0
    for passed_s, what in steps:
        now_s += passed_s
        match what:
            case "empty":
                empty(presence, now_s)
                naive.reads = [] if naive.on else naive.reads
                naive.on, naive.empty_s = False, now_s
            case "stand":
                stand(presence, now_s)
                naive.came_s = naive.came_s if naive.on else now_s
                naive.on = True
            case "lost":
                presence.lose()
                naive = Naive()
            case (bool() as is_tag, int() as number, late_s):
                text, at_s = f"{number}", now_s - late_s
                presence.saw(tag(text, at_s) if is_tag else code(text, at_s))
                naive.reads.append((at_s, is_tag, text))
        assert presence.on == naive.on
        if naive.on:
            assert sightings(presence) == naive.counted()


def test_a_tag_seen_only_before_the_scale_was_empty_never_counts() -> None:
    presence = Presence(RIG)
    presence.saw(tag("OLD", 9.9))
    empty(presence, 10)
    stand(presence, 10.1)
    presence.saw(tag("NEW", 10.1))
    assert texts(presence) == {"NEW"}


def test_a_tag_carried_past_just_before_the_scale_felt_somebody_never_counts() -> None:
    """Read between two words of the scale: it is there afterwards, too, when it is that cylinder's."""
    presence = Presence(RIG)
    empty(presence, 10)
    presence.saw(tag("CARRIED PAST", 10.05))
    presence.saw(tag("MINE", 10.05))
    stand(presence, 10.1)
    assert texts(presence) == set()
    presence.saw(tag("MINE", 10.2))
    assert texts(presence) == {"MINE"}


def test_a_tag_told_late_does_not_name_the_cylinder_that_came_meanwhile() -> None:
    presence = Presence(RIG)
    empty(presence, 10)
    stand(presence, 10.4)
    assert not presence.saw(tag("BEFORE", 10.2))
    presence.saw(tag("MINE", 10.4))
    assert not presence.saw(code("LONG AGO", 10.3 - RIG.scan_valid_s))
    assert texts(presence) == {"MINE"}
    presence.saw(tag("MINE", 12))
    presence.saw(tag("MINE", 11))
    assert [seen.last_ns for seen in presence.sightings()] == [12 * SECOND]


def test_what_waited_while_nobody_saw_the_scale_does_not_name_who_came_meanwhile() -> None:
    """Read at 10.1 s, told after a stall at 14.5 s, as the first word of the scale is."""
    presence = Presence(RIG)
    empty(presence, 10)
    stand(presence, 14.5)
    assert not presence.saw(tag("CARRIED PAST", 14.5))
    assert not presence.saw(tag("CARRIED PAST", 14.79))
    assert presence.saw(tag("MINE", 14.8))
    assert texts(presence) == {"MINE"}


def test_who_stands_there_is_asked_anew_when_nobody_looked_for_too_long() -> None:
    presence = Presence(RIG)
    empty(presence, 10)
    stand(presence, 10.1)
    presence.saw(tag("A", 10.2))
    presence.saw(code("C", 10.2))
    presence.doubt(round(14.5 * SECOND))
    assert (presence.number, texts(presence)) == (1, set())
    assert not presence.saw(tag("A", 14.6))
    assert presence.saw(tag("A", 14.8))


def test_a_code_counts_scan_valid_s_before_the_cylinder_and_no_longer() -> None:
    presence = Presence(RIG)
    empty(presence, 1)
    presence.saw(code("LONG AGO", 69.9))
    presence.saw(code("JUST", 70.0))
    empty(presence, 99)
    stand(presence, 70.0 + RIG.scan_valid_s)
    assert texts(presence) == {"JUST"}


def test_leaving_forgets_everything_and_the_next_is_another() -> None:
    presence = Presence(RIG)
    empty(presence, 1)
    stand(presence, 2)
    assert presence.number == 1
    presence.saw(tag("A", 2.1))
    presence.saw(code("C", 2.2))
    empty(presence, 3)
    assert presence.number == 0
    stand(presence, 3.1)
    assert (presence.number, texts(presence)) == (2, set())


def test_a_cylinder_that_nobody_saw_come_was_found() -> None:
    presence = Presence(RIG)
    stand(presence, 1)
    assert (presence.found, presence.number) == (True, 1)
    empty(presence, 2)
    stand(presence, 3)
    assert (presence.found, presence.number) == (False, 2)
    presence.lose()
    assert presence.number == 0
    presence.saw(tag("A", 3.5))
    stand(presence, 4)
    assert (presence.found, presence.number, texts(presence)) == (True, 3, set())


def test_ten_thousand_reads_of_one_tag_are_one_piece_of_news() -> None:
    presence = Presence(RIG)
    news = [presence.saw(tag("A", n / 10_000)) for n in range(10_000)]
    assert (news[0], any(news[1:])) == (True, False)
    assert [seen.last_ns for seen in presence.sightings()] == [round(0.9999 * SECOND)]


def test_at_the_limit_new_things_are_counted_and_not_kept() -> None:
    presence = Presence(RIG)
    empty(presence, 1)
    stand(presence, 2)
    for number in range(SIGHTINGS_MAX + 5):
        presence.saw(tag(f"T{number}", 3))
    assert (len(texts(presence)), presence.dropped) == (SIGHTINGS_MAX, 5)


def test_what_passes_an_empty_rig_does_not_crowd_out_a_scan() -> None:
    presence = Presence(RIG)
    for number in range(SIGHTINGS_MAX):
        presence.saw(tag(f"PASSING{number}", 1))
        presence.saw(code(f"STALE{number}", 1))
    empty(presence, 100)
    assert presence.saw(code("MINE", 100.1))
    stand(presence, 101)
    assert texts(presence) == {"MINE"}


def test_only_the_antenna_of_the_rig_counts() -> None:
    presence = Presence(TWO_REQUIRED)
    assert not presence.saw(tag("A", 1, antenna=2))
    assert not presence.saw(tag("A", 1, device="gun-9"))
    assert presence.saw(tag("A", 1, antenna=1))
    assert presence.saw(tag("A", 1, device="gun-2", antenna=7)), "no antenna named means any"


def test_every_required_device_must_speak() -> None:
    presence = Presence(TWO_REQUIRED)
    empty(presence, 1)
    stand(presence, 2)
    presence.saw(tag("A", 2.3, device="gun-2"))
    presence.saw(tag("A", 2.3))
    assert presence.missing(), "the label is required too"
    presence.saw(code("C", 2))
    assert not presence.missing()


def test_a_required_tag_that_is_not_seen_any_more_is_lost() -> None:
    presence = Presence(RIG)
    empty(presence, 1)
    stand(presence, 2)
    presence.saw(code("C", 2))
    assert not presence.tag_lost(900 * SECOND), "a label is scanned once"
    presence.saw(tag("A", 3))
    limit_ns = (3 + RIG.tag_lost_after_s) * SECOND
    assert not presence.tag_lost(limit_ns)
    assert presence.tag_lost(limit_ns + 1)
    presence.saw(tag("A", 9))
    assert not presence.tag_lost(limit_ns + 1)
