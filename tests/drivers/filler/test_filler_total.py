"""A filler's totaliser: followed over its wraps, beyond what a scale weighs, and never backwards in silence."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.filler.total import FillerTotal
from protocols.register_plan import plan
from protocols.register_values import Reading, read
from protocols.register_weights import Scaling
from protocols.registers import Profile, register_bytes
from tests.drivers.filler.test_filler_modbus import up
from tests.support.fillers import MAP, FillerDevice, profile
from tests.support.waiting import until

WRAPS_AT = 1_000_000
GRAM, TEN_GRAMS = Scaling("g", 0), Scaling("kg", 2)
WRAPPING = profile(
    MAP.replace(
        "{address: 14, type: uint32, mass: true,",
        f"{{address: 14, type: uint32, mass: true, wraps_at: {WRAPS_AT},",
    )
)


def reading(map_: Profile, raw: int) -> Reading:
    (span,) = plan([map_.points["total"]], map_.limits)
    return read((span,), [register_bytes((raw >> 16, raw & 0xFFFF))])


@given(st.integers(0, WRAPS_AT - 1), st.lists(st.integers(0, WRAPS_AT // 2 - 1), max_size=30))
def test_over_its_wraps_it_is_what_flowed(first: int, flowed: list[int]) -> None:
    """A naive sum beside it."""
    total, sum_g = FillerTotal(WRAPPING, "total"), first
    assert not total.doubt(reading(WRAPPING, first))
    for grams in flowed:
        sum_g += grams
        now = reading(WRAPPING, sum_g % WRAPS_AT)
        assert not total.doubt(now)
        assert total.grams(now, GRAM) == sum_g


def test_backwards_is_told_once_with_register_and_raw_value_and_it_goes_on_from_there() -> None:
    map_ = profile(MAP)
    total = FillerTotal(map_, "total")
    said = [total.doubt(reading(map_, raw)) for raw in (5_000, 70_000, 69_999, 70_100)]
    assert said == [
        "",
        "",
        "the totaliser went back from 70000: total at holding 14-15 = 0x0001 116F",
        "",
    ]
    assert total.grams(reading(map_, 70_100), GRAM) == 70_100


def test_a_total_may_be_more_than_any_scale_weighs() -> None:
    map_ = profile(MAP)
    total = FillerTotal(map_, "total")
    most = reading(map_, 0xFFFF_FFFF)
    assert not total.doubt(most)
    assert total.grams(most, TEN_GRAMS) == 42_949_672_950
    assert total.grams(most, None) is None
    assert FillerTotal(map_, None).grams(most, GRAM) is None


async def test_a_filler_whose_totaliser_goes_back_has_no_weight_for_that_moment() -> None:
    device = FillerDevice(total_g=70_000)
    async with up(device) as (_, seen):
        await until(lambda: seen.last().total_g == 70_000)
        device.total_g = 100
        await until(lambda: seen.last().total_g == 100)
        (told,) = [sample for sample in seen.samples if sample.gross_g is None]
        assert told.why == (
            "filler-1: the totaliser went back from 70000: total at holding 14-15 = 0x0000 0064"
        )
        await until(lambda: seen.last().gross_g == 16_500)
