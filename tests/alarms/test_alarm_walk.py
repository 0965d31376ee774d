"""Whatever comes and goes: what stands, what is shown, what is stored and recorded agree."""

import asyncio
import itertools
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gatewayd.alarms.alarms import AGAIN_S
from gatewayd.alarms.catalogue import KINDS
from tests.alarms.control_room import ControlRoom, control_room

NAMES = ("gate_not_closed", "device_lost", "unauthorised_flow", "totaliser_went_back")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("raise", "raise", "clear", "answer", "pass", "block", "free")),
        st.sampled_from(NAMES),
        st.sampled_from((0.2, 1.0, 7.0, AGAIN_S + 1.0)),
    ),
    max_size=40,
)


async def _walk(room: ControlRoom, steps: list[tuple[str, str, float]]) -> None:
    blocked, told = False, dict.fromkeys(NAMES, 0)
    for step, kind, seconds in steps:
        if step == "raise":
            told[kind] += 1
            room.alarms.raise_(kind, "rig-1", detail=f"{told[kind]}")
            assert room.shown(kind) is not None
        elif step == "clear":
            room.alarms.clear(kind, "rig-1")
        elif step == "answer" and room.shown(kind) and not blocked:
            await room.alarms.flush()
            await room.alarms.acknowledge(kind, "rig-1", by="w")
        elif step == "pass":
            await room.pass_s(seconds)
        elif step == "block" and not blocked:
            blocked = True
            room.block()
        elif step == "free" and blocked:
            blocked = False
            room.free()
        shown = {a.kind for a in room.alarms.standing}
        assert shown == {name for name in NAMES if room.shown(name)}
    if blocked:
        room.free()
    await room.pass_s(0)
    await room.pass_s(AGAIN_S + 1)


def _judge(room: ControlRoom) -> None:
    stored = {(a.kind, a.count) for a in room.store.alarms(standing=True)}
    assert {kind for kind, _ in stored} == {a.kind for a in room.alarms.standing}
    for kind in NAMES:
        life: list[str] = [data["action"] for data in room.data() if data["code"] == kind]
        for before, after in itertools.pairwise(["cleared", *life]):
            over = before == "cleared" or (before == "acknowledged" and not KINDS[kind].lasts)
            assert (after == "raised") == over, life
        assert not KINDS[kind].lasts or "cleared" not in life[:1]


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_every_life_is_told_from_its_raising_to_its_end(
    steps: list[tuple[str, str, float]],
) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with control_room(Path(folder)) as room:
                await _walk(room, steps)
                _judge(room)

    asyncio.run(run())
