"""The lease and the totaliser follow fresh samples alone: what is read no longer counts no longer."""

from dataclasses import replace

from gatewayd.clock import MS
from gatewayd.rigs.machine import step
from gatewayd.rigs.model import Phase
from gatewayd.rigs.moves import Baseline, GateFailed, Lock, Renew, Renewed, Unauthorised
from gatewayd.rigs.permitted import RENEW_ON_MS_MAX
from tests.rigs.test_machine import filling
from tests.rigs.world import RIG

DUE_MS = RIG.permit.lease_ms // 2
UNHEARD_MS_MAX = 300
"""Beyond its lease a gate that is not heard any more stays open for no longer than this."""


def test_the_lease_is_renewed_upon_a_fresh_sample_and_not_upon_an_old_one() -> None:
    world = filling()
    now = world.view()
    for age_ms, renews in ((0, True), (RENEW_ON_MS_MAX, True), (RENEW_ON_MS_MAX + 1, False)):
        later_ns = now.now_ns + DUE_MS * MS
        sample = replace(world.plc.report(world.now_ms), at_ns=later_ns - age_ms * MS)
        _, effects = step(world.state, replace(now, now_ns=later_ns, sample=sample), RIG)
        assert (effects == (Renew(seen_ns=sample.at_ns),)) == renews, age_ms
        assert renews or not effects


def test_a_gate_that_takes_writes_and_tells_nothing_any_more_closes_within_its_lease() -> None:
    world = filling()
    last, renewed_ms = world.view(), list[int]()
    for later_ms in range(0, RIG.stale_after_ms, 50):
        now_ns = last.now_ns + later_ms * MS
        world.state, effects = step(world.state, replace(last, now_ns=now_ns), RIG)
        if any(isinstance(each, Renew) for each in effects):
            renewed_ms.append(later_ms)
            world.state, _ = step(world.state, Renewed(now_ns, now_ns), RIG)
    assert RIG.stale_after_ms > 2 * UNHEARD_MS_MAX
    assert max(renewed_ms, default=0) <= UNHEARD_MS_MAX


def test_a_write_that_failed_is_followed_by_a_lock_at_once_and_only_one() -> None:
    world = filling()
    failed = GateFailed("no answer", world.now_ms * MS)
    state, effects = step(world.state, failed, RIG)
    assert effects == (Lock(),)
    _, effects = step(state, failed, RIG)
    assert effects == ()


def test_a_totaliser_is_believed_only_when_it_outlives_a_heartbeat_that_stands_still() -> None:
    for total_g in (0, 90_000):
        world = filling()
        world.plc.end(2, world.now_ms)
        world.until(Phase.LOCKED)
        booked = len(world.log)
        nonsense = replace(world.plc.report(world.now_ms), total_g=total_g)
        for _ in range(4):
            view = replace(world.view(), sample=nonsense)
            world.state, effects = step(world.state, view, RIG)
            assert not effects
            world.now_ms += 250
        world.tick(2_000)
        assert not [e for e in world.log[booked:] if isinstance(e, Unauthorised | Baseline)]
