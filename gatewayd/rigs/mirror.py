"""What others see of a rig (contract §6): its state when it changes, its weight when it moves."""

from typing import Any
from zoneinfo import ZoneInfo

from drivers.contract import GateSample
from gatewayd.clock import SECOND
from gatewayd.logs import logger
from gatewayd.rigs import evidence
from gatewayd.rigs.assess import Bench
from gatewayd.rigs.attendance import Attendance
from gatewayd.rigs.findings import LOCKED, finding, reason_at_rig
from gatewayd.rigs.means import Means
from gatewayd.rigs.model import Phase, State
from gatewayd.rigs.weight_band import WeightBand
from gatewayd.store.model import RigLock


class Mirror:
    """Posts one rig on the board; equal pictures are posted once."""

    def __init__(self, bench: Bench, means: Means, people: Attendance) -> None:
        self._people = people
        self._topic = f"rigs/{bench.rig_id}"
        self._board = means.board
        self._clock = means.clock
        self._renewals = means.timings.of(bench.rig_id).renewals
        self._renewed = (0, 0)
        self._zone = ZoneInfo(bench.station.timezone)
        self._log = logger("rigs").bind(rig=bench.rig_id)
        self._shown: tuple[object, ...] = ()
        self._band = WeightBand(bench.rig.dead_band_g)
        self._since = ""

    def weigh(self, sample: GateSample, before: GateSample | None) -> None:
        """Show a changed weight in passing, where the change is worth a message."""
        same = before is not None and _weight(sample) == _weight(before)
        if same or not self._band.worth(sample):
            return
        weight = {
            "t": evidence.stamp(self._clock.wall(), self._zone),
            "gross_g": sample.gross_g,
            "net_g": sample.net_g,
            "stable": sample.stable,
        }
        self._board.flash(f"{self._topic}/weight", weight)

    def show(self, state: State, sample: GateSample | None, lock: RigLock | None = None) -> None:
        """Post the state when anything but the weight changed."""
        permit = state.permit if state.withdrawn is None else None
        if permit is not None:
            self._time_renewal(permit.permit_no, state.renewed_ns)
        key = (
            state.phase,
            state.fault,
            state.identity,
            state.verdict,
            permit,
            state.findings,
            lock,
            state.waiting,
            self._people.key(),
        )
        if key == self._shown:
            return
        if not self._shown or self._shown[:2] != key[:2]:
            self._since = evidence.stamp(self._clock.wall(), self._zone)
            self._log.info("rig.state", state=state.phase.value, fault=state.fault or None)
        self._shown = key
        self._board.post(f"{self._topic}/state", self._picture(state, sample, lock))

    def _time_renewal(self, permit_no: int, renewed_ns: int) -> None:
        (last_no, last_ns), self._renewed = self._renewed, (permit_no, renewed_ns)
        if last_no == permit_no and last_ns < renewed_ns:
            self._renewals.note((renewed_ns - last_ns) / SECOND)

    def _picture(
        self, state: State, sample: GateSample | None, lock: RigLock | None
    ) -> dict[str, Any]:
        permit = state.permit if state.withdrawn is None else None
        who = state.identity
        return {
            "state": state.phase.value,
            "since": self._since,
            "fault": state.fault or None,
            "cylinder": None if who.status == "waiting" else evidence.shown(who),
            "verdict": _decision(state),
            "permit": permit.permit_no if permit else None,
            "gross_g": sample.gross_g if sample else None,
            "net_g": sample.net_g if sample else None,
            "target_g": permit.target_g if permit else None,
            "lock": None if lock is None else self._lock(lock),
            "findings": _findings(state, sample, lock),
            **self._people.picture(state.waiting if state.phase is Phase.IDENTIFYING else ()),
        }

    def _lock(self, lock: RigLock) -> dict[str, str]:
        since = evidence.stamp(lock.locked_at, self._zone)
        return {"reason": lock.reason, "by": lock.locked_by, "since": since}


def _weight(sample: GateSample) -> tuple[int, int, bool]:
    return sample.gross_g, sample.net_g, sample.stable


def _decision(state: State) -> str | None:
    """A refusal without rule packs denies as well."""
    if state.verdict is None:
        return "deny" if state.findings else None
    return state.verdict.decision


def _findings(
    state: State, sample: GateSample | None, lock: RigLock | None
) -> list[dict[str, Any]]:
    """What refuses; of what is allowed the warnings; and that the rig is locked, in any case."""
    if state.verdict is not None and not (state.verdict.allowed and state.findings):
        shown = list(state.verdict.findings)
    else:
        shown = [reason_at_rig(code, state.identity, sample) for code in state.findings]
    if lock is not None and not any(found.code == LOCKED for found in shown):
        shown.insert(0, finding(LOCKED, lock=lock.reason))
    return [found.as_json() for found in shown]
