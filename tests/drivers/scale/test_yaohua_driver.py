"""`scale.yaohua` over loopback and pty: every variant, and what goes wrong on a wire."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.scale.line import EMIT_EVERY_S
from drivers.scale.yaohua import DRIVER, Settings
from drivers.suite import on_pty, on_tcp, running
from protocols.scales import yaohua
from tests.drivers.scale.bench import Wire, gross, kinds, of_yaohua, sending, weights, why
from tests.support.devices.scales import ToledoScale, YaohuaScale
from tests.support.waiting import until

SENDING = sorted(set(yaohua.VARIANTS) - yaohua.ASKED)


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
@pytest.mark.parametrize("variant", sorted(yaohua.ASKED))
async def test_an_indicator_that_is_asked_is_weighed(wire: Wire, variant: yaohua.Variant) -> None:
    scale = YaohuaScale(variant=variant, address="C")
    async with wire(scale.plugged) as link:
        driver = of_yaohua(link, variant=variant, address="C", stable_s=0.2)
        async with running(driver) as bench:
            await bench.until(lambda: gross(bench) == 14_500)
            await bench.until(lambda: weights(bench)[-1].stable)
            scale.value = Decimal("-0.50")
            await bench.until(lambda: gross(bench) == -500)
            assert not weights(bench)[-1].stable
    assert bench.ups == [f"Yaohua {variant}, address C, kg"]
    assert bench.noise == []


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
@pytest.mark.parametrize("variant", SENDING)
async def test_an_indicator_that_sends_is_weighed(wire: Wire, variant: yaohua.Variant) -> None:
    scale = YaohuaScale(variant=variant)
    async with wire(scale.plugged) as link:
        driver = of_yaohua(link, variant=variant, stable_s=0.2)
        async with running(driver) as bench, sending(scale):
            await bench.until(lambda: gross(bench) == 14_500)
            await bench.until(lambda: weights(bench)[-1].stable)
            scale.value = Decimal("29.00")
            await bench.until(lambda: gross(bench) == 29_000)
            assert not weights(bench)[-1].stable
    assert len(bench.ups) == 1
    assert scale.heard == []


@pytest.mark.parametrize(
    ("variant", "text", "told"),
    [
        ("a12e", "OL", "overload, sent as OL"),
        ("a12e", "LO", "underload"),
        ("command", "+OL    0", "OL"),
    ],
)
async def test_overload_is_unknown_and_the_scale_stays_up(
    variant: yaohua.Variant, text: str, told: str
) -> None:
    scale = YaohuaScale(variant=variant, text=text)
    async with (
        on_tcp(scale.plugged) as link,
        running(of_yaohua(link, variant=variant)) as bench,
        sending(scale),
    ):
        await bench.until(lambda: told in why(bench))
        scale.text = ""
        await bench.until(lambda: gross(bench) == 14_500)
    assert why(bench) == ""
    assert all(found.gross_g in {None, 14_500} for found in weights(bench))


@pytest.mark.parametrize("configured", ["command", "continuous_2"])
async def test_another_kind_of_scale_is_named_with_what_to_set(configured: yaohua.Variant) -> None:
    scale = ToledoScale()
    async with (
        on_tcp(scale.plugged) as link,
        sending(scale, every_s=0.005),
        running(of_yaohua(link, variant=configured)) as bench,
    ):
        await bench.until(lambda: "wrong_variant" in kinds(bench))
    assert weights(bench) == []
    told = [trouble for trouble in bench.troubles if trouble.kind == "wrong_variant"]
    found = told[-1] if told else bench.error and bench.error.trouble
    assert found
    assert "set driver: scale.toledo, checksum: true" in found.en
    assert "scale.toledo" in found.zh


@pytest.mark.parametrize(
    ("configured", "sent"),
    [
        ("command", "continuous_0"),
        ("continuous_2", "continuous_1"),
        ("continuous_1", "continuous_2"),
        ("continuous_0", "a12e"),
        ("a12e", "continuous_0"),
    ],
)
async def test_the_wrong_variant_is_named_and_never_weighed(
    configured: yaohua.Variant, sent: yaohua.Variant
) -> None:
    scale = YaohuaScale(variant=sent)
    async with (
        on_tcp(scale.plugged) as link,
        sending(scale, every_s=0.005),
        running(of_yaohua(link, variant=configured)) as bench,
    ):
        await bench.until(lambda: "wrong_variant" in kinds(bench))
    assert weights(bench) == []
    assert f"variant: {sent}" in str([*bench.troubles, bench.error])


async def test_garbage_between_frames_is_noise_and_loses_no_weight() -> None:
    scale = YaohuaScale(variant="continuous_0", before=b"\x00\xff\x02+00")
    async with (
        on_tcp(scale.plugged) as link,
        running(of_yaohua(link, variant="continuous_0")) as bench,
        sending(scale),
    ):
        await bench.until(lambda: len(weights(bench)) > 5)
    assert {found.gross_g for found in weights(bench)} == {14_500}
    assert bench.noise


class Counting(YaohuaScale):
    """Its weight in kg is the number of the question for it."""

    asked = 0

    def frame(self) -> bytes:
        self.asked += 1
        self.value = Decimal(self.asked)
        return super().frame()


async def test_a_slow_indicator_is_waited_for_and_a_late_answer_is_not_the_next_one() -> None:
    scale = Counting(slow_s=0.2)
    async with on_tcp(scale.plugged) as link, running(of_yaohua(link)) as bench:
        await bench.until(lambda: len(weights(bench)) >= 2)
        scale.slow_s = 0.55
        late = len(scale.heard)
        await bench.until(lambda: len(scale.heard) > late)
        late, scale.slow_s = len(scale.heard), 0.0
        await bench.until(lambda: len(weights(bench)) >= late + 3)
    assert bench.error is None
    assert [found.gross_g for found in weights(bench)][late - 1 :][:3] == [
        1000 * (late + 1),
        1000 * (late + 2),
        1000 * (late + 3),
    ]


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
async def test_an_unplugged_scale_is_lost_and_weighs_again_when_it_is_back(wire: Wire) -> None:
    for _ in range(2):
        scale = YaohuaScale()
        async with wire(scale.plugged) as link, running(of_yaohua(link)) as bench:
            await bench.until(lambda: gross(bench) == 14_500)
            scale.unplug()
            await bench.until(lambda: bench.error)
        assert "closed" in str(bench.error) or "unplugged" in str(bench.error)


async def test_a_replugged_network_scale_is_served_by_a_new_run() -> None:
    scale = YaohuaScale(variant="a12e")
    async with on_tcp(scale.plugged) as link, sending(scale):
        driver = of_yaohua(link, variant="a12e")
        for _ in range(2):
            async with running(driver) as bench:
                await bench.until(lambda b=bench: gross(b) == 14_500)  # type: ignore[misc]
                scale.unplug()
                await bench.until(lambda b=bench: b.error)  # type: ignore[misc]
    assert scale.connections == 2


async def test_of_a_storm_the_newest_weight_wins_and_nothing_queues() -> None:
    scale = YaohuaScale(variant="continuous_0", value=Decimal(0))
    async with (
        on_tcp(scale.plugged) as link,
        running(of_yaohua(link, variant="continuous_0")) as bench,
    ):
        await bench.until(lambda: scale.connections)
        started = asyncio.get_running_loop().time()
        for burst in range(100):  # a thousand frames a second
            for _ in range(10):
                scale.value += Decimal("0.01")
                scale.say(scale.frame())
            if burst == 50:
                assert gross(bench) != -1
            await asyncio.sleep(0.01)  # ten frames each time
        await bench.until(lambda: gross(bench) == 10_000, within_s=0.5)
        seconds = asyncio.get_running_loop().time() - started
    found = [each.gross_g or 0 for each in weights(bench)]
    assert found == sorted(found), "never an older weight after a newer one"
    assert len(found) <= seconds / EMIT_EVERY_S + 1
    assert bench.noise == []


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_stopping_leaves_no_task_and_no_descriptor() -> None:
    before = open_files()
    for _ in range(3):
        scale = YaohuaScale()
        async with on_pty(scale.plugged) as link, running(of_yaohua(link)) as bench:
            await bench.until(lambda: weights(bench))
    await until(lambda: open_files() <= before)
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"unit": None}, "command does not send it"),
        ({"variant": "a12e"}, "a12e sends its unit itself"),
        ({"variant": "continuous_3"}, "variant"),
        ({"address": "a"}, "address"),
        ({"poll_ms": 600}, "at most half of stable_s"),
        ({"unit": "stone"}, "unit"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any], said: str) -> None:
    told = {"link": {"tcp": "10.0.0.1:9000"}, "variant": "command", "unit": "kg", **wrong}
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate(told)


def test_it_weighs_and_does_nothing_else() -> None:
    assert DRIVER.capabilities == {"scale"}
    link = Settings.model_validate(
        {"link": {"serial": "/dev/ttyS0"}, "variant": "keli", "unit": "kg"}
    ).link
    assert getattr(link, "baud", None) == 9600
