"""`scale.toledo` over loopback and pty."""

from decimal import Decimal

import pytest

from drivers.scale.toledo import DRIVER
from drivers.suite import on_pty, on_tcp, running
from protocols.scales import toledo
from tests.drivers.scale.bench import Wire, gross, kinds, of_toledo, sending, weights, why
from tests.support.devices.scales import SicsScale, ToledoScale

KG = toledo.KILOGRAMS | 0x20


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
@pytest.mark.parametrize("checked", [True, False])
async def test_gross_net_and_motion_are_the_scales_own_words(wire: Wire, *, checked: bool) -> None:
    scale = ToledoScale(checked=checked)
    async with (
        wire(scale.plugged) as link,
        sending(scale),
        running(of_toledo(link, checksum=checked)) as bench,
    ):
        await bench.until(lambda: gross(bench) == 14_500)
        assert weights(bench)[-1].stable, "without waiting for a window"
        scale.b = KG | toledo.MOTION
        await bench.until(lambda: not weights(bench)[-1].stable)
        scale.b, scale.tare = KG | toledo.NET, Decimal("15.00")
        await bench.until(lambda: weights(bench)[-1].net_g == 14_500)
        assert gross(bench) == 29_500
        scale.b, scale.value = KG, Decimal("-1.00")
        await bench.until(lambda: gross(bench) == -1_000)
    assert bench.noise == []
    assert bench.error is None


@pytest.mark.parametrize(
    ("b", "told"),
    [
        (KG | toledo.OUT_OF_RANGE, "scale-1: out of range, digits '  1450'"),
        (KG | toledo.POWER_UP, "not zeroed since power-up"),
    ],
)
async def test_what_it_cannot_weigh_is_unknown(b: int, told: str) -> None:
    scale = ToledoScale(b=b)
    async with on_tcp(scale.plugged) as link, sending(scale), running(of_toledo(link)) as bench:
        await bench.until(lambda: told in why(bench))
        assert bench.ups
        scale.b = KG
        await bench.until(lambda: gross(bench) == 14_500)


@pytest.mark.parametrize("checked", [True, False])
async def test_a_check_set_the_wrong_way_is_named(*, checked: bool) -> None:
    scale = ToledoScale(checked=checked)
    async with (
        on_tcp(scale.plugged) as link,
        sending(scale, every_s=0.005),
        running(of_toledo(link, checksum=not checked)) as bench,
    ):
        await bench.until(lambda: "wrong_variant" in kinds(bench))
    assert f"checksum: {'true' if checked else 'false'}" in bench.troubles[-1].en
    assert all(found.gross_g == 14_500 for found in weights(bench))


async def test_a_motion_bit_that_lies_makes_the_weight_unknown() -> None:
    scale = ToledoScale(b=KG, value=Decimal(0))
    async with on_tcp(scale.plugged) as link, running(of_toledo(link)) as bench:
        await bench.until(lambda: scale.connections)
        async with sending(scale, every_s=0.03):
            while "motion inverted" not in why(bench):
                scale.value += Decimal("0.60")
                count = len(weights(bench))
                await bench.until(lambda n=count: len(weights(bench)) > n)  # type: ignore[misc]
                assert len(weights(bench)) < 100
    assert gross(bench) is None
    assert "motion_inverted" in kinds(bench)


async def test_another_protocol_is_named() -> None:
    scale = SicsScale()
    async with (
        on_tcp(scale.plugged) as link,
        sending(scale, every_s=0.005),
        running(of_toledo(link)) as bench,
    ):
        await bench.until(lambda: "wrong_variant" in kinds(bench))
    assert "set driver: scale.mt_sics" in bench.troubles[-1].en
    assert weights(bench) == []


def test_it_weighs_and_does_nothing_else() -> None:
    assert DRIVER.capabilities == {"scale"}
