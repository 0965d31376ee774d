"""Requests for points: as few as can be, within what the device can bear, and nothing twice."""

from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.register_block import Point
from protocols.register_file import Bounds, LimitsFile, Table
from protocols.register_plan import Span, plan


def made(address: int, kind: str = "uint16", table: Table = "holding") -> Point:
    return Point(f"p{table}{address}", address, kind, (), table, low_first=False, doc="d")


def reads(points: list[Point], **limits: object) -> list[tuple[int, int]]:
    spans = plan(points, LimitsFile.model_validate(limits))
    return [(span.address, span.count) for span in spans]


def test_neighbours_and_what_lies_between_come_in_one_request() -> None:
    points = [made(0, "int32"), made(2), made(7), made(99)]
    assert reads(points) == [(0, 100)]
    assert reads(points, gap_max=4) == [(0, 8), (99, 1)]
    assert reads(points, gap_max=0) == [(0, 3), (7, 1), (99, 1)]
    assert reads(points, registers_max=8) == [(0, 8), (99, 1)]
    assert reads(points, registers_max=2) == [(0, 2), (2, 1), (7, 1), (99, 1)]


def test_registers_that_must_not_be_touched_part_a_request() -> None:
    points = [made(0), made(5)]
    for low, high in ((1, 1), (4, 4), (1, 4), (3, 3)):
        assert reads(points, never_read=(Bounds(low=low, high=high),)) == [(0, 1), (5, 1)]
    assert reads(points, never_read=(Bounds(low=6, high=9),)) == [(0, 6)]


def test_what_must_not_be_touched_counts_as_the_map_counts() -> None:
    limits = LimitsFile(never_read=(Bounds(low=1, high=1),))
    assert len(plan([made(0), made(2)], limits)) == 2
    assert len(plan([made(1), made(3)], limits, base=1)) == 1


def test_tables_are_read_apart_and_bits_by_their_own_limit() -> None:
    points = [made(0, "bit", "coil"), made(1999, "bit", "coil"), made(0), made(0, table="input")]
    spans = plan(points)
    assert [(s.table, s.count) for s in spans] == [("coil", 2000), ("holding", 1), ("input", 1)]
    assert reads(points[:2], bits_max=1999) == [(0, 1), (1999, 1)]


POINTS = st.lists(st.integers(0, 40), unique=True, max_size=7).map(
    lambda at: [made(2 * address, "int32" if address % 3 else "uint16") for address in at]
)


def fewest(points: list[Point], limits: LimitsFile) -> int:
    """The fewest groups of neighbours there can be, by trying every way to cut."""
    ordered = sorted(points, key=lambda p: p.address)
    for count in range(len(ordered) + 1):
        for cuts in combinations(range(1, len(ordered)), max(0, count - 1)):
            edges = (0, *cuts, len(ordered))
            groups = [ordered[a:b] for a, b in pairwise(edges)]
            if all(len(plan(group, limits)) <= 1 for group in groups):
                return len([group for group in groups if group])
    raise AssertionError


@settings(max_examples=150)
@given(POINTS, st.integers(2, 30), st.integers(0, 12))
def test_a_plan_reads_every_point_once_in_the_fewest_requests(
    points: list[Point], registers_max: int, gap_max: int
) -> None:
    limits = LimitsFile(registers_max=registers_max, gap_max=gap_max)
    spans: tuple[Span, ...] = plan(points, limits)
    read = [point for span in spans for point in span.points]
    assert sorted(p.name for p in read) == sorted(p.name for p in points)
    for span in spans:
        assert 1 <= span.count <= registers_max
        assert all(
            span.address <= p.address and p.end <= span.address + span.count for p in span.points
        )
    assert len(spans) == fewest(points, limits)
