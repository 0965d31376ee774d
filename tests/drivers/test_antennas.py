"""The antennas of a reader, and which of them miss their load."""

import asyncio

from drivers.contract import Context, Trouble
from drivers.rfid.antennas import (
    MISSING_AGAIN_S,
    MISSING_ROUNDS_MAX,
    TELL_EVERY_S,
    Antennas,
)
from tests.support.stopped_time import StoppedLoop, run


def told_to(troubles: list[Trouble]) -> Context:
    return Context(
        emit=lambda _: None,
        up=lambda _: None,
        noise=lambda _reason, _raw: None,
        monotonic_ns=lambda: 0,
        trouble=troubles.append,
    )


def test_a_missing_antenna_is_left_out_named_tried_again_and_back_at_its_first_round() -> None:
    troubles: list[Trouble] = []

    async def walk() -> None:
        antennas = Antennas((1, 4))
        for _ in range(MISSING_ROUNDS_MAX):
            assert antennas.due() == (1, 4)
            assert list(antennas.missing) == []
            antennas.heard(1, missing=False)
            antennas.heard(4, missing=True)
        assert list(antennas.missing) == [4]
        assert antennas.due() == (1,)
        assert not antennas.doubtful
        for _ in range(3):
            antennas.tell(told_to(troubles))
        await asyncio.sleep(TELL_EVERY_S)
        antennas.tell(told_to(troubles))
        await asyncio.sleep(MISSING_AGAIN_S)
        assert antennas.due() == (1, 4)
        antennas.heard(4, missing=True)
        assert antennas.due() == (1,)
        await asyncio.sleep(MISSING_AGAIN_S)
        antennas.heard(4, missing=False)
        assert list(antennas.missing) == []
        assert antennas.due() == (1, 4)

    run(walk(), StoppedLoop())
    assert [trouble.kind for trouble in troubles] == ["antenna_missing"] * 2
    assert "antenna 4" in troubles[0].en


def test_one_round_without_a_load_is_no_missing_antenna() -> None:
    async def walk() -> None:
        antennas = Antennas((1,))
        for _ in range(10 * MISSING_ROUNDS_MAX):
            antennas.heard(1, missing=True)
            assert antennas.doubtful
            antennas.heard(1, missing=False)
        assert list(antennas.missing) == []
        assert antennas.due() == (1,)

    run(walk(), StoppedLoop())
