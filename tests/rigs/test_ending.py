"""How a permit ends: every reason of the PLC, every cause of ours, every kind of total."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from drivers.contract import EndReason
from gatewayd.clock import SECOND
from gatewayd.rigs.ending import FORWARD_G_MAX, UINT32, finish, moved_g
from gatewayd.rigs.model import Ending, Identity, State, View, Withdrawal
from tests.rigs.bench import LEGAL, standing
from tests.support.stores import NOON, permit

PERMIT = permit(permit_no=7)
TARGET_G, BEFORE_G = PERMIT.target_g, PERMIT.total_before_g
TOLERANCE_G = 200
HERE = Identity("one", replace(LEGAL, code=PERMIT.cylinder_code))
OUTCOMES = {
    "completed",
    "underfilled",
    "overfilled",
    "aborted",
    "interrupted",
    "not_started",
}
DEATHS = (Withdrawal.RESTART, Withdrawal.GATE_LOST, Withdrawal.STALLED, Withdrawal.GATE_FAULT)


def ended(
    cause: Withdrawal = Withdrawal.ENDED,
    *,
    named: bool = True,
    flowed_g: int = 0,
    who: Identity = HERE,
    state: State | None = None,
    **sample: Any,
) -> Ending:
    """The ending; without a word from `named` the PLC remembers another permit."""
    gate = standing(last_permit=7 if named else 6, total_g=(BEFORE_G + flowed_g) % UINT32, **sample)
    kept = replace(state or State(), permit=PERMIT, withdrawn=cause, ended_at=NOON)
    view = View(now_ns=SECOND, wall=NOON, sample=gate, presence=1, identity=who)
    return finish(kept, view, TOLERANCE_G)


@pytest.mark.parametrize(
    ("reason", "net_g", "outcome"),
    [
        (EndReason.TARGET, TARGET_G, "completed"),
        (EndReason.TARGET, TARGET_G - TOLERANCE_G, "completed"),
        (EndReason.TARGET, TARGET_G - TOLERANCE_G - 1, "underfilled"),
        (EndReason.TARGET, TARGET_G + TOLERANCE_G, "completed"),
        (EndReason.TARGET, TARGET_G + TOLERANCE_G + 1, "overfilled"),
        (EndReason.OVER_LIMIT, 9_000, "overfilled"),
        (EndReason.OPERATOR_STOP, 9_000, "aborted"),
        (EndReason.OPERATOR_STOP, 0, "aborted"),
        (EndReason.PERMIT_WITHDRAWN, 9_000, "aborted"),
        (EndReason.LEASE_LOST, 9_000, "interrupted"),
        (EndReason.E_STOP, 9_000, "aborted"),
        (EndReason.SCALE_FAULT, 9_000, "aborted"),
        (EndReason.TIMEOUT, 9_000, "aborted"),
        (EndReason.CYLINDER_LEFT, 9_000, "aborted"),
        (EndReason.NONE, 9_000, "interrupted"),
        (42, 9_000, "aborted"),
    ],
)
def test_a_named_fill_ends_as_the_plc_says(reason: int, net_g: int, outcome: str) -> None:
    got = ended(end_reason=int(reason), last_net_g=net_g, flowed_g=net_g)
    assert (got.outcome, got.net_g, got.resolution) == (outcome, net_g, "posted")
    assert got.gross_end_g == PERMIT.tare_g + net_g
    assert got.mismatch_g == 0
    known = reason in {r.value for r in EndReason}
    assert got.end_reason == (EndReason(reason).name.lower() if known else "plc_reason_42")


@pytest.mark.parametrize(("flowed_g", "mismatch_g"), [(0, 0), (20, 0), (21, 21)])
def test_a_net_below_zero_is_no_gas(flowed_g: int, mismatch_g: int) -> None:
    """A PLC that names a fill whose cylinder was lifted as soon as it began."""
    reason = int(EndReason.CYLINDER_LEFT)
    got = ended(end_reason=reason, last_net_g=-9_000, flowed_g=flowed_g)
    assert (got.outcome, got.net_g, got.gross_end_g) == ("aborted", 0, PERMIT.tare_g)
    assert got.mismatch_g == mismatch_g


@pytest.mark.parametrize("cause", list(Withdrawal))
def test_a_fill_that_we_cut_short_says_why(cause: Withdrawal) -> None:
    got = ended(cause, end_reason=int(EndReason.PERMIT_WITHDRAWN), last_net_g=5_000, flowed_g=5_000)
    expected = "interrupted" if cause in DEATHS else "aborted"
    assert got.outcome == ("overfilled" if cause is Withdrawal.OVER_LIMIT else expected)
    told = "permit_withdrawn" if cause is Withdrawal.ENDED else cause.value
    assert (got.end_reason, got.resolution) == (told, "posted")


@pytest.mark.parametrize("cause", list(Withdrawal))
def test_a_permit_before_any_gas_is_not_started(cause: Withdrawal) -> None:
    got = ended(cause, named=False, end_reason=int(EndReason.TARGET), last_net_g=14_000)
    assert (got.outcome, got.net_g, got.gross_end_g) == ("not_started", 0, PERMIT.tare_g)
    assert got.resolution == ("expired" if cause is Withdrawal.EXPIRED else "voided")


@pytest.mark.parametrize("cause", list(Withdrawal))
@pytest.mark.parametrize("reason", [*EndReason, 42])
@pytest.mark.parametrize("flowed_g", [-5_000, 0, 5_000])
@pytest.mark.parametrize("named", [True, False])
def test_every_ending_has_a_word_of_the_contract(
    cause: Withdrawal, reason: int, flowed_g: int, *, named: bool
) -> None:
    got = ended(cause, named=named, end_reason=int(reason), flowed_g=flowed_g, last_net_g=4_000)
    assert got.outcome in OUTCOMES
    assert got.resolution == ("posted" if got.outcome != "not_started" else got.resolution)
    assert (got.outcome == "not_started") == (got.resolution in ("voided", "expired"))
    assert abs(flowed_g - got.net_g) <= 20 or got.mismatch_g == flowed_g - got.net_g


def test_a_fill_that_the_plc_forgot_is_what_its_totaliser_says() -> None:
    got = ended(Withdrawal.GATE_LOST, named=False, flowed_g=4_321)
    assert (got.outcome, got.net_g, got.mismatch_g) == ("interrupted", 4_321, 0)
    assert got.total_after_g == BEFORE_G + 4_321


@pytest.mark.parametrize(
    ("before_g", "after_g", "moved"),
    [
        (0, 0, 0),
        (100, 350, 250),
        (350, 100, -250),
        (UINT32 - 100, 150, 250),
        (150, UINT32 - 100, -250),
        (0, FORWARD_G_MAX, FORWARD_G_MAX),
        (3_000_000_000, 0, -3_000_000_000),
        (2_200_000_000, 15_000, -2_199_985_000),
    ],
)
def test_the_totaliser_wraps_and_a_reset_is_a_step_back(
    before_g: int, after_g: int, moved: int
) -> None:
    assert moved_g(before_g, after_g) == moved


def test_a_totaliser_that_disagrees_with_the_net_is_named() -> None:
    for off_g, mismatch_g in ((20, 0), (21, 21), (-20, 0), (-21, -21)):
        got = ended(end_reason=1, last_net_g=TARGET_G, flowed_g=TARGET_G + off_g)
        assert got.mismatch_g == mismatch_g


def test_a_wall_clock_that_jumps_does_not_change_how_long_it_took() -> None:
    state = State(started_at=NOON + timedelta(hours=1), started_ns=2 * SECOND, ended_ns=50 * SECOND)
    got = ended(state=state, end_reason=1, last_net_g=TARGET_G, flowed_g=TARGET_G)
    assert (got.seconds, got.started_at) == (48.0, NOON + timedelta(hours=1))
    assert ended(named=False).seconds is None
