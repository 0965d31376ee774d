"""Serial scales are found on a wire by what they send, or by a question that changes nothing."""

from pathlib import Path

import pytest

from drivers.suite import on_tcp
from gatewayd.clock import SystemClock
from gatewayd.commission.detect import Search, detect
from gatewayd.commission.knowledge import knowledge
from gatewayd.commission.probe import Seen, read
from tests.drivers.scale.bench import Scale, of_sics, of_toledo, of_yaohua, sending
from tests.support.devices.scales import SicsScale, ToledoScale, YaohuaScale
from tests.support.machines import FakeMachine

ASKED: dict[str, Scale] = {"scale.yaohua": YaohuaScale(), "scale.mt_sics": SicsScale()}


async def found(link: str, tmp_path: Path) -> tuple[str, ...]:
    machine = FakeMachine(tmp_path).machine
    search = Search(machine, knowledge(), {}, listen_s=0.3, answer_s=0.15)
    (find,) = (await detect(search, (link,), lambda _: None)).hosts
    return find.guess.drivers if find.guess is not None else ()


@pytest.mark.parametrize("name", ASKED)
async def test_a_scale_that_is_asked_is_found(name: str, tmp_path: Path) -> None:
    scale = ASKED[name]
    async with on_tcp(scale.plugged) as link:
        assert (await found(link["tcp"], tmp_path))[:1] == (name,)


async def test_a_scale_that_sends_is_found(tmp_path: Path) -> None:
    scale = ToledoScale()
    async with on_tcp(scale.plugged) as link, sending(scale):
        assert (await found(link["tcp"], tmp_path))[:1] == ("scale.toledo",)


async def test_a_probe_reads_one_weight() -> None:
    yaohua, toledo, sics = YaohuaScale(), ToledoScale(), SicsScale()
    for scale, made in ((yaohua, of_yaohua), (toledo, of_toledo), (sics, of_sics)):
        seen = Seen()
        async with on_tcp(scale.plugged) as link, sending(toledo):
            await read(made(link), seen, SystemClock(), read_s=1.0, trigger=False)
        assert seen.up is not None, seen.error
        assert seen.readings
