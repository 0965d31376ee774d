"""`scale.mt_sics` over loopback and pty; a tare never makes a cylinder look lighter than it is."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.scale.mt_sics import DRIVER, Settings
from drivers.suite import on_pty, on_tcp, running
from tests.drivers.scale.bench import Wire, gross, kinds, of_sics, sending, weights, why
from tests.support.devices.scales import SicsScale, YaohuaScale


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
async def test_gross_is_what_is_on_it_whatever_was_tared(wire: Wire) -> None:
    scale = SicsScale()
    async with wire(scale.plugged) as link, running(of_sics(link)) as bench:
        await bench.until(lambda: gross(bench) == 14_500)
        assert (weights(bench)[-1].net_g, weights(bench)[-1].stable) == (None, True)
        scale.tare, scale.value, scale.status = Decimal("14.50"), Decimal("16.00"), "D"
        await bench.until(lambda: gross(bench) == 16_000)
        assert (weights(bench)[-1].net_g, weights(bench)[-1].stable) == (1_500, False)
    assert bench.ups == ['MT-SICS scale "B021002593", poll, tare: ask']
    assert {found.gross_g for found in weights(bench)} <= {14_500, 16_000, None}


async def test_a_tare_taken_while_it_weighs_is_unknown_and_never_a_lighter_cylinder() -> None:
    scale = SicsScale(value=Decimal("20.00"))

    def tare_key() -> None:
        scale.tare = Decimal("20.00") - scale.tare

    scale.after_weight = tare_key
    async with on_tcp(scale.plugged) as link, running(of_sics(link)) as bench:
        await bench.until(lambda: len(weights(bench)) >= 6)
        scale.after_weight = lambda: None
        await bench.until(lambda: gross(bench) == 20_000)
    assert {found.gross_g for found in weights(bench)} == {None, 20_000}
    assert "the tare changed from" in weights(bench)[0].why


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("+", "overload, sent as S +"),
        ("-", "underload, sent as S -"),
        ("I", "not executable, sent as S I"),
    ],
)
@pytest.mark.parametrize("settings", [{}, {"mode": "push", "tare": "off"}])
async def test_signs_instead_of_a_weight_are_unknown(
    status: str, told: str, settings: dict[str, Any]
) -> None:
    scale = SicsScale(status=status)
    scale.repeats = bool(settings)
    async with (
        on_tcp(scale.plugged) as link,
        running(of_sics(link, **settings)) as bench,
        sending(scale, only=lambda: scale.repeats),
    ):
        await bench.until(lambda: told in why(bench))
    assert all(found.gross_g is None for found in weights(bench))


async def test_push_starts_the_repetition_and_poll_ends_one() -> None:
    scale = SicsScale()
    async with (
        on_tcp(scale.plugged) as link,
        sending(scale, only=lambda: scale.repeats),
        running(of_sics(link, mode="push", tare="off")) as bench,
    ):
        await bench.until(lambda: len(weights(bench)) > 3)
    assert gross(bench) == 14_500
    assert scale.repeats
    assert b"TA\r\n" not in scale.heard
    async with on_tcp(scale.plugged) as link, running(of_sics(link)) as bench:
        await bench.until(lambda: gross(bench) == 14_500)
    assert not scale.repeats


async def test_a_scale_that_does_not_tell_its_tare_is_refused_with_what_to_do() -> None:
    scale = SicsScale(knows_tare=False)
    async with on_tcp(scale.plugged) as link:
        async with running(of_sics(link)) as bench:
            await bench.until(lambda: bench.error)
        assert kinds(bench) == {"tare_unreadable"}
        assert weights(bench) == []
        async with running(of_sics(link, tare="off")) as bench:
            await bench.until(lambda: gross(bench) == 14_500)


async def test_another_scale_is_named() -> None:
    other = YaohuaScale(variant="a12e")
    async with (
        on_tcp(other.plugged) as link,
        sending(other, every_s=0.005),
        running(of_sics(link)) as bench,
    ):
        await bench.until(lambda: "wrong_variant" in kinds(bench))
    assert weights(bench) == []


@pytest.mark.parametrize(
    "wrong", [{"mode": "push"}, {"tare": "maybe"}, {"poll_ms": 0}, {"unit": "kg"}, {"stable_s": 0}]
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"link": {"tcp": "10.0.0.1:9000"}, **wrong})


def test_it_weighs_and_does_nothing_else() -> None:
    assert DRIVER.capabilities == {"scale"}
